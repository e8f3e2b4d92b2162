"""Whether somebody wants lists made for them: a no holds at once, everywhere, and forgets what was kept for it."""

from db.database import Database
from shop.search.queries import objections as queries


def persons_of(customer_id: str | None, visitor_id: str | None) -> list[str]:
    """The names interests are kept under; the customer first."""
    persons = [f"c:{customer_id}"] if customer_id else []
    return [*persons, f"v:{visitor_id}"] if visitor_id else persons


def allows(db: Database, *, customer_id: str | None, visitor_id: str | None) -> bool:
    """False where the customer or the browser they use said no."""
    with db.transaction() as tx:
        return not queries.objected(tx, persons_of(customer_id, visitor_id))


def choose(db: Database, *, customer_id: str | None, visitor_id: str | None, allowed: bool) -> None:
    """No: for both, interests and lists are deleted and none are kept from now on. Yes: from here on, anew.

    What a run of `search.recommend` takes over at the same moment is read by nobody, and deleted by the next run.
    """
    persons = persons_of(customer_id, visitor_id)
    with db.transaction() as tx:
        if allowed:
            queries.withdraw(tx, persons)
            return
        queries.object_(tx, persons)
        queries.forget_interests(tx, persons)
