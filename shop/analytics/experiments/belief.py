"""What to believe of a difference when nothing was believed before: the Bayesian reading, beside the intervals."""

from dataclasses import dataclass
from math import exp, pi, sqrt

from scipy import special

from shop.analytics.experiments.inference import ALPHA, Sample


@dataclass(frozen=True, slots=True)
class Belief:
    """`better`: the chance that the variant's mean is above the control's. `low` to `high` holds the difference with
    95 %. `risk`: how much a visitor would bring less on average, should the variant be taken and be the worse one."""

    better: float
    low: float
    high: float
    risk: float


def belief(control: Sample, variant: Sample, alpha: float = ALPHA) -> Belief | None:
    """With a flat prior and the normal distribution that means of many visitors have. None with fewer than two on a
    side, or where nothing varies. Looking every day and stopping at what pleases is not paid for here."""
    if control.n < 2 or variant.n < 2:
        return None
    error = sqrt(control.variance / control.n + variant.variance / variant.n)
    if not error:
        return None
    difference = variant.mean - control.mean
    z = difference / error
    half = float(special.ndtri(1 - alpha / 2)) * error
    # The mean of what lies below zero of a normal distribution.
    risk = error * exp(-z * z / 2) / sqrt(2 * pi) - difference * float(special.ndtr(-z))
    return Belief(float(special.ndtr(z)), difference - half, difference + half, max(0.0, risk))
