"""What happened to orders is among the events: once each, as the orders tell it, and taken back when it proves untrue."""

import threading
from datetime import UTC, datetime, timedelta

from psycopg import sql

from db.database import Database
from shop.analytics.behaviour.funnel import funnel
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.events.order_facts import order_facts
from shop.ids import new_id
from tests.shop.analytics import books

NOW = datetime.now(UTC)


def change(db: Database, order_id: str, **columns: object) -> None:
    with db.transaction() as tx:
        for column, value in columns.items():
            statement = sql.SQL("UPDATE orders SET {} = %s, updated_at = now() WHERE id = %s")
            tx.execute(statement.format(sql.Identifier(column)), (value, order_id))


def refund(db: Database, order_id: str, amount: int) -> str:
    refund_id, payment_id = new_id("ref"), new_id("pay")
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO payments (id, order_id, intent_id, status, currency, amount_minor)"
            " VALUES (%s, %s, %s, 'succeeded', 'eur', 11900)",
            (payment_id, order_id, payment_id),
        )
        tx.execute(
            "INSERT INTO refunds (id, order_id, payment_id, status, amount_minor, currency, reason)"
            " VALUES (%s, %s, %s, 'succeeded', %s, 'eur', 'torn')",
            (refund_id, order_id, payment_id, amount),
        )
    change(db, order_id, amount_refunded=amount)
    return refund_id


def written(db: Database) -> list[tuple[str, str, int]]:
    with db.transaction() as tx:
        return tx.execute(
            "SELECT name, order_id, price_minor FROM events WHERE source = 'order' ORDER BY order_id, name, event_id"
        ).fetchall()


def hours(db: Database) -> dict[str, int]:
    """What the rollup says, which must be what the rows say."""
    with db.transaction() as tx:
        rolled = dict(tx.execute("SELECT name, sum(events)::int FROM event_hours GROUP BY name").fetchall())
        raw = dict(tx.execute("SELECT name, count(*)::int FROM events GROUP BY name").fetchall())
    assert {name: n for name, n in rolled.items() if n} == raw
    return raw


def test_an_order_leaves_each_of_its_facts_once(db: Database) -> None:
    order_id = books.paid_order(db, at=NOW - timedelta(hours=3), visitor="v1")
    change(db, order_id, declined_tries=2)
    refund(db, order_id, 2000)

    assert order_facts(db) == {"orders": 1, "written": 5, "taken_back": 0}
    assert order_facts(db) == {"orders": 1, "written": 0, "taken_back": 0}
    assert [(name, amount) for name, _, amount in written(db)] == [
        ("order_paid", 11900),
        ("order_placed", 11900),
        ("payment_failed", 11900),
        ("payment_failed", 11900),
        ("refund_done", 2000),
    ]
    hours(db)
    with db.transaction() as tx:
        row = tx.execute(
            "SELECT ts, visitor_id, user_id, event_id::text FROM events WHERE name = 'order_paid'"
        ).fetchone()
    assert row is not None
    assert row[:3] == (NOW - timedelta(hours=3), "v1", "cust")
    assert row[3][14] == "7"


def test_an_order_that_was_refused_or_is_being_placed_was_never_placed(db: Database) -> None:
    order_id = books.paid_order(db, at=NOW)
    change(db, order_id, paid_at=None, status="placing")
    assert order_facts(db)["written"] == 0


def test_a_refund_that_bounced_is_taken_back_and_comes_again_when_it_is_done_after_all(db: Database) -> None:
    order_id = books.paid_order(db, at=NOW)
    refund_id = refund(db, order_id, 2000)
    order_facts(db)
    with db.transaction() as tx:
        tx.execute("UPDATE refunds SET status = 'failed' WHERE id = %s", (refund_id,))
    change(db, order_id, amount_refunded=0)
    assert order_facts(db)["taken_back"] == 1
    assert hours(db) == {"order_paid": 1, "order_placed": 1}

    with db.transaction() as tx:
        tx.execute("UPDATE refunds SET status = 'succeeded' WHERE id = %s", (refund_id,))
    change(db, order_id, amount_refunded=2000)
    assert order_facts(db) == {"orders": 1, "written": 1, "taken_back": 0}
    assert hours(db) == {"order_paid": 1, "order_placed": 1, "refund_done": 1}


def test_a_canceled_order_whose_payment_came_through_is_a_paid_one(db: Database) -> None:
    order_id = books.paid_order(db, at=NOW)
    change(db, order_id, paid_at=None, status="canceled")
    order_facts(db)
    assert hours(db) == {"order_cancelled": 1, "order_placed": 1}
    change(db, order_id, paid_at=NOW, status="paid")
    order_facts(db)
    assert hours(db) == {"order_paid": 1, "order_placed": 1}


def test_readers_at_the_same_time_write_nothing_twice(db: Database) -> None:
    for _ in range(5):
        books.paid_order(db, at=NOW)
    readers = [threading.Thread(target=order_facts, args=(db,)) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert hours(db) == {"order_paid": 5, "order_placed": 5}


def test_a_funnel_asks_what_happened_to_the_orders_not_what_a_page_said(db: Database) -> None:
    told = books.paid_order(db, at=NOW - timedelta(hours=1), visitor="v1")
    books.paid_order(db, at=NOW - timedelta(hours=1), visitor="v2")
    nobody = books.paid_order(db, at=NOW - timedelta(hours=1))
    for order_id in (told, nobody):
        refund(db, order_id, 500)
    order_facts(db)
    steps = Funnel(
        [Match("order_paid", {}), Match("refund_done", {})],
        timedelta(days=1), "ordered", "visitor", (), None, NOW - timedelta(hours=2), NOW,
    )  # fmt: skip
    assert [step.total.units for step in funnel(db, steps).whole.steps] == [2, 1]
