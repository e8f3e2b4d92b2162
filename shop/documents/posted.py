"""Mails for support: which were sent, which bounced, and what the server said."""

from db.database import Database
from shop.documents.queries import mails
from shop.documents.queries.mails import MailRow


def posted(
    db: Database, *, state: str | None, order_id: str | None, before_id: str | None, limit: int
) -> list[MailRow]:
    """Newest first."""
    with db.transaction() as tx:
        return mails.listed(tx, state=state, order_id=order_id, before_id=before_id, limit=limit)
