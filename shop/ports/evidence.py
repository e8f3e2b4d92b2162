"""What the shop asks of whoever carries its answers to banks, in the shop's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shop.ports.gateway import DisputeSeen


@dataclass(frozen=True, slots=True)
class CardChecks:
    """What the card's bank checked when it was paid with; None or `unavailable` where nobody knows.

    `three_d_secure` is the outcome of authentication (`authenticated`, `attempt_acknowledged`, `failed`, …), the others
    are `pass`, `fail` or `unchecked`.
    """

    three_d_secure: str | None = None
    three_d_secure_version: str | None = None
    security_code: str | None = None
    address_line: str | None = None
    postal_code: str | None = None
    network: str | None = None
    funding: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a bank. `texts` are the fields the provider names (`customer_name`, `product_description` …)."""

    evidence_id: str
    file_id: str
    texts: Mapping[str, str]


class EvidenceDesk(Protocol):
    """Carries answers to disputes.

    Methods with a `key` move something: the same key and arguments within a day give the first answer again.
    They raise GatewayRefused, GatewayUnavailable (nothing happened there) or OutcomeUnknown; the others only look and
    raise GatewayUnavailable.
    """

    def upload(self, pdf: bytes, *, name: str, key: str) -> str:
        """The provider's id of the file. Nobody sees it before it is part of an answer."""
        ...

    def submit(self, provider_dispute_id: str, answer: Answer, *, key: str) -> DisputeSeen:
        """Send the answer to the bank. There is one for each dispute, and it cannot be taken back."""
        ...

    def dispute(self, provider_dispute_id: str) -> DisputeSeen | None: ...

    def card_checks(self, payment_id: str) -> CardChecks:
        """Empty for a payment without a charge."""
        ...
