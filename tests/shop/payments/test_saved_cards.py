"""Saved cards: saved once, paid with, let go; and the bank may still ask who is there."""

import pytest
import requests

from shop.errors import NotFound
from shop.payments.cards import methods
from shop.payments.cards.cards import SavedCard
from shop.payments.cards.setup import ask_setup, setup_of
from shop.payments.orders.confirm import ask_confirm
from tests.shop.payments.shopkeeper import CUSTOMER, Shop


def begin_setup(shop: Shop, customer: str = CUSTOMER) -> str:
    made = ask_setup(shop.services.db, customer)
    assert made.state == "pending"
    shop.work()
    return made.id


def finish_in_browser(shop: Shop, setup_id: str, method: str) -> requests.Response:
    """Confirm as Stripe.js does: with the client secret, past our server."""
    ready = setup_of(shop.services.db, setup_id)
    return requests.post(
        f"{shop.stripe.url}/v1/setup_intents/{ready.provider_setup_id}/confirm",
        data={"payment_method": method, "client_secret": ready.client_secret, "return_url": "https://shop.example/"},
        headers={"Authorization": "Bearer pk_test_of_the_tests"},
        timeout=5,
    )


def save(shop: Shop, method: str = "pm_card_visa", customer: str = CUSTOMER) -> list[SavedCard]:
    setup_id = begin_setup(shop, customer)
    finish_in_browser(shop, setup_id, method).raise_for_status()
    shop.read_all_news()
    assert setup_of(shop.services.db, setup_id).state == "succeeded"
    return methods.saved(shop.services.db, customer)


def attached_at_stripe(shop: Shop) -> list[str]:
    return [found["id"] for found in shop.stripe.account.store.all("payment_method") if found["customer"]]


def test_a_card_is_saved_once_the_browser_is_done_and_the_first_is_the_default(shop: Shop) -> None:
    setup_id = begin_setup(shop)
    ready = setup_of(shop.services.db, setup_id)
    assert ready.state == "ready"
    assert (ready.client_secret or "").startswith("seti_")
    assert methods.saved(shop.services.db, CUSTOMER) == []
    finish_in_browser(shop, setup_id, "pm_card_visa").raise_for_status()
    shop.read_all_news()
    (card,) = methods.saved(shop.services.db, CUSTOMER)
    assert (card.brand, card.last4, card.is_default) == ("visa", "4242", True)
    assert setup_of(shop.services.db, setup_id).client_secret is None
    both = save(shop, "pm_card_mastercard")
    assert [(card.brand, card.is_default) for card in both] == [("visa", True), ("mastercard", False)]
    assert shop.sql("SELECT count(*) FROM provider_customers") == [(1,)]


def test_an_id_of_any_letters_can_save_a_card(shop: Shop) -> None:
    assert len(save(shop, customer="usr_Żółw 🐢")) == 1


def test_news_of_saved_cards_doubled_and_shuffled_save_one(shop: Shop) -> None:
    shop.door("deliveries", mode="shuffle", **{"for": 8})
    assert len(save(shop)) == 1
    shop.door("deliveries", mode="double", **{"for": 8})
    assert len(save(shop, "pm_card_mastercard")) == 2


def test_lost_news_of_a_saved_card_is_found_by_the_sweep(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 20})
    finish_in_browser(shop, begin_setup(shop), "pm_card_visa").raise_for_status()
    assert methods.saved(shop.services.db, CUSTOMER) == []
    assert shop.sweep()["events_missed"] > 0
    shop.work()
    assert len(methods.saved(shop.services.db, CUSTOMER)) == 1


def test_the_same_card_saved_twice_is_one_card_and_only_one_token_stays_at_the_provider(shop: Shop) -> None:
    (first,) = save(shop)
    (second,) = save(shop)
    assert (second.id, second.is_default) == (first.id, True)
    assert attached_at_stripe(shop) == [second.provider_method_id]
    reasons = shop.sql("SELECT DISTINCT reason FROM webhook_deliveries WHERE reason LIKE 'a duplicate%%'")
    assert len(reasons) == 1


def test_a_card_that_its_bank_refuses_is_not_saved(shop: Shop) -> None:
    setup_id = begin_setup(shop)
    assert finish_in_browser(shop, setup_id, "pm_card_visa_chargeDeclined").status_code == 402
    shop.read_all_news()
    assert methods.saved(shop.services.db, CUSTOMER) == []
    assert setup_of(shop.services.db, setup_id).state == "ready"  # another card can be tried


def test_who_removes_the_default_keeps_a_default_and_the_provider_forgets_the_card(shop: Shop) -> None:
    save(shop)
    save(shop, "pm_card_mastercard")
    visa, _mastercard, amex = sorted(save(shop, "pm_card_amex"), key=lambda card: card.id)
    assert visa.is_default
    methods.remove(shop.services.db, visa.id)
    left = methods.saved(shop.services.db, CUSTOMER)
    assert (left[0].id, left[0].is_default) == (amex.id, True)
    with pytest.raises(NotFound):
        methods.remove(shop.services.db, visa.id)
    assert visa.provider_method_id in attached_at_stripe(shop)
    shop.work()
    shop.read_all_news()
    assert visa.provider_method_id not in attached_at_stripe(shop)
    assert len(methods.saved(shop.services.db, CUSTOMER)) == 2


