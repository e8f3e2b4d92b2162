"""The settings that are the shop's terms of sale, in the shape the payments area takes."""

from datetime import timedelta
from math import ceil

from boot.settings import Settings
from shop.payments.clocks.guards import DECLINES_AN_HOUR, OPEN_ORDERS, Guards
from shop.payments.terms import Terms
from shop.tax import TaxRates, read_rates


def terms(settings: Settings) -> Terms:
    """Read at each use: settings are frozen for the life of a process, so this is only a change of shape."""
    return Terms(
        capture=settings.capture,
        expires=settings.order_expires,
        shipping_minor=settings.shipping_minor,
        free_shipping_from_minor=settings.free_shipping_from_minor,
        tax_rates=TaxRates(settings.shop_country, settings.tax_rate_percent, read_rates(settings.tax_rates)),
        tax_included=settings.tax_included,
        return_url=settings.checkout_return_url,
        authentication=timedelta(minutes=settings.authentication_minutes),
    )


def guards(settings: Settings) -> Guards:
    """The limits on one customer, multiplied as every rate limit is; 0 counts nothing."""
    scale = settings.rate_limit_scale
    return Guards(open_orders=ceil(OPEN_ORDERS * scale), declines_an_hour=ceil(DECLINES_AN_HOUR * scale))
