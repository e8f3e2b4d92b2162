"""The tries to pay within an order's facts: which one's time at the bank ran out, and how many the bank refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from shop.payments.orders.fact import Fact

UNTRIED = frozenset({"requires_payment_method", "requires_confirmation"})

LAPSED: Mapping[str, str] = MappingProxyType(
    {
        "code": "authentication_expired",
        "message": "The time to confirm this payment with your bank has run out. Please try again.",
    }
)
"""What stands as the reason while nobody has tried anything else."""


def has_lapsed(facts: Sequence[Fact], payment_id: str, method: str | None) -> bool:
    """Whether this payment still waits for a bank's page that was called off: `action.lapsed` names the way to pay it
    was for. Another way, another wish to pay, or a look that saw no page in between makes it a new try.
    """
    about = [fact for fact in facts if fact.subject == payment_id]
    lapses = [fact.seen_at for fact in about if fact.kind == "action.lapsed" and fact.data["method"] == method]
    begun = [fact.seen_at for fact in about if fact.kind == "confirm.asked" or _shows_no_page(fact)]
    return bool(lapses) and max(begun, default=lapses[0]) <= max(lapses)


def asked_at(facts: Sequence[Fact], look: Fact) -> datetime | None:
    """When the try was asked for that this look at a payment shows, None where nobody asked us (a browser did). The
    same card once more is another try; one that the provider would not even begin left things as they were.
    """
    refused = {fact.data["wish"] for fact in facts if fact.kind == "confirm.refused"}
    asks = (fact for fact in facts if fact.kind == "confirm.asked" and fact.subject == look.subject)
    return max(
        (ask.seen_at for ask in asks if ask.seen_at <= look.seen_at and ask.data["wish"] not in refused), default=None
    )


def declined(facts: Sequence[Fact]) -> int:
    """How many tries were refused, each counted once however often it was looked at.

    A decline has a charge of its own; one without (the bank's page was not passed) goes by the way to pay.
    """
    tries: set[tuple[str, str]] = set()
    for fact in facts:
        if fact.kind == "confirm.refused":
            tries.add(("wish", str(fact.data["wish"])))
        elif fact.kind == "payment.seen" and fact.data["decline"] and fact.data["status"] in UNTRIED:
            charge = fact.data["charge_id"]
            tries.add(("charge", charge) if charge else ("method", f"{fact.subject} {fact.data.get('method')}"))
    return len(tries)


def _shows_no_page(fact: Fact) -> bool:
    return fact.kind == "payment.seen" and fact.data["status"] != "requires_action"
