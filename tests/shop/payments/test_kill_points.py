"""A worker dies before and after every single call that leaves the process; the next one comes to the same end."""

from dataclasses import replace
from typing import Any

import pytest

from shop.payments.refund import RefundWish, ask_refund
from tests.shop.payments.shopkeeper import Shop

CALLS = 10
"""What a purchase and its refund ask of the outside: see `test_the_matrix_covers_every_call`."""


class Killed(BaseException):
    """Not an Exception: nothing below the runner may catch it, as nothing catches SIGKILL."""


class Reaper:
    """Counts calls to the outside; at one of them the worker is gone."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.calls, self.struck = at, after, 0, False

    def around(self, service: Any) -> Any:
        return Mortal(service, self)


class Mortal:
    def __init__(self, service: Any, reaper: Reaper) -> None:
        self._service, self._reaper = service, reaper

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._service, name)

        def asked(*args: Any, **named: Any) -> Any:
            self._reaper.calls += 1
            mine = self._reaper.calls == self._reaper.at and not self._reaper.struck
            if mine and not self._reaper.after:
                self._reaper.struck = True
                raise Killed
            answer = call(*args, **named)
            if mine:
                self._reaper.struck = True
                raise Killed
            return answer

        return asked


def mortal(shop: Shop, reaper: Reaper) -> Shop:
    services = shop.services
    return replace(
        shop,
        services=replace(
            services,
            gateway=reaper.around(services.gateway),
            products=reaper.around(services.products),
            carts=reaper.around(services.carts),
        ),
    )


def work_through_death(shop: Shop) -> None:
    """The runner keeps an account of anything raised; what a job had begun is left exactly where the process died."""
    for _ in range(3):
        shop.work()
        shop.hurry()


def buy_and_refund(shop: Shop, number: int) -> str:
    shop.stock(f"prd_{number}", 5)
    shop.cart(f"cart_{number}", (f"prd_{number}", 2))
    order_id = shop.order(f"cart_{number}", payment_method="pm_card_visa")
    work_through_death(shop)
    assert shop.read(order_id).status == "paid"
    wish = RefundWish("test", 4490, amount=2000, restock=True)
    ask_refund(shop.services.db, order_id, wish, actor="usr_9")
    work_through_death(shop)
    return order_id


def check(shop: Shop, order_id: str, number: int) -> None:
    order = shop.read(order_id)
    assert (order.status, order.amount_captured, order.amount_refunded) == ("partially_refunded", 4490, 2000)
    product = shop.product(f"prd_{number}")
    assert (product["stock"], product["reserved"]) == (5, 0)
    assert not shop.cart_is_there(f"cart_{number}")
    store = shop.stripe.account.store
    intents = [intent for intent in store.all("payment_intent") if intent["metadata"]["order_id"] == order_id]
    assert [intent["amount_received"] for intent in intents] == [4490]
    refunds = [refund for refund in store.all("refund") if refund["payment_intent"] == intents[0]["id"]]
    assert [refund["amount"] for refund in refunds] == [2000]
    jobs = shop.sql("SELECT name, count(*) FROM jobs WHERE queue = 'documents' GROUP BY name ORDER BY name")
    assert jobs == [("documents.credit", 1), ("documents.invoice", 1)]
    assert shop.sql("SELECT sum(amount_minor) FROM ledger_lines WHERE account = 'customer'") == [(0,)]


def test_the_matrix_covers_every_call(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})
    reaper = Reaper(0, after=False)
    buy_and_refund(mortal(shop, reaper), 0)
    assert reaper.calls == CALLS


@pytest.mark.parametrize("at", range(1, CALLS + 1))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_a_call_changes_nothing_about_the_end(shop: Shop, at: int, after: bool) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})
    reaper = Reaper(at, after=after)
    order_id = buy_and_refund(mortal(shop, reaper), at)
    assert reaper.struck
    check(shop, order_id, at)
