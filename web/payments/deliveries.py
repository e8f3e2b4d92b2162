"""Stripe's deliveries over HTTP: what came, what became of it, and what people decide about what nobody could place."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shop.payments.news import delivered, endpoint, orphans
from shop.payments.news.delivered import DeliveryView
from shop.payments.news.delivery import KeptDelivery, MoneyBack
from shop.payments.news.orphans import DeliverySettled, NotAdoptable, NotReturnable
from web.access import ADMIN, SUPPORT
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Out, Text, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Deliveries", "The inbox of Stripe's news: every delivery as it came, good or bad, and the orphans.")

State = Literal["received", "applied", "ignored", "parked", "orphan", "refused", "dismissed", "returning", "returned"]
Reason = Annotated[Text, Field(max_length=500)]


class SeenBody(Out):
    """The payment as Stripe described it when it was last looked at; amounts are whole minor units."""

    amount: int
    currency: str
    status: str
    capturable: int
    captured: int
    refunded: int
    disputed: bool
    names_order: str | None
    seen_at: Time


class ActBody(Out):
    """What somebody did about a delivery."""

    act: Literal["retry", "adopt", "dismiss", "refund"]
    actor: str
    reason: str | None
    order_id: str | None
    done_at: Time


class MoneyBackBody(Out):
    """Money of no order on its way back: refunded where it was captured, voided where it was only held.

    `outcome` is null while undecided; `failed` is a refund that the bank sent back later.
    """

    id: str
    operation: Literal["refund", "void"] | None
    amount: int | None
    currency: str | None
    outcome: Literal["succeeded", "refused", "failed"] | None
    provider_object: str | None
    provider_status: str | None
    error: str | None
    requested_by: str
    reason: str
    created_at: Time
    answered_at: Time | None


class DeliveryBody(Out):
    """`received` is about to be read; `parked` waits (`retry_at`); `orphan` waits for a person; `returning` for its
    money to be back. `secret` names the one that verified it. `seen` is there once its payment was looked at.
    """

    id: str
    event_id: str | None
    source: Literal["webhook", "poll"]
    type: str | None
    object_id: str | None
    payment: str | None
    api_version: str | None
    secret: str | None
    state: State
    reason: str | None
    order_id: str | None
    adopt_into: Maybe[str] = None
    seen: Maybe[SeenBody] = None
    attempts: int
    repeats: int
    event_at: Time | None
    received_at: Time
    settled_at: Time | None
    retry_at: Time | None


class Whole(DeliveryBody):
    """`body` and `headers` are shown to admins only, without client secrets, and for as long as they are kept."""

    acts: list[ActBody]
    money_back: Maybe[MoneyBackBody] = None
    body: Maybe[Any] = None
    headers: Maybe[dict[str, str]] = None
    forgotten_at: Maybe[Time] = None


class DeliveryFilter(Paged):
    state: State | None = None
    payment: str | None = Field(None, max_length=255)
    order: str | None = Field(None, max_length=40)


class Why(In):
    reason: Reason


class WhyNot(In):
    reason: Reason | None = None


class Adoption(In):
    order_id: str = Field(min_length=1, max_length=40)
    reason: Reason


class SecretBody(Out):
    """`place` 1 is the newest; null for one that is configured no more. `retire_ok`: it can be taken out."""

    label: str
    place: int | None
    count: int
    last_verified_at: Time | None
    retire_ok: bool


class Secrets(Out):
    data: list[SecretBody]
    next_cursor: None = None


@GROUP.route("GET", "/v1/webhooks/deliveries", who=SUPPORT, answers={200: Page[DeliveryBody]})
def listed(call: Call, query: DeliveryFilter) -> Page[DeliveryBody]:
    """Deliveries, newest first: `state=orphan` is the list of what a person has to decide."""
    found = delivered.listed(
        call.db,
        state=query.state,
        payment=query.payment,
        order_id=query.order,
        before_id=query.after_id(),
        limit=query.limit + 1,
    )
    return page_of(found, query.limit, body=_body, place=lambda delivery: (delivery.id,))


@GROUP.route("GET", "/v1/webhooks/deliveries/{delivery_id}", who=SUPPORT, answers={200: Whole}, waits=True)
def show(call: Call, delivery_id: str) -> Answer:
    """One delivery with what was done about it; for admins with its body."""
    return call.settled(_settling(call, delivery_id))


@GROUP.route(
    "POST",
    "/v1/webhooks/deliveries/{delivery_id}/retry",
    who=SUPPORT,
    waits=True,
    answers={202: Whole, 200: Whole},
    errors=(DeliverySettled,),
)
def retry(call: Call, delivery_id: str, body: WhyNot) -> Answer:
    """Read a parked, orphaned or ignored delivery again, now."""
    orphans.retry(call.db, delivery_id, actor=call.customer_id, reason=body.reason)
    return _accepted(call, delivery_id)


@GROUP.route(
    "POST",
    "/v1/webhooks/deliveries/{delivery_id}/adopt",
    who=ADMIN,
    waits=True,
    answers={202: Whole, 200: Whole},
    errors=(DeliverySettled, NotAdoptable),
)
def adopt(call: Call, delivery_id: str, body: Adoption) -> Answer:
    """Make its payment one of an order's.

    Amount and currency must be the order's, and the order must still wait for its money. Stripe is asked again before
    it is done; if the payment does not fit by then, the delivery is an orphan again, with the reason.
    """
    orphans.adopt(call.db, delivery_id, body.order_id, actor=call.customer_id, reason=body.reason)
    return _accepted(call, delivery_id)


@GROUP.route(
    "POST",
    "/v1/webhooks/deliveries/{delivery_id}/dismiss",
    who=ADMIN,
    answers={200: Whole},
    errors=(DeliverySettled,),
)
def dismiss(call: Call, delivery_id: str, body: Why) -> Answer:
    """Close it, and all other waiting news of its payment, for good. Who did it and why is kept for ever."""
    orphans.dismiss(call.db, delivery_id, actor=call.customer_id, reason=body.reason)
    return Answer(_whole(call, delivered.delivery_view(call.db, delivery_id)))


@GROUP.route(
    "POST",
    "/v1/webhooks/deliveries/{delivery_id}/refund",
    who=ADMIN,
    waits=True,
    answers={202: Whole, 200: Whole},
    errors=(DeliverySettled, NotReturnable),
)
def refund(call: Call, delivery_id: str, body: Why) -> Answer:
    """Give the money of a payment that belongs to no order back: a refund, or a void if it is only held."""
    orphans.refund(call.db, delivery_id, actor=call.customer_id, reason=body.reason)
    return _accepted(call, delivery_id)


@GROUP.route("GET", "/v1/webhooks/secrets", who=ADMIN, answers={200: Secrets})
def secrets(call: Call) -> Secrets:
    """Which secrets verify deliveries, when each did last, and which can be retired. Never the secrets themselves."""
    uses = endpoint.secrets(call.db, call.services.notices)
    return Secrets(data=[SecretBody.model_validate(use) for use in uses])


def _accepted(call: Call, delivery_id: str) -> Answer:
    view = delivered.delivery_view(call.db, delivery_id)
    location = f"/v1/webhooks/deliveries/{delivery_id}"
    return accepted(_whole(call, view), location=location, settling=_settling(call, delivery_id))


def _settling(call: Call, delivery_id: str) -> Settling[DeliveryView]:
    return Settling(
        load=lambda db: delivered.delivery_view(db, delivery_id),
        settled=lambda view: view.settled,
        answer=lambda view: Answer(_whole(call, view)),
    )


def _whole(call: Call, view: DeliveryView) -> Whole:
    delivery = view.delivery
    whole = _fields(delivery) | {
        "acts": [ActBody.model_validate(act) for act in view.acts],
        "money_back": _money_back(view.money_back) if view.money_back else None,
        "forgotten_at": delivery.blanked_at,
    }
    if call.has("admin"):
        kept = delivered.contents(call.db, delivery)
        whole |= {"body": kept.body, "headers": dict(kept.headers)}
    return Whole.model_validate(whole)


def _body(delivery: KeptDelivery) -> DeliveryBody:
    return DeliveryBody.model_validate(_fields(delivery))


def _fields(delivery: KeptDelivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "source": delivery.source,
        "type": delivery.type,
        "object_id": delivery.object_id,
        "payment": delivery.payment_ref,
        "api_version": delivery.api_version,
        "secret": delivery.secret_label,
        "state": delivery.state,
        "reason": delivery.reason,
        "order_id": delivery.order_id,
        "adopt_into": delivery.adopt_into,
        "seen": delivery.seen,
        "attempts": delivery.attempts,
        "repeats": delivery.repeats,
        "event_at": delivery.event_at,
        "received_at": delivery.received_at,
        "settled_at": delivery.settled_at,
        "retry_at": delivery.retry_at,
    }


def _money_back(back: MoneyBack) -> MoneyBackBody:
    return MoneyBackBody(
        id=back.id,
        operation=back.operation,  # pyright: ignore[reportArgumentType] - the database knows the same two words
        amount=back.amount_minor,
        currency=back.currency,
        outcome=back.outcome,  # pyright: ignore[reportArgumentType] - and these three
        provider_object=back.provider_object,
        provider_status=back.provider_status,
        error=back.error,
        requested_by=back.requested_by,
        reason=back.reason,
        created_at=back.created_at,
        answered_at=back.answered_at,
    )
