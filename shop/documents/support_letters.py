"""Letters to the shop's own people: a bank took money back or asks about it, a refund came back, an alert."""

from dataclasses import dataclass
from types import MappingProxyType

from db.database import Tx
from shop.documents.alert_letters import ALERTS, alert_letter
from shop.documents.errors import NothingToDocument
from shop.documents.evidence_story import reason, stamp
from shop.documents.queries import sources, support_sources
from shop.documents.queries.support_sources import DisputeRow
from shop.documents.support_letter import SupportLetter
from shop.pages import price


@dataclass(frozen=True, slots=True)
class Notice:
    """One kind of news of a dispute: in which states it is true, and how it is told."""

    true_in: frozenset[str]
    headline: str
    subject: str
    words: str
    advice: str


def support_letter(tx: Tx, kind: str, subject_id: str) -> SupportLetter:
    """The letter of this kind about a dispute or a refund. Raises NothingToDocument for an unknown one."""
    if kind == "refund_failed":
        return _refund_failed(tx, subject_id)
    if kind == "capture_due":
        return _capture_due(tx, subject_id)
    if kind in ALERTS:
        return alert_letter(tx, kind, subject_id)
    dispute = support_sources.dispute(tx, subject_id)
    if dispute is None:
        raise NothingToDocument(f"there is no dispute {subject_id}")
    notice = NOTICES[kind]
    if dispute.status not in notice.true_in or (kind.endswith("_due") and dispute.evidence_submitted):
        return SupportLetter("", unsent_because=f"the dispute is {dispute.status} by now")
    return _told(notice, dispute)


def _told(notice: Notice, dispute: DisputeRow) -> SupportLetter:
    facts = [
        ("Order", dispute.number),
        ("Dispute", f"{dispute.id} ({dispute.provider_dispute_id})"),
        ("Reason", reason(dispute.reason)),
        ("Amount", price(dispute.amount_minor, dispute.currency)),
    ]
    if dispute.withdrawn_minor or dispute.fee_minor:
        facts.append(("Taken from us", price(dispute.withdrawn_minor, dispute.currency)))
        facts.append(("Fee", price(dispute.fee_minor, dispute.currency)))
    facts.append(("Opened", stamp(dispute.opened_at)))
    if dispute.evidence_due_at and dispute.status in ANSWERABLE:
        facts.append(("Evidence due by", stamp(dispute.evidence_due_at)))
    return SupportLetter(
        headline=notice.headline,
        subject=notice.subject.format(number=dispute.number),
        words=notice.words,
        facts=tuple(facts),
        advice=notice.advice.format(id=dispute.id),
    )


def _refund_failed(tx: Tx, refund_id: str) -> SupportLetter:
    refund = support_sources.refund(tx, refund_id)
    if refund is None:
        raise NothingToDocument(f"there is no refund {refund_id}")
    if refund.status != "failed":
        return SupportLetter("", unsent_because=f"the refund is {refund.status} by now")
    goods = "They are in stock again and stay there." if refund.restocked else "They were not put back into stock."
    return SupportLetter(
        headline="A refund did not reach the customer",
        subject=f"Refund of order {refund.number} failed",
        words="The customer has not got this money, and it can be refunded again.",
        facts=(
            ("Order", refund.number),
            ("Refund", refund.id),
            ("Amount", price(refund.amount_minor, refund.currency)),
            ("Why", (refund.failure_code or "no reason was given").replace("_", " ")),
            ("Reason of the refund", refund.reason),
            ("Goods", goods),
        ),
        advice="Ask the customer for another way to pay them back; a new refund to the same card may fail again.",
    )


def _capture_due(tx: Tx, order_id: str) -> SupportLetter:
    order = support_sources.authorized(tx, order_id)
    if order is None:
        if sources.order(tx, order_id) is None:
            raise NothingToDocument(f"there is no order {order_id}")
        return SupportLetter("", unsent_because="the order is not waiting for its capture any more")
    return SupportLetter(
        headline="A card holds the money not much longer",
        subject=f"Order {order.number} must be captured by {stamp(order.capture_before)}",
        words="The payment is authorised and not captured. After the card's deadline the money is out of reach.",
        facts=(
            ("Order", order.number),
            ("Amount", price(order.capturable_minor, order.currency)),
            ("Capture before", stamp(order.capture_before)),
        ),
        advice="Send the goods and capture the payment, or cancel the order, so that its goods can be sold to others.",
    )


ANSWERABLE = frozenset({"needs_response", "warning_needs_response"})

_ANSWER = (
    "Draw the evidence with “backroom disputes evidence {id}”, look at it, and send it with --submit. "
    "A bank reads one answer."
)

NOTICES: MappingProxyType[str, Notice] = MappingProxyType(
    {
        "dispute_opened": Notice(
            ANSWERABLE,
            "A customer's bank disputes a payment",
            "Dispute for order {number}",
            "A dispute that nobody answers in time is lost.",
            _ANSWER,
        ),
        "dispute_escalated": Notice(
            frozenset({"needs_response"}),
            "A bank's question has become a chargeback",
            "Chargeback for order {number}",
            "The bank has taken the money now. What was said to its question does not count any more.",
            _ANSWER,
        ),
        "dispute_due": Notice(
            frozenset({"needs_response"}),
            "A dispute is due and nobody has answered",
            "Last days to answer the dispute for order {number}",
            "Without an answer the bank decides for the cardholder.",
            _ANSWER,
        ),
        "inquiry_due": Notice(
            frozenset({"warning_needs_response"}),
            "A bank's question is due and nobody has answered",
            "Last days to answer the bank about order {number}",
            "An unanswered question often becomes a chargeback.",
            _ANSWER,
        ),
        "dispute_won": Notice(
            frozenset({"won"}),
            "A dispute is won",
            "Dispute for order {number} won",
            "The bank decided for the shop and gives back what it took.",
            "Nothing is to be done. The order can be refunded again if you wish.",
        ),
        "dispute_lost": Notice(
            frozenset({"lost"}),
            "A dispute is lost",
            "Dispute for order {number} lost",
            "The bank decided for the cardholder, who keeps the money. The order cannot be refunded.",
            "If goods were sent, the customer has both; write to them if that is not what was agreed.",
        ),
        "dispute_closed": Notice(
            frozenset({"warning_closed", "prevented"}),
            "A bank's question is closed",
            "The bank's question about order {number} is closed",
            "No money was taken.",
            "Nothing is to be done.",
        ),
    }
)

SUPPORT_LETTERS: tuple[str, ...] = (*NOTICES, "refund_failed", "capture_due", *ALERTS)
"""The kinds that go to the shop's support."""
