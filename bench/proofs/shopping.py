"""A shop driven at random by customers, clerks, banks, lost news, dead workers and the clock, in any order."""

from collections.abc import Callable
from typing import Any, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test

from bench.proofs.deaths import live
from bench.proofs.house import House
from bench.proofs.model import Bought, Steps, Watched
from bench.proofs.scenarios import VISA
from shop import jobs
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.capture import ask_capture
from shop.payments.orders.confirm import ask_confirm
from shop.payments.refunds.refund import RefundWish, ask_refund

CARDS = (VISA, VISA, "pm_card_mastercard", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required", "pm_nobody_has")

SWEPT_JOBS = frozenset(
    {
        "payments.place",
        "payments.confirm",
        "payments.capture",
        "payments.cancel",
        "payments.refund",
        "payments.inbox",
        "payments.release",
    }
)
"""A job of these may die for good: the sweep stages it again from what it was about."""

MOST_ORDERS = 4
"""In one shop: more would only be shallower stories."""


def prove(
    open_house: Callable[[], House], *, runs: int, steps: int, derandomize: bool = False, shrink: bool = False
) -> Steps:
    """Raises AssertionError with the steps after which something is not as it should be, the fewest with `shrink`."""
    counts = Steps()

    def machine() -> RuleBasedStateMachine:
        counts.runs += 1
        return Shopping(open_house(), counts)

    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", machine),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=derandomize,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
        ),
    )
    return counts


class Shopping(Watched):
    """Every rule may be tried at any time; what cannot be is refused, and that is a step as well."""

    orders: Bundle[Bought] = Bundle("orders")

    @initialize(target=orders, card=st.sampled_from((None, *CARDS)), manual=st.booleans())
    def first_order(self, card: str | None, manual: bool) -> Any:
        return self.buy(card, manual=manual, stock=5)

    @rule(
        target=orders, card=st.sampled_from((None, *CARDS)), manual=st.booleans(), stock=st.sampled_from((5, 5, 5, 1))
    )
    def order(self, card: str | None, manual: bool, stock: int) -> Any:
        return self.buy(card, manual=manual, stock=stock) if len(self.bought) < MOST_ORDERS else multiple()

    @rule(order=orders, card=st.sampled_from(CARDS))
    def pay_here(self, order: Bought, card: str) -> None:
        self.ask("pay here", lambda: ask_confirm(self.db, self.house.terms, order.id, method=card, actor=order.who.id))

    @rule(order=orders, card=st.sampled_from(CARDS))
    def pay_in_browser(self, order: Bought, card: str) -> None:
        data = {"payment_method": card, "return_url": "https://shop.example/"}
        self.at_stripe("pay in the browser", f"payment_intents/{self.intent(order)}/confirm", **data)

    @rule(order=orders, outcome=st.sampled_from(("succeed", "fail")))
    def answer_the_bank(self, order: Bought, outcome: str) -> None:
        self.door("answer the bank", f"3ds/{self.intent(order)}", outcome=outcome)

    @rule(order=orders, amount=st.sampled_from((None, 1500, 3000, 4490)))
    def ship(self, order: Bought, amount: int | None) -> None:
        if self.ask("ship", lambda: ask_capture(self.db, order.id, amount=amount, actor="usr_staff")):
            order.shipped = amount or 4490

    @rule(order=orders, amount=st.sampled_from((1, 490, 2000, 4490)))
    def refund(self, order: Bought, amount: int) -> None:
        wish = RefundWish("a model", self.house.read(order.id).refundable, amount=amount)
        if self.ask("refund", lambda: ask_refund(self.db, order.id, wish, actor="usr_staff")):
            order.given_back += amount

    @rule(order=orders)
    def refund_in_the_dashboard(self, order: Bought) -> None:
        if self.at_stripe("refund in the dashboard", "refunds", payment_intent=self.intent(order), amount=490):
            order.given_back += 490

    @rule(order=orders)
    def bounce_a_refund(self, order: Bought) -> None:
        for refund in self.theirs("refund", order)[-1:]:
            if self.door("bounce a refund", f"refunds/{refund['id']}", outcome="fail"):
                order.given_back -= refund["amount"]

    @rule(order=orders, reason=st.sampled_from(("fraudulent", "inquiry")))
    def dispute(self, order: Bought, reason: str) -> None:
        for charge in self.theirs("charge", order)[-1:]:
            self.door("dispute", "disputes", charge=charge["id"], reason=reason)

    @rule(order=orders, outcome=st.sampled_from(("won", "lost", "needs_response", "under_review")))
    def decide_a_dispute(self, order: Bought, outcome: str) -> None:
        for dispute in self.theirs("dispute", order)[:1]:
            self.door("decide a dispute", f"disputes/{dispute['id']}", outcome=outcome)

    @rule(order=orders)
    def call_off(self, order: Bought) -> None:
        self.ask("call off", lambda: ask_cancel(self.db, order.id, reason="customer", actor=order.who.id))

    @rule(order=orders)
    def let_time_run_out(self, order: Bought) -> None:
        self.count("let time run out")
        self.house.sql("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = %s", order.id)

    @rule(count=st.integers(1, 6))
    def work(self, count: int) -> None:
        self.count("work")
        self.house.work(times=count)

    @rule(backwards=st.booleans(), twice=st.booleans())
    def hear(self, backwards: bool, twice: bool) -> None:
        self.count("hear")
        news = self.house.news()
        for event in (news[::-1] if backwards else news) * (2 if twice else 1):
            self.house.hear(event)

    @rule()
    def lose_news(self) -> None:
        self.count("lose news")
        self.house.heard |= {event["id"] for event in self.house.news()}

    @rule(at=st.integers(0, 24))
    def kill_a_worker(self, at: int) -> None:
        rows = self.house.sql(
            "SELECT name, id, fence FROM jobs WHERE state = 'staged' AND queue = 'payments' AND run_after <= now()"
            " ORDER BY rank_at, id LIMIT 1"
        )
        for row in rows:
            self.count("kill a worker")
            live(self.house.services.settings, *row, die_at=at)

    @rule()
    def lose_a_job(self) -> None:
        rows = self.house.sql(
            "UPDATE jobs SET state = 'dead', error_kind = 'poison', finished_at = now() WHERE id = (SELECT id FROM jobs"
            " WHERE state = 'staged' AND name = ANY(%s) ORDER BY id LIMIT 1) RETURNING id",
            list(SWEPT_JOBS),
        )
        if rows:
            self.count("lose a job")

    @rule(
        match=st.sampled_from(("", "/*/confirm", "/*/capture", "/*/cancel")),
        kind=st.sampled_from(("timeout_after_work", "reset")),
    )
    def break_the_line(self, match: str, kind: str) -> None:
        self.count("break the line")
        more: dict[str, Any] = {} if kind == "reset" else {"seconds": 0}
        self.house.fault(f"POST /v1/payment_intents{match}", kind, **more)

    @rule()
    def wait_an_hour(self) -> None:
        self.count("wait an hour")
        self.later()

    @rule()
    def sweep(self) -> None:
        self.count("sweep")
        self.stage(jobs.SWEEP_PAYMENTS)
