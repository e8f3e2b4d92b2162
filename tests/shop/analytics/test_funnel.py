"""What a funnel says beside its counts, which `test_engines` has judged."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.database import Database, Tx
from shop.analytics.behaviour.funnel import funnel
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.intervals import wilson
from shop.analytics.queries import funnel as queries
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.revenue import RangeTooLong
from tests.shop.analytics import books
from tests.shop.analytics.judge import Fact

START = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
END = START + 60 * MINUTE


def insert(tx: Tx, facts: list[Fact]) -> None:
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, user_id, bot_score,"
            " channel, product_id, props, fingerprint)"
            " VALUES (%s, %s, 'web', %s, %s, %s, 'as_sent', %s, %s, %s, %s, %s, jsonb_build_object('size', %s::text), 0)",
            [
                (f.id, f.name, f.ts, f.ts, f.ts, f.visitor, f.customer, f.bot, f.fields.get("channel"),
                 f.fields.get("product_id"), f.fields.get("props.size"))
                for f in facts
            ],
        )  # fmt: skip


PLAIN = Funnel(
    steps=(), window=30 * MINUTE, mode="ordered", unit="visitor", exclude=(), breakdown=None, start=START, end=END
)


def asked(*steps: Match, **more: Any) -> Funnel:
    return replace(PLAIN, steps=steps, **more)


def seen(visitor: str, minute: float, name: str, **fields: str) -> Fact:
    return Fact(visitor, START + minute * MINUTE, str(uuid.uuid4()), name, fields=fields)


def test_an_order_counts_from_the_orders_and_an_entry_with_an_open_window_is_marked(db: Database) -> None:
    with db.transaction() as tx:
        insert(tx, [seen("v1", 1, "product_view"), seen("v2", 2, "product_view"), seen("v3", 50, "product_view")])
    books.paid_order(db, at=START + 21 * MINUTE, visitor="v1")
    found = funnel(db, asked(Match("product_view", {}), Match("order_paid", {})), now=END).whole
    bought = found.steps[1]
    assert (found.entered, found.maturing) == (3, 1)
    assert (bought.total.units, bought.total.rate) == (1, pytest.approx(1 / 3))
    assert (bought.mature.units, bought.mature.of) == (1, 2)
    assert (bought.median_s, bought.p90_s) == (1200.0, 1200.0)
    assert (bought.total.low, bought.total.high) == wilson(1, 3)


def test_small_segments_are_one_row_together(db: Database) -> None:
    with db.transaction() as tx:
        insert(tx, [seen(f"v{n}", 1, "page_view", channel=f"c{n:02}") for n in range(queries.SEGMENTS + 5)])
        insert(tx, [seen("w", 1, "page_view", channel="c00")])
    found = funnel(db, asked(Match("page_view", {}), Match("cart_add", {}), breakdown="channel"), now=END)
    assert len(found.segments) == queries.SEGMENTS + 1
    assert (found.segments[0].value, found.segments[0].entered) == ("c00", 2)
    assert (found.segments[-1].other, found.segments[-1].entered) == (True, 5)
    assert sum(one.entered for one in found.segments) == found.whole.entered


def test_nobody_is_a_funnel_too(db: Database) -> None:
    found = funnel(db, asked(Match("page_view", {}), Match("cart_add", {}), breakdown="channel"), now=END)
    assert (found.whole.entered, found.whole.steps[1].total.rate, found.segments) == (0, None, [])


def test_what_takes_too_long_is_ended_and_said(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, fingerprint)"
            " SELECT gen_random_uuid(), 'page_view', 'web', %(at)s, %(at)s, %(at)s, 'as_sent', 'v' || n, 0"
            "   FROM generate_series(1, 20000) AS n",
            {"at": START},
        )
    with pytest.raises(TooMuchWork):
        funnel(db, asked(Match("page_view", {}), Match("cart_add", {})), timeout_ms=1)
    with pytest.raises(RangeTooLong):
        funnel(db, asked(Match("page_view", {}), Match("cart_add", {}), end=START))


def test_values_are_parameters_whatever_they_say(db: Database) -> None:
    nasty = "'; DROP TABLE events; --"
    wanted = asked(Match("page_view", {"props." + nasty: [nasty], "path": [nasty]}), Match("cart_add", {}))
    statement, values = queries.compiled(wanted, now=END, source="events")
    with db.transaction() as tx:
        assert nasty not in statement.as_string(tx)
    assert [nasty] in values.values()
    assert funnel(db, wanted, now=END).whole.entered == 0


def test_wilson_is_the_closed_form() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), 857-872, table I: 81/263, 15/148, 0/20, 1/29.
    for (hits, tries), (low, high) in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(hits, tries) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
