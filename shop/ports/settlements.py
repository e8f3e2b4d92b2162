"""What the shop asks of the provider's own books: what moved our balance there, what was paid out, what is left."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of our balance, final from the start. `amount` - `fee` = `net`, in the currency of the balance.

    `type` and `category` are the provider's words and may be new to us. `source_id` is the charge, refund, dispute or
    payout behind it, `payment_id` the payment behind that. `rate` is set where the source has another currency.
    """

    id: str
    type: str
    category: str
    amount: int
    fee: int
    net: int
    currency: str
    made_at: datetime
    available_at: datetime | None = None
    source_id: str | None = None
    source_kind: str | None = None
    payment_id: str | None = None
    description: str | None = None
    rate: str | None = None
    fees: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class PayoutSeen:
    """A transfer to our bank as the provider describes it: pending, in_transit, paid, failed or canceled."""

    id: str
    status: str
    amount: int
    currency: str
    automatic: bool
    arrival_at: datetime
    made_at: datetime
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class BalanceSeen:
    """What the provider holds for us in one currency."""

    currency: str
    available: int
    pending: int


class Settlements(Protocol):
    """The provider's books. Everything here only looks; raises GatewayUnavailable."""

    def movements(self, start: datetime, end: datetime | None = None) -> Iterator[Movement]:
        """Newest first; `end` is excluded, None is all there is."""
        ...

    def movements_of_payout(self, payout_id: str) -> Iterator[Movement]: ...

    def payouts(self, start: datetime) -> Iterator[PayoutSeen]:
        """Those made since, newest first."""
        ...

    def payout(self, payout_id: str) -> PayoutSeen | None: ...

    def balance(self) -> list[BalanceSeen]: ...
