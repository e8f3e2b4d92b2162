"""SQL of what a second engine is given: rows as text, in the order of its tables' columns."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from psycopg import sql

from db.database import Tx
from shop.analytics.behaviour.steps import STEPS
from shop.analytics.queries.facts import FACTS, asked_facts

COPIES: Mapping[str, sql.SQL | sql.Composed] = {
    "facts": sql.SQL("""
        COPY (SELECT visitor, customer, (extract(epoch FROM ts) * 1000000)::bigint, id, name, product_id, path, channel,
                     campaign, country, device, referrer_host, search_id, currency, props
                FROM ({}) AS facts) TO STDOUT
    """).format(FACTS["events"]),
    "visits": sql.SQL("""
        COPY (SELECT hashtextextended(visitor_id, 0), (extract(epoch FROM started_at) * 1000000)::bigint,
                     (extract(epoch FROM max(ended_at)) * 1000000)::bigint
                FROM sessions WHERE started_at >= %(start)s - %(longest_visit)s AND started_at <= %(until)s
            GROUP BY visitor_id, started_at) TO STDOUT
    """),
    "owners": sql.SQL("COPY (SELECT hashtextextended(visitor_id, 0), user_id FROM visitor_owners) TO STDOUT"),
}


def copied(tx: Tx, table: str, *, start: datetime, until: datetime) -> Iterator[bytes]:
    """A table's rows as text, tab-separated."""
    values = {**asked_facts(sorted(STEPS), "events"), "start": start, "until": until}
    with tx.cursor().copy(COPIES[table], values) as copy:
        for part in copy:
            yield bytes(part)
