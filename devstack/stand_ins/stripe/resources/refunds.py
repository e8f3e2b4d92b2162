"""Refunds: money back from a captured charge, never more than was captured."""

from copy import deepcopy

from devstack.stand_ins.stripe import disputing, ledger
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.currencies import check_digits, written
from devstack.stand_ins.stripe.errors import ParameterError, StripeError
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.resources import payment_methods
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
WAITING = ("pending", "requires_action")
SETTLES_AFTER_S = 3600  # when the cards that settle or fail refunds late do so, on the stand-in's clock


def create(account: Account, params: Params) -> Json:
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    amount, reason = params.whole("amount", least=1), params.choice("reason", *REASONS)
    params.metadata()
    params.close()
    charge = _charge(account, intent_id, charge_id)
    amount = _check_refundable(account, charge, amount)
    refund = _make(account, charge, amount, reason)
    refund["metadata"] = merged({}, params)
    _give_back(charge, amount, account)
    emit(account, "refund.created", refund)
    return refund


def retrieve(account: Account, params: Params, refund_id: str) -> Json:
    params.close()
    return account.store.get("refund", refund_id, param="refund")


def update(account: Account, params: Params, refund_id: str) -> Json:
    refund = account.store.get("refund", refund_id, param="refund")
    params.metadata()
    params.close()
    before = deepcopy(refund)
    refund["metadata"] = merged(refund["metadata"], params)
    if refund != before:
        _tell_updated(account, refund, before)
    return refund


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    params.close()
    found = [
        refund
        for refund in account.store.all("refund")
        if first <= refund["created"] <= last
        and charge_id in {None, refund["charge"]}
        and intent_id in {None, refund["payment_intent"]}
    ]
    return page(found, window, "/v1/refunds", "refund")


def cancel(account: Account, params: Params, refund_id: str) -> Json:
    """Take back a refund that waits for the customer to say where to; the others cannot be canceled."""
    refund = account.store.get("refund", refund_id, param="refund")
    params.close()
    if refund["status"] != "requires_action":
        message = f"Refund {refund_id} cannot be canceled because it has a status of {refund['status']}."
        raise StripeError(message)
    before = deepcopy(refund)
    refund["status"] = "canceled"
    charge, earlier = _take_back(account, refund)
    _tell_updated(account, refund, before)
    emit(account, "charge.updated", charge, earlier)
    return refund


def settle(account: Account, refund: Json) -> Json:
    """Let a pending refund arrive."""
    if refund["status"] not in WAITING:
        raise StripeError(f"This refund is not pending; its status is {refund['status']}.")
    before = deepcopy(refund)
    refund["status"] = "succeeded"
    refund.pop("pending_reason", None)
    _tell_updated(account, refund, before)
    return refund


def fail(account: Account, refund: Json) -> Json:
    """Let a refund come back from the customer's bank, even after it had succeeded."""
    if refund["status"] not in {*WAITING, "succeeded"} or refund["balance_transaction"] is None:
        raise StripeError(f"This refund cannot fail any more; its status is {refund['status']}.")
    before = deepcopy(refund)
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    refund.pop("pending_reason", None)
    charge, earlier = _take_back(account, refund)
    emit(account, "refund.failed", refund)
    _tell_updated(account, refund, before)
    emit(account, "charge.updated", charge, earlier)
    return refund


def release(
    account: Account, charge: Json, amount: int, event: str, *, reason: str | None = None, before: Json | None = None
) -> None:
    """Let go what was authorised and never taken, and say so by `event`, which is about the charge.

    At Stripe that is a refund too, counted in `amount_refunded`. It has no booking, for nothing of it was ever in the
    balance, and so it cannot come back.
    """
    before = before or deepcopy(charge)
    charge["payment_method_details"]["card"].pop("capture_before", None)
    _count(charge, amount)
    emit(account, event, charge, before)
    refund = _new(account, charge, amount, reason, "succeeded")
    refund["destination_details"]["card"] = {"type": "reversal"}
    emit(account, "refund.created", refund)


