"""Visits: half an hour of silence or another campaign begins one, midnight does not, and late events heal them."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.behaviour.overview import overview
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.order_facts import order_facts
from shop.analytics.events.sessions import sessions
from shop.ports.events import EventStream
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, batch, event

NOW = datetime.now(UTC)
START = NOW - timedelta(days=2)


def at(minutes: float, name: str = "page_view", visitor: str = "v1", **more: Any) -> dict[str, Any]:
    return event(name, ts=START + timedelta(minutes=minutes), visitor=visitor, **more)


def arrive(db: Database, stream: EventStream, events: Sequence[dict[str, Any]], *, agent: str = PERSON) -> None:
    # Sent when received, so that no clock is corrected and times compare exactly.
    accept(db, stream, batch(events, received_at=NOW, sent_at=NOW, agent=agent))
    ingest(db, stream)


def visits(db: Database, visitor: str = "v1") -> list[tuple[float, float, int, str | None]]:
    """Beginning and end in minutes, events, campaign."""
    with db.transaction() as tx:
        rows = tx.execute(
            "SELECT started_at, ended_at, events, campaign FROM sessions WHERE visitor_id = %s ORDER BY started_at",
            (visitor,),
        ).fetchall()
    minutes = timedelta(minutes=1)
    return [(round((a - START) / minutes, 3), round((b - START) / minutes, 3), n, c) for a, b, n, c in rows]


def test_more_than_half_an_hour_of_silence_begins_a_visit(db: Database, stream: EventStream) -> None:
    arrive(db, stream, [at(0), at(30), at(60.1), at(61)])
    sessions(db)
    assert visits(db) == [(0, 30, 2, None), (60.1, 61, 2, None)]


def test_another_campaign_begins_a_visit_and_the_same_one_does_not(db: Database, stream: EventStream) -> None:
    arrive(
        db, stream, [at(0, campaign="a"), at(1), at(2, campaign="a"), at(3, campaign="b"), at(4), at(5, campaign="a")]
    )
    sessions(db)
    assert visits(db) == [(0, 2, 3, "a"), (3, 4, 2, "b"), (5, 5, 1, "a")]


def test_a_late_event_joins_two_visits_and_they_keep_one_id(db: Database, stream: EventStream) -> None:
    arrive(db, stream, [at(0), at(50), at(120)])
    sessions(db)
    assert len(visits(db)) == 3
    arrive(db, stream, [at(25)])
    assert sessions(db) == {"notes": 1, "written": 1, "merged": 1}
    assert visits(db) == [(0, 50, 3, None), (120, 120, 1, None)]


def test_whatever_the_order_of_arrival_the_visits_are_the_same(db: Database, stream: EventStream) -> None:
    chance = random.Random(7)
    lot = [(chance.uniform(0, 600), chance.choice(["a", "b", None, None, None])) for _ in range(60)]
    for visitor, mixed in (("in_order", sorted(lot, key=lambda one: one[0])), ("shuffled", lot)):
        for n in range(0, len(mixed), 7):
            bite = [
                at(minute, visitor=visitor, **({"campaign": campaign} if campaign else {}))
                for minute, campaign in mixed[n : n + 7]
            ]
            arrive(db, stream, bite)
            sessions(db)
    assert len(visits(db, "in_order")) > 10
    assert visits(db, "shuffled") == visits(db, "in_order")


def test_a_visit_says_where_it_began_what_was_done_and_what_was_ordered(db: Database, stream: EventStream) -> None:
    books.paid_order(db, at=START + timedelta(minutes=6), visitor="v1")
    arrive(
        db,
        stream,
        [
            at(0, path="/a"),
            at(1, "product_view", product_id="p1"),
            at(2, "cart_add", product_id="p1"),
            at(5, path="/b"),
        ],
    )
    order_facts(db)
    sessions(db)
    with db.transaction() as tx:
        row = tx.execute(
            "SELECT entry_path, exit_path, pages, products, carted, checkout, orders, engaged FROM sessions"
        ).fetchone()
    assert row == ("/a", "/b", 2, 1, True, False, 1, True)


def test_midnight_cuts_no_visit_and_machines_are_not_counted(db: Database, stream: EventStream) -> None:
    midnight = datetime.combine(NOW.date() - timedelta(days=1), datetime.min.time(), UTC)
    lot = [event("page_view", ts=midnight + timedelta(minutes=n), visitor="v1") for n in (-10, 10)]
    arrive(db, stream, lot)
    arrive(db, stream, [event("page_view", ts=midnight + timedelta(minutes=5), visitor="bot")], agent="Googlebot/2.1")
    sessions(db)
    day: date = midnight.date()
    found = overview(db, ZoneInfo("UTC"), first=day, last=day)
    assert (found.before.sessions, found.now.sessions) == (1, 0)
