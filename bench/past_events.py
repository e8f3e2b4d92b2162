"""Events of the past by the million, made by the database itself: visits, orders and books of 90 days."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from db.database import Database, Tx

DAYS = 90
LENGTH = 4.8
"""Events a visit, in the mean; a visitor comes four times."""

BITE = 50_000
"""Visits a transaction: a quarter of a million events."""


def add_past_events(db: Database, events: int, *, end: datetime, tell: Callable[[int], None]) -> None:
    """Write about so many events of the 90 days before `end`, with the orders that come of them. The same each time."""
    start = end - timedelta(days=DAYS)
    visits = round(events / LENGTH)
    with db.transaction() as tx:
        tx.execute("SELECT make_event_partitions(%(start)s, 15), make_step_partitions(%(start)s, 15)", {"start": start})
    for first in range(0, visits, BITE):
        with db.transaction() as tx:
            tx.execute("SET LOCAL synchronous_commit = off")
            _events(tx, first, min(first + BITE, visits), visitors=visits // 4, start=start)
        tell(min(first + BITE, visits))
    with db.transaction() as tx:
        _orders(tx)
    with db.transaction() as tx:
        _books(tx)
    with db.session() as session:
        session.execute("VACUUM (ANALYZE)")


def last_midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _events(tx: Tx, first: int, last: int, *, visitors: int, start: datetime) -> None:
    """A visit is as long as chance says, exponentially; what is done in it, too."""
    tx.execute(
        """
        WITH visit AS (
            SELECT n, abs(hashint8extended(n, 1)) %% %(visitors)s AS visitor,
                   %(start)s::timestamptz + interval '1 second' * (abs(hashint8extended(n, 2)) %% %(span)s) AS began,
                   1 + least(30, floor(-ln(1 - (abs(hashint8extended(n, 3)) %% 1000000) / 1e6) * 4.3))::int AS length
              FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) AS n
        ), event AS (
            SELECT visit.*, i,
                   began + interval '1 second' * (i * 45 + abs(hashint8extended(n * 64 + i, 4)) %% 40) AS ts,
                   (abs(hashint8extended(n * 64 + i, 5)) %% 100000) / 1e5 AS roll
              FROM visit CROSS JOIN LATERAL generate_series(0, length - 1) AS i
        )
        INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, bot_score, path,
                            channel, device, country, product_id, fingerprint)
        SELECT (lpad(to_hex(floor(extract(epoch FROM ts) * 1000)::bigint), 12, '0') || '7'
                || substr(md5((n * 64 + i)::text), 1, 3) || '8' || substr(md5((n * 64 + i)::text), 4, 15))::uuid,
               CASE WHEN i = 0 OR roll < 0.43 THEN 'page_view' WHEN roll < 0.80 THEN 'product_view'
                    WHEN roll < 0.90 THEN 'cart_add' WHEN roll < 0.94 THEN 'search'
                    WHEN roll < 0.97 THEN 'checkout_start' ELSE 'list_view' END,
               'web', ts, ts, ts, 'as_sent',
               md5('visitor ' || visitor), CASE WHEN n %% 50 = 0 THEN 90 ELSE 0 END, '/p/' || n %% 997,
               (ARRAY['direct', 'search', 'mail', 'social'])[1 + n %% 4],
               (ARRAY['desktop', 'phone', 'tablet'])[1 + n %% 3], 'de', 'product-' || (n * 31 + i) %% 997, n * 64 + i
          FROM event
      ORDER BY ts
        """,
        {"first": first, "last": last, "visitors": visitors, "start": start, "span": DAYS * 86_400 - 3_600},
    )


def _orders(tx: Tx) -> None:
    """Every other start of a checkout by a person is an order that was paid a minute later."""
    tx.execute(
        """
        INSERT INTO orders (id, customer_id, visitor_id, cart_id, status, currency, subtotal_minor, shipping_minor,
                            tax_minor, total_minor, amount_captured, expires_at, paid_at, created_at, updated_at)
        SELECT 'ord_bench' || fingerprint, 'cus_' || visitor_id, visitor_id, 'cart', 'paid', 'eur', amount, 0,
               amount - round(amount / 1.19), amount, amount, ts + interval '1 day', ts + interval '60 seconds',
               ts + interval '30 seconds', ts + interval '60 seconds'
          FROM (SELECT *, 1000 + fingerprint %% 20000 AS amount FROM events
                 WHERE name = 'checkout_start' AND bot_score < 50 AND fingerprint %% 2 = 0) AS started
        """.replace("%%", "%")
    )


def _books(tx: Tx) -> None:
    tx.execute(
        """
        INSERT INTO ledger_entries (id, chain, seq, order_id, kind, cause, lines_hash, booked_at, prev_hash, hash)
        SELECT 'ent_sale' || id, id, 1, id, 'sale', 'sale ' || id,
               sha256(convert_to('customer:eur:' || total_minor || ',sales:eur:' || tax_minor - total_minor
                                 || ',tax:eur:' || -tax_minor, 'UTF8')), paid_at, '', ''
          FROM orders WHERE id LIKE 'ord_bench%'
        """
    )
    tx.execute(
        """
        INSERT INTO ledger_lines (entry_id, account, currency, amount_minor)
        SELECT 'ent_sale' || id, account, 'eur', amount
          FROM orders CROSS JOIN LATERAL (VALUES ('customer', total_minor), ('sales', tax_minor - total_minor),
                                                 ('tax', -tax_minor)) AS line (account, amount)
         WHERE id LIKE 'ord_bench%' AND amount <> 0
        """
    )
