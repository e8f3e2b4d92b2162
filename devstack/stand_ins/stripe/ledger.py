"""The account's balance: one balance transaction for each movement of money, fees included."""

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.wire import Json

AVAILABLE_AFTER_S = 2 * 24 * 3600  # two days, as for a European account
FEE_PER_MILLE, FEE_FIXED = 29, 30  # 2.9 % and 30 minor units a charge


def fee_of(amount: int) -> int:
    """Return what Stripe keeps of a charge, rounded half up."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def book_charge(account: Account, charge: Json, amount: int) -> Json:
    """Book a captured amount; it becomes available two days later."""
    fee = fee_of(amount)
    details = {
        "amount": fee,
        "application": None,
        "currency": charge["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    booked = _book(account, charge, amount, "charge", [details])
    booked["available_on"] += AVAILABLE_AFTER_S
    booked["status"] = "pending"
    account.clock.at(booked["available_on"], "funds_available", booked["id"])
    return booked


def book_refund(account: Account, refund: Json) -> Json:
    """Book a refund; the fee of the charge is not given back."""
    return _book(account, refund, -refund["amount"], "refund", [])


def book_failed_refund(account: Account, refund: Json) -> Json:
    """Book that a refund came back."""
    return _book(account, refund, refund["amount"], "refund_failure", [])


def _make_available(account: Account, booked_id: str) -> None:
    account.store.get("balance_transaction", booked_id)["status"] = "available"


def _book(account: Account, source: Json, amount: int, kind: str, fees: list[Json]) -> Json:
    fee = sum(detail["amount"] for detail in fees)
    return account.new(
        "balance_transaction",
        "txn",
        amount=amount,
        available_on=account.clock.now(),
        balance_type="payments",
        currency=source["currency"],
        description=source.get("description"),
        exchange_rate=None,
        fee=fee,
        fee_details=fees,
        net=amount - fee,
        reporting_category=kind,
        source=source["id"],
        status="available",
        type=kind,
    )


WHEN_DUE = {"funds_available": _make_available}
