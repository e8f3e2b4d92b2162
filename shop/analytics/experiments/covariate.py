"""CUPED: what visitors did before is taken out of what they did since, which makes intervals shorter for nothing.

A. Deng, Y. Xu, R. Kohavi, T. Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
Pre-Experiment Data" (WSDM 2013). Sound because the days before the exposure cannot know the variant.
"""

from dataclasses import dataclass
from math import sqrt

from shop.analytics.experiments.inference import Sample


@dataclass(frozen=True, slots=True)
class Paired:
    """A metric of one variant's visitors since the exposure and before it, and the sum of the products of both."""

    since: Sample
    before: Sample
    product: float

    @property
    def together(self) -> float:
        """How both vary together, summed over visitors."""
        return self.product - self.since.total * self.before.total / self.since.n if self.since.n else 0.0


@dataclass(frozen=True, slots=True)
class Adjusted:
    """`correlation` of before and since within the variants: the variance shrinks by its square."""

    correlation: float
    control: Sample
    variant: Sample


def adjusted(control: Paired, variant: Paired) -> Adjusted | None:
    """Both samples without what the days before explain. None where nobody did anything before, or nothing varies."""
    pair = (control, variant)
    if min(one.since.n for one in pair) < 2:
        return None
    spread_before = sum(one.before.variance * (one.before.n - 1) for one in pair)
    spread_since = sum(one.since.variance * (one.since.n - 1) for one in pair)
    if not spread_before or not spread_since:
        return None
    together = sum(one.together for one in pair)
    theta = together / spread_before
    everybody = sum(one.before.total for one in pair) / sum(one.before.n for one in pair)
    return Adjusted(
        correlation=max(-1.0, min(1.0, together / sqrt(spread_before * spread_since))),
        control=_without(control, theta, everybody),
        variant=_without(variant, theta, everybody),
    )


def _without(paired: Paired, theta: float, usual: float) -> Sample:
    n = paired.since.n
    mean = paired.since.mean - theta * (paired.before.mean - usual)
    together = paired.together / (n - 1)
    variance = max(0.0, paired.since.variance - 2 * theta * together + theta**2 * paired.before.variance)
    return Sample(n, mean * n, variance * (n - 1) + mean * mean * n)
