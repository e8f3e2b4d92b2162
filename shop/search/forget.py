"""Deletes what search no longer needs, in bites: vectors of models that no longer answer, lists nobody pages in."""

from db.database import Database
from shop.progress import Progress, unheard
from shop.search import pages
from shop.search.models import KEPT_MINUTES
from shop.search.queries import lists
from shop.search.queries import models as queries

BITE = 5000
"""Rows of one transaction: a second, and vacuum can take what is dead before the next thousands die."""


def forget(db: Database, progress: Progress = unheard, *, after_minutes: int = KEPT_MINUTES) -> dict[str, object]:
    """Of models retired for so long. Answers how many vectors and lists went; a killed run goes on where it was."""
    old = _lists(db)
    done = 0
    while True:
        with db.transaction() as tx:
            version = queries.retired_model(tx, minutes=after_minutes)
            if version is None:
                return {"vectors": done, "lists": old}
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
