"""A report's figures, taken at one moment and frozen: everything its PDF, CSV and JSON say comes from here."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.database import Tx
from shop.analytics import days
from shop.analytics.days import Period
from shop.analytics.events.ingest import Waiting
from shop.analytics.queries import agreeing, behaviour, channels, closing, conservation, incidents, money, reports
from shop.analytics.queries import sessions as visits
from shop.analytics.queries.behaviour import Seller
from shop.analytics.queries.incidents import Incident
from shop.analytics.queries.money import Moved
from shop.analytics.reports.snapshot_experiments import experiments

TREND_DAYS = 28
"""Four whole weeks: each weekday four times, and as far back as a restated day is looked for."""

TOP = 10
"""Rows a table: what fits a page and a meeting."""

HOUR = timedelta(hours=1)

LATE_FROM = 6 * HOUR
"""A nightly report is on the table when people come to work; one that was made later says so."""

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """Which report this is. `version` and `id` are printed on it, `currency` is the shop's own."""

    id: str
    kind: str
    day: date
    version: int
    zone: ZoneInfo
    currency: str


def take(tx: Tx, subject: Subject, *, as_of: datetime, in_flight: Waiting) -> Figures:
    """All figures as JSON values: amounts in whole minor units, shares in hundredths of a percent, times in UTC.

    `tx` must read as of one moment (reports.read_as_one_moment), or sections could contradict each other.
    """
    period = days.day_in(subject.zone, subject.day)
    figures: Figures = {
        "report": _head(subject, period, as_of),
        "money": _money(tx, subject, period, as_of),
        "trade": _trade(tx, subject, as_of),
        "reconciliation": _reconciliation(tx, period, as_of),
    }
    figures["restated"] = _restated(tx, subject, as_of, figures["trade"])
    if subject.kind == "nightly":
        figures["tracking"] = [asdict(row) for row in closing.tracked(tx, period)]
        figures["funnel"] = _funnel(tx, period) | {"week_before": _funnel_rates(tx, subject)}
        figures["products"] = _products(tx, subject, period)
        figures["search"] = _search(tx, period)
        came = channels.channels(tx, period, currency=subject.currency, as_of=as_of)
        figures["channels"] = [{**asdict(row), "currency": subject.currency} for row in came]
        figures["customers"] = _customers(tx, subject)
        figures["experiments"] = experiments(tx, period, currency=subject.currency, as_of=as_of)
        figures["operations"] = _operations(tx, period, in_flight)
    return figures


