"""Says whether a figure is out of the ordinary, by what the same hour of the week was like in the weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Literal

from shop.analytics.intervals import wilson

Verdict = Literal["bad", "calm", "between", "unknown"]
"""`between` is neither: an incident that is open stays open, and none begins. `unknown`: too little to say."""

WEEKS = 8
"""As far back as the same hour of the week is compared: a holiday or two among eight does not move the median."""

LEAST_WEEKS = 4
"""Fewer, and the median is one week's chance."""

LEAST_USUAL = 10.0
"""Where fewer are usual in an hour, none at all is no news."""

BAD_AT = 4.0
"""Deviations below the usual that begin an incident. `python -m bench.proofs alerts` counts the false ones: a shop
that varies by a fifth from day to day has about one in half a year."""

UPWARDS = 2 / 3
"""A day that goes well deviates more than one that goes badly, so too much begins at half as far again."""

CALM_AT = 2.5
"""Deviations at which it is over: half of where it begins, so that a figure on the edge does not ring twice."""

SPREAD = 0.08
"""The least deviation taken for granted, as a share of the usual: no shop is the same two weeks in a row."""

TO_DEVIATION = 1.4826
"""Of a normal distribution: the standard deviation over the median of distances from the median."""


@dataclass(frozen=True, slots=True)
class Judged:
    """`expected` is None where nothing can be said of what is usual."""

    verdict: Verdict
    observed: float
    expected: float | None
    deviations: float


def judge_count(
    observed: float, past: Sequence[Sequence[float]], *, unit: float = 1.0, both_ways: bool = False
) -> Judged:
    """A count (or a sum) of one hour against the same hour of past weeks.

    `past[0]` are the values of that hour in each week, the others those of hours beside it, which only tell how much
    such values vary. `unit`: what one thing that happens adds at a time, 1 for counts; for sums the mean square over
    the mean, by which a sum varies like a count. Without `both_ways`, too much is never bad.

    On the scale of twice the square root a count of chance deviates by one, however large it is (Anscombe,
    Biometrika 35, 1948, 246-254); what weeks really differ by is the median distance from their median, as one odd
    week moves neither.
    """
    if not past or len(past[0]) < LEAST_WEEKS or median(past[0]) < LEAST_USUAL * unit:
        return Judged("unknown", observed, median(past[0]) if past and past[0] else None, 0.0)
    scaled = [[_scale(value / unit) for value in values] for values in past]
    usual = median(scaled[0])
    apart = [abs(value - median(values)) for values in scaled for value in values]
    deviation = max(1.0, SPREAD * usual, TO_DEVIATION * median(apart) * _few(len(past[0])))
    away = (_scale(observed / unit) - usual) / deviation
    far = max(-away, away * UPWARDS) if both_ways else -away
    return Judged(_verdict(far), observed, median(past[0]), away)


def judge_share(hits: int, tries: int, usual: Sequence[float], *, least: int, rise: float) -> Judged:
    """`hits` of `tries` against the shares of past days: bad where even its lower bound is well above the usual.

    `rise` is how much more is worth waking somebody for, as a share of all (0.05: five of a hundred more).
    """
    if tries < least or len(usual) < LEAST_WEEKS:
        return Judged("unknown", hits / tries if tries else 0.0, median(usual) if usual else None, 0.0)
    share, normal = hits / tries, median(usual)
    border = max(normal * 1.5, normal + rise)
    low, _ = wilson(hits, tries, SURE)
    away = (share - normal) / max(sqrt(normal * (1 - normal) / tries), 1 / tries)
    if low > border:
        return Judged("bad", share, normal, away)
    return Judged("calm" if share <= max(normal * 1.25, normal + rise / 2) else "between", share, normal, away)


SURE = 3.3
"""Deviations of a share: chance alone goes beyond once in two thousand looks, which come 288 times a day, but not by
half as much again as usual."""


def _scale(value: float) -> float:
    return 2 * sqrt(max(value, 0.0) + 0.375)


def _few(weeks: int) -> float:
    # The median distance of few values from their own median is too small; found by simulation for 4 to 8 values.
    return 1 + 1.2 / weeks


def _verdict(far: float) -> Verdict:
    if far >= BAD_AT:
        return "bad"
    return "calm" if far <= CALM_AT else "between"
