"""What a report says beyond money: payouts and disputes, tracking loss, customers who came back, experiments."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.experiments import experiments
from shop.analytics.experiments.hashing import variant_of
from shop.analytics.reports.report import EventsOnTheWay, file, report
from shop.analytics.tracking import tracking
from shop.ids import new_id
from shop.ports.events import EventStream
from tests.shop.analytics import books
from tests.shop.analytics.conftest import batch, event
from tests.shop.analytics.test_report import BERLIN, DAY, HOUSE, NOON, made, text_of


def test_payouts_and_disputes_of_the_day_are_told(db: Database, stream: EventStream, tmp_path: Path) -> None:
    order = books.paid_order(db, at=NOON)
    with db.transaction() as tx:
        for ref, status, amount, at in (
            ("po_1", "paid", 50_000, NOON),
            ("po_2", "failed", 7_000, NOON),
            ("po_3", "paid", 9_000, NOON - timedelta(days=1)),
        ):
            tx.execute(
                "INSERT INTO payouts (id, provider_payout_id, status, amount_minor, currency, automatic, arrival_at, made_at)"
                " VALUES (%s, %s, %s, %s, 'eur', true, %s, %s)",
                (new_id("po"), ref, status, amount, at, at),
            )
        payment = new_id("pay")
        tx.execute(
            "INSERT INTO payments (id, order_id, intent_id, status, currency, amount_minor)"
            " VALUES (%s, %s, 'pi_1', 'succeeded', 'eur', 11900)",
            (payment, order),
        )
        for ref, status, opened in (
            ("dp_1", "needs_response", NOON),
            ("dp_2", "needs_response", NOON - timedelta(days=4)),
            ("dp_3", "lost", NOON),
            ("dp_4", "won", NOON - timedelta(days=4)),
        ):
            tx.execute(
                "INSERT INTO disputes (id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor,"
                " currency, evidence_due_at, opened_at)"
                " VALUES (%s, %s, %s, %s, %s, 'fraudulent', 1000, 'eur', %s, %s)",
                (new_id("dsp"), order, payment, ref, status, opened + timedelta(days=7), opened),
            )
    done = report(db, stream, HOUSE, day=DAY.isoformat())
    told = made(db, stream)["reconciliation"]
    assert told["payouts"] == [{"currency": "eur", "payouts": 2, "failed": 1, "amount": 50_000}]
    assert told["disputes"] == [
        {
            "currency": "eur",
            "opened": 2,
            "opened_amount": 2000,
            "waiting": 2,
            "waiting_amount": 2000,
            "due": "2026-03-13T11:00:00Z",
        }
    ]
    text = text_of(file(db, done["report_id"], "pdf"), tmp_path)
    assert "the next until 13 March 2026, 12:00" in text


def test_orders_whose_pages_sent_nothing_are_counted_by_card_and_browser(db: Database, stream: EventStream) -> None:
    day, now = datetime.now(BERLIN).date(), datetime.now(UTC)
    accept(db, stream, batch([event("page_view", visitor="seen")]))
    ingest(db, stream)
    sold = (
        ("seen", "visa", "firefox"),
        ("hidden", "visa", "safari"),
        (None, "amex", None),
        ("seen", None, "firefox"),
    )
    for visitor, brand, browser in sold:
        order = books.paid_order(db, at=now, visitor=visitor)
        with db.transaction() as tx:
            tx.execute("UPDATE orders SET browser = %s WHERE id = %s", (browser, order))
            if brand:
                tx.execute(
                    "INSERT INTO payments (id, order_id, intent_id, status, currency, amount_minor, card_brand)"
                    " VALUES (%s, %s, %s, 'succeeded', 'eur', 11900, %s)",
                    (new_id("pay"), order, f"pi_{order}", brand),
                )
    figures = made(db, stream, day)
    assert figures["tracking"] == [
        {"method": "amex", "browser": "unknown", "orders": 1, "tracked": 0},
        {"method": "unknown", "browser": "firefox", "orders": 1, "tracked": 1},
        {"method": "visa", "browser": "firefox", "orders": 1, "tracked": 1},
        {"method": "visa", "browser": "safari", "orders": 1, "tracked": 0},
    ]
    found = tracking(db, BERLIN, first=day, last=day)
    assert (found.orders, found.lost) == (4, 2)
    assert [(name, row.orders, row.tracked) for name, row in found.by("browser")] == [
        ("firefox", 2, 2),
        ("safari", 1, 0),
        ("unknown", 1, 0),
    ]
    assert next((name, row.orders, row.tracked) for name, row in found.by("method")) == ("visa", 2, 1)
    assert [(row["channel"], row["orders"], row["net"]) for row in figures["channels"]] == [
        ("direct", 2, 20000),
        ("untracked", 2, 20000),
    ]


def test_who_came_back_within_four_weeks_is_told_of_those_who_had_them(db: Database, stream: EventStream) -> None:
    first = NOON - timedelta(days=40)
    for customer, later in (("once", ()), ("again", (27,)), ("too late", (29,)), ("often", (1, 2))):
        for days in (0, *later):
            books.paid_order(db, at=first + timedelta(days=days), customer=customer)
    books.paid_order(db, at=NOON - timedelta(days=100), customer="old")
    books.paid_order(db, at=first, customer="old")
    books.paid_order(db, at=NOON - timedelta(days=5), customer="new")
    found = made(db, stream)["customers"]
    assert found == {"from": "2026-01-14", "to": "2026-02-10", "customers": 4, "again": 2, "share": 5000}


PLAN: dict[str, Any] = {
    "name": "A green button",
    "hypothesis": "",
    "variants": ["control", "green"],
    "weights": [0.5, 0.5],
    "coverage": 1.0,
    "audience": {},
    "namespace": None,
    "namespace_start": None,
    "namespace_end": None,
    "metrics": ["conversion"],
    "guardrails": ["units", "payment_failures"],
    "tolerance": 0.05,
    "window_days": 7,
    "settle_days": 7,
    "cap_minor": None,
}


def started(db: Database, key: str, counts: tuple[int, int]) -> list[list[str]]:
    """An experiment that has run for thirty days, with so many visitors of each variant; their names."""
    experiments.create(db, {**PLAN, "key": key, "seed": key}, by="boss")
    experiments.change(db, key, {"status": "running"})
    names: list[list[str]] = [[], []]
    for n in range(3000):
        place = variant_of(f"v{n}", seed=key, weights=(0.5, 0.5), coverage=1, namespace=None)
        if place is not None and len(names[place]) < counts[place]:
            names[place].append(f"v{n}")
    with db.transaction() as tx:
        tx.execute("UPDATE experiment_phases SET started_at = now() - interval '30 days'")
        for place, visitors in enumerate(names):
            tx.execute(
                "INSERT INTO exposures (experiment_id, phase, visitor_id, variant, exposed_at)"
                " SELECT id, 1, visitor, %s, now() - interval '29 days' FROM experiments, unnest(%s::text[]) AS visitor"
                " WHERE key = %s",
                (place, visitors, key),
            )
    return names


def test_experiments_are_told_with_what_they_prove_and_why_not(
    db: Database, stream: EventStream, tmp_path: Path
) -> None:
    names = started(db, "button", (400, 400))
    started(db, "tilted", (600, 400))
    at = datetime.now(UTC) - timedelta(days=28)
    for visitor in (*names[0][:20], *names[1][:120]):
        books.paid_order(db, at=at, visitor=visitor)
    day = datetime.now(BERLIN).date()
    button, tilted = made(db, stream, day)["experiments"]
    assert (button["visitors"], button["maturing"], button["blocked"], button["days"]) == (800, 0, None, 30)
    [effect] = button["effects"]
    assert (effect["variant"], effect["lift"], effect["low"] > 0, effect["adjusted_p"] < 500) == (
        "green",
        50_000,
        True,
        True,
    )
    assert (tilted["blocked"], tilted["effects"], tilted["srm_p"]) == ("srm", [], 0)
    assert [(one["name"], one["variant"], one["verdict"]) for one in button["guardrails"]] == [
        ("units", "green", "held"),
        ("payment_failures", "green", "open"),
    ]
    assert tilted["guardrails"] == []

    done = report(db, stream, HOUSE, day=day.isoformat())
    text = " ".join(text_of(file(db, done["report_id"], "pdf"), tmp_path).split())
    assert "green: +500.0 %" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Not read out" in text
    assert "Guardrails: 1 of 2 certainly not worse, none broken." in text
    assert made(db, stream, date(2026, 3, 10))["experiments"] == []


def test_a_report_made_long_after_its_day_says_so_and_one_in_time_does_not(
    db: Database, stream: EventStream, tmp_path: Path
) -> None:
    done = report(db, stream, HOUSE, day=DAY.isoformat())
    figures = json.loads(file(db, done["report_id"], "json"))
    assert figures["report"]["late_hours"] > 1000
    assert "This report is late" in text_of(file(db, done["report_id"], "pdf"), tmp_path)
    assert made(db, stream, datetime.now(BERLIN).date())["report"]["late_hours"] == 0


def test_the_nights_report_waits_for_events_of_its_day_that_are_not_stored(db: Database, stream: EventStream) -> None:
    # A zone in which the day ended less than an hour ago, whenever this runs.
    hour = datetime.now(UTC).hour
    zone = ZoneInfo(f"Etc/GMT{hour if hour <= 12 else hour - 24:+d}")
    house = replace(HOUSE, zone=zone)
    yesterday = datetime.now(zone).date() - timedelta(days=1)
    accept(db, stream, batch([event("page_view")]))
    with pytest.raises(EventsOnTheWay):
        report(db, stream, house, day=yesterday.isoformat())
    ingest(db, stream)
    accept(db, stream, batch([event("page_view")]))  # of today: all of yesterday are stored before it
    assert report(db, stream, house, day=yesterday.isoformat())["version"] == 1
