"""Keeps time: one leader among several clocks stages the jobs of the timetable, each slot once."""

import os
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from db import leases, outbox, schedule
from db.database import Database, DatabaseUnavailable, Tx
from scheduler.timetable import TIMETABLE, Entry
from shop.operations.alive import CLOCK

log = structlog.get_logger()

LEASE = CLOCK
LEASE_S = 15
"""A leader that is silent for 15 seconds is replaced; it renews every RENEW_S."""

RENEW_S = 5

ALL_LIMIT = 7
"""Of the missed slots of an entry that wants all of them, at most a week of nightly ones."""

FIRST_SEEN = "(first seen)"


class Clock:
    """APScheduler wakes us; what is due is computed from the slots in the database, so a tick that is lost, doubled
    or late changes nothing."""

    def __init__(self, db: Database, zone: ZoneInfo, timetable: tuple[Entry, ...] = TIMETABLE) -> None:
        self._db = db
        self._zone = zone
        self._timetable = timetable
        self._me = f"{socket.gethostname()[:20]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._term: int | None = None
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        self._scheduler.add_job(self.renew, "interval", seconds=RENEW_S, next_run_time=datetime.now(UTC))
        for entry in self._timetable:
            self._scheduler.add_job(
                self.stage_due,
                CronTrigger.from_crontab(entry.cron, timezone=self._zone),
                args=[entry],
                misfire_grace_time=None,
                coalesce=True,
            )
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)
        if self._term is None:
            return
        try:
            with self._db.transaction() as tx:
                leases.resign(tx, LEASE, holder=self._me)
        except DatabaseUnavailable:
            log.warning("could not resign; the lease runs out by itself")

    def renew(self) -> None:
        """Hold the lease, and on becoming leader catch up with what was missed."""
        before = self._term
        try:
            with self._db.transaction() as tx:
                self._term = leases.hold(tx, LEASE, holder=self._me, seconds=LEASE_S)
        except DatabaseUnavailable as error:
            log.warning("lease not renewed", reason=type(error).__name__)
            return
        if self._term is not None and self._term != before:
            log.info("this clock leads", term=self._term)
            self._keep_timetable()
            for entry in self._timetable:
                self.stage_due(entry)

    def _keep_timetable(self) -> None:
        try:
            with self._db.transaction() as tx:
                schedule.keep_only(tx, [entry.name for entry in self._timetable])
        except DatabaseUnavailable:
            log.warning("the timetable for people may hold lines of an older version until another clock leads")

    def stage_due(self, entry: Entry, now: datetime | None = None) -> list[datetime]:
        """Stage the entry's jobs whose time has come, if this clock leads. Answers the slots that got a job."""
        if self._term is None:
            return []
        try:
            with self._db.transaction() as tx:
                if not leases.still_held(tx, LEASE, holder=self._me, term=self._term):
                    return []
                return self._stage(tx, entry, now or datetime.now(UTC))
        except DatabaseUnavailable as error:
            log.warning("slot waits for the database", schedule=entry.name, reason=type(error).__name__)
            return []

    def _stage(self, tx: Tx, entry: Entry, now: datetime) -> list[datetime]:
        last = schedule.last_slot(tx, entry.name)
        if last is None:
            # A schedule never seen before starts with its next slot; there is nothing to have missed.
            schedule.take_slot(tx, entry.name, now, job_id=FIRST_SEEN)
            first = outbox.stage(tx, entry.job, unique_key=entry.job.name) if entry.at_once else None
            self._note(tx, entry, now, [(now, first)] if first else [])
            return []
        wanted = missed_slots(entry, last, now, self._zone)
        staged = [(slot, job_id) for slot in wanted if (job_id := self._stage_slot(tx, entry, slot))]
        self._note(tx, entry, now, staged)
        return [slot for slot, _ in staged]

    def _stage_slot(self, tx: Tx, entry: Entry, slot: datetime) -> str | None:
        if not schedule.take_slot(tx, entry.name, slot, job_id=entry.job.name):
            return None
        if entry.dated:
            day = (slot.astimezone(self._zone) - timedelta(days=1)).date().isoformat()
            return outbox.stage(tx, entry.job, unique_key=f"{entry.job.name} {day}", day=day)
        return outbox.stage(tx, entry.job, unique_key=entry.job.name)

    def _note(self, tx: Tx, entry: Entry, now: datetime, staged: list[tuple[datetime, str]]) -> None:
        coming = next(_slots(entry, now, self._zone), None)
        if coming is None:
            return
        slot, job_id = staged[-1] if staged else (None, None)
        job, zone = entry.job, self._zone.key
        schedule.note(tx, schedule.Noted(entry.name, job.name, job.queue, entry.cron, zone, coming, slot, job_id))


def missed_slots(entry: Entry, last: datetime, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """The slots after `last` up to `now` that shall get a job, oldest first, by the entry's rule."""
    slots = list(takewhile(lambda slot: slot <= now, _slots(entry, last, zone)))
    if entry.dated:
        slots = _one_a_day(slots, last, zone)
    return slots[-1:] if entry.missed == "latest" else slots[-ALL_LIMIT:]


def _one_a_day(slots: list[datetime], last: datetime, zone: ZoneInfo) -> list[datetime]:
    """When the clocks go back, an hour comes twice, and with it a slot; its day still gets one job."""
    seen = {last.astimezone(zone).date()}
    kept: list[datetime] = []
    for slot in slots:
        day = slot.astimezone(zone).date()
        if day not in seen:
            seen.add(day)
            kept.append(slot)
    return kept


def _slots(entry: Entry, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    trigger = CronTrigger.from_crontab(entry.cron, timezone=zone)
    slot = after
    while True:
        found = trigger.get_next_fire_time(None, slot + timedelta(microseconds=1))
        if found is None:
            return
        slot = found.astimezone(UTC)
        yield slot
