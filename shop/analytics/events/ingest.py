"""Stores what waits in the stream: in bites, each in one transaction, so that a crash loses and doubles nothing."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.analytics.events import batches
from shop.analytics.events.batches import Batch, Kept
from shop.analytics.queries import inbox, interest, live
from shop.analytics.queries import ingest as queries
from shop.analytics.queries.identity import note_links
from shop.analytics.queries.ingest import Account
from shop.ports.events import Entry, EventStream, StreamUnavailable
from shop.ports.live import LiveCounters, LiveUnavailable, MinuteCount, Presence
from shop.progress import Progress, unheard

DRAIN_KEY = "analytics.ingest"
"""At most one drain waits, and one reads. Two at once would do no harm: batches and events are known by their ids."""

BITE = 5_000
"""Events a transaction: measured, 5,000 rows go in about twice as fast as 500, and 10,000 hardly faster."""

INBOX_BITE = 20
"""Batches of at most 500 events each: as many as a bite of the stream may have."""

RUN_S = 10.0
"""Then, if more waits, the next run is staged, so that other jobs of the queue get their turn."""

QUIET_S = 0.4
"""A run ends when nothing came for this long. Ending at once would make a job, and its row, of every small batch."""

GATHER_S = 0.1
"""After a bite that was not full: ten small transactions a second instead of one for each batch that arrives."""


VISITS_AFTER = timedelta(seconds=2)
"""While events come in all the time, the visits of each two seconds are derived together."""


PRESENCE_TOLD = timedelta(minutes=30)
"""Whoever did something longer ago does not count as present anywhere."""


@dataclass(frozen=True, slots=True)
class News:
    """What the counters of this moment are told: the minutes that changed as they count now, and who was there."""

    minutes: Sequence[MinuteCount]
    present: Sequence[Presence]


NOTHING_NEW = News((), ())


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events between the door and the store."""

    stream_batches: int
    stream_events: int
    inbox_events: int
    stream_reachable: bool

    @property
    def events(self) -> int:
        return self.stream_events + self.inbox_events


def ingest(
    db: Database,
    stream: EventStream,
    progress: Progress = unheard,
    *,
    counters: LiveCounters | None = None,
    events_a_bite: int = BITE,
    run_s: float = RUN_S,
    quiet_s: float = 0,
) -> dict[str, int]:
    """Store what waits, the stream before the inbox. Answers events received, by what became of them.

    Goes on until nothing came for `quiet_s`; ends at once when another drain is at it, so that other jobs of the queue
    keep their threads. Raises StreamUnavailable while Redis is away: what is in the inbox then waits with it. The
    `counters` of this moment are told after each commit; what they miss they are told by their own job.
    """
    if not stream.enter():
        return {}
    try:
        told = partial(_tell, counters)
        sums = _store_stream(db, stream, progress, told, events_a_bite=events_a_bite, run_s=run_s, quiet_s=quiet_s)
        # The stream first: a batch that is in both, because the append's answer was lost, counts where it was counted.
        sums += _store_inbox(db, progress, told)
    finally:
        stream.leave()
    if sums["stored"]:
        _have_visits_derived(db)
    if stream.due():
        # What came since the last look must not wait for the next ring.
        with db.transaction() as tx:
            outbox.stage(tx, jobs.DRAIN_EVENTS, unique_key=DRAIN_KEY)
    return dict(sums)


def _have_visits_derived(db: Database) -> None:
    """Soon, so that the overview knows who is here; should we die first, the clock asks for it each minute."""
    with db.transaction() as tx:
        soon = datetime.now(UTC) + VISITS_AFTER
        outbox.stage(tx, jobs.DERIVE_SESSIONS, unique_key="analytics.sessions", run_after=soon)


def waiting(db: Database, stream: EventStream) -> Waiting:
    """What is in flight. While Redis is away only the inbox can be told."""
    with db.transaction() as tx:
        inbox_events = inbox.waiting_events(tx)
    try:
        inside = stream.waiting()
    except StreamUnavailable:
        return Waiting(0, 0, inbox_events, stream_reachable=False)
    return Waiting(inside.batches, inside.events, inbox_events, stream_reachable=True)


