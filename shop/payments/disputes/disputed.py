"""Disputes as they are shown to support."""

from db.database import Database
from shop.errors import NotFound
from shop.payments.queries import disputes
from shop.payments.rows import Dispute


def dispute(db: Database, dispute_id: str) -> Dispute:
    """Raises NotFound."""
    with db.transaction() as tx:
        found = disputes.dispute(tx, dispute_id)
    if found is None:
        raise NotFound(f"there is no dispute {dispute_id}")
    return found


def listed(
    db: Database,
    *,
    status: str | None,
    order_id: str | None,
    due_within_days: int | None = None,
    before_id: str | None,
    limit: int,
) -> list[Dispute]:
    """Newest first; with `due_within_days` those that wait for an answer of ours until then."""
    with db.transaction() as tx:
        return disputes.disputes(
            tx, status=status, order_id=order_id, due_within_days=due_within_days, before_id=before_id, limit=limit
        )
