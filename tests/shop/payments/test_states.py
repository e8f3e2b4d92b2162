"""The graph of states: what it says is what the fold does, every state has a way out, and the documentation shows it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from boot.commands import states as command
from scheduler.timetable import TIMETABLE
from shop.payments.orders import diagram
from shop.payments.orders.fold import Fact, fold
from shop.payments.orders.moves import CALLED_OFF, FINAL, MOVES, STATUSES, SWEPT, TAKEN, reachable
from tests.rules.source import ROOT
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.test_fold import DECLINE, START, said, seen

Step = Callable[[int, str, list[str]], Fact | None]
"""Given the minute, the order's status and the wishes to pay that are not decided; None where it could not be."""

TRYING = {"awaiting_payment", "requires_action", "processing", "payment_failed"}


def look(status: str, **more: object) -> Step:
    return lambda minute, _now, _wishes: seen(minute, status, method="pm_1", **more)


def tell(kind: str, *when: str, **data: object) -> Step:
    return lambda minute, now, _wishes: said(minute, kind, **data) if now in when else None


def asked(minute: int, now: str, wishes: list[str]) -> Fact | None:
    made = replace(said(minute, "confirm.asked", wish=f"w{minute}"), subject="pi_1")
    return made if now in TRYING - {"processing"} and not wishes else None


def refused(minute: int, _now: str, wishes: list[str]) -> Fact | None:
    return said(minute, "confirm.refused", wish=wishes[0], code="no_such_card") if wishes else None


def decided(status: str, **more: object) -> Step:
    return lambda minute, _now, wishes: seen(minute, status, wish=wishes[0], method="pm_1", **more) if wishes else None


def lapsed(minute: int, now: str, _wishes: list[str]) -> Fact | None:
    made = replace(said(minute, "action.lapsed", method="pm_1"), subject="pi_1")
    return made if now == "requires_action" else None


def refund(status: str, amount: int, number: str) -> Step:
    data = {"refund": number, "payment": "pi_1", "status": status, "failure_code": None}

    def made(minute: int, now: str, _wishes: list[str]) -> Fact | None:
        key, at = f"{number}:{minute}", START + timedelta(minutes=minute)
        return (
            Fact("refund.seen", "delivery", key, at, f"re_{number}", amount, "eur", data=data) if now in TAKEN else None
        )

    return made


STEPS: list[Step] = [
    look("requires_payment_method"), look("requires_payment_method", decline=DECLINE), look("requires_action"),
    look("processing"), look("requires_capture", capturable=1000), look("succeeded", captured=1000), look("canceled"),
    decided("requires_payment_method", decline=DECLINE), decided("requires_action"), decided("processing"),
    decided("requires_payment_method"), decided("requires_capture", capturable=1000),
    tell("capture.asked", "authorized"), tell("stock.lost", "capturing"), tell("stock.committed", "capturing"),
    tell("cancel.asked", *TRYING, wish="c1", reason="unpaid"),
    tell("cancel.asked", *TRYING, "authorized", wish="c2", reason="customer"),
    tell("order.rejected", "placing", code="out_of_stock", detail="gone"),
    asked, asked, refused, lapsed,
    refund("succeeded", 400, "r1"), refund("failed", 400, "r1"), refund("succeeded", 600, "r2"),
    refund("failed", 600, "r2"), refund("succeeded", 1000, "r3"), refund("failed", 1000, "r3"),
]  # fmt: skip


def cause_of(fact: Fact, state: str) -> str:
    """The words of the graph for a fact: what was seen stands behind its kind."""
    if fact.kind == "payment.seen":
        declined = state == "payment_failed" and fact.data["status"] == "requires_payment_method"
        return f"payment.seen {'declined' if declined else fact.data['status']}"
    return f"{fact.kind} {fact.data['status']}" if fact.kind == "refund.seen" else fact.kind


def steps(walks: int) -> Iterator[tuple[str, str, str]]:
    """`(before, after, cause)` of every change of state on random walks, which end where the product refuses."""
    dice = random.Random(20261123)
    for _ in range(walks):
        facts, status = [said(0, "order.opened")], "placing"
        for minute in range(1, 40):
            fact = dice.choice(STEPS)(minute, status, _undecided(facts))
            if fact is None:
                continue
            after = fold([*facts, fact])
            if not reachable(status, after.status) or after.refunded > after.captured:
                break
            facts.append(fact)
            if after.status != status:
                yield status, after.status, cause_of(fact, after.status)
            status = after.status


def _undecided(facts: list[Fact]) -> list[str]:
    wishes = [fact.data["wish"] for fact in facts if fact.kind == "confirm.asked"]
    decided = {fact.data.get("wish") for fact in facts if fact.kind in {"payment.seen", "confirm.refused"}}
    return [wish for wish in wishes if wish not in decided]


def test_the_graph_names_every_fact_that_causes_a_step_and_no_other() -> None:
    drawn = {(move.before, move.after): set(move.causes) for move in MOVES}
    found: dict[tuple[str, str], set[str]] = {}
    for before, after, cause in steps(12_000):
        if (before, after) in drawn:
            found.setdefault((before, after), set()).add(cause)
    assert found == drawn


def test_every_state_that_is_not_final_has_a_way_out_and_a_sweep_that_takes_it() -> None:
    ends = CALLED_OFF | TAKEN
    assert set(SWEPT) == set(STATUSES) - ends
    assert FINAL == CALLED_OFF
    at_the_clock = {entry.job.name for entry in TIMETABLE}
    for status, sentence in SWEPT.items():
        assert any(reachable(status, end) for end in ends), status
        jobs = {word.strip(",;:") for word in sentence.split() if word.startswith("payments.")}
        assert jobs, sentence
        assert jobs <= at_the_clock, sentence


def test_the_documentation_shows_the_graph_as_it_is() -> None:
    """`backroom states --write docs` mends it."""
    assert (ROOT / "docs" / "states.md").read_text(encoding="utf-8") == diagram.page()
    assert (ROOT / "docs" / "images" / "states.svg").read_text(encoding="utf-8") == diagram.picture()
    assert command.states.__doc__ is not None


def test_each_step_of_a_real_order_is_kept_with_the_fact_that_caused_it(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    told = shop.sql(
        "SELECT before, after, kind FROM order_moves JOIN transactions USING (order_id, seq) WHERE order_id = %s"
        " ORDER BY seq",
        order_id,
    )
    assert told == [
        ("placing", "awaiting_payment", "payment.seen"),
        ("awaiting_payment", "processing", "confirm.asked"),
        ("processing", "authorized", "payment.seen"),
        ("authorized", "capturing", "capture.asked"),
        ("capturing", "paid", "payment.seen"),
    ]
