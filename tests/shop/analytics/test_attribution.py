"""Every cent of revenue is credited once: to the visits that led to its order, or to nobody."""

import random
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.database import Database
from shop.analytics.attribution import attribution
from shop.analytics.queries.attribution import By, Credited, Model
from shop.analytics.revenue import revenue
from tests.shop.analytics import books

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
MODELS: tuple[Model, ...] = ("first", "last", "linear")
BYS: tuple[By, ...] = ("channel", "campaign")
Sums = dict[tuple[str | None, str], tuple[int, int]]


@dataclass(frozen=True)
class Visit:
    visitor: str
    at: datetime
    channel: str | None
    campaign: str | None
    bot: int
    id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class Order:
    visitor: str | None
    customer: str
    at: datetime
    currency: str
    net: int


@dataclass
class World:
    visits: list[Visit] = field(default_factory=list[Visit])
    orders: list[Order] = field(default_factory=list[Order])
    links: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])

    def browsers(self, order: Order) -> set[str]:
        """The order's, and those on which its customer was signed in and nobody else."""
        signed_in: dict[str, set[str]] = defaultdict(set)
        for visitor, user, undone in self.links:
            if not undone:
                signed_in[visitor].add(user)
        own = {visitor for visitor, users in signed_in.items() if users == {order.customer}}
        return own | ({order.visitor} if order.visitor else set[str]())

    def led_to(self, order: Order, lookback: timedelta, *, skip_direct: bool) -> list[Visit]:
        found = sorted(
            (
                visit
                for visit in self.visits
                if visit.visitor in self.browsers(order)
                and visit.bot < 50
                and order.at - lookback < visit.at <= order.at
            ),
            key=lambda visit: (visit.at, visit.id),
        )
        named = [visit for visit in found if visit.channel != "direct"]
        return (named or found) if skip_direct else found

    def judged(self, model: Model, by: By, lookback: timedelta, *, skip_direct: bool) -> tuple[Sums, Sums]:
        """Credited by value and currency, and unattributed: orders and net of each."""
        credit: dict[Any, tuple[set[int], int]] = {}
        for number, order in enumerate(self.orders):
            visits = self.led_to(order, lookback, skip_direct=skip_direct)
            if model != "linear":
                visits = visits[:1] if model == "first" else visits[-1:]
            cents = abs(order.net)
            for place in range(max(len(visits), 1)):
                # Dealt like cards: one cent to each in turn.
                part = len(range(place, cents, max(len(visits), 1))) * (1 if order.net >= 0 else -1)
                key = (bool(visits), getattr(visits[place], by) if visits else None, order.currency)
                orders, net = credit.get(key, (set[int](), 0))
                credit[key] = (orders | {number}, net + part)
        return (
            {(key[1], key[2]): (len(orders), net) for key, (orders, net) in credit.items() if key[0]},
            {(key[1], key[2]): (len(orders), net) for key, (orders, net) in credit.items() if not key[0]},
        )

    def stored(self, db: Database) -> None:
        for order in self.orders:
            gross = 11900
            order_id = books.paid_order(
                db,
                [("p1", 1, gross)],
                at=order.at,
                currency=order.currency,
                customer=order.customer,
                visitor=order.visitor,
            )
            with db.transaction() as tx:  # what is left of 100.00 of sales
                lost = 10000 - order.net
                if lost:
                    lines = {"refunds": lost, "customer": -lost}
                    books.book(tx, "credit", lines, currency=order.currency, order_id=order_id, at=order.at)
        with db.transaction() as tx:
            tx.cursor().executemany(
                "INSERT INTO sessions (id, visitor_id, started_at, ended_at, after_silence, channel, campaign, events,"
                " pages, products, carted, checkout, orders, engaged, bot_score)"
                " VALUES (%s, %s, %s, %s, true, %s, %s, 1, 1, 0, false, false, 0, false, %s)",
                [(one.id, one.visitor, one.at, one.at, one.channel, one.campaign, one.bot) for one in self.visits],
            )
            tx.cursor().executemany(
                "INSERT INTO identity_links (visitor_id, user_id, first_at, last_at, undone)"
                " VALUES (%s, %s, %s, %s, %s)",
                [(visitor, user, NOON, NOON, undone) for visitor, user, undone in self.links],
            )


