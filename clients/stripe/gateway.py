"""The shop's gateway, spoken to Stripe: one method, one call, with our keys and no retries of the library's own."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar, cast

import stripe
from stripe.params import EventListParams, PaymentIntentConfirmParams, PaymentIntentCreateParams

from clients.stripe import notices, reading
from clients.stripe.errors import looking, moving
from shop.money import Money
from shop.ports.gateway import DisputeSeen, MethodSeen, PaymentSeen, RefundSeen, SetupSeen
from shop.ports.notices import Event

CONNECT_TIMEOUT_S = 4.0
"""A little more than one lost packet costs (3 s); after that nothing was sent, and trying again is safe."""

READ_TIMEOUT_S = 30.0
"""Card networks take up to about 20 s; a job may run 120 s, so a time-out still leaves room to record it."""

EXPAND = ["latest_charge.balance_transaction", "payment_method"]
"""What one answer must hold to be a whole description: the card, its capture deadline, and the fee."""

EVENT_TYPES = [
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.partially_funded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "charge.captured",
    "charge.expired",
    "charge.refunded",
    "charge.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "setup_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.reconciliation_completed",
    "payout.updated",
]
"""What the sweep asks for."""

TYPES_MAX = 20
"""Types that Stripe takes in one question."""

PAGE = 100
"""The most Stripe gives at once."""

Found = TypeVar("Found")


class StripeGateway:
    """Implements `shop.ports.gateway.Gateway`. Building it opens nothing."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def create_payment(
        self,
        amount: Money,
        *,
        order_id: str,
        attempt_id: str,
        key: str,
        customer: str | None = None,
        save: bool = False,
    ) -> PaymentSeen:
        params: PaymentIntentCreateParams = {
            "amount": amount.amount,
            "currency": amount.currency,
            "capture_method": "manual",
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"order_id": order_id, "attempt_id": attempt_id},
            "expand": EXPAND,
        }
        if customer is not None:
            params["customer"] = customer
            if save:
                params["setup_future_usage"] = "off_session"
        with moving():
            answer = self._api.payment_intents.create(params=params, options={"idempotency_key": key})
        return reading.payment(answer.to_dict())

    def confirm_payment(
        self,
        payment_id: str,
        *,
        method: str,
        return_url: str,
        key: str,
        customer: str | None = None,
        off_session: bool = False,
    ) -> PaymentSeen:
        params: PaymentIntentConfirmParams = {"payment_method": method, "return_url": return_url, "expand": EXPAND}
        if off_session:
            params["off_session"] = True
        with moving():
            if customer is not None:
                # Confirming takes no customer. Setting the same one again changes nothing, so the key may be derived.
                self._api.payment_intents.update(
                    payment_id, params={"customer": customer}, options={"idempotency_key": f"{key}-customer"}
                )
            answer = self._api.payment_intents.confirm(payment_id, params=params, options={"idempotency_key": key})
        return reading.payment(answer.to_dict())

    def capture_payment(self, payment_id: str, *, amount: int, key: str) -> PaymentSeen:
        with moving():
            answer = self._api.payment_intents.capture(
                payment_id,
                params={"amount_to_capture": amount, "expand": EXPAND},
                options={"idempotency_key": key},
            )
        return reading.payment(answer.to_dict())

    def cancel_payment(self, payment_id: str, *, reason: str, key: str) -> PaymentSeen:
        with moving():
            answer = self._api.payment_intents.cancel(
                payment_id,
                params={
                    "cancellation_reason": "requested_by_customer" if reason == "customer" else "abandoned",
                    "expand": EXPAND,
                },
                options={"idempotency_key": key},
            )
        return reading.payment(answer.to_dict())

    def refund_payment(
        self, payment_id: str, *, amount: int, order_id: str | None, refund_id: str, key: str
    ) -> RefundSeen:
        ours = {"refund_id": refund_id} if order_id is None else {"order_id": order_id, "refund_id": refund_id}
        with moving():
            answer = self._api.refunds.create(
                params={
                    "payment_intent": payment_id,
                    "amount": amount,
                    "reason": "requested_by_customer",
                    "metadata": ours,
                },
                options={"idempotency_key": key},
            )
        return reading.refund(answer.to_dict())

    def create_customer(self, customer_id: str, *, key: str) -> str:
        with moving():
            answer = self._api.customers.create(
                params={"metadata": {"customer_id": customer_id}}, options={"idempotency_key": key}
            )
        return answer.id

    def create_setup(self, customer: str, *, setup_id: str, key: str) -> SetupSeen:
        with moving():
            answer = self._api.setup_intents.create(
                params={
                    "customer": customer,
                    "usage": "off_session",
                    "automatic_payment_methods": {"enabled": True},
                    "metadata": {"setup_id": setup_id},
                },
                options={"idempotency_key": key},
            )
        return reading.setup(answer.to_dict())

    def detach_method(self, method_id: str, *, key: str) -> None:
        with moving():
            self._api.payment_methods.detach(method_id, options={"idempotency_key": key})

    def setup(self, provider_setup_id: str) -> SetupSeen | None:
        return _found(lambda: reading.setup(self._api.setup_intents.retrieve(provider_setup_id).to_dict()))

    def method(self, method_id: str) -> MethodSeen | None:
        return _found(lambda: reading.method(self._api.payment_methods.retrieve(method_id).to_dict()))

    def payment(self, payment_id: str) -> PaymentSeen | None:
        return _found(
            lambda: reading.payment(self._api.payment_intents.retrieve(payment_id, params={"expand": EXPAND}).to_dict())
        )

    def payment_of_charge(self, charge_id: str) -> PaymentSeen | None:
        payment_id = _found(lambda: reading.payment_of(self._api.charges.retrieve(charge_id).to_dict()))
        return self.payment(payment_id) if payment_id else None

    def find_payment(self, attempt_id: str) -> PaymentSeen | None:
        # Ids are of our own alphabet, so nothing in them can end the quotation.
        with looking():
            page = self._api.payment_intents.search(
                params={"query": f"metadata['attempt_id']:'{attempt_id}'", "limit": 1}
            )
        return self.payment(page.data[0].id) if page.data else None

    def refund(self, refund_id: str) -> RefundSeen | None:
        return _found(lambda: reading.refund(self._api.refunds.retrieve(refund_id).to_dict()))

    def refunds_of(self, payment_id: str) -> list[RefundSeen]:
        with looking():
            pages = self._api.refunds.list(params={"payment_intent": payment_id, "limit": PAGE})
            refunds = (found.to_dict() for found in pages.auto_paging_iter())
            return [reading.refund(found) for found in refunds if not reading.is_release(found)]

    def disputes_of(self, payment_id: str) -> list[DisputeSeen]:
        with looking():
            pages = self._api.disputes.list(params={"payment_intent": payment_id, "limit": PAGE})
            return [reading.dispute(found.to_dict()) for found in pages.auto_paging_iter()]

    def payments_between(self, start: datetime, end: datetime) -> Iterator[PaymentSeen]:
        with looking():
            pages = self._api.payment_intents.list(
                params={
                    "created": {"gte": int(start.timestamp()), "lt": int(end.timestamp())},
                    "limit": PAGE,
                    "expand": [f"data.{path}" for path in EXPAND],
                }
            )
            for found in pages.auto_paging_iter():
                yield reading.payment(found.to_dict())

    def events(self, start: datetime, end: datetime | None = None, *, undelivered: bool = False) -> Iterator[Event]:
        created: dict[str, int] = {"gte": int(start.timestamp())}
        if end is not None:
            created["lt"] = int(end.timestamp())
        for first in range(0, len(EVENT_TYPES), TYPES_MAX):
            params = cast(
                "EventListParams", {"created": created, "types": EVENT_TYPES[first : first + TYPES_MAX], "limit": PAGE}
            )
            if undelivered:
                params["delivery_success"] = False
            with looking():
                for found in self._api.events.list(params=params).auto_paging_iter():
                    yield notices.event(found.to_dict(), body=str(found))


def connect(secret_key: str, base_url: str, *, read_timeout_s: float = READ_TIMEOUT_S) -> StripeGateway:
    """`base_url` is Stripe's own address everywhere but in the local stack."""
    return StripeGateway(client(secret_key, base_url, read_timeout_s=read_timeout_s))


def client(secret_key: str, base_url: str, *, read_timeout_s: float = READ_TIMEOUT_S) -> stripe.StripeClient:
    """Stripe's library, told not to try again by itself."""
    return stripe.StripeClient(
        secret_key,
        stripe_version=notices.API_VERSION,
        base_addresses={"api": base_url},
        # One attempt row is one key is one request: whoever tries again has to know that it is trying again.
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, read_timeout_s)),
    )


def _found(look: Callable[[], Found]) -> Found | None:
    with looking():
        try:
            return look()
        except stripe.InvalidRequestError as error:
            if error.http_status == 404:
                return None
            raise
