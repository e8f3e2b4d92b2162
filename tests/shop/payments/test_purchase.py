"""From the cart to the ledger, the straight way."""

from tests.shop.payments.shopkeeper import Shop


def test_an_order_waits_for_payment_with_prices_from_the_product_service(shop: Shop) -> None:
    order_id = shop.simple_order()
    order = shop.read(order_id)
    assert (order.status, order.currency) == ("awaiting_payment", "eur")
    assert (order.subtotal_minor, order.shipping_minor, order.total_minor) == (4000, 490, 4490)
    assert order.tax_minor == 639 + 78  # 19 % within 40.00 and within 4.90
    assert shop.product("prd_1")["reserved"] == 2


def test_a_saved_card_pays_the_order_commits_the_stock_and_clears_the_cart(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    order = shop.read(order_id)
    assert (order.status, order.amount_captured, order.stock) == ("paid", 4490, "committed")
    assert (shop.product("prd_1")["stock"], shop.product("prd_1")["reserved"]) == (3, 0)
    assert not shop.cart_is_there("cart_1")
    assert shop.sql("SELECT args FROM jobs WHERE name = 'documents.invoice'") == [({"order_id": order_id},)]
