"""What is true of a shop after every step, whatever is done to it, and how it must end: ten lines of a model."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from hypothesis.stateful import RuleBasedStateMachine, invariant

from bench.proofs.house import Customer, House
from db.outbox import Job
from shop import jobs
from shop.errors import NotYet, Rejected
from shop.payments.books import proof
from shop.payments.orders.moves import CALLED_OFF, STATUSES, SWEPT

RESTING = frozenset({"awaiting_payment", "requires_action", "payment_failed"})

CLOCKS = (
    "UPDATE orders SET updated_at = updated_at - interval '1 hour' WHERE id = ANY(%s)",
    "UPDATE payments SET updated_at = updated_at - interval '1 hour' WHERE order_id = ANY(%s)",
    "UPDATE refunds SET updated_at = updated_at - interval '2 hours' WHERE order_id = ANY(%s)",
    (
        "UPDATE provider_attempts SET asked_at = asked_at - interval '1 hour',"
        " created_at = created_at - interval '1 hour' WHERE order_id = ANY(%s)"
    ),
    (
        "UPDATE webhook_deliveries SET received_at = received_at - interval '1 hour',"
        " retry_at = retry_at - interval '1 hour' WHERE state IN ('received', 'parked')"
        " AND cardinality(%s::text[]) >= 0"
    ),
    "UPDATE effects SET claimed_at = claimed_at - interval '1 hour' WHERE order_id = ANY(%s)",
)
"""An hour later, for the rows of these orders. The database's own clock cannot be moved."""


@dataclass
class Bought:
    """An order as the model knows it: who, and what was wished of it and not refused."""

    id: str
    who: Customer
    manual: bool
    shipped: int | None = None
    given_back: int = 0


@dataclass
class Steps:
    """What was done in all runs."""

    done: Counter[str] = field(default_factory=Counter[str])
    ends: Counter[str] = field(default_factory=Counter[str])
    runs: int = 0

    def __str__(self) -> str:
        steps = ", ".join(f"{name} {count}" for name, count in sorted(self.done.items()))
        ends = ", ".join(f"{name} {count}" for name, count in sorted(self.ends.items()))
        return f"{self.runs} runs, {self.done.total()} steps ({steps}); {self.ends.total()} orders ended ({ends})"


def predicted(status: str, their: dict[str, Any], manual: bool, shipped: int | None) -> str:
    """The model: how an order ends, from what Stripe holds of it and what was wished here."""
    if not their["intents"]:
        return "rejected"
    if (captured := their["captured"]) > 0:
        back = their["refunded"]
        return "refunded" if back >= captured else "partially_refunded" if back > 0 else "paid"
    if all(intent == "canceled" for intent in their["intents"]):
        return "expired" if status == "expired" else "canceled"
    if "requires_capture" in their["intents"]:
        return "authorized" if manual and shipped is None else "paid"
    return status if status in RESTING else "awaiting_payment"


