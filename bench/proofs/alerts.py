"""Counts false alarms of shops where nothing happens, and how soon planted faults are found.

`python -m bench.proofs alerts`. Hours are judged, and incidents begun and ended, by the rules of the shop.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from shop.analytics.alerts.baseline import WEEKS, judge_count, judge_share
from shop.analytics.alerts.shares import LEAST, RISE
from shop.analytics.alerts.signals import BY_KIND

WEEK = 168

SIZES = (12, 40, 200, 3000)
"""Usual orders (or events) an hour, averaged over the week."""

RESTLESS = (0.1, 0.2, 0.3)
"""How much days deviate from the usual beside chance: a tenth is a quiet shop, three tenths one that is all sales."""

FAULT_HOURS = 4
"""How long a planted fault lasts."""

REFUSED = 0.06
"""Usual share of refused tries to pay."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Over `weeks` judged weeks of shops of every size and restlessness up to a fifth: false incidents, and of planted
    faults how many were found. `restless`: false incidents of the most restless shops alone, which are not promised."""

    weeks: int
    false: int
    restless: int
    silences: int
    silences_found: int
    thirds: int
    thirds_found: int
    share_weeks: int
    share_false: int
    thefts: int
    thefts_found: int

    @property
    def sound(self) -> bool:
        return (
            self.false <= self.weeks * PROMISED
            and self.share_false <= self.share_weeks * PROMISED
            and self.silences_found >= 0.9 * self.silences
            and self.thefts_found >= 0.8 * self.thefts
        )

    def __str__(self) -> str:
        return "\n".join(
            (
                f"counts by the hour: {self.false} false alarms in {self.weeks} weeks of shops that vary by up to 20 %",
                f"  and {self.restless} in half as many weeks of shops that vary by 30 %",
                f"  nothing sold for {FAULT_HOURS} hours:        found {self.silences_found} of {self.silences}",
                f"  a third sold for {FAULT_HOURS} hours:        found {self.thirds_found} of {self.thirds}",
                f"refused payments: {self.share_false} false alarms in {self.share_weeks} weeks",
                f"  one try in four refused for 2 hours: found {self.thefts_found} of {self.thefts}",
            )
        )


PROMISED = 1 / 13
"""False alarms a week and signal: one in a quarter of a year."""


def prove(weeks: int, *, faults: int = 40, seed: int = 20261123) -> Counted:
    """`weeks` are judged of each kind of shop; `faults` of each kind are planted into each."""
    chance = random.Random(seed)
    false, restless, silences, thirds = 0, 0, [0, 0], [0, 0]
    for noise in RESTLESS:
        for size in SIZES:
            hours = _hours(chance, WEEKS + weeks, size, noise)
            begun = _incidents(hours)
            false, restless = (false, restless + begun) if noise == RESTLESS[-1] else (false + begun, restless)
            if noise < RESTLESS[-1]:
                _plant(chance, hours, faults, 0.0, silences)
                _plant(chance, hours, faults, 1 / 3, thirds)
    shares = [_share_incidents(chance, weeks, tries) for tries in (40, 400)]
    thefts = [_theft(chance, tries) for tries in (40, 400) for _ in range(faults)]
    return Counted(
        weeks=weeks * len(SIZES) * (len(RESTLESS) - 1),
        false=false,
        restless=restless,
        silences=silences[0],
        silences_found=silences[1],
        thirds=thirds[0],
        thirds_found=thirds[1],
        share_weeks=2 * weeks,
        share_false=sum(shares),
        thefts=len(thefts),
        thefts_found=sum(thefts),
    )


def _hours(chance: random.Random, weeks: int, size: float, noise: float) -> list[int]:
    """Nights, weekends, days that are better and worse, and chance."""
    days = [math.exp(chance.gauss(0, noise)) for _ in range(weeks * 7)]
    return [
        _poisson(
            chance,
            size
            * (1 + 0.9 * math.sin((hour % 24 - 9) / 24 * 2 * math.pi))
            * (1.4 if hour // 24 % 7 >= 5 else 1.0)
            * days[hour // 24]
            * math.exp(chance.gauss(0, 0.05)),
        )
        for hour in range(weeks * WEEK)
    ]


def _poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, number, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        number, product = number + 1, product * chance.random()
    return number


def _past(hours: Sequence[int], at: int) -> list[list[float]]:
    return [[hours[at - WEEK * week + beside] for week in range(1, WEEKS + 1)] for beside in (0, -1, 1)]


def _incidents(hours: Sequence[int]) -> int:
    """An incident begins with a bad hour (harder than the shop, which looks twice) and ends with a calm one."""
    begun, running = 0, False
    for at in range(WEEKS * WEEK + 1, len(hours) - 1):
        verdict = judge_count(hours[at], _past(hours, at)).verdict
        begun += verdict == "bad" and not running
        running = verdict == "bad" or (running and verdict != "calm")
    return begun


def _plant(chance: random.Random, hours: Sequence[int], faults: int, left: float, counts: list[int]) -> None:
    """Adds to `counts` the faults planted at hours of which anything can be said, and those that were found."""
    planted = 0
    while planted < faults:
        at = chance.randrange(WEEKS * WEEK + 1, len(hours) - FAULT_HOURS - 1)
        judged = [
            judge_count(sum(chance.random() < left for _ in range(hours[hour])), _past(hours, hour)).verdict
            for hour in range(at, at + FAULT_HOURS)
        ]
        if "unknown" in judged:
            continue
        planted += 1
        counts[0] += 1
        counts[1] += "bad" in judged


def _share_incidents(chance: random.Random, weeks: int, tries: int) -> int:
    begun = bad = 0
    running = False
    days = [REFUSED * math.exp(chance.gauss(0, 0.2)) for _ in range(28)]
    for hour in range(weeks * WEEK):
        if hour % 24 == 0:
            days = [*days[1:], REFUSED * math.exp(chance.gauss(0, 0.2))]
        hits = sum(chance.random() < days[-1] for _ in range(tries))
        verdict = judge_share(hits, tries, days[:-1], least=LEAST, rise=RISE).verdict
        bad = bad + 1 if verdict == "bad" else 0
        begun += bad == BY_KIND["payment_failures"].begins and not running
        running = bad > 0 or (running and verdict != "calm")
    return begun


def _theft(chance: random.Random, tries: int) -> bool:
    usual = [REFUSED * math.exp(chance.gauss(0, 0.2)) for _ in range(28)]
    # Two hours of the usual tries, and as many again of somebody who tries cards of which most are refused.
    hits = sum(chance.random() < REFUSED for _ in range(tries)) + sum(chance.random() < 0.44 for _ in range(tries))
    return judge_share(hits, 2 * tries, usual, least=LEAST, rise=RISE).verdict == "bad"
