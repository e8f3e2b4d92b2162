"""One line of an order's history as a sentence, for people who ask why the order is as it is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from shop.money import Money

Detail = Mapping[str, Any]

CAUSES = MappingProxyType(
    {"webhook": "Stripe told us", "poll": "The sweep found at Stripe, where no webhook had brought it,"}
)

ASKED = MappingProxyType(
    {
        "create": "open a payment",
        "confirm": "try the card",
        "capture": "capture the money",
        "cancel": "void the payment",
        "refund": "refund the money",
    }
)

OUTCOMES = MappingProxyType(
    {
        "succeeded": "done",
        "declined": "the bank said no",
        "refused": "Stripe would not",
        "abandoned": "given up in favour of another try",
    }
)

EFFECTS = MappingProxyType(
    {
        "capture": "The goods and the money are to be taken",
        "stock_commit": "The goods are taken out of stock",
        "stock_release": "The goods go back into stock",
        "restock": "The refunded goods go back into stock",
        "void": "The payment is voided, because the goods were gone",
        "cart_clear": "The cart is emptied",
        "invoice": "The invoice is issued",
        "credit_note": "The credit note is issued",
        "debit_note": "The refund did not arrive; its credit note, if there is one, is cancelled",
    }
)

PAYMENT = MappingProxyType(
    {
        "requires_payment_method": "waits for a card",
        "requires_confirmation": "waits to be confirmed",
        "requires_action": "waits for the customer on the bank's page",
        "processing": "is being decided by the bank",
        "requires_capture": "is authorised",
        "succeeded": "is captured",
        "canceled": "is voided",
    }
)


def sentence(kind: str, what: str, detail: Detail) -> str:
    """What happened, who caused it, and where that led, in one line without amounts of personal data."""
    said = TELLERS[kind](what, detail) if kind in TELLERS else f"{kind} {what}"
    moved = detail.get("moved")
    return f"{said} The order went from {moved[0]} to {moved[1]}." if moved else said


def _delivery(what: str, detail: Detail) -> str:
    told = CAUSES.get(str(detail.get("source")), "We heard")
    by = f", signed with {detail['secret']}" if detail.get("secret") else ""
    why = f": {detail['reason']}" if detail.get("reason") else ""
    times = f" It came {detail['repeats'] + 1} times." if detail.get("repeats") else ""
    return f"{told} of {what}{by}; it was {detail.get('state')}{why}.{times}"


def _attempt(what: str, detail: Detail) -> str:
    asked = f"We asked Stripe to {ASKED.get(what, what)}"
    tries = f", {detail['tries']} times under one key" if int(detail.get("tries") or 0) > 1 else ""
    if detail.get("outcome"):
        error = f" ({detail['error']})" if detail.get("error") else ""
        return f"{asked}{tries}: {OUTCOMES.get(detail['outcome'], detail['outcome'])}{error}."
    if detail.get("unknown_since"):
        next_look = f"; the next look is at {detail['look_at']}" if detail.get("look_at") else ""
        return f"{asked}{tries}: nobody knows since {detail['unknown_since']} whether it was done{next_look}."
    return f"{asked.replace('asked', 'are to ask', 1)}{tries}: not answered yet."


def _fact(what: str, detail: Detail) -> str:
    teller = FACTS.get(what)
    return teller(detail) if teller else f"{what.replace('.', ' ').replace('_', ' ').capitalize()}{_by(detail)}."


def _seen_payment(detail: Detail) -> str:
    data = detail["data"]
    decline = detail.get("decline")
    state = PAYMENT.get(data["status"], f"is {data['status']}")
    reason = f", and the last try was declined: {decline}" if decline else ""
    captured = f" ({_money(data['captured'], data['currency'])})" if data.get("captured") else ""
    return f"{_how(detail)} the payment {detail.get('subject')} {state}{captured}{reason}."


def _seen_refund(detail: Detail) -> str:
    data = detail["data"]
    why = f": {data['failure_code']}" if data.get("failure_code") else ""
    amount = _money(detail.get("amount"), detail.get("currency"))
    return f"{_how(detail)} the refund of {amount} is {data['status']}{why}."


def _asked_cancel(detail: Detail) -> str:
    reasons = {
        "unpaid": "Nobody paid in time, so it is called off.",
        "out_of_stock": "The goods were gone, so it is called off.",
        "too_many_declines": "Too many cards were tried, so it is called off.",
        "superseded": "Another payment of the order counts, so this one is voided.",
    }
    reason = str(detail["data"].get("reason"))
    return reasons.get(reason, f"The {reason}{_by(detail)} asked to call it off.")


def _corrected(detail: Detail) -> str:
    data = detail["data"]
    return f"Decided by {detail.get('actor')}: {str(data.get('what')).replace('_', ' ')}, because {data.get('reason')}."


def _ledger(what: str, detail: Detail) -> str:
    lines = ", ".join(
        f"{account} {_money(amount, detail.get('currency'), signed=True)}"
        for account, amount in sorted((detail.get("lines") or {}).items())
    )
    return f"Booked as {what}: {lines}."


def _effect(what: str, detail: Detail) -> str:
    name = EFFECTS.get(what) or (
        f"A mail is to be sent: {what.removeprefix('mail_').replace('_', ' ')}"
        if what.startswith("mail_")
        else what.replace("_", " ").capitalize()
    )
    state = f"; its job is {detail['state']}" if detail.get("state") else ""
    error = f" ({detail['error']})" if detail.get("error") else ""
    return f"{name}{state}{error}."


def _mail(what: str, detail: Detail) -> str:
    why = f": {detail['error']}" if detail.get("error") else ""
    return f"The mail “{what.replace('_', ' ')}” is {detail.get('state')}{why}."


def _evidence(what: str, detail: Detail) -> str:
    error = f" ({detail['error']})" if detail.get("error") else ""
    told = {
        "packet.asked": f"Evidence for the bank was asked for{_by(detail)}"
        + (", to be sent." if detail.get("submit") else ", to be read."),
        "packet.drawn": "The evidence was drawn; it does not change any more.",
        "packet.submitted": "The evidence was sent to the bank.",
        "packet.refused": f"Stripe would not take the evidence{error}.",
    }
    return told.get(what, what)


def _note(what: str, _detail: Detail) -> str:
    told = {
        "goods.stay_returned": "The refund failed after its goods were back in stock: they stay there, and the "
        "customer still has to be paid another way.",
    }
    return told.get(what, what)


def _how(detail: Detail) -> str:
    ways = {
        "answer": "Stripe answered that",
        "delivery": "After its news we looked:",
        "sweep": "We looked by ourselves:",
    }
    return ways.get(str(detail.get("source")), "We learnt that")


def _by(detail: Detail) -> str:
    return f" ({detail['actor']})" if detail.get("actor") else ""


def _because(detail: Detail) -> str:
    reason = detail["data"].get("reason")
    return f": {reason}" if reason else ""


def _money(amount: Any, currency: Any, *, signed: bool = False) -> str:
    if amount is None or not currency:
        return str(amount)
    sign = "+" if signed and int(amount) > 0 else ""
    return f"{sign}{Money(int(amount), str(currency))}"


TELLERS: Mapping[str, Callable[[str, Detail], str]] = MappingProxyType(
    {
        "delivery": _delivery,
        "attempt": _attempt,
        "fact": _fact,
        "ledger": _ledger,
        "effect": _effect,
        "mail": _mail,
        "evidence": _evidence,
        "note": _note,
    }
)

FACTS: Mapping[str, Callable[[Detail], str]] = MappingProxyType(
    {
        "order.opened": lambda detail: f"A customer{_by(detail)} placed the order.",
        "order.priced": lambda detail: (
            f"Prices were taken and frozen: {_money(detail.get('amount'), detail.get('currency'))} in all."
        ),
        "order.rejected": lambda detail: f"It cannot be had: {detail['data'].get('detail')}.",
        "stock.reserved": lambda _: "The goods were set aside.",
        "stock.committed": lambda _: "The goods are the customer's.",
        "stock.lost": lambda _: "The goods were gone when they were to be taken.",
        "stock.released": lambda _: "The goods that were set aside are free again.",
        "stock.returned": lambda _: "The goods are back in stock.",
        "confirm.asked": lambda detail: (
            f"A try to pay was asked for{_by(detail)}"
            + (", with nobody before a screen." if detail["data"].get("off_session") else ".")
        ),
        "confirm.refused": lambda detail: f"Stripe would not try this way to pay: {detail['data'].get('code')}.",
        "action.lapsed": lambda _: (
            "The customer did not come back from the bank's page in time; the try is called off."
        ),
        "capture.asked": lambda detail: (
            f"{_money(detail.get('amount'), detail.get('currency'))} are to be captured{_by(detail)}."
        ),
        "cancel.asked": _asked_cancel,
        "cancel.dropped": lambda _: "Calling it off was dropped: the payment had gone on.",
        "payment.seen": _seen_payment,
        "refund.asked": lambda detail: (
            f"A refund of {_money(detail.get('amount'), detail.get('currency'))} was asked for{_by(detail)}"
            + ("; somebody else has to agree." if detail["data"].get("waits") else ".")
        ),
        "refund.approved": lambda detail: f"The refund was approved{_by(detail)}{_because(detail)}.",
        "refund.declined": lambda detail: f"The refund was declined{_by(detail)}{_because(detail)}.",
        "refund.refused": lambda detail: f"Stripe would not refund: {detail['data'].get('failure_code')}.",
        "refund.seen": _seen_refund,
        "dispute.seen": lambda detail: (
            f"{_how(detail)} the dispute {detail.get('subject')} is {detail['data'].get('status')}."
        ),
        "correction.made": _corrected,
    }
)
