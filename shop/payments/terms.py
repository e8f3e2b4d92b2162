"""On what terms the shop sells: the settings that decide about prices, deadlines and captures."""

from dataclasses import dataclass
from datetime import timedelta

from shop.tax import TaxRates


@dataclass(frozen=True, slots=True)
class Terms:
    """`capture` is automatic or manual. Amounts are minor units; `tax_included` says whether they hold their tax."""

    capture: str
    expires: timedelta
    shipping_minor: int
    free_shipping_from_minor: int
    tax_rates: TaxRates
    tax_included: bool
    return_url: str
    authentication: timedelta = timedelta(minutes=15)

    @property
    def authenticates(self) -> timedelta:
        """How long a bank's page may wait for its customer: never longer than the order lives."""
        return min(self.authentication, self.expires)

    @property
    def reserved_beyond(self) -> timedelta:
        """How much longer goods are set aside than the order waits: room to capture what is paid at the last minute."""
        return timedelta(minutes=15)
