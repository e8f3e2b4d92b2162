"""Deleting what nobody will ask for again: answers to keyed requests, finished jobs, old slots."""

from db import job_rows, schedule
from db.database import Database
from shop.operations.idempotency import prune_keys
from shop.progress import Progress, unheard

KEEP_JOBS_DAYS = 30
"""A month of "what happened to that job"; the facts it wrote stay in their own tables for as long as the law asks."""

BATCH = 2_000
"""Rows per transaction: well under a second, so that nobody waits for the locks."""


def prune(db: Database, progress: Progress = unheard) -> dict[str, object]:
    """Delete in small transactions until nothing is left to delete. Answers what went.

    Safe to run twice at once and to be stopped anywhere.
    """
    keys = prune_keys(db)
    progress(keys, None)
    gone = 0
    while True:
        with db.transaction() as tx:
            batch = job_rows.prune(tx, days=KEEP_JOBS_DAYS, limit=BATCH)
        gone += batch
        progress(keys + gone, None)
        if batch < BATCH:
            break
    with db.transaction() as tx:
        slots = schedule.forget_slots(tx, days=KEEP_JOBS_DAYS)
    return {"idempotency_keys": keys, "jobs": gone, "slots": slots}
