"""Revenue that was added up before, or is told apart, is the revenue of the ledger."""

import random
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from db.database import Database
from shop.analytics.days import Period
from shop.analytics.queries import money
from shop.analytics.queries.money import Moved
from shop.analytics.revenue import Revenue, revenue
from shop.analytics.tally import tally
from shop.ids import new_id
from tests.shop.analytics.test_revenue import FIRST, generated, lived


def test_added_up_quarters_say_what_the_ledger_says_at_every_moment(db: Database) -> None:
    chance = random.Random(7)
    with db.transaction() as tx:
        for number in range(40):
            lived(tx, chance, generated(tx, chance, number))
    now = datetime.now(UTC)
    with db.transaction() as tx:  # bookings over the last two days instead of all in this second
        tx.execute("SET LOCAL session_replication_role = replica")
        tx.execute(
            "UPDATE ledger_entries SET booked_at = %s - make_interval(mins => abs(hashtext(id)) %% 2880)", (now,)
        )
        tx.execute("UPDATE orders SET created_at = %s - make_interval(mins => abs(hashtext(id)) %% 2880)", (now,))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [
        Period(day.date(), day, day + timedelta(days=1)) for day in (midnight - timedelta(days=n) for n in range(4))
    ]
    asked = [now + timedelta(minutes=1), now - timedelta(hours=7, minutes=3), now - timedelta(hours=30)]

    def all_answers() -> list[list[Moved]]:
        with db.transaction() as tx:
            views: tuple[money.View, ...] = ("booking_day", "order_day")
            return [money.moved(tx, days, view=view, as_of=at) for view in views for at in asked]

    raw = all_answers()
    assert all(raw)
    assert tally(db, now=now - timedelta(hours=5))["rows"] > 10
    assert all_answers() == raw  # some added up, some since
    tally(db, now=now)
    tally(db, now=now)
    assert all_answers() == raw


def test_a_quarter_that_differs_from_the_ledger_is_noted_and_put_right(db: Database) -> None:
    with db.transaction() as tx:
        chance = random.Random(3)
        for number in range(12):
            lived(tx, chance, generated(tx, chance, number))
    tomorrow = datetime.now(UTC) + timedelta(days=1, hours=3)
    tally(db, now=tomorrow - timedelta(days=1))
    tally(db, now=datetime.now(UTC) + timedelta(hours=1))
    with db.transaction() as tx:
        good = tx.execute("SELECT * FROM revenue_quarters ORDER BY 1, 2, 3, 4").fetchall()
        assert good
        tx.execute("UPDATE revenue_quarters SET net = net + 5, sold = sold + 1")
    assert tally(db, now=tomorrow)["different_days"] == 1
    with db.transaction() as tx:
        assert tx.execute("SELECT * FROM revenue_quarters ORDER BY 1, 2, 3, 4").fetchall() == good
        assert tx.execute("SELECT rollup, settled_at FROM rollup_differences").fetchall() == [
            ("revenue_quarters", None)
        ]
    assert tally(db, now=tomorrow + timedelta(days=1))["different_days"] == 0
    with db.transaction() as tx:
        assert tx.execute("SELECT settled_by FROM rollup_differences").fetchall() == [("analytics.tally",)]


def test_told_apart_by_card_and_country_the_sums_are_the_same(db: Database) -> None:
    chance = random.Random(11)
    with db.transaction() as tx:
        for number in range(30):
            order = generated(tx, chance, number)
            lived(tx, chance, order)
            country = chance.choice(("DE", "fr", None))
            tx.execute(
                "UPDATE orders SET shipping_address = %s WHERE id = %s",
                (Jsonb({"country": country}) if country else None, order.id),
            )
            if chance.random() < 0.7:
                tx.execute(
                    "INSERT INTO payments (id, order_id, intent_id, status, currency, amount_minor, card_brand)"
                    " VALUES (%s, %s, %s, 'succeeded', %s, 1, %s)",
                    (new_id("pay"), order.id, f"pi {order.id}", order.currency, chance.choice(("visa", "amex"))),
                )

    def asked(group: money.Group | None, view: money.View) -> Revenue:
        last = FIRST + timedelta(days=40) if view == "order_day" else datetime.now(UTC).date()
        first = FIRST if view == "order_day" else last - timedelta(days=3)
        return revenue(db, ZoneInfo("UTC"), first=first, last=last, interval="week", view=view, as_of=None, group=group)

    groups: tuple[money.Group, ...] = ("method", "country")
    views: tuple[money.View, ...] = ("order_day", "booking_day")
    seen: set[str] = set()
    for group, view in product(groups, views):
        apart, whole = asked(group, view), asked(None, view)
        assert apart.groups is not None
        seen |= set(apart.groups)
        for row in whole.rows:
            parts = [one for one in apart.rows if (one.day, one.currency) == (row.day, row.currency)]
            for name in ("gross", "refunds", "net", "goods", "shipping", "tax", "fees", "disputes", "orders"):
                assert getattr(row, name) == sum(getattr(one, name) for one in parts), (group, view, name)
        assert {(one.day, one.currency) for one in apart.rows} == {(one.day, one.currency) for one in whole.rows}
    assert seen == {"visa", "amex", "unknown", "de", "fr"}
