"""An order's history reads like one: sentences in the order of cause and effect."""

from boot.commands import orders as command
from shop.payments import read
from shop.payments.orders.confirm import ask_confirm
from shop.payments.refunds.refunding import RefundWish, ask_refund
from tests.shop.payments.shopkeeper import CUSTOMER, Shop


def story(shop: Shop, order_id: str) -> list[str]:
    return [moment.sentence for moment in read.timeline(shop.services.db, order_id)]


def in_order(told: list[str], *sentences: str) -> None:
    """Each of these begins a line of the story, one after the other."""
    place = -1
    for sentence in sentences:
        found = [number for number, line in enumerate(told) if number > place and line.startswith(sentence)]
        assert found, f"{sentence!r} is not told, or too early:\n" + "\n".join(told)
        place = found[0]


def test_a_purchase_after_a_decline_with_a_refund_is_told_in_its_order(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa", actor=CUSTOMER)
    shop.settle(order_id, "paid")
    shop.read_all_news()
    ask_refund(
        shop.services.db, order_id, RefundWish("part", shop.read(order_id).refundable, amount=1000), actor="usr_9"
    )
    shop.work()
    shop.read_all_news()
    told = story(shop, order_id)
    in_order(
        told,
        "A customer (usr_1) placed the order.",
        "Prices were taken and frozen: 44.90 EUR in all.",
        "The goods were set aside.",
        "A try to pay was asked for (usr_1). The order went from awaiting_payment to processing.",
        "A try to pay was asked for (usr_1). The order went from payment_failed to processing.",
        "Stripe answered that",
        "The goods are the customer's.",
        "A refund of 10.00 EUR was asked for (usr_9).",
    )
    assert "We asked Stripe to try the card: the bank said no (insufficient_funds)." in told
    assert any("the last try was declined: insufficient_funds" in line for line in told)
    assert "Booked as capture: customer -44.90 EUR, stripe +44.90 EUR." in told
    assert any(line.startswith("Stripe told us of payment_intent.succeeded, signed with secret") for line in told)
    assert not any("{" in line or "None" in line for line in told), told


def test_what_nobody_knows_and_what_ran_out_is_told(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})
    shop.fault("POST /v1/payment_intents/*/capture", "timeout_after_work", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    told = story(shop, order_id)
    assert any("We asked Stripe to capture the money: nobody knows since" in line for line in told), told
    assert command.order.__doc__ is not None
