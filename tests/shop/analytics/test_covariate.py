"""CUPED and Bayes' reading against numbers worked out by another way."""

import random
from math import erf, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import stats

from shop.analytics.experiments.belief import belief
from shop.analytics.experiments.covariate import Paired, adjusted
from shop.analytics.experiments.inference import Sample, fixed_horizon

Values = list[tuple[float, float]]


def paired(values: Values) -> Paired:
    since, before = [y for y, _ in values], [x for _, x in values]
    return Paired(of(since), of(before), sum(y * x for y, x in values))


def of(values: list[float]) -> Sample:
    return Sample(len(values), sum(values), sum(value * value for value in values))


def people(chance: random.Random, n: int, effect: float) -> Values:
    """A tenth bought before, and mostly buys again."""
    before = [chance.gauss(50, 10) if chance.random() < 0.1 else 0.0 for _ in range(n)]
    return [(0.8 * x + chance.gauss(5, 6) + effect, x) for x in before]


def test_the_adjusted_samples_are_those_of_the_residuals() -> None:
    chance = random.Random(5)
    control, variant = people(chance, 400, 0), people(chance, 300, 1)
    found = adjusted(paired(control), paired(variant))
    assert found
    # The same by regression, person by person: both arms centred by themselves give theta, then y - theta (x - mean x).
    arms: list[Any] = [np.array(control), np.array(variant)]
    centred = np.concatenate([arm - arm.mean(axis=0) for arm in arms])
    theta = (centred[:, 0] @ centred[:, 1]) / (centred[:, 1] @ centred[:, 1])
    usual = np.concatenate(arms)[:, 1].mean()
    residuals = [arm[:, 0] - theta * (arm[:, 1] - usual) for arm in arms]
    for sample, values in zip((found.control, found.variant), residuals, strict=True):
        assert sample.mean == pytest.approx(float(values.mean()))
        assert sample.variance == pytest.approx(float(values.var(ddof=1)))
    assert found.correlation == pytest.approx(float(np.corrcoef(centred[:, 0], centred[:, 1])[0, 1]))


def test_it_finds_in_fewer_visitors_what_is_there_and_nothing_where_nothing_is() -> None:
    chance = random.Random(8)
    plain, better, wrong = 0, 0, 0
    for _ in range(200):
        control, variant, same = (paired(people(chance, 300, effect)) for effect in (0, 1.5, 0))
        there, nothing = adjusted(control, variant), adjusted(control, same)
        assert there
        assert nothing
        plain += excludes(control.since, variant.since)
        better += excludes(there.control, there.variant)
        wrong += excludes(nothing.control, nothing.variant)
    assert better > 2 * plain
    assert wrong <= 20  # 5 % of 200 are 10; more than 20 would come once in a thousand times


def excludes(control: Sample, variant: Sample) -> bool:
    found = fixed_horizon(control, variant)
    return bool(found and found.excludes_zero)


def test_nobody_did_anything_before() -> None:
    assert adjusted(paired([(1, 0), (0, 0)]), paired([(1, 0), (0, 0)])) is None
    assert adjusted(paired([]), paired([(1, 2), (2, 3)])) is None


def test_the_belief_is_the_normal_one() -> None:
    control, variant = Sample(10_000, 1000, 1000), Sample(10_000, 1080, 1080)
    found = belief(control, variant)
    assert found
    # error² = 0.1 · 0.9 / 9999 + 0.108 · 0.892 / 9999.
    error = (0.1 * 0.9 / 9999 + 0.108 * 0.892 / 9999) ** 0.5
    assert found.better == pytest.approx((1 + erf(0.008 / error / sqrt(2))) / 2)
    assert (found.low, found.high) == pytest.approx((0.008 - 1.959964 * error, 0.008 + 1.959964 * error))
    losses: Any = stats.norm(0.008, error).expect(lambda value: -value, ub=0)
    assert found.risk == pytest.approx(losses, rel=1e-6)
    assert belief(Sample(1, 0, 0), variant) is None
    assert belief(Sample(5, 0, 0), Sample(5, 0, 0)) is None
