"""Makes a report once: freezes its figures, draws PDF and CSV from them, has it mailed. May run any number of times."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db import outbox
from db.database import Database, Tx
from shop import jobs, pdf
from shop.analytics.days import Period, day_in
from shop.analytics.events.ingest import Waiting, waiting
from shop.analytics.queries import reports as queries
from shop.analytics.queries.reports import ReportRow
from shop.analytics.reports import snapshot
from shop.analytics.reports.paper import page
from shop.analytics.reports.sheet import sheet
from shop.analytics.reports.snapshot import Subject
from shop.errors import NotFound, NotYet, Rejected
from shop.ids import new_id
from shop.ports.events import EventStream
from shop.progress import Progress, unheard

MAILED = ("nightly",)
"""Kinds that go out by mail; the others are fetched by whoever asked."""

STEPS = 3

PATIENCE = timedelta(hours=6)
"""So long after its day a nightly report waits for events that are not stored yet; then it says how many wait."""

LOOK_AGAIN_S = 120.0
"""A drain that works has caught up by then."""


@dataclass(frozen=True, slots=True)
class House:
    """Whose report it is: what is printed at its head, and where its day begins."""

    name: str
    address: str
    tax_id: str
    zone: ZoneInfo
    currency: str


class DayNotBegun(Rejected):
    """A report can be about a day that is over, or about today so far; not about a day to come."""

    code = "day_not_begun"
    status = 422


class EventsOnTheWay(NotYet):
    """Events of the day may still wait to be stored."""

    code = "events_on_the_way"


class NotMade(Rejected):
    """The report is still being made; its files come when its state is `done`."""

    code = "report_not_made"
    status = 409


def report(
    db: Database,
    stream: EventStream,
    house: House,
    progress: Progress = unheard,
    *,
    day: str,
    report_id: str | None = None,
) -> dict[str, Any]:
    """Make the report that was asked for; without `report_id`, the nightly one of that day.

    A day that was over when its report was made has one version for ever; a day that was not gets another one.
    """
    with db.transaction() as tx:
        row = _begun(tx, house.zone, date.fromisoformat(day), report_id)
    progress(0, STEPS)
    if row.sha256 is None:
        on_the_way = waiting(db, stream)
        if report_id is None:
            _await_events(db, day_in(house.zone, row.day), on_the_way)
        _freeze(db, house, row, on_the_way)
    progress(1, STEPS)
    sha256 = _draw(db, house, row.id)
    progress(2, STEPS)
    with db.transaction() as tx:
        if row.kind in MAILED and queries.take_mail(tx, row.id):
            key = f"mail report {row.id}"
            outbox.stage(tx, jobs.SEND_MAIL, unique_key=key, kind="report", subject_id=row.id)
    progress(STEPS, STEPS)
    return {"report_id": row.id, "version": row.version, "sha256": sha256}


def ask(db: Database, zone: ZoneInfo, *, kind: str, day: date, asked_by: str | None) -> ReportRow:
    """The report of that day as it is, or a new version on its way if there is anything new to say.

    Raises DayNotBegun.
    """
    with db.transaction() as tx:
        row = _current(tx, zone, kind, day, asked_by)
        if row.drawn_at is None:
            key = f"report {row.id}"
            outbox.stage(tx, jobs.NIGHTLY_REPORT, unique_key=key, day=day.isoformat(), report_id=row.id)
        return row


def read(db: Database, report_id: str) -> ReportRow:
    with db.transaction() as tx:
        return _known(queries.report(tx, report_id), report_id)


def recent(db: Database, *, before: str | None, limit: int) -> list[ReportRow]:
    with db.transaction() as tx:
        return queries.recent(tx, before=before, limit=limit)


def file(db: Database, report_id: str, kind: str) -> bytes:
    """The bytes of `pdf`, `csv` or `json`. Raises NotFound, and NotMade while there are none."""
    with db.transaction() as tx:
        row = _known(queries.report(tx, report_id), report_id)
        files = queries.files(tx, report_id)
    if files is None or files.pdf is None or files.csv is None:
        raise NotMade(f"report {row.id} is still being made")
    return {"pdf": files.pdf, "csv": files.csv}.get(kind) or snapshot.canonical(files.snapshot)


def _begun(tx: Tx, zone: ZoneInfo, day: date, report_id: str | None) -> ReportRow:
    if report_id is not None:
        return _known(queries.report(tx, report_id), report_id)
    return _current(tx, zone, "nightly", day, None)


def _known(row: ReportRow | None, report_id: str) -> ReportRow:
    if row is None:
        raise NotFound(f"there is no report {report_id}")
    return row


def _current(tx: Tx, zone: ZoneInfo, kind: str, day: date, asked_by: str | None) -> ReportRow:
    period, now = day_in(zone, day), datetime.now(UTC)
    if period.start > now:
        raise DayNotBegun(f"{day.isoformat()} has not begun in {zone.key}")
    queries.lock_day(tx, kind, day)
    newest = queries.newest_version(tx, kind, day)
    if newest is not None and _still_says_all(tx, newest, over=period.end <= now):
        return newest
    report_id = new_id("rep")
    version = newest.version + 1 if newest else 1
    queries.insert(tx, report_id=report_id, kind=kind, day=day, version=version, asked_by=asked_by)
    return _known(queries.report(tx, report_id), report_id)


def _still_says_all(tx: Tx, newest: ReportRow, *, over: bool) -> bool:
    if newest.as_of is None or newest.final:
        return True
    return not over and not queries.anything_since(tx, newest.as_of)


def _await_events(db: Database, day: Period, on_the_way: Waiting) -> None:
    """Raises EventsOnTheWay while events of the day may wait. They are stored in the order in which they came, so one
    of later says that all of the day are there; those that came while Redis was away wait elsewhere."""
    if not on_the_way.events or not day.end <= datetime.now(UTC) < day.end + PATIENCE:
        return
    with db.transaction() as tx:
        stored = not on_the_way.inbox_events and queries.events_came_since(tx, day.end)
    if not stored:
        words = f"{on_the_way.events} events wait to be stored"
        raise EventsOnTheWay(words, retry_after_s=LOOK_AGAIN_S, spends_attempt=False)


def _freeze(db: Database, house: House, row: ReportRow, in_flight: Waiting) -> None:
    subject = Subject(row.id, row.kind, row.day, row.version, house.zone, house.currency)
    with db.transaction() as tx:
        as_of = queries.read_as_one_moment(tx)
        figures = snapshot.take(tx, subject, as_of=as_of, in_flight=in_flight)
    with db.transaction() as tx:
        queries.freeze(
            tx,
            row.id,
            snapshot=figures,
            sha256=snapshot.digest(figures),
            as_of=as_of,
            final=figures["report"]["final"],
        )


def _draw(db: Database, house: House, report_id: str) -> str:
    with db.transaction() as tx:
        row = _known(queries.report(tx, report_id), report_id)
        files = queries.files(tx, report_id)
    # Read back, not kept from before: what is drawn is what was stored, also where another run was first.
    assert files is not None and row.sha256 is not None and row.as_of is not None, "it was frozen just before"  # noqa: PT018
    if row.drawn_at is None:
        html = page(files.snapshot, row.sha256, house.name, house.address, house.tax_id)
        drawn = pdf.draw(html, identity=row.id, made_at=row.as_of)
        table = sheet(files.snapshot, row.sha256)
        with db.transaction() as tx:
            queries.drawn(tx, report_id, pdf=drawn, csv=table)
    return row.sha256
