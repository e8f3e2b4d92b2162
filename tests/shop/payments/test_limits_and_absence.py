"""What one customer may try, and payments while the customer is not there."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shop.payments.cards import methods
from shop.payments.cards.setup import setup_of
from shop.payments.clocks.guards import DECLINES_OF_ORDER, Guards, TooManyDeclines, TooManyOpenOrders
from shop.payments.clocks.watch import watch
from shop.payments.orders.confirm import ask_confirm
from shop.payments.orders.fact import Fact
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.orders.order import Wish, open_order
from shop.payments.queries import guarding
from shop.payments.queries.orders import clock
from shop.ports.gateway import Decline
from tests.shop.payments.shopkeeper import CUSTOMER, Shop
from tests.shop.payments.test_saved_cards import begin_setup, finish_in_browser, save

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


def open_one(shop: Shop, guards: Guards, customer: str = CUSTOMER) -> Any:
    return open_order(shop.services.db, shop.terms, Wish(customer, "cart_1"), guards)


def test_goods_cannot_be_hoarded_by_opening_orders_without_end(shop: Shop) -> None:
    guards = Guards(open_orders=3)
    first = open_one(shop, guards)
    for _ in range(2):
        open_one(shop, guards)
    with pytest.raises(TooManyOpenOrders):
        open_one(shop, guards)
    open_one(shop, guards, customer="usr_2")
    open_order(shop.services.db, shop.terms, Wish(CUSTOMER, "cart_1"), Guards(open_orders=0))
    shop.work()
    assert shop.read(first.id).status == "rejected", "there was no such cart"
    open_one(shop, guards)


def test_who_tries_many_cards_is_sent_away_for_an_hour(shop: Shop) -> None:
    guards = Guards(declines_an_hour=3)
    order_id = shop.simple_order(payment_method=NO_FUNDS)
    for _ in range(2):
        ask_confirm(shop.services.db, shop.terms, order_id, method=NO_FUNDS, actor=CUSTOMER, guards=guards)
        shop.work()
    shop.read_all_news()
    assert shop.sql("SELECT declined_tries FROM orders") == [(3,)], "each counted once, with its news"
    with pytest.raises(TooManyDeclines):
        ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa", actor=CUSTOMER, guards=guards)
    with pytest.raises(TooManyDeclines):
        open_one(shop, guards)
    shop.sql("UPDATE orders SET updated_at = now() - interval '61 minutes'")
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa", actor=CUSTOMER, guards=guards)
    assert shop.settle(order_id, "paid").amount_captured > 0


def refusals(shop: Shop, order_id: str, count: int, *, ago: timedelta) -> None:
    with shop.services.db.transaction() as tx:
        at = clock(tx) - ago
        wishes = [f"{ago}:{number}" for number in range(count)]
        refused = [
            Fact("confirm.refused", "answer", f"refused:{wish}", at, data={"wish": wish, "code": "no_such_card"})
            for wish in wishes
        ]
        apply(tx, order_id, refused)


def test_old_declines_do_not_count_again_when_something_happens_to_their_order(shop: Shop) -> None:
    guards = Guards(declines_an_hour=3)
    order_id = shop.simple_order()
    refusals(shop, order_id, 3, ago=timedelta(minutes=61))
    assert shop.sql("SELECT declined_tries, updated_at > now() - interval '1 minute' FROM orders") == [(3, True)]
    open_one(shop, guards)
    refusals(shop, order_id, 2, ago=timedelta(minutes=59))
    open_one(shop, guards)
    refusals(shop, order_id, 1, ago=timedelta(minutes=1))
    with pytest.raises(TooManyDeclines):
        open_one(shop, guards)


def test_a_decline_that_is_looked_at_again_counts_from_when_it_was_first_seen(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method=NO_FUNDS)
    shop.read_all_news()
    other = shop.simple_order()
    seen = shop.services.gateway.payment(shop.sql("SELECT intent_id FROM payments WHERE order_id = %s", other)[0][0])
    assert seen is not None
    refused = replace(seen, decline=Decline("insufficient_funds", "no"))
    with shop.services.db.transaction() as tx:
        assert guarding.declines(tx, CUSTOMER) == 1
        at = clock(tx)
        # The same try, first looked at long ago and once more just now; it has no charge of its own.
        looks = {"long ago": at - timedelta(hours=2), "now": at}
        for key, when in looks.items():
            apply(tx, other, [payment_seen(refused, source="sweep", key=key, seen_at=when)])
        assert guarding.declines(tx, CUSTOMER) == 1, f"that of {order_id} alone"


def test_an_order_for_which_cards_are_tried_in_the_browser_is_called_off(shop: Shop) -> None:
    """The browser asks Stripe with the client secret; our own limits never see that."""
    order_id = shop.simple_order()
    for _ in range(DECLINES_OF_ORDER):
        assert shop.pay_in_browser(order_id, NO_FUNDS).status_code == 402
        shop.read_all_news()
    assert shop.read(order_id).status == "payment_failed"
    assert watch(shop.services.db, shop.terms)["card_testers"] == 1
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.status_reason, order.stock) == ("canceled", "too_many_declines", "released")
    assert shop.pay_in_browser(order_id).status_code == 400
    assert watch(shop.services.db, shop.terms)["card_testers"] == 0


def test_a_saved_card_pays_while_its_customer_is_away(shop: Shop) -> None:
    (card,) = save(shop)
    order_id = shop.simple_order()
    ask_confirm(shop.services.db, shop.terms, order_id, method=card.id, actor="usr_9", off_session=True)
    assert shop.settle(order_id, "paid").amount_captured > 0
    asked = [
        request["body"] for request in shop.seen_by_stripe("POST /v1/payment_intents") if "confirm" in request["path"]
    ]
    assert ["off_session=true" in body for body in asked] == [True]


def test_a_bank_that_wants_to_see_an_absent_customer_gets_a_page_and_the_customer_a_mail(shop: Shop) -> None:
    setup_id = begin_setup(shop)
    finish_in_browser(shop, setup_id, "pm_card_authenticationRequired").raise_for_status()
    shop.door(f"3ds/{setup_of(shop.services.db, setup_id).provider_setup_id}", outcome="succeed")
    shop.read_all_news()
    (card,) = methods.saved(shop.services.db, CUSTOMER)
    order_id = shop.simple_order()
    ask_confirm(shop.services.db, shop.terms, order_id, method=card.id, actor=CUSTOMER, off_session=True)
    shop.work()
    shop.read_all_news()
    assert shop.read(order_id).status == "requires_action"
    declined, asked = shop.sql(
        "SELECT outcome, error_code FROM provider_attempts WHERE operation = 'confirm' ORDER BY id"
    )
    assert declined == ("declined", "authentication_required")
    assert asked == ("succeeded", None)
    mails = shop.sql("SELECT args ->> 'kind' FROM jobs WHERE name = 'documents.mail'")
    assert mails == [("authentication_needed",)]
    assert shop.sql("SELECT next_action IS NOT NULL FROM payments") == [(True,)]
    shop.door(f"3ds/{shop.intent(order_id)}", outcome="succeed")
    shop.read_all_news()
    assert shop.settle(order_id, "paid").amount_captured > 0


def test_an_amount_that_no_card_can_be_charged_is_no_order(shop: Shop) -> None:
    shop.stock("prd_1", 5, price=100_05, currency="isk")
    shop.cart("cart_1", ("prd_1", 1), currency="isk")
    order_id = shop.order()
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.rejection_code, order.stock) == ("rejected", "amount_not_payable", "none")


def test_many_buyers_of_the_last_piece_end_in_one_paid_order_and_nobody_charged_in_vain(shop: Shop) -> None:
    shop.stock("prd_1", 1)
    buyers = [f"usr_{number}" for number in range(8)]
    ids: list[str] = []
    for buyer in buyers:
        shop.cart(f"cart_{buyer}", ("prd_1", 1), user=buyer)
        wish = Wish(buyer, f"cart_{buyer}", email=f"{buyer}@example.com", payment_method="pm_card_visa")
        ids.append(open_order(shop.services.db, shop.terms, wish).id)
    runners = [threading.Thread(target=shop.work) for _ in range(4)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    shop.read_all_news()
    ends = sorted((shop.read(order_id).status, shop.read(order_id).rejection_code) for order_id in ids)
    assert ends == [("paid", None)] + [("rejected", "out_of_stock")] * 7
    captured = [intent["amount_received"] for intent in shop.stripe.account.store.all("payment_intent")]
    assert len([amount for amount in captured if amount]) == 1
    assert (shop.product("prd_1")["stock"], shop.product("prd_1")["reserved"]) == (0, 0)
