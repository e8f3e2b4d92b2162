"""The daily seals as they are shown."""

from datetime import date

from db.database import Database
from shop.payments.queries import proving
from shop.payments.queries.proving import Digest

__all__ = ["Digest", "sealed"]


def sealed(db: Database, *, before: date | None, limit: int) -> list[Digest]:
    """Newest first, those before a day."""
    with db.transaction() as tx:
        return proving.digests(tx, before=before, limit=limit)
