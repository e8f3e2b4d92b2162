"""Closes days whose searches are to be deleted: their numbers stay, the words of rare queries do not."""

from datetime import date
from zoneinfo import ZoneInfo

from db.database import Database, Tx
from shop.search.days.spans import day_of, each_day
from shop.search.days.sum_up import count
from shop.search.queries import closed_days
from shop.search.queries import days as queries

LEAST_PEOPLE = 3
"""Who asked for something on one day, for its words to be kept after their searches: nobody can be told from a query
that several people made. The suggestions while typing have the same bound."""


def close_until(db: Database, last: date, zone: ZoneInfo) -> int:
    """Every day with searches up to `last`, counted a last time. Answers how many; closed ones stay as they are."""
    with db.transaction() as tx:
        due = _due(tx, last, zone)
    for day in due:
        with db.transaction() as tx:
            count(tx, day, zone)
            texts = queries.texts_of(tx, day)
            closed_days.merge_rare_queries(tx, day, people=LEAST_PEOPLE)
            closed_days.merge_rare_sales(tx, day)
            queries.forget_texts(tx, texts)
            closed_days.close_day(tx, day)
    return len(due)


def _due(tx: Tx, last: date, zone: ZoneInfo) -> list[date]:
    counted = queries.counted(tx)
    closed = {one.day for one in counted if one.closed}
    if last in closed:
        return []
    # Searches from before the first counted day are noted, and counted within minutes. Where none is, look for one.
    first = next((one.day for one in counted if not one.closed), None)
    if first is None:
        found = queries.first_search(tx)
        first = found and day_of(found, zone)
    return [day for day in each_day(first, last) if day not in closed] if first else []
