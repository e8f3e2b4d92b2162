"""Stripe's own books, read into the shop's shapes: balance transactions, payouts, the balance."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import stripe
from stripe.params import BalanceTransactionListParams

from clients.stripe.errors import looking
from clients.stripe.gateway import client
from shop.ports.settlements import BalanceSeen, Movement, PayoutSeen

PAGE = 100
"""The most Stripe gives at once."""

Json = Mapping[str, Any]


class StripeSettlements:
    """Implements `shop.ports.settlements.Settlements`. Building it opens nothing."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def movements(self, start: datetime, end: datetime | None = None) -> Iterator[Movement]:
        params: BalanceTransactionListParams = {
            "created": {"gte": int(start.timestamp())},
            "limit": PAGE,
            "expand": ["data.source"],
        }
        if end is not None:
            params["created"] = {"gte": int(start.timestamp()), "lt": int(end.timestamp())}
        with looking():
            for found in self._api.balance_transactions.list(params=params).auto_paging_iter():
                yield movement(found.to_dict())

    def movements_of_payout(self, payout_id: str) -> Iterator[Movement]:
        with looking():
            pages = self._api.balance_transactions.list(
                params={"payout": payout_id, "limit": PAGE, "expand": ["data.source"]}
            )
            for found in pages.auto_paging_iter():
                yield movement(found.to_dict())

    def payouts(self, start: datetime) -> Iterator[PayoutSeen]:
        with looking():
            pages = self._api.payouts.list(params={"created": {"gte": int(start.timestamp())}, "limit": PAGE})
            for found in pages.auto_paging_iter():
                yield payout(found.to_dict())

    def payout(self, payout_id: str) -> PayoutSeen | None:
        with looking():
            try:
                return payout(self._api.payouts.retrieve(payout_id).to_dict())
            except stripe.InvalidRequestError as error:
                if error.http_status == 404:
                    return None
                raise

    def balance(self) -> list[BalanceSeen]:
        with looking():
            found = self._api.balance.retrieve().to_dict()
        return balances(found)


def connect_books(secret_key: str, base_url: str) -> StripeSettlements:
    """`base_url` is Stripe's own address everywhere but in the local stack."""
    return StripeSettlements(client(secret_key, base_url))


def movement(found: Json) -> Movement:
    """A balance transaction; its source may be an id or expanded."""
    source = found.get("source")
    thing: Json = source if isinstance(source, Mapping) else {}
    return Movement(
        id=found["id"],
        type=found["type"],
        category=found.get("reporting_category") or found["type"],
        amount=found["amount"],
        fee=found["fee"],
        net=found["net"],
        currency=found["currency"],
        made_at=_time(found["created"]),
        available_at=_time(found["available_on"]) if found.get("available_on") else None,
        source_id=_id(source),
        source_kind=thing.get("object"),
        payment_id=_id(thing.get("payment_intent")),
        description=found.get("description"),
        rate=str(found["exchange_rate"]) if found.get("exchange_rate") is not None else None,
        fees=tuple(
            {name: detail.get(name) for name in ("type", "amount", "currency", "description")}
            for detail in found.get("fee_details") or ()
        ),
    )


def payout(found: Json) -> PayoutSeen:
    return PayoutSeen(
        id=found["id"],
        status=found["status"],
        amount=found["amount"],
        currency=found["currency"],
        automatic=bool(found.get("automatic")),
        arrival_at=_time(found["arrival_date"]),
        made_at=_time(found["created"]),
        failure_code=found.get("failure_code"),
    )


def balances(found: Json) -> list[BalanceSeen]:
    """What is available and pending, by currency, in the currencies' order."""
    sums: dict[str, list[int]] = {}
    for place, name in enumerate(("available", "pending")):
        for part in found.get(name) or ():
            sums.setdefault(part["currency"], [0, 0])[place] += part["amount"]
    return [BalanceSeen(currency, available, pending) for currency, (available, pending) in sorted(sums.items())]


def _id(value: Any) -> str | None:
    return value.get("id") if isinstance(value, Mapping) else value


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
