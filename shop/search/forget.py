"""Deletes the vectors of models that no longer answer, in bites."""

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.models import KEPT_MINUTES
from shop.search.queries import models as queries

BITE = 5000
"""Vectors of one transaction: a second, and vacuum can take what is dead before the next thousands die."""


def forget(db: Database, progress: Progress = unheard, *, after_minutes: int = KEPT_MINUTES) -> dict[str, object]:
    """Of models retired for so long. Answers how many vectors went; a killed run goes on where it was."""
    done = 0
    while True:
        with db.transaction() as tx:
            version = queries.retired_model(tx, minutes=after_minutes)
            if version is None:
                return {"vectors": done}
            gone = queries.delete_vectors(tx, version, limit=BITE)
            if not gone:
                queries.delete_model(tx, version)
        done += gone
        progress(done, None)