def _store_stream(
    db: Database,
    stream: EventStream,
    progress: Progress,
    tell: Callable[[News], None],
    *,
    events_a_bite: int,
    run_s: float,
    quiet_s: float,
) -> Counter[str]:
    sums: Counter[str] = Counter()
    ends = time.monotonic() + run_s
    while entries := stream.claim() or stream.read(at_least=events_a_bite, wait_s=quiet_s):
        stored, news = _store_entries(db, stream, entries)
        tell(news)
        sums += stored
        progress(sum(sums.values()), None)
        if time.monotonic() >= ends:
            break
        if quiet_s and sum(entry.events for entry in entries) < events_a_bite:
            time.sleep(GATHER_S)
    return sums


def _store_entries(db: Database, stream: EventStream, entries: Sequence[Entry]) -> tuple[Counter[str], News]:
    with db.transaction() as tx:
        kept = [Kept(f"stream {entry.id}", "stream", entry.events, entry.body) for entry in entries]
        sums, news = _store(tx, kept)
    # Dying here hands the same entries over again; their batches are then known and change nothing.
    stream.settle(entries)
    return sums, news


def _store_inbox(db: Database, progress: Progress, tell: Callable[[News], None]) -> Counter[str]:
    sums: Counter[str] = Counter()
    while True:
        with db.transaction() as tx:
            taken = inbox.take(tx, limit=INBOX_BITE)
            stored, news = _store(tx, [Kept(f"inbox {one.id}", "inbox", one.events, one.body) for one in taken])
        tell(news)
        sums += stored
        if len(taken) < INBOX_BITE:
            return sums
        progress(sum(sums.values()), None)


def _tell(counters: LiveCounters | None, news: News) -> None:
    if counters is None:
        return
    try:
        counters.tell(news.minutes, news.present)
    except LiveUnavailable:
        return  # their job tells them later


def _store(tx: Tx, kept: Sequence[Kept]) -> tuple[Counter[str], News]:
    """One bite: events, rollups, interest and the conservation ledger, all or nothing."""
    read = batches.read(kept, now=datetime.now(UTC))
    new = queries.new_batches(tx, [batch.id for batch in read])
    fresh = [batch for batch in _first_of_each(read) if batch.id in new]
    if not fresh:
        return Counter(), NOTHING_NEW
    accounts = _refused(fresh)
    queries.prepare_stage(tx)
    rows = [(batch, row) for batch in fresh for row in batch.rows]
    bad = queries.stage_rows(tx, [(seq, batch.via, *row) for seq, (batch, row) in enumerate(rows)])
    for seq, reason in bad:
        batch, row = rows[seq]
        queries.quarantine(tx, batch, raw=batches.as_json(row), reason=reason)
        accounts += [Account(batch.minute, batch.sender, batch.via, quarantined=1)]
    for batch in fresh:
        if batch.unread:
            queries.quarantine(tx, batch, raw=batch.raw, reason=batch.reason, events=batch.unread, body=batch.body)
    accounts += keep_staged(tx)
    queries.enter(tx, accounts)
    queries.enter_rejections(tx, _rejections(fresh))
    return _sums(accounts), _news(tx)


def keep_staged(tx: Tx) -> list[Account]:
    """Store what is staged and count it everywhere but in the ledger. Answers what the ledger is to be told."""
    queries.store_staged(tx)
    queries.roll_up_hours(tx)
    queries.touch_visitors(tx)
    note_links(tx)
    interest.note_from_events(tx)
    return queries.outcomes(tx)


def _news(tx: Tx) -> News:
    return News(live.touched_minutes(tx), live.touched_visitors(tx, datetime.now(UTC) - PRESENCE_TOLD))


def _first_of_each(read: Sequence[Batch]) -> list[Batch]:
    return list({batch.id: batch for batch in reversed(read)}.values())[::-1]


def _refused(fresh: Sequence[Batch]) -> list[Account]:
    return [
        Account(batch.minute, batch.sender, batch.via, rejected=batch.rejected.total(), quarantined=batch.unread)
        for batch in fresh
        if batch.rejected or batch.unread
    ]


def _rejections(fresh: Sequence[Batch]) -> Counter[tuple[datetime, str]]:
    counts: Counter[tuple[datetime, str]] = Counter()
    for batch in fresh:
        for code, n in batch.rejected.items():
            counts[batch.minute, code] += n
    return counts


def _sums(accounts: Sequence[Account]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for account in accounts:
        sums += Counter(
            stored=account.stored,
            duplicate=account.duplicate,
            conflict=account.conflict,
            rejected=account.rejected,
            quarantined=account.quarantined,
        )
    return sums
