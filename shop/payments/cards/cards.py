"""Saved cards as they are read: what may be shown of one, and the wish to save another."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card its customer asked us to remember. Never its number; `provider_method_id` is a token."""

    id: str
    customer_id: str
    provider_customer_id: str
    provider_method_id: str
    fingerprint: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool
    provider_created_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Setup:
    """A wish to save a card. `state` is pending, ready (with `client_secret`), succeeded or failed."""

    id: str
    customer_id: str
    state: str
    provider_setup_id: str | None
    client_secret: str | None
    error_code: str | None
    created_at: datetime

    @property
    def settled(self) -> bool:
        """Whether the browser can go on with it, or never will."""
        return self.state != "pending"