def canonical(figures: Figures) -> bytes:
    """The one spelling of a snapshot: its SHA-256 is the report's, and `GET …json` answers these bytes."""
    return json.dumps(figures, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(figures: Figures) -> str:
    return hashlib.sha256(canonical(figures)).hexdigest()


def _head(subject: Subject, period: Period, as_of: datetime) -> Figures:
    return {
        "id": subject.id,
        "kind": subject.kind,
        "day": subject.day.isoformat(),
        "version": subject.version,
        "final": as_of >= period.end,
        "zone": subject.zone.key,
        "start": _utc(period.start),
        "end": _utc(period.end),
        "hours": period.hours,
        "as_of": _utc(as_of),
        "late_hours": _late_hours(as_of - period.end),
    }


def _late_hours(after: timedelta) -> int:
    return round(after / HOUR) if after > LATE_FROM else 0


def _money(tx: Tx, subject: Subject, period: Period, as_of: datetime) -> Figures:
    week = days.day_in(subject.zone, subject.day - timedelta(days=7))
    year = days.day_in(subject.zone, subject.day - timedelta(days=364))
    booked = money.moved(tx, [year, week, period], view="booking_day", as_of=as_of)
    placed = money.moved(tx, [period], view="order_day", as_of=as_of)
    return {
        "booking_day": _of_day(booked, period, subject.currency),
        "order_day": _of_day(placed, period, subject.currency),
        "week_before": {"day": week.day.isoformat(), "rows": _rows(booked, week)},
        "year_before": {"day": year.day.isoformat(), "rows": _rows(booked, year)},
    }


def _of_day(moved: Sequence[Moved], period: Period, currency: str) -> list[Figures]:
    # A day without sales is said in figures, not left out.
    nothing = Moved(period.day, currency, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    return _rows(moved, period) or [_moved(nothing)]


def _rows(moved: Sequence[Moved], period: Period) -> list[Figures]:
    return [_moved(row) for row in moved if row.day == period.day]


def _moved(row: Moved) -> Figures:
    average = round(row.gross / row.orders) if row.orders else None
    return {**asdict(row), "day": row.day.isoformat(), "average_order": average}


def _trade(tx: Tx, subject: Subject, as_of: datetime) -> list[Figures]:
    """By order day, as known now: one row a day and currency in which something was sold."""
    periods = days.last_days(subject.zone, subject.day, TREND_DAYS)
    return [
        {
            "day": row.day.isoformat(),
            "currency": row.currency,
            "gross": row.gross,
            "refunds": row.refunds,
            "net": row.net,
            "orders": row.orders,
        }
        for row in money.moved(tx, periods, view="order_day", as_of=as_of)
    ]


def _restated(tx: Tx, subject: Subject, as_of: datetime, trade: Sequence[Figures]) -> Figures:
    """Days that are worth something else now than the last report said, and how much."""
    last = reports.last_stated(tx, subject.id, before=as_of)
    if last is None:
        return {"since": None, "days": []}
    head = last["report"]
    first = (subject.day - timedelta(days=TREND_DAYS - 1)).isoformat()
    # A day that was not over in the last report was not stated yet, it was running.
    stated = date.fromisoformat(head["day"]) - timedelta(days=0 if head["final"] else 1)
    until = min(stated, subject.day).isoformat()
    then = {(row["day"], row["currency"]): row for row in last["trade"] if first <= row["day"] <= until}
    now = {(row["day"], row["currency"]): row for row in trade if row["day"] <= until}
    empty = {"gross": 0, "refunds": 0, "net": 0, "orders": 0}
    found = [
        {
            "day": key[0],
            "currency": key[1],
            "before": {name: then.get(key, empty)[name] for name in empty},
            "now": {name: now.get(key, empty)[name] for name in empty},
        }
        for key in sorted(then.keys() | now.keys())
        if any(then.get(key, empty)[name] != now.get(key, empty)[name] for name in empty)
    ]
    since = {name: head[name] for name in ("id", "day", "version", "as_of")}
    return {"since": since, "days": found}


def _reconciliation(tx: Tx, period: Period, as_of: datetime) -> Figures:
    provider = agreeing.newest_comparison(tx, before=as_of)
    seal = agreeing.newest_seal(tx, before=as_of)
    return {
        "held": [asdict(row) for row in agreeing.held(tx, period)],
        "unexplained": [asdict(row) for row in agreeing.unexplained(tx, period, limit=TOP)],
        "provider": None
        if provider is None
        else {
            **asdict(provider),
            "finished_at": _utc(provider.finished_at),
            "from_at": _utc(provider.from_at),
            "to_at": _utc(provider.to_at),
        },
        "seal": None
        if seal is None
        else {
            **asdict(seal),
            "day": seal.day.isoformat(),
            "checked_at": _utc(seal.checked_at) if seal.checked_at else None,
        },
        "payouts": [asdict(row) for row in closing.payouts(tx, period)],
        "disputes": [
            {**asdict(row), "due": _utc(row.due) if row.due else None} for row in closing.disputes(tx, period)
        ],
    }


def _funnel(tx: Tx, period: Period) -> Figures:
    seen = behaviour.steps(tx, period)
    placed = behaviour.placed(tx, period)
    return {
        **asdict(seen),
        "sessions": visits.started(tx, period.start, period.end),
        **asdict(placed),
        "paid_of_visitors": _share(placed.paid, seen.visitors),
    }


def _funnel_rates(tx: Tx, subject: Subject) -> Figures:
    """Of the same weekday a week before, whose orders have had a week to be paid."""
    week = days.day_in(subject.zone, subject.day - timedelta(days=7))
    seen, placed = behaviour.steps(tx, week), behaviour.placed(tx, week)
    return {
        "day": week.day.isoformat(),
        "visitors": seen.visitors,
        "paid": placed.paid,
        "paid_of_visitors": _share(placed.paid, seen.visitors),
    }


def _customers(tx: Tx, subject: Subject) -> Figures:
    """First-time customers of the four weeks that ended four weeks ago, and how many had come back within four."""
    had_time = days.last_days(subject.zone, subject.day - timedelta(days=TREND_DAYS), TREND_DAYS)
    found = closing.repurchase(tx, days.whole(had_time))
    return {
        "from": had_time[0].day.isoformat(),
        "to": had_time[-1].day.isoformat(),
        **asdict(found),
        "share": _share(found.again, found.customers),
    }


def _products(tx: Tx, subject: Subject, period: Period) -> Figures:
    week = days.whole(days.last_days(subject.zone, subject.day - timedelta(days=1), 7))
    sold = behaviour.sellers(tx, period, week, limit=500)
    changed = sorted((row for row in sold if _change(row)), key=_change)
    return {
        "sellers": [asdict(row) for row in sold if row.amount > 0][:TOP],
        "risers": [asdict(row) for row in reversed(changed) if _change(row) > 0][: TOP // 2],
        "fallers": [asdict(row) for row in changed if _change(row) < 0][: TOP // 2],
        "returned": [asdict(row) for row in behaviour.returned(tx, period, limit=TOP)],
        "wanted": [asdict(row) for row in behaviour.wanted(tx, period, limit=TOP)],
    }


def _change(row: Seller) -> int:
    # Something that was never sold before has no usual day to rise above.
    return row.amount - row.usual if row.usual else 0


def _search(tx: Tx, period: Period) -> Figures:
    sums = behaviour.searches(tx, period)
    top = behaviour.queries_of(tx, period, without_result=False, limit=TOP)
    nothing = behaviour.queries_of(tx, period, without_result=True, limit=TOP)
    return {**asdict(sums), "top": [asdict(row) for row in top], "nothing_found": [asdict(row) for row in nothing]}


def _operations(tx: Tx, period: Period, in_flight: Waiting) -> Figures:
    return {
        "jobs": asdict(conservation.jobs(tx, period)),
        "events": asdict(conservation.sums(tx, period.start, period.end)),
        "rejections": dict(conservation.rejections(tx, period.start, period.end)),
        "in_flight": in_flight.events,
        "stream_reachable": in_flight.stream_reachable,
        "open_quarantine": conservation.open_quarantine(tx),
        "alerts": [_alert(row) for row in incidents.of_day(tx, start=period.start, end=period.end, limit=TOP)],
    }


def _alert(row: Incident) -> Figures:
    return {
        "id": row.id,
        "title": row.title,
        "subject": row.subject,
        "status": row.status,
        "words": row.words,
        "opened_at": _utc(row.opened_at),
        "resolved_at": _utc(row.resolved_at) if row.resolved_at else None,
    }


def _share(part: int, whole: int) -> int | None:
    return round(part * 10_000 / whole) if whole else None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
