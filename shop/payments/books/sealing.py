"""The daily seal: one digest over every row of a day, chained to the day before, and what each account held then."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta

from db.database import Database
from shop.payments.queries import day_balances, orders, proving

BITE = timedelta(hours=6)
"""Rows of this long are read by one statement, digested hour by hour: of a million orders a day some five million."""

SETTLED_AFTER = timedelta(hours=1)
"""A day is sealed when it has been over for an hour: no transaction that began in it is still open by then."""


def seal_days(db: Database) -> list[date]:
    """Seal every day (UTC) that is over and has no seal yet, oldest first; answers which."""
    sealed: list[date] = []
    with db.transaction() as tx:
        over = (orders.clock(tx) - SETTLED_AFTER).astimezone(UTC).date()
        newest = next(iter(proving.digests(tx, before=None, limit=1)), None)
        first = proving.first_written(tx)
    if newest is None and first is None:
        return sealed
    with db.transaction() as tx:
        day_balances.wait_for_writers(tx)
    day = newest.day + timedelta(days=1) if newest else (first or datetime.now(UTC)).astimezone(UTC).date()
    while day < over:
        facts, entries, content = digest_of_day(db, day)
        with db.transaction() as tx:
            proving.seal(tx, day, facts=facts, entries=entries, content=content)
            day_balances.keep(tx, day)
        sealed.append(day)
        day += timedelta(days=1)
    return sealed


def digest_of_day(db: Database, day: date) -> tuple[int, int, bytes]:
    """`(facts, entries, content)` of a day as its rows are now."""
    start = datetime.combine(day, time(), UTC)
    facts = entries = 0
    content = hashlib.sha256()
    moment = start
    while moment < start + timedelta(days=1):
        with db.transaction() as tx:
            hours = proving.written(tx, moment, moment + BITE)
        for more_facts, more_entries, digest in hours:
            facts += more_facts
            entries += more_entries
            content.update(digest)
        moment += BITE
    return facts, entries, content.digest()
