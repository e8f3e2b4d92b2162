"""Looks at everything that is watched, begins and ends incidents, and has each of them told once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.analytics.alerts.look import Look, Seen
from shop.analytics.alerts.signals import SIGNALS, Signal
from shop.analytics.queries import alerts as queries
from shop.analytics.queries import incidents
from shop.analytics.queries.alerts import Watched
from shop.analytics.queries.incidents import Incident
from shop.ids import new_id
from shop.ports.events import EventStream
from shop.progress import Progress, unheard

SAME = timedelta(hours=2)
"""What comes back within two hours of its end is the same incident: it goes on, and nobody is told again."""


def watch(
    db: Database,
    stream: EventStream,
    zone: ZoneInfo,
    progress: Progress = unheard,
    *,
    currency: str,
    signals: Sequence[Signal] = SIGNALS,
    now: datetime | None = None,
) -> dict[str, int]:
    """One look at each signal that is due. Answers looks, and incidents begun and ended.

    A look and what follows from it are one transaction, in which nobody else looks. May run twice at any time: a
    second look at the same moment counts as one more in a row at most, and an incident is begun and told once.
    """
    look = Look(db, stream, zone, now or datetime.now(UTC), currency)
    counts = {"looks": 0, "begun": 0, "ended": 0}
    for done, signal in enumerate(signals):
        progress(done, len(signals))
        _look_at(look, signal, counts)
    return counts


def _look_at(look: Look, signal: Signal, counts: dict[str, int]) -> None:
    with look.db.transaction() as tx:
        before = {row.subject: row for row in queries.watched(tx, signal.kind)}
    if before and max(row.looked_at for row in before.values()) > look.now - signal.every:
        return
    seen = {one.subject: one for one in signal.read(look)}
    with look.db.transaction() as tx:
        if not queries.lock_looks(tx):
            return
        open_now = {row.subject: row for row in incidents.current(tx, signal.kind)}
        for subject, one in seen.items():
            counts["looks"] += 1
            _judge(tx, signal, _row(one, before.get(subject), look.now), open_now.get(subject), counts)
        for subject in (before.keys() | open_now.keys()) - seen.keys():
            _let_go(tx, signal, subject, open_now.get(subject), look.now, counts)


def _row(seen: Seen, before: Watched | None, now: datetime) -> Watched:
    """What was seen, with how many looks in a row were so. Where nothing can be said, nothing changes."""
    bad, calm = (before.bad_looks, before.calm_looks) if before else (0, 0)
    if seen.verdict != "unknown":
        bad = bad + 1 if seen.verdict == "bad" else 0
        calm = calm + 1 if seen.verdict == "calm" else 0
    return Watched(
        seen.kind, seen.subject, seen.verdict, seen.observed, seen.expected, seen.words[:500], bad, calm, now
    )


def _judge(tx: Tx, signal: Signal, row: Watched, running: Incident | None, counts: dict[str, int]) -> None:
    queries.keep_watched(tx, row)
    if running is None:
        if row.verdict == "bad" and row.bad_looks >= signal.begins:
            _begin(tx, signal, row)
            counts["begun"] += 1
    elif row.verdict == "bad":
        incidents.still_bad(tx, running.id, row)
    elif row.verdict == "calm" and row.calm_looks >= signal.ends:
        _end(tx, running, row.words, row.looked_at)
        counts["ended"] += 1


def _begin(tx: Tx, signal: Signal, row: Watched) -> None:
    if incidents.reopen(tx, row, since=row.looked_at - SAME):
        return
    incident_id = new_id("inc")
    incidents.begin(tx, incident_id, row, title=signal.title, advice=signal.advice)
    _tell(tx, "alert_began", incident_id)


def _end(tx: Tx, incident: Incident, words: str, at: datetime) -> None:
    if incidents.resolve(tx, incident.id, at=at, words=words):
        # Told when it is sure to be over: if it comes back before, the letter finds it so and is not sent.
        _tell(tx, "alert_ended", incident.id, after=SAME)


def _let_go(
    tx: Tx, signal: Signal, subject: str, running: Incident | None, now: datetime, counts: dict[str, int]
) -> None:
    """It is not there any more, a dead job or an experiment that was stopped, so nothing can be wrong with it."""
    queries.forget_watched(tx, signal.kind, subject)
    if running is not None:
        _end(tx, running, "it is gone", now)
        counts["ended"] += 1


def _tell(tx: Tx, kind: str, incident_id: str, *, after: timedelta = timedelta(0)) -> None:
    wait_until = datetime.now(UTC) + after
    outbox.stage(
        tx,
        jobs.SEND_MAIL,
        unique_key=f"mail {kind} {incident_id}",
        run_after=wait_until if after else None,
        kind=kind,
        subject_id=incident_id,
    )
