"""On what terms the shop sells: the settings that decide about prices, deadlines and captures."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """`capture` is automatic or manual. Amounts are gross minor units, `tax_rate_percent` as in Decimal("19")."""

    capture: str
    expires: timedelta
    shipping_minor: int
    free_shipping_from_minor: int
    tax_rate_percent: Decimal
    return_url: str

    @property
    def reserved_beyond(self) -> timedelta:
        """How much longer goods are set aside than the order waits: room to capture what is paid at the last minute."""
        return timedelta(minutes=15)
