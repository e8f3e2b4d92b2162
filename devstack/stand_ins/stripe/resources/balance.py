"""The balance and the transactions it is the sum of."""

from collections import Counter

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

HOME_CURRENCY = "eur"  # what an account without any movement shows


def retrieve(account: Account, params: Params) -> Json:
    params.close()
    sums: dict[str, Counter[str]] = {"available": Counter(), "pending": Counter()}
    currencies = {HOME_CURRENCY}
    for booked in account.store.all("balance_transaction"):
        sums[booked["status"]][booked["currency"]] += booked["net"]
        currencies.add(booked["currency"])
    shown = {
        name: [
            {"amount": amounts[currency], "currency": currency, "source_types": {"card": amounts[currency]}}
            for currency in sorted(currencies)
        ]
        for name, amounts in sums.items()
    }
    return {"object": "balance", "livemode": False} | shown


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    kind, source, currency = params.text("type"), params.text("source"), params.text("currency")
    payout = params.text("payout")
    params.close()
    found = [
        booked
        for booked in account.store.all("balance_transaction")
        if first <= booked["created"] <= last
        and kind in {None, booked["type"]}
        and source in {None, booked["source"]}
        and currency in {None, booked["currency"]}
        and payout in {None, account.store.peek(booked["id"]).get("payout")}
    ]
    return page(found, window, "/v1/balance_transactions", "balance_transaction")


def retrieve_transaction(account: Account, params: Params, transaction_id: str) -> Json:
    params.close()
    return account.store.get("balance_transaction", transaction_id)


ROUTES = (
    Route("GET", "/v1/balance", "balance", retrieve),
    Route("GET", "/v1/balance_transactions", "balance_transaction", list_all, in_list=True),
    Route("GET", "/v1/balance_transactions/<transaction_id>", "balance_transaction", retrieve_transaction),
)
