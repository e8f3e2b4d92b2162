"""Statistics against numbers worked out elsewhere or by another way, and against chance itself."""

import random
from math import erfc, exp, log, sqrt
from typing import Any

import pytest
from scipy import stats

from shop.analytics.experiments.inference import (
    Sample,
    always_valid,
    fixed_horizon,
    holm,
    mismatch,
    visitors_for_mean,
    visitors_for_share,
)


def of(*values: float) -> Sample:
    return Sample(len(values), sum(values), sum(value * value for value in values))


def share(hits: int, n: int) -> Sample:
    return Sample(n, hits, hits)


def test_a_split_of_51_to_49_is_found_and_a_sound_one_is_not_blamed() -> None:
    # With two variants chi-square has one degree of freedom: p = erfc(sqrt(chi2 / 2)), chi2 = (a - b)² / (a + b).
    assert mismatch([51_000, 49_000], [1, 1]) == pytest.approx(erfc(sqrt(2000**2 / 100_000 / 2)))
    assert (mismatch([51_000, 49_000], [1, 1]) or 1) < 0.001
    assert mismatch([5_050, 4_950], [0.5, 0.5]) == pytest.approx(erfc(sqrt(0.5)))
    # Two degrees of freedom: p = exp(-chi2 / 2).
    assert mismatch([200, 300, 560], [0.2, 0.3, 0.5]) == pytest.approx(
        exp(-((212 - 200) ** 2 / 212 + (318 - 300) ** 2 / 318 + (560 - 530) ** 2 / 530) / 2)
    )


def test_few_visitors_are_not_judged_and_one_in_a_closed_variant_is_damning() -> None:
    assert mismatch([120, 40], [1, 1]) is None
    assert mismatch([500, 0], [1, 0]) is None
    assert mismatch([500, 1], [1, 0]) == 0


def test_the_fixed_interval_is_welchs() -> None:
    # Two values a side with equal spread: two degrees of freedom, where Student's distribution has a closed form.
    found = fixed_horizon(of(0, 2), of(4, 6))
    assert found
    t = 4 / sqrt(2)
    assert found.p == pytest.approx(1 - t / sqrt(t * t + 2))
    quantile = 0.95 * sqrt(2 / (1 - 0.95**2))
    assert (found.low, found.high) == pytest.approx((4 - quantile * sqrt(2), 4 + quantile * sqrt(2)))


def test_the_fixed_interval_bears_unequal_spread_and_size() -> None:
    chance = random.Random(3)
    first, second = [chance.gauss(10, 1) for _ in range(40)], [chance.gauss(11, 5) for _ in range(15)]
    found = fixed_horizon(of(*first), of(*second))
    other: Any = stats.ttest_ind(second, first, equal_var=False)
    assert found
    assert found.p == pytest.approx(other.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(other.confidence_interval()))


def test_nothing_to_compare_is_no_interval() -> None:
    assert fixed_horizon(of(1), of(1, 2)) is None
    assert fixed_horizon(of(1, 1), of(1, 1)) is None
    assert always_valid(of(), of(1, 2)) is None
    assert always_valid(of(1, 1), of(2, 2)) is None


def test_the_always_valid_interval_is_the_published_formula() -> None:
    control, variant = share(1000, 10_000), share(1100, 10_000)
    found = always_valid(control, variant)
    assert found
    # By hand: error² = p(1-p)/(n-1) of each side; rho² from alpha = 0.05 and 5000; n = 20000.
    error2 = 0.1 * 0.9 / 9999 + 0.11 * 0.89 / 9999
    rho2 = (2 * log(20) + log(2 * log(20) + 1)) / 5000
    half = sqrt(error2 * 20_000) * sqrt(
        2 * (20_000 * rho2 + 1) / (20_000**2 * rho2) * log(sqrt(20_000 * rho2 + 1) * 20)
    )
    assert (found.low, found.high) == pytest.approx((0.01 - half, 0.01 + half))
    fixed = fixed_horizon(control, variant)
    assert fixed
    assert found.high - found.low > fixed.high - fixed.low


def test_the_numbers_are_those_of_gbstats() -> None:
    """GrowthBook's own engine, gbstats 0.8.0, on 3.0 % against 3.5 % of 10,000 each, and on a split of 5,100 to 4,900."""
    control, variant = share(300, 10_000), share(350, 10_000)
    found, fixed = always_valid(control, variant), fixed_horizon(control, variant)
    assert found
    assert fixed
    assert (found.low, found.high) == pytest.approx((-0.002841, 0.012841), abs=1e-6)
    assert (round(found.p, 2), round(fixed.p, 3)) == (0.83, 0.046)
    assert mismatch([5_100, 4_900], [1, 1]) == pytest.approx(0.0455003, abs=1e-7)


@pytest.mark.parametrize("hits", [1005, 1100, 1180, 1400])
def test_p_value_and_always_valid_interval_say_the_same(hits: int) -> None:
    control, variant = share(1000, 10_000), share(hits, 10_000)
    found = always_valid(control, variant)
    assert found
    assert (found.p < 0.05) == found.excludes_zero
    if found.p < 1:
        touching = always_valid(control, variant, alpha=found.p)
        # rho depends on alpha; hold it by tuning, and the interval at alpha = p touches zero.
        rho2 = (-2 * log(0.05) + log(-2 * log(0.05) + 1)) / 5000
        tuned = (-2 * log(found.p) + log(-2 * log(found.p) + 1)) / rho2
        touching = always_valid(control, variant, alpha=found.p, tuned_to=tuned)
        assert touching
        assert touching.low == pytest.approx(0, abs=1e-9)


def test_looking_every_day_at_nothing_finds_something_in_fewer_than_one_of_twenty() -> None:
    chance = random.Random(11)
    runs, wrong, wrong_if_peeked = 300, 0, 0
    for _ in range(runs):
        hits, caught, peeked = [0, 0], False, False
        for day in range(1, 21):
            for side in (0, 1):
                hits[side] += sum(chance.random() < 0.2 for _ in range(200))
            sides = share(hits[0], 200 * day), share(hits[1], 200 * day)
            valid, fixed = always_valid(*sides), fixed_horizon(*sides)
            caught |= bool(valid and valid.excludes_zero)
            peeked |= bool(fixed and fixed.excludes_zero)
        wrong += caught
        wrong_if_peeked += peeked
    assert wrong / runs < 0.05
    assert wrong_if_peeked / runs > 0.15


def test_holm_is_holm() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({}) == {}


def test_the_calculator_gives_the_textbook_numbers() -> None:
    # From 10 % to 12 % with power 80 %: 3,841 on each side, as tables after Fleiss have it.
    assert visitors_for_share(0.10, 0.2) == 3841
    assert visitors_for_share(0.5, 0.1, power=0.9) == 2095
    assert visitors_for_share(0, 0.1) is None
    assert visitors_for_share(0.9, 0.2) is None
    # 2 · 25 · (1.96 + 0.8416)² / 1² = 392.4
    spread = Sample(10_001, 100_010.0, 100_010.0 * 10 + 25.0 * 10_000)
    assert (spread.mean, spread.variance) == pytest.approx((10, 25))
    assert visitors_for_mean(spread, 0.1) == 393
