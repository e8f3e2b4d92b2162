"""Identity over HTTP: on whose browsers a customer was signed in, and taking back what that says."""

from typing import Annotated

from pydantic import Field

from shop.analytics.events import identity
from shop.analytics.events.identity import NobodyAskedFor
from shop.analytics.queries.identity import Link
from shop.errors import NotFound
from web.access import ADMIN
from web.call import Call
from web.models import In, Out, Time
from web.routes import Group

GROUP = Group("Identity", "Which visitors are which customers, since when, and who decided otherwise.")

Visitor = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Customer = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class IdentityQuery(In):
    """Of a browser, or of a customer."""

    visitor_id: Visitor | None = None
    customer_id: Customer | None = None


class LinkBody(Out):
    """A customer was signed in on this browser from `first_at` to `last_at`. `undone`: a person decided that it does
    not count."""

    visitor_id: str
    customer_id: str
    first_at: Time
    last_at: Time
    undone: bool


class DecisionBody(Out):
    visitor_id: str
    customer_id: str
    linked: bool
    reason: str
    decided_by: str
    decided_at: Time


class IdentityBody(Out):
    """Newest first."""

    links: list[LinkBody]
    decisions: list[DecisionBody]


class DecisionWish(In):
    """`linked` false: what was done anonymously on this browser is not this customer's. True takes that back."""

    visitor_id: Visitor
    customer_id: Customer
    linked: bool
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


@GROUP.route("GET", "/v1/analytics/identity", who=ADMIN, answers={200: IdentityBody}, errors=(NobodyAskedFor,))
def show(call: Call, query: IdentityQuery) -> IdentityBody:
    """Who was signed in where, and what people decided about it."""
    found = identity.identity(call.db, visitor_id=query.visitor_id, customer_id=query.customer_id)
    return IdentityBody(
        links=[_link(link) for link in found.links],
        decisions=[
            DecisionBody(
                visitor_id=one.visitor_id,
                customer_id=one.user_id,
                linked=one.linked,
                reason=one.reason,
                decided_by=one.decided_by,
                decided_at=one.decided_at,
            )
            for one in found.decisions
        ],
    )


@GROUP.route("POST", "/v1/analytics/identity/decisions", who=ADMIN, answers={200: LinkBody}, errors=(NotFound,))
def decide(call: Call, body: DecisionWish) -> LinkBody:
    """Undo a link, or take that back.

    Nothing is rewritten: figures by customer, copies and erasures read the links as they are then.
    """
    return _link(
        identity.decide(
            call.db,
            visitor_id=body.visitor_id,
            customer_id=body.customer_id,
            linked=body.linked,
            reason=body.reason,
            decided_by=call.customer_id,
        )
    )


def _link(link: Link) -> LinkBody:
    return LinkBody(
        visitor_id=link.visitor_id,
        customer_id=link.user_id,
        first_at=link.first_at,
        last_at=link.last_at,
        undone=link.undone,
    )
