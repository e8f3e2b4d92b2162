"""Stripe, the payment provider: the only place that knows the vendor's words."""

from clients.stripe.gateway import StripeGateway, connect
from clients.stripe.signatures import StripeNotices, listen

__all__ = ["StripeGateway", "StripeNotices", "connect", "listen"]
