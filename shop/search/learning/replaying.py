"""Asks for replays of logged queries, and shows what they say."""

from collections.abc import Sequence

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.search.queries import replays
from shop.search.queries.replays import Candidate, Replay, Replayed

DAYS, MOST_QUERIES = 28, 200
"""Usual of a replay: four weeks, as of a trial, and what makes up most of the searches of most shops."""

KEPT_DAYS = 90


def ask(
    db: Database,
    candidate: Candidate,
    *,
    asked_by: str,
    synonym_ids: Sequence[str] = (),
    days: int = DAYS,
    most: int = MOST_QUERIES,
) -> tuple[str, str]:
    """Answers the replay's id and its job's."""
    replay_id = new_id("rpl")
    with db.transaction() as tx:
        replays.insert(tx, replay_id, candidate, synonym_ids=synonym_ids, days=days, most=most, asked_by=asked_by)
        return replay_id, outbox.stage(tx, jobs.REPLAY_SEARCHES, replay_id=replay_id)


def replay_of(db: Database, replay_id: str, *, limit: int) -> tuple[Replay, list[Replayed]]:
    """With the queries to look at first. Raises NotFound."""
    with db.transaction() as tx:
        found = replays.read(tx, replay_id)
        if found is None:
            raise NotFound(f"there is no replay {replay_id}")
        return found, replays.results(tx, replay_id, limit=limit)


def listed(db: Database, *, before: str | None, limit: int) -> list[Replay]:
    """Newest first."""
    with db.transaction() as tx:
        return replays.newest(tx, before=before, limit=limit)
