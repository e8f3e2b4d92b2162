"""Payouts: every midnight of the stand-in's clock what is available leaves for the bank, and arrives days later.

One made by hand waits for that midnight, and can be called off until then.
"""

from copy import deepcopy

from devstack.stand_ins.stripe import ledger
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.currencies import check_currency, check_payout, whole_part
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

POOR = (
    "You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance."
)


def create(account: Account, params: Params) -> Json:
    """Pay out by hand. Its movements belong to it alone: nobody says which payments such a payout is made of."""
    amount, currency = params.whole("amount", least=1), params.text("currency")
    if amount is None or currency is None:
        raise params.missing("amount" if amount is None else "currency")
    currency = check_currency(currency)
    texts = {name: params.text(name) for name in ("description", "statement_descriptor")}
    params.choice("method", "standard")
    params.choice("source_type", "card")
    params.metadata()
    params.close()
    check_payout(amount, currency)
    if amount > sum(booked["net"] for booked in ledger.available(account, currency)):
        raise StripeError(POOR, code="balance_insufficient")
    payout = _make(account, currency, amount)
    payout |= texts | {"automatic": False, "reconciliation_status": "not_applicable", "status": "pending"}
    payout["metadata"] = merged({}, params)
    payout["balance_transaction"] = ledger.book_payout(account, payout)["id"]
    emit(account, "payout.created", payout)
    account.clock.at((account.clock.now() // DAY_S + 1) * DAY_S, "payout_goes", payout["id"])
    return payout


def cancel(account: Account, params: Params, payout_id: str) -> Json:
    payout = account.store.get("payout", payout_id, param="payout")
    params.close()
    if payout["status"] != "pending":
        raise StripeError(f"Payouts that are {payout['status']} cannot be canceled.")
    back = ledger.book_canceled_payout(account, payout)
    payout |= {"status": "canceled", "failure_balance_transaction": back["id"]}
    emit(account, "payout.canceled", payout)
    return payout


def retrieve(account: Account, params: Params, payout_id: str) -> Json:
    params.close()
    return account.store.get("payout", payout_id, param="payout")


def update(account: Account, params: Params, payout_id: str) -> Json:
    payout = account.store.get("payout", payout_id, param="payout")
    params.metadata()
    params.close()
    before = deepcopy(payout)
    payout["metadata"] = merged(payout["metadata"], params)
    if payout != before:
        emit(account, "payout.updated", payout, before)
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
    rest = account.store.hidden({"id": f"payouts in {currency}"})
    amount = sum(booked["net"] for booked in going) + rest.get("left", 0)
    leaving = whole_part(amount, currency)
    if leaving <= 0:
        return
    rest["left"] = amount - leaving  # fractions that no bank takes stay here for the next payout
    payout = _make(account, currency, leaving)
    booked = ledger.book_payout(account, payout)
    payout["balance_transaction"] = booked["id"]
    emit(account, "payout.created", payout)
    for part in [*going, booked]:
        account.store.hidden(part)["payout"] = payout["id"]
    payout["reconciliation_status"] = "completed"
    emit(account, "payout.reconciliation_completed", payout)
    account.clock.at(payout["arrival_date"], "payout_arrives", payout["id"])


def _go(account: Account, payout_id: str) -> None:
    """Let a payout made by hand leave."""
    payout = account.store.get("payout", payout_id)
    if payout["status"] == "pending":
        before = deepcopy(payout)
        payout["status"] = "in_transit"
        emit(account, "payout.updated", payout, before)
        account.clock.at(account.clock.exact() + ARRIVES_AFTER_S, "payout_arrives", payout_id)


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
        reconciliation_status="in_progress",
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


WHEN_DUE = {"payout_leaves": _leave, "payout_goes": _go, "payout_arrives": _arrive_later}
ROUTES = (
    Route("POST", "/v1/payouts", "payout", create),
    Route("GET", "/v1/payouts", "payout", list_all, in_list=True),
    Route("GET", "/v1/payouts/<payout_id>", "payout", retrieve),
    Route("POST", "/v1/payouts/<payout_id>", "payout", update),
    Route("POST", "/v1/payouts/<payout_id>/cancel", "payout", cancel),
)
