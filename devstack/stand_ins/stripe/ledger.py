"""The account's balance: one balance transaction for each movement of money, fees included."""

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.currencies import decimals
from devstack.stand_ins.stripe.wire import Json

AVAILABLE_AFTER_S = 2 * 24 * 3600  # two days, as for a European account
FEE_PER_MILLE, FEE_FIXED = 29, 30  # 2.9 % and 30 minor units a charge
DISPUTE_FEE = 1500  # minor units, given back with a dispute that is won
DAY_S = 24 * 3600
SETTLEMENT: Json = {"id": "settlement"}  # what the account settles in is kept as hidden things of objects are


def fee_of(amount: int) -> int:
    """Return what Stripe keeps of a charge, rounded half up."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def book_charge(account: Account, charge: Json, amount: int) -> Json:
    """Book a captured amount; it becomes available two days later."""
    settled, currency, _rate = settled_in(account, amount, charge["currency"])
    details = _fee(fee_of(settled), currency, "Stripe processing fees")
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


def book_dispute(account: Account, dispute: Json) -> Json:
    """Book that the customer's bank took the money back, and what that costs."""
    _amount, currency, _rate = settled_in(account, dispute["amount"], dispute["currency"])
    fee = _fee(DISPUTE_FEE, currency, "Dispute fee")
    return _book(account, dispute, -dispute["amount"], "adjustment", [fee], "dispute")


def book_dispute_won(account: Account, dispute: Json) -> Json:
    """Book that the money came back, and its fee."""
    _amount, currency, _rate = settled_in(account, dispute["amount"], dispute["currency"])
    fee = _fee(-DISPUTE_FEE, currency, "Dispute fee refund")
    return _book(account, dispute, dispute["amount"], "adjustment", [fee], "dispute_reversal")


def book_payout(account: Account, payout: Json) -> Json:
    return _book(account, payout, -payout["amount"], "payout", [])


def book_failed_payout(account: Account, payout: Json) -> Json:
    """Book that a payout came back from the bank; the money leaves again with the next one."""
    _plan_payout(account, payout["currency"])
    return _book(account, payout, payout["amount"], "payout_failure", [])


def book_canceled_payout(account: Account, payout: Json) -> Json:
    """Book that a payout never left."""
    _plan_payout(account, payout["currency"])
    return _book(account, payout, payout["amount"], "payout_cancel", [])


def settle_in(account: Account, currency: str | None, rate: float) -> None:
    """From now on let charges, refunds and disputes settle in this currency at that rate; None: each in its own."""
    kept = account.store.hidden(SETTLEMENT)
    kept |= {"currency": currency, "rate": rate}


def settled_in(account: Account, amount: int, currency: str) -> tuple[int, str, float | None]:
    """Return amount and currency as booked, and the exchange rate where there is one."""
    kept = account.store.peek(SETTLEMENT["id"])
    to = kept.get("currency")
    if to is None or to == currency:
        return amount, currency, None
    rate: float = kept["rate"]
    return round(amount * rate * 10.0 ** (decimals(to) - decimals(currency))), to, rate


def available(account: Account, currency: str) -> list[Json]:
    """Return what is available in a currency and belongs to no payout yet, oldest first."""
    return [
        booked
        for booked in account.store.all("balance_transaction")
        if booked["currency"] == currency
        and booked["status"] == "available"
        and account.store.peek(booked["id"]).get("payout") is None
    ]


def _make_available(account: Account, booked_id: str) -> None:
    booked = account.store.get("balance_transaction", booked_id)
    booked["status"] = "available"
    _plan_payout(account, booked["currency"])


def _plan_payout(account: Account, currency: str) -> None:
    midnight = (account.clock.now() // DAY_S + 1) * DAY_S
    known = account.store.hidden({"id": f"payouts in {currency}"})
    if known.get("next") != midnight:
        known["next"] = midnight
        account.clock.at(midnight, "payout_leaves", currency)


def _fee(amount: int, currency: str, description: str) -> Json:
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def _book(
    account: Account, source: Json, amount: int, kind: str, fees: list[Json], category: str | None = None
) -> Json:
    fee = sum(detail["amount"] for detail in fees)
    currency, rate = source["currency"], None
    if source["object"] != "payout":  # money leaves in the currency in which it lies there
        amount, currency, rate = settled_in(account, amount, currency)
    return account.new(
        "balance_transaction",
        "txn",
        amount=amount,
        available_on=account.clock.now(),
        balance_type="payments",
        currency=currency,
        description=source.get("description"),
        exchange_rate=rate,
        fee=fee,
        fee_details=fees,
        net=amount - fee,
        reporting_category=category or kind,
        source=source["id"],
        status="available",
        type=kind,
    )


WHEN_DUE = {"funds_available": _make_available}
