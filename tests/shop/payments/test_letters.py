"""Which mails an order causes: what no screen has told, once."""

import pytest

from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.confirm import ask_confirm
from tests.shop.payments.shopkeeper import Shop


def letters(shop: Shop) -> list[str]:
    return [kind for (kind,) in shop.sql("SELECT args ->> 'kind' FROM jobs WHERE name = 'documents.mail' ORDER BY id")]


def test_an_order_that_is_called_off_is_told_of_once(shop: Shop) -> None:
    order_id = shop.simple_order()
    ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")
    shop.settle(order_id, "canceled")
    shop.read_all_news()
    assert letters(shop) == ["order_canceled"]
    assert shop.sql("SELECT count(*) FROM effects WHERE kind = 'mail_order_canceled'") == [(1,)]


def test_an_order_that_expired_unpaid_is_told_of(shop: Shop) -> None:
    order_id = shop.simple_order()
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 minute'")
    shop.sweep()
    shop.settle(order_id, "expired")
    assert letters(shop) == ["order_canceled"]


def test_an_order_rejected_before_the_customers_eyes_causes_no_mail(shop: Shop) -> None:
    order_id = shop.order("cart_nowhere")
    shop.work()
    assert (shop.read(order_id).status, letters(shop)) == ("rejected", [])


def test_a_decline_on_the_screen_causes_no_mail(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa_chargeDeclined")
    shop.read_all_news()
    assert (shop.read(order_id).status, letters(shop)) == ("payment_failed", [])


@pytest.mark.parametrize("times", [1, 2])
def test_a_decline_that_came_after_the_bank_had_thought_about_it_is_mailed_once(shop: Shop, times: int) -> None:
    order_id = shop.simple_order()
    for _ in range(times):
        shop.door("next-payment", status="processing")
        ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa", actor="usr_1")
        shop.settle(order_id, "processing")
        shop.read_all_news()
        shop.door(f"payments/{shop.intent(order_id)}", outcome="fail")
        shop.settle(order_id, "payment_failed")
    assert letters(shop) == ["order_received", "payment_failed"]


def test_a_decline_of_a_try_that_lay_for_a_while_is_mailed(shop: Shop) -> None:
    order_id = shop.simple_order()
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa_chargeDeclined", actor="usr_1")
    with_an_old_wish(shop)
    shop.settle(order_id, "payment_failed")
    assert letters(shop) == ["payment_failed"]


def with_an_old_wish(shop: Shop) -> None:
    """As when the workers were away for ten minutes; the log itself cannot be changed, so its guard is lifted."""
    shop.sql("ALTER TABLE transactions DISABLE TRIGGER transactions_append_only")
    shop.sql("UPDATE transactions SET seen_at = seen_at - interval '10 minutes' WHERE kind = 'confirm.asked'")
    shop.sql("ALTER TABLE transactions ENABLE TRIGGER transactions_append_only")