def _take_back(account: Account, refund: Json) -> tuple[Json, Json]:
    """Return the charge that owes the money again, and as it was."""
    refund["failure_balance_transaction"] = ledger.book_failed_refund(account, refund)["id"]
    charge = account.store.get("charge", refund["charge"])
    earlier = deepcopy(charge)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    return charge, earlier


def _charge(account: Account, intent_id: str | None, charge_id: str | None) -> Json:
    """Return the charge to refund, or refuse where the payment has none that succeeded."""
    if intent_id is None and charge_id is None:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise ParameterError(message, code="parameter_missing")
    if intent_id is not None:
        intent = account.store.get("payment_intent", intent_id, param="payment_intent", status=400)
        if charge_id not in {None, intent["latest_charge"]}:
            message = f"Charge {charge_id} does not belong to PaymentIntent {intent_id}."
            raise StripeError(message, param="charge")
        charge_id = intent["latest_charge"]
    charge = account.store.get("charge", charge_id, param="charge", status=400) if charge_id else None
    if charge is None or not charge["captured"]:
        named = intent_id or (charge or {}).get("payment_intent")
        raise StripeError(f"This PaymentIntent ({named}) does not have a successful charge to refund.")
    return charge


def _check_refundable(account: Account, charge: Json, asked: int | None) -> int:
    if disputing.blocks_refunds(account, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise StripeError(message, code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise StripeError(message, code="charge_already_refunded")
    amount = left if asked is None else asked
    if amount > left:
        against = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        currency = charge["currency"]
        message = f"Refund amount ({written(amount, currency)}) is greater than {against} ({written(left, currency)})"
        raise StripeError(message, param="amount")
    check_digits(amount, charge["currency"])
    return amount


def _make(account: Account, charge: Json, amount: int, reason: str | None) -> Json:
    method = account.store.get("payment_method", charge["payment_method"])
    fate = payment_methods.card_of(account, method).refund
    status = account.ordered.refunds.pop(0) if account.ordered.refunds else fate
    refund = _new(account, charge, amount, reason, status if status in WAITING else "succeeded")
    if status == "pending":
        refund["pending_reason"] = "processing"
    refund["balance_transaction"] = ledger.book_refund(account, refund)["id"]
    if status == fate != "succeeded":
        planned = "refund_settles" if fate == "pending" else "refund_fails"
        account.clock.at(account.clock.exact() + SETTLES_AFTER_S, planned, refund["id"])
    return refund


def _new(account: Account, charge: Json, amount: int, reason: str | None, status: str) -> Json:
    return account.new(
        "refund",
        "re",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        metadata={},
        payment_intent=charge["payment_intent"],
        reason=reason,
        receipt_number=None,
        source_transfer_reversal=None,
        status=status,
        transfer_reversal=None,
    )


def _settle_later(account: Account, refund_id: str) -> None:
    refund = account.store.get("refund", refund_id)
    if refund["status"] == "pending":
        settle(account, refund)


def _fail_later(account: Account, refund_id: str) -> None:
    refund = account.store.get("refund", refund_id)
    if refund["status"] == "succeeded":
        fail(account, refund)


def _give_back(charge: Json, amount: int, account: Account) -> None:
    before = deepcopy(charge)
    _count(charge, amount)
    emit(account, "charge.refunded", charge, before)


def _count(charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def _tell_updated(account: Account, refund: Json, before: Json) -> None:
    emit(account, "refund.updated", refund, before)
    emit(account, "charge.refund.updated", refund, before)


WHEN_DUE = {"refund_settles": _settle_later, "refund_fails": _fail_later}
ROUTES = (
    Route("POST", "/v1/refunds", "refund", create),
    Route("GET", "/v1/refunds", "refund", list_all, in_list=True),
    Route("GET", "/v1/refunds/<refund_id>", "refund", retrieve),
    Route("POST", "/v1/refunds/<refund_id>", "refund", update),
    Route("POST", "/v1/refunds/<refund_id>/cancel", "refund", cancel),
)
