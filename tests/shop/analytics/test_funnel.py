"""The funnel in SQL answers what a naive judge answers, on any history."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.database import Database, Tx
from shop.analytics.behaviour.funnel import funnel
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.intervals import wilson
from shop.analytics.queries import funnel as queries
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.revenue import RangeTooLong
from tests.shop.analytics import books
from tests.shop.analytics.judge import Fact, judge

START = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
END = START + 60 * MINUTE
NAMES = ("page_view", "product_view", "cart_add", "checkout_start", "consent_set")
HISTORIES = 24
"""A visitor's history is one; a database question judges this many at once."""


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


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Few minutes, few names: ties, repeats and edges of windows are the usual case."""
    facts: list[Fact] = []
    for n in range(HISTORIES):
        for _ in range(draw(st.integers(0, 7))):
            fields = {
                "product_id": draw(st.sampled_from(("p1", "p2"))),
                "channel": draw(st.sampled_from(("direct", "search"))),
                "props.size": draw(st.sampled_from(("s", "m"))),
            }
            minute = draw(st.sampled_from((-40, -1, 0, 1, 5, 10, 11, 30, 59, 60, 61, 65, 70, 71, 100)))
            facts.append(
                Fact(
                    visitor=f"v{n}",
                    ts=START + minute * MINUTE,
                    id=str(uuid.UUID(int=draw(st.integers(0, 1 << 20)) << 40 | len(facts))),
                    name=draw(st.sampled_from(NAMES)),
                    customer=draw(st.sampled_from((None, f"c{n}", f"c{n // 2}"))),
                    bot=draw(st.sampled_from((0, 0, 0, 30, 50))),
                    fields=fields,
                )
            )
    return facts


WHERES = st.sampled_from(({}, {}, {"product_id": ["p1"]}, {"product_id": ["p1", "p2"]}, {"props.size": ["m"]}))
MATCHES = st.builds(Match, st.sampled_from(NAMES[:4]), WHERES)


def funnels(mode: Any) -> st.SearchStrategy[Funnel]:
    return st.builds(
        Funnel,
        steps=st.lists(MATCHES, min_size=2, max_size=4),
        window=st.sampled_from((5, 10, 30, 60)).map(lambda n: n * MINUTE),
        mode=st.just(mode),
        unit=st.sampled_from(("visitor", "customer", "session")),
        exclude=st.lists(st.builds(Match, st.sampled_from(("consent_set", "page_view")), WHERES), max_size=1),
        breakdown=st.sampled_from((None, "channel")),
        start=st.just(START),
        end=st.just(END),
    )


@pytest.mark.parametrize("mode", ["ordered", "strict", "any"])
def test_a_thousand_histories_in_sql_are_what_the_judge_says(db: Database, mode: Any) -> None:
    judged = 0

    @settings(
        max_examples=50,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        database=None,
    )
    @given(facts=histories(), asked=funnels(mode), now=st.sampled_from((40, 61, 75, 500)))
    def agree(facts: list[Fact], asked: Funnel, now: int) -> None:
        nonlocal judged
        judged += HISTORIES
        moment = START + now * MINUTE
        with db.transaction() as tx:
            insert(tx, facts)
            rows = queries.reached(tx, asked, now=moment, timeout_ms=10_000)
            tx.execute("TRUNCATE events")
        found: dict[Any, list[tuple[Any, ...]]] = {}
        for row in rows:
            seconds = [[None if s is None else round(s, 6) for s in times] for times in (row.median_s, row.p90_s)]
            found["whole" if row.whole else (row.segment,)] = list(zip(row.units, row.mature, *seconds, strict=True))
        assert found == judge(facts, asked, now=moment)

    agree()
    assert judged >= 1_000


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
