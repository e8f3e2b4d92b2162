"""Stripe, the payment provider: the only place that knows the vendor's words."""

from clients.stripe.gateway import StripeGateway, connect

__all__ = ["StripeGateway", "connect"]
