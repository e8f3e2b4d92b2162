"""Orders over HTTP: placing, paying on the server, capturing, calling off, reading, and why they are as they are."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from boot.terms import guards, terms
from shop.locales import wished_locale
from shop.payments import read
from shop.payments.clocks.guards import TooManyDeclines, TooManyOpenOrders
from shop.payments.clocks.look import ask_look, is_stale
from shop.payments.errors import AlreadyCaptured, CaptureTooLarge, NotPayable, PaymentInProgress, WrongState
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.capture import ask_capture
from shop.payments.orders.confirm import ask_confirm
from shop.payments.orders.order import Wish, open_order
from shop.payments.queries.finding import Filter
from shop.payments.read import OrderView
from shop.payments.rows import Moment
from web.access import CUSTOMER, OWNER, OWNER_OR_SUPPORT, SIGNED_IN, SUPPORT, Forbidden, only
from web.answers import Answer, Settling, accepted
from web.browsers import family
from web.call import Call
from web.models import In, Minor, Out, Time
from web.paging import Page, Paged, page_of
from web.payments.order_body import OrderBody, Status, order_body
from web.payments.order_stream import OrderSource, is_over, mark
from web.routes import Group
from web.streams import stream

GROUP = Group("Orders", "From the cart to the captured payment.")

Email = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
PaymentMethod = Annotated[str, StringConstraints(max_length=255, pattern=r"^(pm|spm|card|src)_[A-Za-z0-9_]+$")]
AddressField = Annotated[str, StringConstraints(max_length=200)]


def _flat(given: object) -> object:
    """Stripe's own shape, `{"name", "address": {"line1", ...}}`, as the flat one."""
    match given:
        case {"address": dict() as parts, **rest}:
            return {**rest, **parts}
        case _:
            return given


Address = Annotated[dict[AddressField, AddressField | None], BeforeValidator(_flat), Field(max_length=20)]


class NewOrder(In):
    """Which cart. Prices, shipping and tax are the shop's to say."""

    cart_id: str = Field(min_length=1, max_length=200)
    email: Email | None = None
    shipping_address: Address | None = Field(
        None, examples=[{"name": "Ada Byron", "line1": "1 Market Street", "city": "Berlin", "country": "DE"}]
    )
    payment_method: PaymentMethod | None = None
    save_payment_method: bool = False


class Confirmation(In):
    """`off_session`: nobody sits before a screen. Where the bank wants to see the customer it is asked again with a
    page of its own, and the customer gets a mail with the way there.
    """

    payment_method: PaymentMethod
    off_session: bool = False


class CaptureWish(In):
    """Without an amount all that was authorised is captured; with less, the rest is released."""

    amount: Annotated[Minor, Field(ge=1)] | None = None


class OrderFilter(Paged):
    """The last three are for support. `authorization_expires_within_hours` finds authorised orders whose card's
    deadline is near, `outcome_unknown` those that the payment provider gave no verdict on; given both, either.
    """

    status: Status | None = None
    number: str | None = Field(None, min_length=1, max_length=20)
    placed_from: AwareDatetime | None = None
    placed_to: AwareDatetime | None = None
    customer_id: str | None = Field(None, min_length=1, max_length=200)
    authorization_expires_within_hours: int | None = Field(None, ge=1, le=24 * 90)
    outcome_unknown: bool = False


FOR_SUPPORT = frozenset({"customer_id", "authorization_expires_within_hours", "outcome_unknown"})


class MomentBody(Out):
    """One thing that happened: a delivery, an attempt, a fact, a ledger entry, an effect, a mail, an answer to a bank
    or a note. `sentence` says it to a person; `detail.moved` is the step of the order that a fact caused, `[from, to]`.
    """

    at: Time
    kind: Literal["delivery", "attempt", "fact", "ledger", "effect", "mail", "evidence", "note"]
    what: str
    sentence: str
    detail: dict[str, Any]


class Timeline(Out):
    data: list[MomentBody]
    next_cursor: None = None


@GROUP.route(
    "POST",
    "/v1/orders",
    who=CUSTOMER,
    keyed=True,
    waits=True,
    answers={202: OrderBody, 201: OrderBody},
    errors=(TooManyDeclines, TooManyOpenOrders),
)
def place(call: Call, body: NewOrder) -> Answer:
    """Place an order from a cart.

    A job reads the cart, takes prices and stock from the Product service, sets the goods aside and opens the payment.
    It settles in `awaiting_payment` (with `payment.client_secret`), in `processing`, `paid` or `payment_failed` when a
    `payment_method` was given, or in `rejected`, with `rejection.code` saying why.

    Tax is that of the country in `shipping_address` (two letters). `Accept-Language` decides in which language the
    order's documents and mails are written.
    """
    wish = Wish(
        customer_id=call.customer_id,
        cart_id=body.cart_id,
        email=body.email or call.caller.email,
        shipping_address=body.shipping_address,
        payment_method=body.payment_method,
        save_payment_method=body.save_payment_method,
        visitor_id=call.caller.visitor_id,
        locale=wished_locale(call.header("Accept-Language")),
        browser=family(call.header("User-Agent") or ""),
    )
    settings = call.services.settings
    order = open_order(call.db, terms(settings), wish, guards(settings))
    return _accepted(call, order.id, settled_status=201)


@GROUP.route("GET", "/v1/orders", who=SIGNED_IN, answers={200: Page[OrderBody]})
def listed(call: Call, query: OrderFilter) -> Page[OrderBody]:
    """The caller's orders, newest first; for support everybody's.

    `placed_from` counts, `placed_to` does not any more.
    """
    views = read.order_views(call.db, _wanted(call, query), before_id=query.after_id(), limit=query.limit + 1)
    return page_of(views, query.limit, body=lambda view: order_body(call, view), place=lambda view: (view.order.id,))


