"""Guardrails: whether a variant is certainly not worse than the control, certainly worse, or not known to be either."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shop.analytics.experiments import inference
from shop.analytics.experiments.covariate import Paired
from shop.analytics.experiments.inference import Sample

Worse = Literal["higher", "lower"]
Verdict = Literal["held", "broken", "open"]

WORSE: Mapping[str, Worse] = {
    "conversion": "lower",
    "net_revenue": "lower",
    "orders": "lower",
    "units": "lower",
    "refunds": "higher",
    "search_ms": "higher",
    "payment_failures": "higher",
    "refund_share": "higher",
}
"""Which way harm lies."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`worst`: the difference to the control that cannot be ruled out, in the direction of harm; None where too little
    is known. `held`: harm is below the plan's tolerance. `broken`: there is harm, and it may be more than that. `open`:
    neither is sure. Each with 95 %, one-sided, however often one looks. Holding needs no correction for the number of
    guardrails, because all of them must."""

    worse: Worse
    worst: float | None
    verdict: Verdict


def guard(control: Sample, variant: Sample, *, worse: Worse, tolerance: float) -> Guard:
    """`tolerance` is relative to the control's mean."""
    sign = 1 if worse == "higher" else -1
    # Compared with a control made worse by the tolerance, so that the uncertainty of its mean is in the bound.
    allowed = _scaled(control, 1 + (sign * tolerance if control.mean >= 0 else -sign * tolerance))
    half, half_allowed = (inference.one_sided(one, variant) for one in (control, allowed))
    if half is None or half_allowed is None:
        return Guard(worse, None, "open")
    difference = variant.mean - control.mean
    held = sign * (variant.mean - allowed.mean) + half_allowed < 0
    harmed = sign * difference - half > 0
    return Guard(worse, difference + sign * half, "held" if held else "broken" if harmed else "open")


def share(paired: Paired) -> Sample:
    """The share `since` / `before` (of sums over visitors) as a sample of visitors, by the delta method.

    A visitor's searches are not independent of one another, so the visitor is what varies: A. Deng, U. Knoblich, J. Lu,
    "Applying the Delta Method in Metric Analytics" (KDD 2018). Empty where nothing was counted.
    """
    n, base = paired.since.n, paired.before
    if n < 2 or base.total <= 0:
        return Sample(0, 0.0, 0.0)
    mean = paired.since.total / base.total
    spread = paired.since.variance - 2 * mean * paired.together / (n - 1) + mean * mean * base.variance
    variance = max(0.0, spread) / base.mean**2
    return Sample(n, mean * n, variance * (n - 1) + mean * mean * n)


def _scaled(sample: Sample, factor: float) -> Sample:
    return Sample(sample.n, sample.total * factor, sample.squares * factor * factor)
