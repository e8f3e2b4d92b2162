"""Whether what was learned from clicks counts: off, tried against the list without it, or on once it has won."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from db.database import Database, Tx
from shop.errors import Rejected
from shop.search.queries import boosts, replays, versions
from shop.search.queries.boosts import Learning, State, Wins
from shop.search.queries.replays import Replay

TRIAL_DAYS = 28

LEAST = 100
"""Searches that one of the lists won, before a trial says anything."""

Z = 1.96
"""Of 95%."""

REPLAY_DAYS = 7
"""Boosts are made every day; a replay says little about those of another week."""


class NotProven(Rejected):
    """Lists with what was learned have not won their trial, or not passed a replay."""

    code: ClassVar[str] = "not_proven"
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Standing:
    """`share` of the decided searches that the lists with boosts won, between `low` and `high` with 95% confidence
    (Wilson); None where none is decided. `proven`: enough are, and even `low` is above a half. `replay`: the newest of
    `learned` that ended within a week.
    """

    learning: Learning
    wins: Wins
    share: float | None
    low: float | None
    high: float | None
    proven: bool
    replay: Replay | None

    @property
    def may_be_on(self) -> bool:
        return self.proven and self.replay is not None and self.replay.passed is True


def standing(db: Database) -> Standing:
    with db.transaction() as tx:
        return _standing(tx)


def switch(db: Database, state: State, *, changed_by: str) -> Standing:
    """Holds from the next search on. Raises NotProven for `on` before a trial was won and a replay passed."""
    with db.transaction() as tx:
        if state == "on" and boosts.state(tx) != "on":
            _refuse_unproven(_standing(tx))
        boosts.change_state(tx, state, changed_by=changed_by)
        versions.bump(tx, "merchandising")
        return _standing(tx)


def _refuse_unproven(found: Standing) -> None:
    if not found.proven:
        raise NotProven(f"let both lists take turns first (trial) until {LEAST} searches are decided and won")
    if found.replay is None:
        raise NotProven(f"no replay of learned has ended in the last {REPLAY_DAYS} days; POST /v1/search/replays")
    if not found.replay.passed:
        raise NotProven(f"replay {found.replay.id} was not passed: too little is judged, or something is lost")


def _standing(tx: Tx) -> Standing:
    wins = boosts.last_trial(tx, days=TRIAL_DAYS)
    replay = replays.last_ended(tx, "learned", days=REPLAY_DAYS)
    decided = wins.won + wins.lost
    if not decided:
        return Standing(boosts.learning(tx), wins, None, None, None, proven=False, replay=replay)
    share = wins.won / decided
    middle = (share + Z * Z / (2 * decided)) / (1 + Z * Z / decided)
    half = Z * sqrt(share * (1 - share) / decided + Z * Z / (4 * decided * decided)) / (1 + Z * Z / decided)
    low, high = round(middle - half, 4), round(middle + half, 4)
    proven = decided >= LEAST and low > 0.5
    return Standing(boosts.learning(tx), wins, round(share, 4), low, high, proven=proven, replay=replay)
