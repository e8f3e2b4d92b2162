"""Saved cards over HTTP: saving one without paying, the list, the default, letting one go."""

from typing import Literal

from shop.payments.cards import methods
from shop.payments.cards.cards import SavedCard, Setup
from shop.payments.cards.setup import ask_setup, setup_of
from web.access import CUSTOMER, OWNER, SIGNED_IN
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.limiting import Limit
from web.models import Maybe, Out, Time
from web.paging import Page, Paged, part_of
from web.routes import Group

GROUP = Group("Payment methods", "Cards that customers asked us to remember, as tokens; never a card number.")

SETUPS = Limit(10, bucket="setups")
"""A minute. Nobody saves more cards by hand; whoever tries card numbers by the dozen does."""


class SetupErrorBody(Out):
    code: str


class SetupBody(Out):
    """`ready` comes with `client_secret`, with which the browser finishes at Stripe; then the card is in the list."""

    id: str
    status: Literal["pending", "ready", "succeeded", "failed"]
    client_secret: Maybe[str] = None
    error: Maybe[SetupErrorBody] = None
    created_at: Time


class PaymentMethodBody(Out):
    """`id` can be given as `payment_method` when an order is placed or confirmed."""

    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool
    created_at: Time


@GROUP.route(
    "POST",
    "/v1/payment-methods/setup",
    who=CUSTOMER,
    waits=True,
    answers={202: SetupBody, 201: SetupBody},
    limit=SETUPS,
)
def set_up(call: Call) -> Answer:
    """Begin to save a card.

    A job opens a SetupIntent; it settles in `ready` with the `client_secret` that Stripe's script in the browser needs.
    """
    setup = ask_setup(call.db, call.customer_id)
    return accepted(_setup_body(setup), location=_place(setup), settling=_settling(setup.id, 201))


@GROUP.route("GET", "/v1/payment-methods/setup/{setup_id}", who=OWNER, waits=True, answers={200: SetupBody})
def show_setup(call: Call, setup_id: str) -> Answer:
    """One wish to save a card."""
    found = setup_of(call.db, setup_id)
    call.must_own(found.customer_id)
    return call.settled(_settling(setup_id, 200), found=found)


@GROUP.route("GET", "/v1/payment-methods", who=SIGNED_IN, answers={200: Page[PaymentMethodBody]})
def listed(call: Call, query: Paged) -> Page[PaymentMethodBody]:
    """The caller's saved cards, the default first."""
    found = methods.saved(call.db, call.customer_id)
    return part_of(found, query, body=_body, key=lambda card: card.id)


@GROUP.route("POST", "/v1/payment-methods/{method_id}/default", who=OWNER, answers={200: PaymentMethodBody})
def make_default(call: Call, method_id: str) -> PaymentMethodBody:
    """Make a card the default."""
    call.must_own(methods.card(call.db, method_id).customer_id)
    return _body(methods.make_default(call.db, method_id))


@GROUP.route("DELETE", "/v1/payment-methods/{method_id}", who=OWNER, answers={204: None})
def remove(call: Call, method_id: str) -> Answer:
    """Let a card go. If it was the default, the newest of the others becomes it."""
    call.must_own(methods.card(call.db, method_id).customer_id)
    methods.remove(call.db, method_id)
    return Answer(None, 204)


def _settling(setup_id: str, status: int) -> Settling[Setup]:
    return Settling(
        load=lambda db: setup_of(db, setup_id),
        settled=lambda setup: setup.settled,
        answer=lambda setup: Answer(_setup_body(setup), status, location=_place(setup) if status == 201 else None),
    )


def _place(setup: Setup) -> str:
    return f"/v1/payment-methods/setup/{setup.id}"


def _setup_body(setup: Setup) -> SetupBody:
    return SetupBody.model_validate(
        {
            "id": setup.id,
            "status": setup.state,
            "client_secret": setup.client_secret,
            "error": SetupErrorBody(code=setup.error_code) if setup.error_code else None,
            "created_at": setup.created_at,
        }
    )


def _body(card: SavedCard) -> PaymentMethodBody:
    return PaymentMethodBody(
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        is_default=card.is_default,
        created_at=card.created_at,
    )
