"""What the shop asks of whoever moves its money, in the shop's words; amounts are whole minor units."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shop.errors import NotYet, Rejected
from shop.money import Money
from shop.ports.notices import Event


@dataclass(frozen=True, slots=True)
class Card:
    """What may be shown of a card; never its number."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True)
class Decline:
    """Why the payer's bank, or the provider for it, said no. `code` as in `insufficient_funds`."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """A payment as the provider describes it at one moment.

    `status` is one of requires_payment_method, requires_confirmation, requires_action, processing,
    requires_capture, succeeded, canceled, or a word this version does not know. `order_id` and `attempt_id` are what
    we wrote on it, None for a payment that is not ours. `fee` is known some time after the capture. `method_id` is
    the way to pay that was tried last.
    """

    id: str
    status: str
    amount: int
    currency: str
    capturable: int = 0
    captured: int = 0
    order_id: str | None = None
    attempt_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    charge_id: str | None = None
    capture_before: datetime | None = None
    card: Card | None = None
    decline: Decline | None = None
    next_action: Mapping[str, Any] | None = field(default=None, repr=False)
    fee: int | None = None
    refunded: int = 0
    disputed: bool = False
    cancellation_reason: str | None = None
    created_at: datetime | None = None
    method_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefundSeen:
    """A refund as the provider describes it. `status` is pending, requires_action, succeeded, failed or canceled.

    `refund_id` is ours, None when it was made in the provider's dashboard.
    """

    id: str
    status: str
    amount: int
    currency: str
    payment_id: str | None
    refund_id: str | None = None
    failure_code: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MovementSeen:
    """Money that a dispute moved: `amount` is negative when it was taken, `fee` is what that cost (or gave back)."""

    id: str
    amount: int
    fee: int
    currency: str


@dataclass(frozen=True, slots=True)
class DisputeSeen:
    """A payer's bank taking a payment back, or asking about it (`warning_…`), as the provider describes it.

    `refundable` False: the provider says that a refund now would pay twice. `evidence_id` is our packet that was sent.
    """

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    payment_id: str | None
    opened_at: datetime
    evidence_due_at: datetime | None = None
    evidence_submitted: bool = False
    refundable: bool | None = None
    evidence_id: str | None = None
    movements: tuple[MovementSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodSeen:
    """A way to pay as the provider describes it. `customer` is the provider's id, None for one nobody has saved.

    `fingerprint` is the same for the same card, however often it is given. `card` is None for what is no card.
    """

    id: str
    kind: str
    customer: str | None
    card: Card | None
    fingerprint: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetupSeen:
    """A wish to save a way to pay. `status` is as of a payment; `method_id` is what was given for it, if anything."""

    id: str
    status: str
    customer: str | None
    method_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


class Gateway(Protocol):
    """One payment provider.

    Methods with a `key` move something: the same key and arguments within a day give the first answer again.
    They raise CardDeclined, GatewayRefused, GatewayUnavailable (nothing happened there) or OutcomeUnknown.
    Methods without one only look; they raise GatewayUnavailable and answer None for what does not exist.
    """

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
        """`customer` is for whom a saved card may pay it; with `save` the card it is paid with is saved too."""
        ...

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
        """`customer` is whose saved card `method` is: the payment may have been made before there was one. With
        `off_session` nobody is there to answer the bank: it declines with `authentication_required` where it asks.
        """
        ...

    def create_customer(self, customer_id: str, *, key: str) -> str:
        """The provider's id of a customer of ours."""
        ...

    def create_setup(self, customer: str, *, setup_id: str, key: str) -> SetupSeen: ...

    def detach_method(self, method_id: str, *, key: str) -> None: ...

    def capture_payment(self, payment_id: str, *, amount: int, key: str) -> PaymentSeen: ...

    def cancel_payment(self, payment_id: str, *, reason: str, key: str) -> PaymentSeen: ...

    def refund_payment(
        self, payment_id: str, *, amount: int, order_id: str | None, refund_id: str, key: str
    ) -> RefundSeen:
        """`order_id` is None for money that belongs to no order."""
        ...

    def payment(self, payment_id: str) -> PaymentSeen | None: ...

    def payment_of_charge(self, charge_id: str) -> PaymentSeen | None: ...

    def find_payment(self, attempt_id: str) -> PaymentSeen | None:
        """The payment that carries this attempt of ours. Provider-side search lags writes by up to a minute."""
        ...

    def refund(self, refund_id: str) -> RefundSeen | None: ...

    def refunds_of(self, payment_id: str) -> list[RefundSeen]: ...

    def disputes_of(self, payment_id: str) -> list[DisputeSeen]: ...

    def setup(self, provider_setup_id: str) -> SetupSeen | None: ...

    def method(self, method_id: str) -> MethodSeen | None: ...

    def payments_between(self, start: datetime, end: datetime) -> Iterator[PaymentSeen]: ...

    def events(self, start: datetime, end: datetime | None = None, *, undelivered: bool = False) -> Iterator[Event]:
        """News of the kinds we know from `start` to before `end`; `undelivered` only what no webhook has taken. The
        provider keeps them for 30 days.
        """
        ...


class CardDeclined(Rejected):
    """The payer's bank said no. `seen` is the payment afterwards, where the provider told."""

    code = "card_declined"
    status = 402

    def __init__(self, decline: Decline, seen: PaymentSeen | None) -> None:
        super().__init__(f"declined: {decline.code}")
        self.decline = decline
        self.seen = seen


class GatewayRefused(Rejected):
    """The provider understood and will not do it: wrong state, wrong amount, no such object. Nothing happened."""

    code = "gateway_refused"

    def __init__(self, vendor_code: str, message: str) -> None:
        super().__init__(f"the payment provider refused: {vendor_code}: {message}")
        self.vendor_code = vendor_code
        self.vendor_message = message


class GatewayUnavailable(NotYet):
    """The provider was not reached or did not take the request up; nothing happened there."""

    code = "gateway_unavailable"


class GatewayMisconfigured(GatewayUnavailable):
    """Our key or our right to call is wrong. A person has to look; once mended, what waits goes on by itself."""

    code = "gateway_misconfigured"


class OutcomeUnknown(NotYet):
    """The request went out and no verdict came back. It may have been done: ask again with the same key, or look.

    `replayed` is True when the provider stored this very failure under the key, so that asking again is no use.
    """

    code = "outcome_unknown"

    def __init__(self, message: str, *, replayed: bool = False) -> None:
        super().__init__(message)
        self.replayed = replayed
