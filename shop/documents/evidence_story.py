"""What happened to an order, told in plain sentences for a reader at a bank."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from shop.documents.queries.evidence_sources import FactRow, MailRow, PaperRow
from shop.pages import price

Moment = tuple[datetime, str]

REASONS = MappingProxyType(
    {
        "bank_cannot_process": "The customer's bank could not process the payment.",
        "credit_not_processed": "The cardholder says that a refund they are owed was not made.",
        "duplicate": "The cardholder says that they were charged more than once for the same purchase.",
        "fraudulent": "The cardholder says that they did not make this payment.",
        "general": "The cardholder disputes the payment without a more particular reason.",
        "product_not_received": "The cardholder says that the goods did not arrive.",
        "product_unacceptable": "The cardholder says that the goods were damaged or not as described.",
        "subscription_canceled": "The cardholder says that they had canceled.",
        "unrecognized": "The cardholder does not recognise the payment on their statement.",
    }
)

PAYMENT = MappingProxyType(
    {
        "requires_action": "The cardholder's bank asked the cardholder to authenticate.",
        "processing": "The payment was being processed by the bank.",
        "requires_capture": "The bank authorised the payment.",
        "succeeded": "The payment was captured.",
        "canceled": "The payment was voided.",
    }
)

DISPUTE = MappingProxyType(
    {
        "warning_needs_response": "The bank asked about the payment.",
        "warning_under_review": "The bank's question was answered.",
        "warning_closed": "The bank closed its question.",
        "needs_response": "The bank took the payment back and asked for evidence.",
        "under_review": "Evidence was sent to the bank.",
        "won": "The bank decided for the shop.",
        "lost": "The bank decided for the cardholder.",
    }
)

STOCK = MappingProxyType(
    {
        "stock.reserved": "The goods were set aside for the order.",
        "stock.committed": "The goods were taken from stock for the order.",
        "stock.returned": "The goods went back into stock.",
    }
)


def reason(word: str) -> str:
    """The bank's word for its reason as a sentence; a word nobody here knows is quoted."""
    return REASONS.get(word, f"The bank gives the reason “{word.replace('_', ' ')}”.")


def story(
    facts: Sequence[FactRow], mails: Sequence[MailRow], papers: Sequence[PaperRow], currency: str
) -> list[Moment]:
    """Oldest first; a state that was seen twice is told once."""
    told = [
        *_of_facts(facts, currency),
        *((mail.sent_at, f"Mail “{mail.subject}” was sent to {mail.recipient}.") for mail in mails),
        *((paper.issued_at, f"{_name(paper)} {paper.number} was issued.") for paper in papers),
    ]
    return sorted(told, key=lambda moment: moment[0])


def stamp(at: datetime) -> str:
    """`23 November 2026, 14:05 UTC`"""
    moment = at.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _of_facts(facts: Sequence[FactRow], currency: str) -> Iterator[Moment]:
    said: set[str] = set()
    for fact in facts:
        sentence = _sentence(fact, currency)
        if sentence is not None and sentence not in said:
            said.add(sentence)
            yield fact.at, sentence


def _sentence(fact: FactRow, currency: str) -> str | None:
    amount = price(fact.amount_minor, currency) if fact.amount_minor is not None else ""
    teller = TELLERS.get(fact.kind)
    return teller(fact.data, amount) if teller else STOCK.get(fact.kind)


def _opened(_data: Mapping[str, Any], _amount: str) -> str:
    return "The customer placed the order, signed in to their account."


def _payment(data: Mapping[str, Any], amount: str) -> str | None:
    if data.get("decline") and data.get("status") == "requires_payment_method":
        return "A try to pay was declined by the bank."
    sentence = PAYMENT.get(str(data.get("status")))
    if sentence and data.get("status") == "succeeded":
        return f"The payment of {amount} was captured."
    return sentence


def _dispute(data: Mapping[str, Any], _amount: str) -> str | None:
    return DISPUTE.get(str(data.get("status")))


def _refund_asked(data: Mapping[str, Any], amount: str) -> str:
    return f"The shop decided to refund {amount}: {data.get('reason') or 'no reason noted'}."


def _refund_seen(data: Mapping[str, Any], amount: str) -> str | None:
    status = data.get("status")
    if status == "succeeded":
        return f"A refund of {amount} was paid out to the card."
    if status in {"failed", "canceled"}:
        return f"A refund of {amount} could not be paid out and came back."
    return None


def _name(paper: PaperRow) -> str:
    return "Invoice" if paper.kind == "invoice" else "Credit note"


Teller = Callable[[Mapping[str, Any], str], str | None]
TELLERS: MappingProxyType[str, Teller] = MappingProxyType(
    {
        "order.opened": _opened,
        "payment.seen": _payment,
        "dispute.seen": _dispute,
        "refund.asked": _refund_asked,
        "refund.seen": _refund_seen,
    }
)
