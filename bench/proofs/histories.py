"""Short histories of visitors, made by chance of few moments: ties, repeats and edges; put in and taken out again."""

import hashlib
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from db.database import Database
from shop.analytics.events.sessions import sessions
from tests.shop.analytics.judge import Fact

START = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
"""Half an hour before the Sunday with 25 hours, which ends a week."""
MINUTE = timedelta(minutes=1)
END = START + 60 * MINUTE
MOMENTS = (-40, -1, 0, 1, 5, 10, 11, 30, 59, 60, 61, 65, 70, 71, 100, 1500, 1600, 10_140, 20_220)
"""Minutes from START; the last ones are behind the change of the clock, and one and two weeks later."""
NAMES = ("page_view", "product_view", "cart_add", "checkout_start", "search")


def made(chance: random.Random, histories: int) -> list[Fact]:
    facts: list[Fact] = []
    for n in range(histories):
        for _ in range(chance.randrange(12)):
            ts = START + chance.choice(MOMENTS) * MINUTE
            customer = chance.choice((None, None, f"c{n}", f"c{n // 2}"))
            if chance.random() < 0.08:
                facts += _order(chance, f"v{n}", customer or f"c{n}", ts)
                continue
            fields = {
                "product_id": chance.choice(("p1", "p2")),
                "channel": chance.choice(("direct", "search")),
                "path": chance.choice(("/", "/cart", "/it's \\ odd")),
                "props.size": chance.choice(("s", "m", '"', "\\")),
                "campaign": chance.choice((None, None, None, "spring", "autumn")),
            }
            known = {name: value for name, value in fields.items() if value is not None and chance.random() < 0.9}
            fact_id = str(uuid.UUID(int=chance.getrandbits(128)))
            bot = chance.choice((0, 0, 0, 0, 30, 50))
            facts.append(Fact(f"v{n}", ts, fact_id, chance.choice(NAMES), customer, bot, known))
    return facts


def _order(chance: random.Random, visitor: str, customer: str, ts: datetime) -> list[Fact]:
    """An order that was paid at once, or ten minutes later; its two facts have one id."""
    number = f"ord_{chance.getrandbits(64)}"
    fact_id = str(uuid.UUID(hashlib.md5(number.encode(), usedforsecurity=False).hexdigest()))
    paid = ts + chance.choice((0, 10)) * MINUTE
    fields = {"order": number}
    return [
        Fact(visitor, at, fact_id, name, customer, 0, fields)
        for at, name in ((ts, "order_placed"), (paid, "order_paid"))
    ]


def store(db: Database, facts: Sequence[Fact]) -> None:
    with db.transaction() as tx, tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, user_id,
                                bot_score, channel, product_id, path, campaign, props, fingerprint)
            VALUES (%(id)s, %(name)s, 'web', %(ts)s, %(ts)s, %(ts)s, 'as_sent', %(visitor)s, %(customer)s, %(bot)s,
                    %(channel)s, %(product)s, %(path)s, %(campaign)s,
                    CASE WHEN %(size)s::text IS NOT NULL THEN jsonb_build_object('size', %(size)s::text) END, 0)
            """,
            [_row(fact) for fact in facts if "order" not in fact.fields],
        )
        cursor.executemany(
            """
            INSERT INTO orders (id, customer_id, visitor_id, cart_id, status, currency, subtotal_minor, shipping_minor,
                                tax_minor, total_minor, amount_captured, expires_at, paid_at, created_at, updated_at)
            VALUES (%(order)s, %(customer)s, %(visitor)s, 'cart', 'paid', 'eur', 100, 0, 0, 100, 100, %(ts)s, %(paid)s,
                    %(ts)s, %(ts)s)
            """,
            [
                {"order": a.fields["order"], "customer": a.customer, "visitor": a.visitor, "ts": a.ts, "paid": b.ts}
                for a, b in pairwise(facts)
                if a.name == "order_placed" and b.name == "order_paid"
            ],
        )
        tx.execute(
            """
            INSERT INTO identity_links (visitor_id, user_id, first_at, last_at)
            SELECT visitor_id, user_id, min(ts), max(ts) FROM events WHERE user_id IS NOT NULL GROUP BY 1, 2
            """
        )
        tx.execute(
            "INSERT INTO visitors_touched (visitor_id, since, until)"
            " SELECT visitor_id, min(ts), max(ts) FROM events GROUP BY visitor_id"
        )
    sessions(db)


def _row(fact: Fact) -> dict[str, Any]:
    named = {name: fact.fields.get(name) for name in ("channel", "path", "campaign")}
    return named | {
        "id": fact.id,
        "name": fact.name,
        "ts": fact.ts,
        "visitor": fact.visitor,
        "customer": fact.customer,
        "bot": fact.bot,
        "product": fact.fields.get("product_id"),
        "size": fact.fields.get("props.size"),
    }


def empty(db: Database) -> None:
    with db.transaction() as tx:
        # Not TRUNCATE: what follows the events shall follow them out, too.
        tx.execute("DELETE FROM events")
        left = tx.execute("SELECT (SELECT count(*) FROM steps) + (SELECT count(*) FROM visitor_days)").fetchone()
        assert left == (0,), "steps and days outlived their events"
        tx.execute("TRUNCATE sessions, identity_links, visitors_touched")
        tx.execute("DELETE FROM orders")
