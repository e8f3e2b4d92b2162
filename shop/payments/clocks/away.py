"""Whether a payment failed behind its customer's back: then a mail tells what no screen did."""

from collections.abc import Sequence
from datetime import timedelta

from shop.payments.orders.fact import Fact
from shop.payments.orders.fold import State
from shop.payments.orders.tries import UNTRIED

AWAY_AFTER = timedelta(minutes=5)
"""Nobody watches a page that turns for longer; whoever asked for a payment before that has left."""


def failed_while_away(facts: Sequence[Fact]) -> bool:
    """Whether the bank took its time to refuse, or we did to ask it, or the customer never came back from the bank's
    page. `facts` are in the order of `seen_at`.

    It stays true when a later try succeeds: what was staged is not taken back, and the letter looks at the order.
    """
    return _refused_late(facts) or _asked_late(facts) or any(fact.kind == "action.lapsed" for fact in facts)


def asked_for_by_bank(state: State, facts: Sequence[Fact]) -> bool:
    """Whether a page of the bank waits for a customer who was not there when the payment was asked for."""
    return state.status == "requires_action" and any(
        fact.kind == "confirm.asked" and fact.data.get("off_session") for fact in facts
    )


def _refused_late(facts: Sequence[Fact]) -> bool:
    looks = [fact for fact in facts if fact.kind == "payment.seen"]
    pending: set[str | None] = set()
    for look in looks:
        if look.data["status"] == "processing":
            pending.add(look.subject)
        elif look.subject in pending and _is_decline(look):
            return True
    return False


def _asked_late(facts: Sequence[Fact]) -> bool:
    asked = {fact.data["wish"]: fact.seen_at for fact in facts if fact.kind == "confirm.asked"}
    return any(
        fact.seen_at - asked[fact.data["wish"]] > AWAY_AFTER
        for fact in facts
        if fact.data.get("wish") in asked and (fact.kind == "confirm.refused" or _is_decline(fact))
    )


def _is_decline(fact: Fact) -> bool:
    return fact.kind == "payment.seen" and fact.data["status"] in UNTRIED and fact.data["decline"] is not None
