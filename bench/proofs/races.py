"""Two at once, made to happen: something is done at the very moment before or after somebody's call or commit."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from bench.proofs.deaths import BEFORE_CALL
from bench.proofs.house import Customer, House
from bench.proofs.scenarios import TOTAL, VISA, authorised, paid, pay_in_browser, waiting
from db.database import Database, Tx
from shop.errors import Rejected
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.capture import ask_capture
from shop.payments.orders.confirm import ask_confirm
from shop.payments.refunds.refund import RefundWish, ask_refund
from tasks.broker import performers
from tasks.runner import Runner

Race = Callable[[House, Customer], None]

BUYERS = 8
MOST = 2694
"""Sixty per cent of an order: two of them are too much."""

RACES: dict[str, Race] = {}


def race(run: Race) -> Race:
    RACES[run.__name__.removeprefix("_").replace("_", " ")] = run
    return run


class _Meanwhile:
    """A service during whose call `name` something else happens, once."""

    def __init__(self, service: Any, name: str, when: str, do: Callable[[], object]) -> None:
        self._service, self._name, self._when, self._do = service, name, when, do
        self.happened = False

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._service, name)
        if name != self._name:
            return call

        def asked(*args: Any, **named: Any) -> Any:
            if self.happened:
                return call(*args, **named)
            self.happened = True
            if self._when == BEFORE_CALL:
                self._do()
                return call(*args, **named)
            answer = call(*args, **named)
            self._do()
            return answer

        return asked


class _Held(Database):
    """A database whose first transaction that wrote something is held open while something else happens."""

    def __init__(self, house: House, do: Callable[[], object]) -> None:
        super().__init__(house.services.settings.database_url.get_secret_value(), size=2, name="held")
        self._do: Callable[[], object] | None = do

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        with super().transaction() as tx:
            yield tx
            wrote = tx.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()
            if wrote == (True,) and self._do is not None:
                do, self._do = self._do, None
                do()


def during(house: House, job: str, call: str, when: str, do: Callable[[], object]) -> None:
    """Run the waiting job of this kind, and do something in the middle of its call, named like `gateway.capture`."""
    part, _, name = call.partition(".")
    service = _Meanwhile(getattr(house.services, part), name, when, do)
    services = replace(house.services, **{part: cast("Any", service)})
    ((job_id, fence),) = house.sql("SELECT id, fence FROM jobs WHERE name = %s AND state = 'staged'", job)
    Runner(services, "racer", threading.Event()).run(performers[job], job_id, fence)
    assert service.happened, f"{job} did not call {call}"


def both(house: House, first: Callable[[Database], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """`second` begins while `first` holds its transaction open, and is seen to wait for it; answers both ends."""
    with ThreadPoolExecutor(1) as other:
        later: list[Future[Any]] = []

        def begin() -> None:
            later.append(other.submit(_end_of, second))
            while not later[0].done():
                waiting_for = (
                    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if house.sql(waiting_for):
                    return

        held = _Held(house, begin)
        ended = _end_of(lambda: first(held))
        held.close()
        return ended, later[0].result(30)


def _end_of(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Rejected as refused:
        return refused.code


@race
def _many_buyers_of_the_last_piece(house: House, who: Customer) -> None:
    house.stock(who.product, 1)
    orders: list[str] = []
    for number in range(BUYERS):
        buyer = replace(who, cart=f"{who.cart}_{number}")
        house.cart(buyer.cart, (who.product, 1), user=who.id)
        orders.append(house.buy(buyer, payment_method=VISA))
    first = house.sql("SELECT id FROM jobs WHERE args ->> 'order_id' = %s", orders[0])[0][0]
    house.sql("UPDATE jobs SET run_after = now() + interval '1 hour' WHERE id <> %s AND state = 'staged'", first)

    def others() -> None:
        house.sql("UPDATE jobs SET run_after = now() WHERE state = 'staged'")
        house.work()

    service = _Meanwhile(house.services.products, "reserve", BEFORE_CALL, others)
    services = replace(house.services, products=cast("Any", service))
    ((fence,),) = house.sql("SELECT fence FROM jobs WHERE id = %s", first)
    Runner(services, "racer", threading.Event()).run(performers["payments.place"], first, fence)
    house.settle_all()
    statuses = sorted(house.read(order_id).status for order_id in orders)
    assert statuses == ["paid"] + ["rejected"] * (BUYERS - 1), statuses
    assert (house.product(who.product)["stock"], house.product(who.product)["reserved"]) == (0, 0)


@race
def _two_refunds_of_sixty_on_a_hundred(house: House, who: Customer) -> None:
    order_id = paid(house, who)
    wish = RefundWish("a race", TOTAL, amount=MOST)
    ends = both(
        house,
        lambda held: ask_refund(held, order_id, wish, actor="usr_staff"),
        lambda: ask_refund(house.services.db, order_id, wish, actor="usr_other"),
    )
    assert ends[1] in {"refundable_changed", "refund_too_large", "refund_exceeds"}, ends
    house.settle_all()
    order = house.read(order_id)
    assert (order.amount_refunded, order.amount_reserved_for_refund) == (MOST, 0)
    assert _refunds(house, order_id) == [MOST]


@race
def _news_of_a_payment_before_the_order_knows_that_it_has_one(house: House, who: Customer) -> None:
    order_id = house.buy(who)

    def pays() -> None:
        intent = _intents(house, order_id)[0]["id"]
        house.at_stripe(f"payment_intents/{intent}/confirm", payment_method=VISA, return_url="https://shop.example/")
        house.hear()
        house.work()

    during(house, "payments.place", "gateway.create_payment", "after call", pays)
    _paid_once(house, order_id)


@race
def _calling_off_while_the_money_is_taken(house: House, who: Customer) -> None:
    order_id = paid(house, who, but="payments.capture")
    ends: list[Any] = []

    def cancels() -> None:
        ends.append(_end_of(lambda: ask_cancel(house.services.db, order_id, reason="customer", actor=who.id)))

    during(house, "payments.capture", "gateway.capture_payment", BEFORE_CALL, cancels)
    assert ends == ["already_captured"]
    _paid_once(house, order_id)


@race
def _paying_while_the_order_is_called_off(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    ask_cancel(house.services.db, order_id, reason="customer", actor=who.id)

    def pays() -> None:
        pay_in_browser(house, order_id)
        house.hear()
        house.work()

    during(house, "payments.cancel", "gateway.cancel_payment", BEFORE_CALL, pays)
    house.settle_all()
    assert house.read(order_id).status == "canceled"
    assert [intent["amount_received"] for intent in _intents(house, order_id)] == [0]
    assert (house.product(who.product)["stock"], house.product(who.product)["reserved"]) == (5, 0)


@race
def _voided_elsewhere_between_the_goods_and_the_money(house: House, who: Customer) -> None:
    order_id = paid(house, who, but="payments.capture")
    during(
        house,
        "payments.capture",
        "products.commit",
        "after call",
        lambda: house.at_stripe(f"payment_intents/{house.intent(order_id)}/cancel"),
    )
    house.settle_all()
    assert house.read(order_id).status == "canceled"
    assert house.product(who.product)["stock"] == 5


@race
def _two_tries_to_pay_at_once(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    terms, db = house.terms, house.services.db
    ends = both(
        house,
        lambda held: ask_confirm(held, terms, order_id, method=VISA, actor=who.id),
        lambda: ask_confirm(db, terms, order_id, method="pm_card_mastercard", actor=who.id),
    )
    assert ends[1] == "payment_in_progress", ends
    _twice_at_once(house, "payments.confirm", "gateway.confirm_payment")
    _paid_once(house, order_id)


@race
def _two_captures_at_once(house: House, who: Customer) -> None:
    order_id = authorised(house, who)
    db = house.services.db
    ends = both(
        house,
        lambda held: ask_capture(held, order_id, amount=None, actor="usr_staff"),
        lambda: ask_capture(db, order_id, amount=1000, actor="usr_other"),
    )
    assert ends[1] == "already_captured", ends
    _twice_at_once(house, "payments.capture", "gateway.capture_payment")
    _paid_once(house, order_id)


@race
def _news_of_a_refund_before_its_own_answer(house: House, who: Customer) -> None:
    order_id = paid(house, who)
    house.never_hear()
    ask_refund(house.services.db, order_id, RefundWish("a race", TOTAL, amount=2000), actor="usr_staff")

    def hears() -> None:
        house.hear()
        house.work(but="payments.refund")

    during(house, "payments.refund", "gateway.refund_payment", "after call", hears)
    house.settle_all()
    assert house.read(order_id).amount_refunded == 2000
    assert house.sql("SELECT origin, amount_minor FROM refunds WHERE order_id = %s", order_id) == [("shop", 2000)]
    assert _refunds(house, order_id) == [2000]
    notes = "SELECT count(*) FROM effects WHERE order_id = %s AND kind = 'credit_note'"
    assert house.sql(notes, order_id) == [(1,)]


@race
def _a_cart_that_two_clear_at_once(house: House, who: Customer) -> None:
    order_id = paid(house, who, but="payments.clear")
    _twice_at_once(house, "payments.clear", "carts.clear")
    house.settle_all()
    assert not house.cart_is_there(who.cart)
    assert house.sql("SELECT count(*) FROM effects WHERE order_id = %s AND kind = 'cart_clear'", order_id) == [(1,)]


def _twice_at_once(house: House, job: str, call: str) -> None:
    """The same job runs a second time, from beginning to end, just before the first one's call."""
    ((args,),) = house.sql("SELECT args FROM jobs WHERE name = %s AND state = 'staged'", job)

    def again() -> None:
        performers[job].door(house.services, cast("Any", None), **args)

    during(house, job, call, BEFORE_CALL, again)


def _paid_once(house: House, order_id: str) -> None:
    house.settle_all()
    order = house.read(order_id)
    assert (order.status, order.amount_captured) == ("paid", TOTAL), order.status
    assert [intent["amount_received"] for intent in _intents(house, order_id)] == [TOTAL]
    booked = "SELECT count(*) FROM ledger_entries WHERE order_id = %s AND kind = 'capture'"
    assert house.sql(booked, order_id) == [(1,)]


def _intents(house: House, order_id: str) -> list[dict[str, Any]]:
    with house.stripe.account.lock:
        found = house.stripe.account.store.all("payment_intent")
        return [dict(one) for one in found if one["metadata"].get("order_id") == order_id]


def _refunds(house: House, order_id: str) -> list[int]:
    ids = {intent["id"] for intent in _intents(house, order_id)}
    with house.stripe.account.lock:
        return [one["amount"] for one in house.stripe.account.store.all("refund") if one["payment_intent"] in ids]