def test_late_news_of_a_removed_card_does_not_bring_it_back(shop: Shop) -> None:
    finish_in_browser(shop, begin_setup(shop), "pm_card_visa").raise_for_status()
    shop.read_all_news()
    (card,) = methods.saved(shop.services.db, CUSTOMER)
    methods.remove(shop.services.db, card.id)
    shop.sql("UPDATE webhook_deliveries SET state = 'received', settled_at = NULL, received_at = now() - interval '1h'")
    shop.sweep()
    shop.work(only="payments.inbox")
    assert methods.saved(shop.services.db, CUSTOMER) == []


def test_a_card_taken_away_in_the_dashboard_is_gone_here(shop: Shop) -> None:
    (card,) = save(shop)
    requests.post(
        f"{shop.stripe.url}/v1/payment_methods/{card.provider_method_id}/detach",
        headers={"Authorization": "Bearer sk_test_of_the_tests"},
        timeout=5,
    ).raise_for_status()
    shop.read_all_news()
    assert methods.saved(shop.services.db, CUSTOMER) == []


def test_a_default_can_be_chosen(shop: Shop) -> None:
    save(shop)
    cards = save(shop, "pm_card_mastercard")
    chosen = methods.make_default(shop.services.db, cards[1].id)
    assert chosen.is_default
    assert [card.is_default for card in methods.saved(shop.services.db, CUSTOMER)] == [True, False]


def test_a_payment_saves_its_card_when_asked(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa", save_payment_method=True)
    assert shop.settle(order_id, "paid").save_payment_method
    shop.read_all_news()
    (card,) = methods.saved(shop.services.db, CUSTOMER)
    assert (card.last4, card.is_default) == ("4242", True)


def test_a_payment_without_the_wish_saves_nothing(shop: Shop) -> None:
    save(shop, "pm_card_mastercard")
    shop.settle(shop.simple_order(payment_method="pm_card_visa"), "paid")
    shop.read_all_news()
    assert [card.brand for card in methods.saved(shop.services.db, CUSTOMER)] == ["mastercard"]


def test_a_saved_card_pays_an_order_by_its_id_again_and_again(shop: Shop) -> None:
    (card,) = save(shop)
    for _ in range(2):
        shop.settle(shop.simple_order(payment_method=card.id), "paid")
    assert attached_at_stripe(shop) == [card.provider_method_id]


def test_a_card_saved_after_the_payment_was_opened_can_pay_it(shop: Shop) -> None:
    order_id = shop.simple_order()
    (card,) = save(shop)
    ask_confirm(shop.services.db, shop.terms, order_id, method=card.id, actor=CUSTOMER)
    shop.work()
    shop.settle(order_id, "paid")


def test_nobody_pays_with_the_card_of_somebody_else(shop: Shop) -> None:
    (card,) = save(shop, customer="usr_2")
    for method in (card.id, card.provider_method_id):
        order_id = shop.simple_order(payment_method=method)
        shop.work()
        assert shop.read(order_id).status == "payment_failed"
    assert not [charge for charge in shop.stripe.account.store.all("charge") if charge["paid"]]


def test_a_bank_that_wants_to_see_its_customer_is_heard(shop: Shop) -> None:
    setup_id = begin_setup(shop)
    finish_in_browser(shop, setup_id, "pm_card_authenticationRequired").raise_for_status()
    shop.door(f"3ds/{setup_of(shop.services.db, setup_id).provider_setup_id}", outcome="succeed")
    shop.read_all_news()
    (card,) = methods.saved(shop.services.db, CUSTOMER)
    order_id = shop.simple_order()
    ask_confirm(shop.services.db, shop.terms, order_id, method=card.id, actor=CUSTOMER)
    shop.work()
    assert shop.read(order_id).status == "requires_action"
    shop.door(f"3ds/{shop.intent(order_id)}", outcome="succeed")
    shop.settle(order_id, "paid")


@pytest.mark.parametrize("fault", ["timeout_after_work", "reset"])
def test_a_setup_whose_answer_was_lost_is_opened_once(shop: Shop, fault: str) -> None:
    shop.fault("POST /v1/setup_intents", fault, seconds=0)
    setup_id = begin_setup(shop)
    shop.hurry()
    shop.work()
    assert setup_of(shop.services.db, setup_id).state == "ready"
    assert len(shop.stripe.account.store.all("setup_intent")) == len(shop.stripe.account.store.all("customer")) == 1


def test_a_setup_that_the_provider_refuses_says_so(shop: Shop) -> None:
    shop.fault("POST /v1/setup_intents", "status", status=400)
    failed = setup_of(shop.services.db, begin_setup(shop))
    assert (failed.state, failed.error_code) == ("failed", "invalid_request")
