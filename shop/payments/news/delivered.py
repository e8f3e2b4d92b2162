"""Deliveries to look at: lists, one with all that was done about it, and its body without what opens doors."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.database import Database
from shop.errors import NotFound
from shop.payments.news.delivery import Act, KeptDelivery, MoneyBack
from shop.payments.queries import orphans, returns

REMOVED = "[removed]"

DOORS = frozenset({"client_secret", "secret", "ephemeral_key", "return_url", "redirect_to_url", "use_stripe_sdk"})
"""Fields with which a browser could go on with somebody's payment."""

_SECRETS = re.compile(r"\b[a-z]+_[A-Za-z0-9]+_secret_[A-Za-z0-9]+")
"""A client secret wherever it stands, in an address for instance."""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """`money_back` is the newest attempt at giving its payment's money back, where there was one."""

    delivery: KeptDelivery
    acts: tuple[Act, ...]
    money_back: MoneyBack | None

    @property
    def settled(self) -> bool:
        """Whether no job is about to do something with it."""
        return self.delivery.state not in {"received", "returning"}


@dataclass(frozen=True, slots=True)
class Contents:
    """`body` is the JSON that came, or the text where it is none; None once it was forgotten."""

    body: Any
    headers: Mapping[str, str]


def listed(
    db: Database,
    *,
    state: str | None = None,
    payment: str | None = None,
    order_id: str | None = None,
    before_id: str | None = None,
    limit: int,
) -> list[KeptDelivery]:
    """Newest first."""
    with db.transaction() as tx:
        return orphans.page(tx, state=state, payment=payment, order_id=order_id, before_id=before_id, limit=limit)


def delivery_view(db: Database, delivery_id: str) -> DeliveryView:
    """Raises NotFound."""
    with db.transaction() as tx:
        delivery = orphans.one(tx, delivery_id)
        if delivery is None:
            raise NotFound(f"there is no delivery {delivery_id}")
        back = returns.of_payment(tx, delivery.payment_ref) if delivery.payment_ref else None
        return DeliveryView(delivery, tuple(orphans.acts_of(tx, delivery_id)), back)


def contents(db: Database, delivery: KeptDelivery) -> Contents:
    """What came, without what would let its reader go on with the payment."""
    if delivery.blanked_at is not None:
        return Contents(None, {})
    with db.transaction() as tx:
        body, headers = orphans.contents(tx, delivery.id)
    return Contents(readable(body), headers)


def readable(body: str) -> Any:
    """A body as JSON without secrets; as text without them where it is no JSON."""
    try:
        return _without_doors(json.loads(body))
    except (ValueError, RecursionError):
        return _SECRETS.sub(REMOVED, body)


def _without_doors(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: REMOVED if name in DOORS and inner else _without_doors(inner) for name, inner in _items(value)
            }
        case list():
            return [_without_doors(inner) for inner in _values(value)]
        case str():
            return _SECRETS.sub(REMOVED, value)
        case _:
            return value


def _items(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(value.items())


def _values(value: Sequence[Any]) -> list[Any]:
    return list(value)