class Watched(RuleBasedStateMachine):
    """A house under watch: what must be true after each step, and at the end when everybody has gone home."""

    def __init__(self, house: House, counts: Steps) -> None:
        super().__init__()
        self.house, self.counts = house, counts
        self.bought: list[Bought] = []

    @invariant()
    def the_books_are_whole(self) -> None:
        found = proof.prove(self.db)
        assert found.faults == (), found.faults
        sums = "SELECT entry_id FROM ledger_lines GROUP BY entry_id, currency HAVING sum(amount_minor) <> 0"
        assert self.house.sql(sums) == []

    @invariant()
    def nobody_gets_more_than_was_taken(self) -> None:
        for order in self.bought:
            ours = self.house.read(order.id)
            theirs = self._seen_by_stripe(order)
            assert ours.status in STATUSES
            assert ours.amount_refunded + ours.amount_reserved_for_refund <= ours.amount_captured <= 4490
            assert ours.amount_captured <= theirs["captured"] <= (order.shipped or 4490)
            assert theirs["refunded"] <= theirs["captured"]

    @invariant()
    def what_follows_follows_once(self) -> None:
        twice = self.house.sql(
            "SELECT name, args FROM jobs WHERE queue = 'documents' AND name <> 'documents.evidence'"
            " GROUP BY name, args HAVING count(*) > 1"
        )
        assert twice == []

    @invariant()
    def nothing_is_left_lying(self) -> None:
        """Every order that is not done has a job of its own, or stands in a state that a sweep takes it out of."""
        for order in self.bought:
            status = self.house.read(order.id).status
            waiting = self.house.sql(
                "SELECT 1 FROM jobs WHERE state IN ('staged', 'running') AND args ->> 'order_id' = %s", order.id
            )
            assert waiting or status in SWEPT or status in CALLED_OFF or self.house.read(order.id).amount_captured > 0

    def teardown(self) -> None:
        """Everybody goes home: what is left is done by the sweep and its jobs alone."""
        requests.delete(f"{self.house.stripe.url}/standin/faults", timeout=10).raise_for_status()
        for _ in range(4):
            self.later()
            self.stage(jobs.SWEEP_PAYMENTS)
            self.stage(jobs.WATCH_PAYMENTS)
            self.house.settle_all()
        self.the_books_are_whole()
        for order in self.bought:
            self._check_end(order)
        self.house.never_hear()
        self.house.sql("DELETE FROM jobs")

    def _check_end(self, order: Bought) -> None:
        ours, theirs = self.house.read(order.id), self._seen_by_stripe(order)
        seen = (order, ours.status, ours.status_reason, theirs)
        assert ours.status == predicted(ours.status, theirs, order.manual, order.shipped), seen
        assert (ours.amount_captured, ours.amount_refunded) == (theirs["captured"], theirs["refunded"]), seen
        assert ours.amount_reserved_for_refund == 0, seen
        assert theirs["refunded"] <= max(order.given_back, 0), seen
        left = self.house.sql(
            "SELECT operation FROM provider_attempts WHERE order_id = %s AND outcome IS NULL", order.id
        )
        assert left == [], (seen, left)
        shelf = self.house.product(order.who.product)
        if ours.status in CALLED_OFF:
            assert shelf["reserved"] == 0, seen
            assert shelf["stock"] in {1, 5}, (seen, shelf)
        if ours.amount_captured:
            assert (shelf["stock"], shelf["reserved"]) == (3, 0), (seen, shelf)
        self.counts.ends[ours.status] += 1

    @property
    def db(self) -> Any:
        return self.house.services.db

    def buy(self, card: str | None, *, manual: bool, stock: int) -> Bought:
        self.count("order")
        who = self.house.customer(stock=stock)
        order_id = self.house.buy(who, capture="manual" if manual else "automatic", payment_method=card)
        made = Bought(order_id, who, manual)
        self.bought.append(made)
        return made

    def count(self, name: str) -> None:
        self.counts.done[name] += 1

    def ask(self, name: str, wish: Callable[[], object]) -> bool:
        """Whether it was taken on: people wish for what cannot be, and are told so."""
        self.count(name)
        try:
            wish()
        except (Rejected, NotYet):
            return False
        return True

    def at_stripe(self, name: str, path: str, **data: Any) -> bool:
        self.count(name)
        try:
            self.house.at_stripe(path, **data)
        except (requests.HTTPError, requests.ConnectionError):
            return False
        return True

    def door(self, name: str, path: str, **body: Any) -> bool:
        self.count(name)
        try:
            self.house.door(path, **body)
        except requests.HTTPError:
            return False
        return True

    def intent(self, order: Bought) -> str:
        """Of an order that has no payment yet, the id of none."""
        rows = self.house.sql("SELECT intent_id FROM payments WHERE order_id = %s ORDER BY id", order.id)
        return rows[0][0] if rows else "pi_none"

    def theirs(self, kind: str, order: Bought) -> list[dict[str, Any]]:
        store = self.house.stripe.account.store
        with self.house.stripe.account.lock:
            intents = [one for one in store.all("payment_intent") if one["metadata"].get("order_id") == order.id]
            if kind == "payment_intent":
                return [dict(one) for one in intents]
            ids = {one["id"] for one in intents}
            return [dict(one) for one in store.all(kind) if one["payment_intent"] in ids]

    def _seen_by_stripe(self, order: Bought) -> dict[str, Any]:
        intents = self.theirs("payment_intent", order)
        # What is let go uncaptured is shown as a refund too, one that moves no money.
        refunds = [one for one in self.theirs("refund", order) if one["balance_transaction"]]
        refunds = [one for one in refunds if one["status"] == "succeeded"]
        return {
            "intents": [one["status"] for one in intents],
            "captured": sum(one["amount_received"] for one in intents),
            "refunded": sum(one["amount"] for one in refunds),
        }

    def later(self) -> None:
        ids = [order.id for order in self.bought]
        for statement in CLOCKS:
            self.house.sql(statement, ids)
        self.house.hurry()
        self.house.bury()

    def stage(self, job: Job) -> None:
        self.house.stage(job, unique_key=job.name)
