"""Proves what experiments say of nothing and of a broken split, by chance itself: `python -m bench.proofs experiments`.

Visitors are drawn by the real hash; what they buy is chance and the same for all; readouts are those of the shop.
"""

import random
from dataclasses import dataclass

from shop.analytics.experiments import inference
from shop.analytics.experiments.hashing import variant_of
from shop.analytics.experiments.readout_metrics import Plan, metrics
from shop.analytics.queries.readout import Outcome

PLAN = Plan(("conversion", "net_revenue"), ("units",), tolerance=0.05, change=0.05, power=0.8)

PIECES = 3
"""Most pieces of an order; what the guardrail watches."""

BUYERS = 0.06
"""Share of visitors who buy: that of a good shop."""

LOOKS = 20
"""Times somebody looks, and stops at the first winner: every day for nearly three weeks."""

SUSPECT = (0.51, 0.49)
"""What really comes where halves were planned."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Of `experiments` without any effect, looked at `LOOKS` times: how many showed a winner by the interval that is
    always valid (Holm over both metrics), how many by one look at the end, how many by Welch's looked at every time.
    `alarmed`: guardrails that were once broken; `blamed`: sound splits that were blocked at the end; `found`: of
    `tilted` splits of 51 to 49."""

    experiments: int
    winners: int
    winners_once: int
    winners_peeking: int
    alarmed: int
    blamed: int
    tilted: int
    found: int

    @property
    def sound(self) -> bool:
        return (
            self.winners < 0.05 * self.experiments
            and self.alarmed < 0.05 * self.experiments
            and self.blamed <= max(2, 0.005 * self.experiments)
            and self.found >= 0.95 * self.tilted
        )

    def __str__(self) -> str:
        return "\n".join(
            (
                f"A/A: {self.experiments} experiments without any effect, looked at {LOOKS} times each",
                f"  false winners, always valid, two metrics by Holm: {self._share(self.winners)} (under 5 % promised)",
                f"  false winners, Welch, one look at the end:        {self._share(self.winners_once)}",
                f"  false winners, Welch, looked at every time:       {self._share(self.winners_peeking)}",
                f"  guardrail broken, looked at every time:           {self._share(self.alarmed)} (under 5 % promised)",
                f"  sound splits blocked:                             {self._share(self.blamed)}",
                f"split of 51 to 49 on 100,000 visitors: found in {self.found} of {self.tilted}",
            )
        )

    def _share(self, count: int) -> str:
        return f"{count} ({count / self.experiments:.1%})"


def prove(experiments: int, *, visitors: int = 20_000, tilted: int = 100, seed: int = 20261123) -> Counted:
    """`visitors` of each experiment come in `LOOKS` equal parts."""
    chance = random.Random(seed)
    runs = [_run(chance, number, visitors // LOOKS) for number in range(experiments)]
    return Counted(
        experiments=experiments,
        winners=sum(run.winner for run in runs),
        winners_once=sum(run.winner_once for run in runs),
        winners_peeking=sum(run.winner_peeking for run in runs),
        alarmed=sum(run.alarmed for run in runs),
        blamed=sum(run.blamed for run in runs),
        tilted=tilted,
        found=sum(_is_found(chance) for _ in range(tilted)),
    )


@dataclass(slots=True)
class _Run:
    winner: bool = False
    winner_once: bool = False
    winner_peeking: bool = False
    alarmed: bool = False
    blamed: bool = False


def _run(chance: random.Random, number: int, each: int) -> _Run:
    run, arms = _Run(), [_Arm(), _Arm()]
    for look in range(LOOKS):
        for visitor in range(each):
            place = variant_of(
                f"v{look}-{visitor}", seed=f"nothing {number}", weights=(0.5, 0.5), coverage=1, namespace=None
            )
            spent = float(round(chance.lognormvariate(8.5, 0.8))) if chance.random() < BUYERS else 0.0
            arms[place or 0].add(spent, chance.randint(1, PIECES) if spent else 0)
        rows = {(place, row.metric): row for place, arm in enumerate(arms) for row in arm.outcomes(place)}
        *effects, guarded = [metric.effects[0] for metric in metrics(PLAN, rows, 2, blocked=False)]
        run.alarmed |= guarded.guard is not None and guarded.guard.verdict == "broken"
        run.winner |= any(effect.adjusted_p is not None and effect.adjusted_p < inference.ALPHA for effect in effects)
        run.winner_once = bool(effects[1].fixed and effects[1].fixed.excludes_zero)
        run.winner_peeking |= run.winner_once
    p = inference.mismatch([arm.n for arm in arms], (0.5, 0.5))
    run.blamed = p is not None and p < inference.SRM_P
    return run


class _Arm:
    """The sums of one variant, as the readout's query makes them."""

    def __init__(self) -> None:
        self.n = self.buyers = 0
        self.net = self.squares = 0.0
        self.units = self.units_squares = 0

    def add(self, spent: float, units: int) -> None:
        self.n += 1
        self.buyers += spent > 0
        self.net += spent
        self.squares += spent * spent
        self.units += units
        self.units_squares += units * units

    def outcomes(self, place: int) -> tuple[Outcome, ...]:
        return (
            self._outcome(place, "conversion", self.buyers, self.buyers),
            self._outcome(place, "net_revenue", self.net, self.squares),
            self._outcome(place, "units", self.units, self.units_squares),
        )

    def _outcome(self, place: int, metric: str, total: float, squares: float) -> Outcome:
        return Outcome(place, metric, self.n, 0, 0, self.n, total, squares, 0.0, 0.0, 0.0, round(self.net), 0, 0)


def _is_found(chance: random.Random) -> bool:
    first = sum(chance.random() < SUSPECT[0] for _ in range(100_000))
    p = inference.mismatch([first, 100_000 - first], (0.5, 0.5))
    return p is not None and p < inference.SRM_P
