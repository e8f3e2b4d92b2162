"""Weighs all postings anew for the average length the corpus has now, in bites."""

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.catalogue import index
from shop.search.queries import index as queries
from shop.search.queries import versions

BITE = 500
"""Products of one transaction: some 50,000 postings, a second, during which an import waits for the index."""


def reweigh(db: Database, progress: Progress = unheard) -> dict[str, object]:
    """Answers how many were weighed. Goes on where a killed run stopped: each row says what it was weighed for."""
    done = 0
    with db.transaction() as tx:
        total = queries.count_unweighed(tx)
    while True:
        with db.transaction() as tx:
            index.lock(tx)
            weighed = queries.reweigh_some(tx, limit=BITE)
            if weighed:
                versions.bump(tx, "catalogue")
        if not weighed:
            return {"products": done}
        done += weighed
        progress(done, max(total, done))