def sums(rows: list[Credited] | Any) -> Sums:
    return {(row.value, row.currency): (row.orders, row.net) for row in rows}


def ask(db: Database, model: Model = "linear", by: By = "channel", days: int = 30, **more: Any) -> Any:
    return attribution(
        db,
        BERLIN,
        first=date(2026, 11, 1),
        last=date(2026, 11, 20),
        model=model,
        by=by,
        lookback=timedelta(days=days),
        **more,
    )


def generated(chance: random.Random) -> World:
    """Few browsers and few moments, so that ties, shared browsers and visits at the very edge happen often."""
    world = World()
    visitors, users = [f"v{n}" for n in range(14)], [f"u{n}" for n in range(6)]
    for visitor, user in product(visitors, users):
        if chance.random() < 0.12:
            world.links.append((visitor, user, chance.random() < 0.25))
    for _ in range(120):
        at = NOON - timedelta(days=chance.randint(-5, 35), hours=chance.choice((0, 0, 1)))
        world.visits.append(
            Visit(
                chance.choice(visitors),
                at,
                chance.choice(("direct", "direct", "search", "email", "social", None)),
                chance.choice((None, None, "spring", "sale")),
                chance.choice((0, 0, 0, 49, 50, 90)),
            )
        )
    for _ in range(60):
        world.orders.append(
            Order(
                chance.choice([*visitors, None]),
                chance.choice([*users, "stranger"]),
                NOON + timedelta(days=chance.randint(-5, 5)),
                chance.choice(("eur", "eur", "jpy")),
                chance.choice((10000, 10000, 9999, 1, 0, -7, 3334)),
            )
        )
    return world


@pytest.mark.parametrize("seed", range(3))
def test_all_models_agree_with_a_naive_judge_and_add_up_to_revenue(db: Database, seed: int) -> None:
    world = generated(random.Random(seed))
    world.stored(db)
    first, last = date(2026, 11, 1), date(2026, 11, 20)
    earned = revenue(db, BERLIN, first=first, last=last, interval="day", view="order_day", as_of=None)
    net: dict[str, int] = defaultdict(int)
    for row in earned.rows:
        net[row.currency] += row.net
    for model, by, days, skip in product(MODELS, BYS, (30, 3), (False, True)):
        found = ask(db, model, by, days, skip_direct=skip)
        credited, nobody = world.judged(model, by, timedelta(days=days), skip_direct=skip)
        assert sums(found.credited) == credited, (model, by, days, skip)
        assert sums(found.unattributed) == nobody, (model, by, days, skip)
        assert {row.currency: row.net for row in found.totals} == dict(net)
        told: dict[str, int] = defaultdict(int)
        for row in (*found.credited, *found.unattributed):
            told[row.currency] += row.net
        assert told == net
        assert sum(row.orders for row in found.totals) == len(world.orders)
    # Else dividing would hardly have been tried.
    assert sum(len(world.led_to(order, timedelta(days=30), skip_direct=False)) > 2 for order in world.orders) > 20


def test_cents_that_cannot_be_divided_go_to_the_earliest_visits(db: Database) -> None:
    world = World(
        [Visit("v", NOON - timedelta(days=back), channel, None, 0) for back, channel in ((3, "a"), (2, "b"), (1, "c"))],
        [Order("v", "u", NOON, "eur", 101)],
    )
    world.stored(db)
    assert sums(ask(db).credited) == {("a", "eur"): (1, 34), ("b", "eur"): (1, 34), ("c", "eur"): (1, 33)}


def test_a_refund_that_comes_later_takes_the_credit_back_and_the_past_can_be_asked_for(db: Database) -> None:
    world = World([Visit("v", NOON, "email", None, 0)], [Order("v", "u", NOON, "eur", 10000)])
    world.stored(db)
    before = datetime.now(UTC)
    with db.transaction() as tx:
        ((order_id,),) = tx.execute("SELECT id FROM orders").fetchall()
    books.refund(db, order_id, 11900, at=before)
    assert sums(ask(db).credited) == {("email", "eur"): (1, 0)}
    assert sums(ask(db, as_of=before).credited) == {("email", "eur"): (1, 10000)}
