"""Stores quarantined events after all, once what refused them is mended: each counts once, wherever it was before."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from db.database import Database, Tx
from shop.analytics.events import batches
from shop.analytics.events.batches import COLUMNS, Batch, Kept
from shop.analytics.events.ingest import keep_staged
from shop.analytics.queries import ingest as store
from shop.analytics.queries import quarantine as queries
from shop.analytics.queries.ingest import Account
from shop.analytics.queries.quarantine import Quarantined
from shop.progress import Progress, unheard

BITE = 500
"""Ids a look; each is a transaction of its own, so that one that fails again stops none of the others."""


def replay(db: Database, progress: Progress = unheard, *, by: str, quarantine_id: int | None = None) -> dict[str, int]:
    """One, or all that wait. Answers how many were `replayed` and how many were `refused` again, with a new reason.

    What is stored moves in the conservation ledger from quarantined to stored, duplicate or conflict. Twice is once.
    """
    sums = Counter(replayed=0, refused=0)
    after = 0
    while True:
        with db.transaction() as tx:
            ids = [quarantine_id] if quarantine_id else queries.open_ids(tx, after=after, limit=BITE)
        for after in ids:
            with db.transaction() as tx:
                outcome = _again(tx, after, by)
            if outcome is not None:
                sums[outcome] += 1
            progress(sums.total(), None)
        if quarantine_id or len(ids) < BITE:
            return dict(sums)


def _again(tx: Tx, quarantine_id: int, by: str) -> str | None:
    found = queries.one(tx, quarantine_id)
    if found is None or found.settled_at is not None:
        return None
    batch = _read(found)
    if batch.unread:
        queries.note_try(tx, found.id, reason=batch.reason)
        return "refused"
    if found.body is not None:
        store.new_batches(tx, [batch.id])  # should it come once more, it is known
    store.prepare_stage(tx)
    rows = [(seq, found.via, *row) for seq, row in enumerate(batch.rows)]
    bad = store.stage_rows(tx, rows)
    if bad and found.body is None:
        queries.note_try(tx, found.id, reason=bad[0][1])
        return "refused"
    accounts = keep_staged(tx)
    for seq, reason in bad:
        store.quarantine(tx, batch, raw=batches.as_json(batch.rows[seq]), reason=reason)
        accounts.append(Account(batch.minute, batch.sender, found.via, quarantined=1))
    if batch.rejected:
        accounts.append(Account(batch.minute, batch.sender, found.via, rejected=batch.rejected.total()))
        store.enter_rejections(tx, {(batch.minute, code): n for code, n in batch.rejected.items()})
    minute = found.minute or batch.minute
    accounts.append(Account(minute, found.sender, found.via, quarantined=-found.events))
    store.enter(tx, accounts)
    queries.settle(tx, found.id, settled_as="replayed", settled_by=by)
    return "replayed"


def _read(found: Quarantined) -> Batch:
    """The event, or the batch, as the drain would have it; `unread` when it still cannot be read."""
    if found.body is None:
        return _one(found)
    kept = Kept(found.batch_id, found.via, found.events, found.body)
    batch = batches.read([kept], now=found.minute or datetime.now(UTC))[0]
    counted = len(batch.rows) + batch.rejected.total()
    if not batch.unread and counted != found.events:
        # Taking it would leave the account short of what the door counted.
        return Batch(
            batch.id, batch.via, batch.sender, batch.received_at, unread=found.events,
            reason=f"it holds {counted} events, and {found.events} were counted at the door",
        )  # fmt: skip
    return batch


def _one(found: Quarantined) -> Batch:
    try:
        row: dict[str, Any] = json.loads(found.raw)
        received_at = datetime.fromisoformat(row["received_at"])
    except (ValueError, KeyError, TypeError) as error:
        reason = f"event cannot be read: {type(error).__name__}"
        return Batch(found.batch_id, found.via, found.sender, datetime.now(UTC), unread=found.events, reason=reason)
    return Batch(found.batch_id, found.via, found.sender, received_at, [tuple(row.get(name) for name in COLUMNS)])
