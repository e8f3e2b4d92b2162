"""Guardrails against numbers worked out by another way, and against chance itself."""

import random
from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from shop.analytics.experiments.covariate import Paired
from shop.analytics.experiments.guardrail import Guard, guard, share
from shop.analytics.experiments.inference import TUNED_TO, Sample, always_valid, one_sided


def of(values: list[float]) -> Sample:
    return Sample(len(values), sum(values), sum(value * value for value in values))


def flat(n: int, mean: float, deviation: float) -> Sample:
    return Sample(n, n * mean, (n - 1) * deviation**2 + n * mean * mean)


def read(control: float, variant: float, n: int = 5000, *, worse: str = "higher") -> Guard:
    samples = flat(n, control, 1.0), flat(n, variant, 1.0)
    if worse == "higher":
        return guard(*samples, worse="higher", tolerance=0.05)
    return guard(*samples, worse="lower", tolerance=0.05)


def test_the_bound_is_where_the_mixture_over_one_half_would_cross_or_a_little_outside() -> None:
    control, variant = flat(4000, 3.0, 2.0), flat(3000, 3.1, 2.5)
    half = one_sided(control, variant)
    assert half
    n, alpha = 7000, 0.05
    rho2 = (-2 * np.log(2 * alpha) + np.log(-2 * np.log(2 * alpha) + 1)) / TUNED_TO
    error = sqrt(2.0**2 / 4000 + 2.5**2 / 3000)

    def mixture(at: float) -> float:
        """Of the normals on one side: ∫ 2 φ(m; 0, ρ²) exp(m S - m² n / 2) dm for a sum S = n (at / error) / √n."""
        z = sqrt(rho2) * sqrt(n) * (at / error) / sqrt(n * rho2 + 1)
        return float(2 / sqrt(n * rho2 + 1) * np.exp(z * z / 2) * stats.norm.cdf(z))

    exact = crossing(mixture, 1 / alpha, high=2 * half)
    assert exact <= half < exact * 1.03
    two_sided = always_valid(control, variant)
    assert two_sided
    assert half < (two_sided.high - two_sided.low) / 2


def crossing(of_what: Callable[[float], float], level: float, *, high: float) -> float:
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if of_what(middle) < level else (low, middle)
    return high


def test_a_share_varies_as_the_resampled_one_does() -> None:
    chance = np.random.default_rng(7)
    searches = chance.poisson(2.0, 3000)
    took = np.array([chance.lognormal(3, 0.6, count).sum() + 5 * count * chance.normal(1, 0.2) for count in searches])
    base = searches.astype(float)
    sums = Paired(of(list(took)), of(list(base)), float((took * base).sum()))
    found = share(sums)
    assert found.mean == pytest.approx(took.sum() / base.sum())
    picks = chance.integers(0, 3000, (2000, 3000))
    resampled = took[picks].sum(axis=1) / base[picks].sum(axis=1)
    assert sqrt(found.variance / found.n) == pytest.approx(resampled.std(), rel=0.06)


def test_nothing_counted_is_no_share_and_says_nothing() -> None:
    nobody = share(Paired(flat(500, 0, 0), flat(500, 0, 0), 0))
    assert nobody.n == 0
    assert guard(nobody, nobody, worse="higher", tolerance=0.05) == Guard("higher", None, "open")


def test_more_than_the_tolerance_is_broken_and_surely_less_is_held() -> None:
    assert read(10.0, 10.0).verdict == "held"
    assert read(10.0, 9.0).verdict == "held"
    assert read(10.0, 11.0).verdict == "broken"
    assert read(10.0, 10.0, worse="lower").verdict == "held"
    assert read(10.0, 11.0, worse="lower").verdict == "held"
    assert read(10.0, 9.0, worse="lower").verdict == "broken"
    assert read(-10.0, -11.0, worse="lower").verdict == "broken"
    assert read(-10.0, -10.0, worse="lower").verdict == "held"


def test_sure_harm_below_the_tolerance_is_tolerated_and_a_wide_interval_decides_nothing() -> None:
    small = read(10.0, 10.2, n=50_000)
    assert (small.verdict, small.worst and 0.2 < small.worst < 0.5) == ("held", True)
    wide = read(1.0, 1.0, n=100)
    assert (wide.verdict, wide.worst and wide.worst > 0.05) == ("open", True)


def test_looking_every_day_breaks_or_holds_wrongly_less_than_once_in_twenty() -> None:
    chance = random.Random(11)
    runs, broken, held = 300, 0, 0
    for _ in range(runs):
        sums = [[0, 0.0, 0.0] for _ in range(3)]  # the control, its twin, and one that is worse by just the tolerance
        seen = [False, False]
        for _ in range(20):
            for place, mean in enumerate((10.0, 10.0, 10.5)):
                grow(sums[place], [chance.gauss(mean, 3.0) for _ in range(60)])
            control, twin, edge = (Sample(int(n), total, squares) for n, total, squares in sums)
            seen[0] |= guard(control, twin, worse="higher", tolerance=0.05).verdict == "broken"
            seen[1] |= guard(control, edge, worse="higher", tolerance=0.05).verdict == "held"
        broken, held = broken + seen[0], held + seen[1]
    assert broken < 0.05 * runs
    assert held < 0.05 * runs


def grow(sums: list[float], values: list[float]) -> None:
    sums[0] += len(values)
    sums[1] += sum(values)
    sums[2] += sum(value * value for value in values)
