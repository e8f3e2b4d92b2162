"""Stripe, the payment provider: the only place that knows the vendor's words."""

from clients.stripe.evidence import StripeEvidenceDesk, connect_evidence
from clients.stripe.gateway import StripeGateway, connect
from clients.stripe.settlements import StripeSettlements, connect_books
from clients.stripe.signatures import StripeNotices, listen

__all__ = [
    "StripeEvidenceDesk",
    "StripeGateway",
    "StripeNotices",
    "StripeSettlements",
    "connect",
    "connect_books",
    "connect_evidence",
    "listen",
]
