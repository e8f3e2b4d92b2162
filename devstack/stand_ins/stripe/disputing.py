"""What happens to a disputed charge: opened, answered, escalated, decided, with the money that moves."""

from copy import deepcopy
from typing import Any

from devstack.stand_ins.stripe import ledger
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import StripeError
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.expand import EVIDENCE_FILES
from devstack.stand_ins.stripe.wire import Json

DAY_S = 24 * 3600
ANSWER_WITHIN_S = 7 * DAY_S  # banks allow 7 to 21 days; the shortest is the one worth practising
INQUIRY_CLOSES_S = 120 * DAY_S  # docs.stripe.com/disputes/how-disputes-work: an inquiry that nobody escalates
OPENS_AFTER_S = 0.5  # the cards that dispute do so after the payment, never as a part of it
INQUIRY = "inquiry"
REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
# Where each status may lead; those without an entry are the end.
MOVES = {
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
}
CLOSED = ("won", "lost", "warning_closed")
ANSWERED = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
# Texts that decide a dispute in test mode, as docs.stripe.com/testing lists them.
DECIDED_BY = {
    "winning_evidence": {"needs_response": "won", "warning_needs_response": "warning_closed"},
    "losing_evidence": {"needs_response": "lost", "warning_needs_response": "warning_closed"},
    "escalate_inquiry_evidence": {"warning_needs_response": "needs_response"},
}
TEXTS = (
    "access_activity_log", "billing_address", "cancellation_policy_disclosure", "cancellation_rebuttal",
    "customer_email_address", "customer_name", "customer_purchase_ip", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "refund_policy_disclosure", "refund_refusal_explanation",
    "service_date", "shipping_address", "shipping_carrier", "shipping_date", "shipping_tracking_number",
    "uncategorized_text",
)  # fmt: skip
FILES = EVIDENCE_FILES
NETWORK_CODES = {"fraudulent": "10.4", "product_not_received": "13.1", "duplicate": "12.6.1", "general": "10.4"}


def plan(account: Account, charge: Json, reason: str | None) -> None:
    """Let the bank of a test card dispute a charge in a moment; `reason` None is a card that does not."""
    if reason is not None:
        account.store.hidden(charge)["dispute_reason"] = reason
        account.clock.at(account.clock.exact() + OPENS_AFTER_S, "dispute_opens", charge["id"])


def open_dispute(account: Account, charge: Json, reason: str) -> Json:
    """Dispute what is left of a captured charge. With the reason `inquiry` the bank only asks, and takes no money."""
    if not charge["captured"]:
        raise StripeError(f"Charge {charge['id']} was never captured and cannot be disputed.")
    if any(dispute["charge"] == charge["id"] for dispute in account.store.all("dispute")):
        raise StripeError(f"Charge {charge['id']} has been disputed already.", code="charge_disputed")
    if charge["refunded"]:
        raise StripeError(f"Charge {charge['id']} has been refunded.", code="charge_already_refunded")
    inquiry = reason == INQUIRY
    dispute = _make(account, charge, "general" if inquiry else reason, inquiry=inquiry)
    before = deepcopy(charge)
    charge["disputed"] = True
    emit(account, "charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(account, dispute)
    emit(account, "charge.updated", charge, before)
    return dispute


def move(account: Account, dispute: Json, status: str) -> Json:
    """Bring a dispute to another status, with the money that this moves."""
    if status not in MOVES.get(dispute["status"], ()):
        raise StripeError(f"A dispute that is {dispute['status']} cannot become {status}.")
    before = deepcopy(dispute)
    dispute["status"] = status
    if status == "needs_response":
        _ask_for_answer(account, dispute)
        _as_chargeback(dispute)
    if status in CLOSED:
        dispute["is_charge_refundable"] = status != "lost"
        emit(account, "charge.dispute.closed", dispute, before)
    else:
        emit(account, "charge.dispute.updated", dispute, before)
    if status == "needs_response":
        _withdraw(account, dispute)
    if status == "won":
        _reinstate(account, dispute)
    return dispute


def submit(account: Account, dispute: Json) -> None:
    """Send the evidence to the bank; some texts make it decide at once."""
    details = dispute["evidence_details"]
    if dispute["status"] not in ANSWERED or details["past_due"]:
        raise StripeError("This dispute can no longer be answered.")
    details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    decided = DECIDED_BY.get(dispute["evidence"]["uncategorized_text"] or "", {}).get(dispute["status"])
    move(account, dispute, decided or ANSWERED[dispute["status"]])


def blocks_refunds(account: Account, charge: Json) -> bool:
    """Say whether the bank holds or keeps the money of this charge, so that a refund would pay twice."""
    return any(
        dispute["charge"] == charge["id"] and not dispute["is_charge_refundable"]
        for dispute in account.store.all("dispute")
    )


def _make(account: Account, charge: Json, reason: str, *, inquiry: bool) -> Json:
    card = charge["payment_method_details"]["card"]
    code = NETWORK_CODES.get(reason)
    details: dict[str, Any] = {
        "brand": card["brand"],
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": card["network"],
        "network_reason_code": code,
    }
    dispute = account.new(
        "dispute",
        "du",
        amount=charge["amount"] - charge["amount_refunded"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=dict.fromkeys(TEXTS + FILES) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": None,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=inquiry,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details={"card": details, "type": "card"},
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    _ask_for_answer(account, dispute)
    if inquiry:
        account.clock.at(account.clock.exact() + INQUIRY_CLOSES_S, "inquiry_closes", dispute["id"])
    return dispute


def _ask_for_answer(account: Account, dispute: Json) -> None:
    due = account.clock.now() + ANSWER_WITHIN_S
    dispute["evidence_details"]["due_by"] = due
    account.clock.at(due, "dispute_due", dispute["id"])


def _as_chargeback(dispute: Json) -> None:
    dispute["is_charge_refundable"] = False
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"


def _withdraw(account: Account, dispute: Json) -> None:
    before = deepcopy(dispute)
    dispute["balance_transactions"].append(deepcopy(ledger.book_dispute(account, dispute)))
    emit(account, "charge.dispute.funds_withdrawn", dispute, before)


def _reinstate(account: Account, dispute: Json) -> None:
    before = deepcopy(dispute)
    dispute["balance_transactions"].append(deepcopy(ledger.book_dispute_won(account, dispute)))
    emit(account, "charge.dispute.funds_reinstated", dispute, before)


def _opens(account: Account, charge_id: str) -> None:
    charge = account.store.get("charge", charge_id)
    reason = account.store.hidden(charge)["dispute_reason"]
    if not charge["disputed"] and not charge["refunded"]:
        open_dispute(account, charge, reason)


def _due(account: Account, dispute_id: str) -> None:
    """Nobody answered in time: a chargeback is lost, an inquiry may still be escalated."""
    dispute = account.store.get("dispute", dispute_id)
    details = dispute["evidence_details"]
    if dispute["status"] not in ANSWERED or account.clock.now() < details["due_by"]:
        return
    details["past_due"] = True
    if dispute["status"] == "needs_response":
        move(account, dispute, "lost")


def _inquiry_closes(account: Account, dispute_id: str) -> None:
    dispute = account.store.get("dispute", dispute_id)
    if "warning_closed" in MOVES.get(dispute["status"], ()):
        move(account, dispute, "warning_closed")


WHEN_DUE = {"dispute_opens": _opens, "dispute_due": _due, "inquiry_closes": _inquiry_closes}