@GROUP.route("GET", "/v1/orders/{order_id}", who=OWNER_OR_SUPPORT, answers={200: OrderBody}, waits=True)
def show(call: Call, order_id: str) -> Answer:
    """One order.

    With `Prefer: wait=N` the answer waits until nothing more is under way. Where the last news is old, or an outcome is
    unknown, reading it makes a job look at the payment provider, at most every 30 seconds.
    """
    view = read.order_view(call.db, order_id)
    call.must_own(view.order.customer_id)
    if is_stale(view, datetime.now(UTC)):
        ask_look(call.db, order_id, view.order.status)
    return call.settled(_settling(call, order_id, 200))


@GROUP.route(
    "POST",
    "/v1/orders/{order_id}/confirm",
    who=OWNER,
    keyed=True,
    waits=True,
    answers={202: OrderBody, 200: OrderBody},
    errors=(PaymentInProgress, TooManyDeclines, WrongState),
)
def confirm(call: Call, order_id: str, body: Confirmation) -> Answer:
    """Pay with this payment method, on the server.

    After a decline it may be called again with another card. It may settle in `requires_action`: then the browser
    finishes with `payment.next_action`.
    """
    call.must_own(read.order_view(call.db, order_id).order.customer_id)
    settings = terms(call.services.settings)
    ask_confirm(
        call.db,
        settings,
        order_id,
        method=body.payment_method,
        actor=call.customer_id,
        guards=guards(call.services.settings),
        off_session=body.off_session,
    )
    return _accepted(call, order_id)


@GROUP.route(
    "POST",
    "/v1/orders/{order_id}/cancel",
    who=OWNER_OR_SUPPORT,
    keyed=True,
    waits=True,
    answers={202: OrderBody, 200: OrderBody},
    errors=(AlreadyCaptured, WrongState),
)
def cancel(call: Call, order_id: str) -> Answer:
    """Call the order off before its money is taken: the payment is voided, the goods are released."""
    owner = read.order_view(call.db, order_id).order.customer_id
    call.must_own(owner)
    reason = "customer" if call.customer_id == owner else "support"
    order = ask_cancel(call.db, order_id, reason=reason, actor=call.customer_id)
    if order.status in {"canceled", "expired", "rejected"}:
        return Answer(order_body(call, read.order_view(call.db, order_id)))
    return _accepted(call, order_id)


@GROUP.route(
    "POST",
    "/v1/orders/{order_id}/capture",
    who=only("admin", "service"),
    keyed=True,
    waits=True,
    answers={202: OrderBody, 200: OrderBody},
    errors=(AlreadyCaptured, CaptureTooLarge, NotPayable, WrongState),
)
def capture(call: Call, order_id: str, body: CaptureWish) -> Answer:
    """Take the money, for shops that capture at shipping time (`CAPTURE=manual`)."""
    ask_capture(call.db, order_id, amount=body.amount, actor=call.customer_id)
    return _accepted(call, order_id)


@GROUP.route("GET", "/v1/orders/{order_id}/stream", who=OWNER, answers={200: "text/event-stream", 204: None})
def watch(call: Call, order_id: str) -> Answer | Response:
    """Watch an order.

    Server-sent events: its state now, then one `order` event a change, until it is paid or called off. A browser that
    comes back (`Last-Event-ID`) having seen the end gets 204, which tells it to stop.
    """
    view = read.order_view(call.db, order_id)
    call.must_own(view.order.customer_id)
    now = order_body(call, view)
    if is_over(now) and call.header("Last-Event-ID") == mark(now):
        return Answer(None, 204)
    return stream(call, OrderSource(call, order_id))


@GROUP.route("GET", "/v1/orders/{order_id}/timeline", who=SUPPORT, answers={200: Timeline})
def timeline(call: Call, order_id: str) -> Timeline:
    """Why the order is as it is: everything that happened to it, oldest first."""
    return Timeline(data=[_moment(moment) for moment in read.timeline(call.db, order_id)])


def _wanted(call: Call, query: OrderFilter) -> Filter:
    if not call.has("support"):
        if query.model_fields_set & FOR_SUPPORT:
            raise Forbidden(f"for support only: {', '.join(sorted(query.model_fields_set & FOR_SUPPORT))}")
        return Filter(call.customer_id, query.status, query.number, query.placed_from, query.placed_to)
    hours = query.authorization_expires_within_hours
    return Filter(
        query.customer_id,
        query.status,
        query.number,
        query.placed_from,
        query.placed_to,
        authorization_expires_within_s=hours * 3600.0 if hours else None,
        outcome_unknown=query.outcome_unknown,
    )


def _accepted(call: Call, order_id: str, settled_status: int = 200) -> Answer:
    return accepted(
        order_body(call, read.order_view(call.db, order_id)),
        location=f"/v1/orders/{order_id}",
        settling=_settling(call, order_id, settled_status),
    )


def _settling(call: Call, order_id: str, status: int) -> Settling[OrderView]:
    location = f"/v1/orders/{order_id}" if status == 201 else None
    return Settling(
        load=lambda db: read.order_view(db, order_id),
        settled=lambda view: view.settled,
        answer=lambda view: Answer(order_body(call, view), status, location=location),
    )


def _moment(moment: Moment) -> MomentBody:
    return MomentBody.model_validate(moment)
