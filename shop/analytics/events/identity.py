"""Whose browser it is: what sign-ins have shown, and the decisions of people who know better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from db.database import Database
from shop.analytics.queries import identity as queries
from shop.analytics.queries.identity import Decision, Link
from shop.errors import NotFound, Rejected

SHOWN = 200
"""A browser in a library sees as many people; beyond that nobody reads on."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`links` and `decisions` newest first, of the visitor or customer that was asked for."""

    links: Sequence[Link]
    decisions: Sequence[Decision]


class NobodyAskedFor(Rejected):
    """Neither a visitor nor a customer was named."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


def identity(db: Database, *, visitor_id: str | None = None, customer_id: str | None = None) -> Identity:
    """Raises NobodyAskedFor."""
    if not visitor_id and not customer_id:
        raise NobodyAskedFor("name a visitor_id or a customer_id")
    with db.transaction() as tx:
        return Identity(
            queries.links(tx, visitor_id=visitor_id, user_id=customer_id, limit=SHOWN),
            queries.decisions(tx, visitor_id=visitor_id, user_id=customer_id, limit=SHOWN),
        )


def decide(db: Database, *, visitor_id: str, customer_id: str, linked: bool, reason: str, decided_by: str) -> Link:
    """Undo a link (`linked` false) or take the undoing back. Answers the link as it is now. Raises NotFound.

    An undone link hands nothing that was done anonymously on this browser to the customer, and no longer makes the
    browser a shared one. Events are not touched: what was done while signed in stays the customer's.
    """
    with db.transaction() as tx:
        link = queries.decide(tx, visitor_id=visitor_id, user_id=customer_id, linked=linked)
        if link is None:
            raise NotFound(f"customer {customer_id} was never seen signed in as visitor {visitor_id}")
        queries.note_decision(
            tx,
            visitor_id=visitor_id,
            user_id=customer_id,
            linked=linked,
            reason=reason,
            decided_by=decided_by,
        )
    return link
