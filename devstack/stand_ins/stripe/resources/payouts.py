"""Payouts: every midnight of the stand-in's clock what is available leaves for the bank, and arrives days later."""

from devstack.stand_ins.stripe import ledger
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import StripeError
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

DAY_S = 24 * 3600
ARRIVES_AFTER_S = 2 * DAY_S  # bank days, roughly; this clock knows no weekends
STATUSES = ("paid", "pending", "in_transit", "canceled", "failed")
BANK_ACCOUNT = "ba_1StandInBankAccount000000"  # the stand-in has no routes for bank accounts
NO_ACCOUNT = "The bank account has been closed."


def retrieve(account: Account, params: Params, payout_id: str) -> Json:
    params.close()
    return account.store.get("payout", payout_id, param="payout")


def update(account: Account, params: Params, payout_id: str) -> Json:
    payout = account.store.get("payout", payout_id, param="payout")
    params.metadata()
    params.close()
    payout["metadata"] = merged(payout["metadata"], params)
    return payout


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    status, (soonest, latest) = params.choice("status", *STATUSES), params.between("arrival_date")
    params.close()
    found = [
        payout
        for payout in account.store.all("payout")
        if first <= payout["created"] <= last
        and soonest <= payout["arrival_date"] <= latest
        and status in {None, payout["status"]}
    ]
    return page(found, window, "/v1/payouts", "payout")


def arrive(account: Account, payout: Json) -> Json:
    _check_on_its_way(payout)
    payout["status"] = "paid"
    emit(account, "payout.paid", payout)
    return payout


def fail(account: Account, payout: Json) -> Json:
    """The bank sends the money back: it is available again, and leaves with the next payout."""
    _check_on_its_way(payout)
    back = ledger.book_failed_payout(account, payout)
    payout |= {
        "status": "failed",
        "failure_code": "account_closed",
        "failure_message": NO_ACCOUNT,
        "failure_balance_transaction": back["id"],
    }
    emit(account, "payout.failed", payout)
    return payout


def _leave(account: Account, currency: str) -> None:
    """Pay out what is available; where more was taken back than came in, nothing leaves."""
    going = ledger.available(account, currency)
    amount = sum(booked["net"] for booked in going)
    if amount <= 0:
        return
    payout = _make(account, currency, amount)
    for booked in [*going, ledger.book_payout(account, payout)]:
        account.store.hidden(booked)["payout"] = payout["id"]
        if booked["type"] == "payout":
            payout["balance_transaction"] = booked["id"]
    emit(account, "payout.created", payout)
    emit(account, "payout.reconciliation_completed", payout)
    account.clock.at(payout["arrival_date"], "payout_arrives", payout["id"])


def _make(account: Account, currency: str, amount: int) -> Json:
    return account.new(
        "payout",
        "po",
        amount=amount,
        application_fee=None,
        application_fee_amount=None,
        arrival_date=account.clock.now() // DAY_S * DAY_S + ARRIVES_AFTER_S,
        automatic=True,
        balance_transaction=None,
        currency=currency,
        description="STRIPE PAYOUT",
        destination=BANK_ACCOUNT,
        failure_balance_transaction=None,
        failure_code=None,
        failure_message=None,
        metadata={},
        method="standard",
        original_payout=None,
        payout_method=None,
        reconciliation_status="completed",
        reversed_by=None,
        source_type="card",
        statement_descriptor=None,
        status="in_transit",
        trace_id={"status": "pending", "value": None},
        type="bank_account",
    )


def _arrive_later(account: Account, payout_id: str) -> None:
    payout = account.store.get("payout", payout_id)
    if payout["status"] == "in_transit":
        arrive(account, payout)


def _check_on_its_way(payout: Json) -> None:
    if payout["status"] != "in_transit":
        raise StripeError(f"This payout is not on its way; its status is {payout['status']}.")


WHEN_DUE = {"payout_leaves": _leave, "payout_arrives": _arrive_later}
ROUTES = (
    Route("GET", "/v1/payouts", "payout", list_all, in_list=True),
    Route("GET", "/v1/payouts/<payout_id>", "payout", retrieve),
    Route("POST", "/v1/payouts/<payout_id>", "payout", update),
)
