"""What an experiment's figures prove: whether the split is sound, how sure a difference is, how many are needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, inf, log, sqrt

from scipy import special

ALPHA = 0.05
"""One in twenty experiments without any effect may look like one with."""

SRM_P = 0.001
"""Below it the split is not the planned one. Stricter than ALPHA, because the alarm ends the readout."""

SRM_LEAST = 100
"""Expected visitors a variant; with fewer the test says little and frightens much."""

TUNED_TO = 5_000
"""The number of visitors at which the always-valid interval is tightest, as GrowthBook has it by default."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric of one variant, over visitors: how many, the sum and the sum of squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Unbiased. 0 with fewer than two."""
        if self.n < 2:
            return 0.0
        return max(0.0, (self.squares - self.total * self.total / self.n) / (self.n - 1))


@dataclass(frozen=True, slots=True)
class Interval:
    """`p`: how likely a difference at least as large would be without any effect."""

    low: float
    high: float
    p: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def sample_of(mean: float, deviation: float) -> Sample:
    """A sample with this mean and standard deviation, for what is only known by them."""
    variance = deviation * deviation
    return Sample(2, 2 * mean, variance + 2 * mean * mean)


def mismatch(counts: Sequence[int], weights: Sequence[float]) -> float | None:
    """The p-value of Pearson's chi-square test that visitors came in the planned shares; None while there are too few.

    A variant of weight 0 with a visitor makes it 0.
    """
    everybody, whole = sum(counts), sum(weights)
    planned = [everybody * weight / whole for weight in weights]
    if any(count and not expected for count, expected in zip(counts, planned, strict=True)):
        return 0.0
    real = [(count, expected) for count, expected in zip(counts, planned, strict=True) if expected]
    if len(real) < 2 or min(expected for _, expected in real) < SRM_LEAST:
        return None
    chi2 = sum((count - expected) ** 2 / expected for count, expected in real)
    return float(special.chdtrc(len(real) - 1, chi2))


def fixed_horizon(control: Sample, variant: Sample, alpha: float = ALPHA) -> Interval | None:
    """Welch's interval and test for variant - control. Right for one look, at a moment chosen beforehand. None with
    fewer than two visitors on a side, or where nothing varies."""
    parts = [sample.variance / sample.n for sample in (control, variant) if sample.n > 1]
    error = sqrt(sum(parts))
    if len(parts) < 2 or not error:
        return None
    squares = sum(part**2 / (sample.n - 1) for part, sample in zip(parts, (control, variant), strict=True))
    degrees = sum(parts) ** 2 / squares
    difference = variant.mean - control.mean
    half = float(special.stdtrit(degrees, 1 - alpha / 2)) * error
    return Interval(difference - half, difference + half, float(2 * special.stdtr(degrees, -abs(difference) / error)))


def always_valid(
    control: Sample, variant: Sample, alpha: float = ALPHA, *, tuned_to: float = TUNED_TO
) -> Interval | None:
    """An interval that may be looked at every day, and stopped at: it holds at all moments at once with 1 - alpha.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
    theory and asymptotic confidence sequences" (Annals of Statistics 52, 2024), equation 6: the mixture of normals.
    None as in fixed_horizon.
    """
    n, error = control.n + variant.n, _error(control, variant)
    if error is None:
        return None
    rho2 = _rho2(alpha, tuned_to)
    difference = variant.mean - control.mean
    half = error * sqrt(2 * (n * rho2 + 1) / (n * rho2) * log(sqrt(n * rho2 + 1) / alpha))
    # The alpha at which the interval would just touch zero: the same formula, solved for it.
    exponent = (difference / error) ** 2 * n * rho2 / (2 * (n * rho2 + 1))
    p = min(1.0, sqrt(n * rho2 + 1) * exp(-min(exponent, 700.0)))
    return Interval(difference - half, difference + half, p)


def one_sided(control: Sample, variant: Sample, alpha: float = ALPHA, *, tuned_to: float = TUNED_TO) -> float | None:
    """How far the difference may lie on one side of what is seen, at all moments at once with 1 - alpha.

    The same authors' bound for one side: a mixture over half of the normals. It crosses where exp(z²/2) Φ(z) does, and
    that is at least exp(z²/2) - 1/2, so the 1 under the logarithm errs on the safe side. None as in fixed_horizon.
    """
    n, error = control.n + variant.n, _error(control, variant)
    if error is None:
        return None
    rho2 = _rho2(2 * alpha, tuned_to)
    return error * sqrt(2 * (n * rho2 + 1) / (n * rho2) * log(1 + sqrt(n * rho2 + 1) / (2 * alpha)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values: with several metrics, the chance of any false winner stays what it was for one."""
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, p * (len(p_values) - rank)))
        adjusted[name] = largest
    return adjusted


def visitors_for_share(share: float, change: float, *, power: float = 0.8, alpha: float = ALPHA) -> int | None:
    """Visitors of each variant needed to find a relative `change` of a share; None where there is no such share.

    J. L. Fleiss, Statistical Methods for Rates and Proportions, without the correction for continuity.
    """
    other = share * (1 + change)
    if not 0 < share < 1 or not 0 < other < 1 or not change:
        return None
    middle = (share + other) / 2
    under_null = _quantile(1 - alpha / 2) * sqrt(2 * middle * (1 - middle))
    under_change = _quantile(power) * sqrt(share * (1 - share) + other * (1 - other))
    return ceil((under_null + under_change) ** 2 / (other - share) ** 2)


def visitors_for_mean(sample: Sample, change: float, *, power: float = 0.8, alpha: float = ALPHA) -> int | None:
    """The same for a mean, from what was seen of it: 2 variance (z + z)² / difference²."""
    difference = sample.mean * change
    if not difference or not sample.variance:
        return None
    needed = 2 * sample.variance * (_quantile(1 - alpha / 2) + _quantile(power)) ** 2 / difference**2
    return ceil(needed) if needed < inf else None


def _error(control: Sample, variant: Sample) -> float | None:
    """The standard error of the difference; None with fewer than two on a side, or where nothing varies."""
    if control.n < 2 or variant.n < 2:
        return None
    return sqrt(control.variance / control.n + variant.variance / variant.n) or None


def _rho2(alpha: float, tuned_to: float) -> float:
    """The mixture's spread that makes the interval tightest at so many visitors."""
    return (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned_to


def _quantile(share: float) -> float:
    return float(special.ndtri(share))
