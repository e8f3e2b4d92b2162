"""Deletes what search no longer needs, in bites: old searches, vectors of former models, lists nobody pages in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.answering import pages
from shop.search.days.close import close_until
from shop.search.days.spans import day_of, span_of
from shop.search.learning.replaying import KEPT_DAYS
from shop.search.queries import lists, log, replays
from shop.search.queries import models as queries
from shop.search.vectors.models import KEPT_MINUTES

BITE = 5000
"""Rows of one transaction: a second, and vacuum can take what is dead before the next thousands die."""


SEARCHES_DAYS = 365

UTC_ZONE = ZoneInfo("UTC")


def forget(
    db: Database,
    progress: Progress = unheard,
    *,
    after_minutes: int = KEPT_MINUTES,
    searches_days: int = SEARCHES_DAYS,
    zone: ZoneInfo = UTC_ZONE,
) -> dict[str, object]:
    """Searches with what became of them, and vectors of models retired for so many minutes. Searches go by whole days
    of the zone, as soon as the first of a day is so many days old; what they come to is counted before.

    Answers how many searches, vectors and lists went; a killed run goes on where it was.
    """
    old = _lists(db)
    searches = _searches(db, searches_days, zone)
    with db.transaction() as tx:
        replays.forget(tx, days=min(searches_days, KEPT_DAYS))
    done = 0
    while True:
        with db.transaction() as tx:
            version = queries.retired_model(tx, minutes=after_minutes)
            if version is None:
                return {"vectors": done, "lists": old, "searches": searches}
            gone = queries.delete_vectors(tx, version, limit=BITE)
            if not gone:
                queries.delete_model(tx, version)
        done += gone
        progress(done, None)


def _lists(db: Database) -> int:
    done = 0
    while True:
        with db.transaction() as tx:
            gone = lists.delete_old_lists(tx, minutes=pages.KEPT_MINUTES, limit=BITE)
        done += gone
        if gone < BITE:
            return done


def _searches(db: Database, days: int, zone: ZoneInfo) -> int:
    last = day_of(datetime.now(UTC) - timedelta(days=days), zone)
    close_until(db, last, zone)
    before, done = span_of(last, zone).end, 0
    while True:
        with db.transaction() as tx:
            gone = log.delete_old_searches(tx, before=before, limit=BITE)
        done += gone
        if gone < BITE:
            return done
