"""What was accepted and could not be stored: to look at, to try again, to let be."""

from collections.abc import Sequence

from db import outbox
from db.database import Database
from shop import jobs
from shop.analytics.queries import conservation
from shop.analytics.queries import quarantine as queries
from shop.analytics.queries.quarantine import Quarantined
from shop.errors import NotFound


def listed(db: Database, *, settled: bool, before: int | None, limit: int) -> tuple[Sequence[Quarantined], int]:
    """Newest first, without their contents; and how many wait in all."""
    with db.transaction() as tx:
        return queries.listed(tx, settled=settled, before=before, limit=limit), conservation.open_quarantine(tx)


def number(text: str) -> int:
    """The id in a path. Raises NotFound for what cannot be one."""
    if not text.isascii() or not text.isdigit() or int(text) >= 2**63:
        raise _missing(text)
    return int(text)


def read(db: Database, quarantine_id: int) -> Quarantined:
    """With its contents. Raises NotFound."""
    with db.transaction() as tx:
        found = queries.one(tx, quarantine_id)
    if found is None:
        raise _missing(quarantine_id)
    return found


def ask_replay(db: Database, *, by: str, quarantine_id: int | None = None) -> str:
    """Have one, or all that wait, tried again. Answers the job's id."""
    key = f"replay {quarantine_id or 'all'}"
    with db.transaction() as tx:
        return outbox.stage(tx, jobs.REPLAY_QUARANTINED, unique_key=key, by=by, quarantine_id=quarantine_id)


def dismiss(db: Database, quarantine_id: int, *, by: str) -> None:
    """It will not be stored; it stays counted as quarantined. Raises NotFound where nothing waits under this id."""
    with db.transaction() as tx:
        if not queries.settle(tx, quarantine_id, settled_as="dismissed", settled_by=by):
            raise _missing(quarantine_id)


def _missing(quarantine_id: object) -> NotFound:
    return NotFound(f"there is no quarantined event {quarantine_id} that waits")
