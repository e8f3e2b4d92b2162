"""Tax from the cart to the books: the rate of the country and the category, and refunds that take their own."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from boot.house import seller
from shop.documents.credit import credit
from shop.documents.invoice import invoice
from shop.documents.proof import verify_numbers
from shop.documents.queries.issue import credit_note_of_refund, invoices_of_order
from shop.payments import read
from shop.payments.refunds.refunding import LineWish, RefundWish, ask_refund
from tests.shop.payments.shopkeeper import Shop

RATES = "DE:standard=19, DE:books=7, FR:standard=20, US:standard=0"


def with_rates(shop: Shop, **changes: Any) -> None:
    """Two rates; a lamp for 40.00 and a book for 10.70."""
    settings = shop.services.settings.model_copy(
        update={"tax_rates": RATES, "free_shipping_from_minor": 100_000, **changes}
    )
    shop.services = replace(shop.services, settings=settings)
    shop.stock("lamp", 9, price=4000, category="Home > Lamps")
    shop.stock("book", 9, price=1070, category="Media > Books")
    shop.cart("cart_1", ("lamp", 1), ("book", 2))


def bought(shop: Shop, **wish: Any) -> str:
    order_id = shop.order(payment_method="pm_card_visa", **wish)
    shop.work()
    assert shop.settle(order_id, "paid").status == "paid"
    return order_id


def booked(shop: Shop, kind: str) -> list[tuple[Any, ...]]:
    return shop.sql(
        "SELECT rate_percent, country, gross_minor, tax_minor FROM booked_taxes WHERE cause LIKE %s"
        " ORDER BY rate_percent DESC",
        f"{kind}:%",
    )


def tax_in_the_ledger(shop: Shop) -> int:
    return shop.sql("SELECT coalesce(sum(amount_minor), 0)::int FROM ledger_lines WHERE account = 'tax'")[0][0]


def test_an_order_of_two_rates_is_taxed_booked_and_invoiced_by_rate(shop: Shop) -> None:
    with_rates(shop)
    order_id = bought(shop, shipping_address={"country": "DE"})
    view = read.order_view(shop.services.db, order_id)
    # 4.90 shipping is spread over 40.00 and 21.40: 3.19 and 1.71.
    lines = [(tax.rate_percent, tax.part.gross_minor, tax.tax_minor) for tax in view.taxes]
    assert lines == [(Decimal(19), 4319, 690), (Decimal(7), 2311, 151)]
    assert view.order.tax_minor == 841 == -tax_in_the_ledger(shop)
    assert booked(shop, "sale") == [(Decimal(19), "DE", 4319, 690), (Decimal(7), "DE", 2311, 151)]
    assert [(line.category, line.tax_rate_percent) for line in view.lines] == [
        ("Home > Lamps", Decimal(19)),
        ("Media > Books", Decimal(7)),
    ]
    services = shop.services
    invoice(services.db, seller(services.settings), order_id)
    with services.db.transaction() as tx:
        (issued,) = invoices_of_order(tx, order_id)
    assert [(tax["rate"], tax["gross_minor"], tax["tax_minor"]) for tax in issued.snapshot["taxes"]] == [
        ("19", 4319, 690),
        ("7", 2311, 151),
    ]
    assert verify_numbers(services.db, redraw=True).sound


@pytest.mark.parametrize(("country", "tax"), [("FR", 1105), ("us", 0), ("CH", 841), (None, 841)])
def test_the_country_of_the_parcel_decides(shop: Shop, country: str | None, tax: int) -> None:
    with_rates(shop)
    order_id = shop.order(shipping_address={"country": country} if country else None)
    shop.work()
    assert shop.read(order_id).tax_minor == tax


def test_a_refund_of_books_gives_back_the_tax_of_books_and_all_of_it_all_tax(shop: Shop) -> None:
    with_rates(shop)
    order_id = bought(shop)
    view = read.order_view(shop.services.db, order_id)
    book = next(line for line in view.lines if line.product_id == "book")
    wish = RefundWish(reason="sent back", expected_refundable=6630, lines=(LineWish(book.id, 2),))
    refund = ask_refund(shop.services.db, order_id, wish, actor="usr_9")
    shop.work()
    assert booked(shop, "credit") == [(Decimal(7), "DE", -2140, -140)]
    services = shop.services
    credit(services.db, seller(services.settings), refund.id)
    with services.db.transaction() as tx:
        note = credit_note_of_refund(tx, refund.id)
    assert note is not None
    assert (note.total_minor, note.tax_minor) == (2140, 140)
    assert [line["rate"] for line in note.snapshot["lines"]] == ["7"]
    ask_refund(services.db, order_id, RefundWish(reason="rest", expected_refundable=4490), actor="usr_9")
    shop.work()
    assert shop.read(order_id).status == "refunded"
    assert tax_in_the_ledger(shop) == 0
    assert shop.sql("SELECT sum(gross_minor)::int, sum(tax_minor)::int FROM booked_taxes") == [(0, 0)]


def test_where_prices_are_without_tax_it_is_added_and_charged(shop: Shop) -> None:
    with_rates(shop, tax_included=False)
    order_id = bought(shop)
    order = shop.read(order_id)
    # 43.19 at 19 % and 23.11 at 7 %.
    assert (order.subtotal_minor, order.shipping_minor, order.tax_minor) == (6140, 490, 821 + 162)
    assert order.total_minor == order.amount_captured == 6140 + 490 + 983
    books = dict(shop.sql("SELECT account, sum(amount_minor)::int FROM ledger_lines GROUP BY account"))
    assert (books["sales"], books["shipping"], books["tax"]) == (-6140, -490, -983)
    services = shop.services
    invoice(services.db, seller(services.settings), order_id)
    with services.db.transaction() as tx:
        (issued,) = invoices_of_order(tx, order_id)
    said = issued.snapshot
    assert said["prices"] == "net"
    assert sum(line["total_minor"] for line in said["lines"]) == said["net_minor"] == 6630
    lamp = next(line for line in read.order_view(services.db, order_id).lines if line.product_id == "lamp")
    wish = RefundWish(reason="back", expected_refundable=order.total_minor, lines=(LineWish(lamp.id, 1),))
    refund = ask_refund(services.db, order_id, wish, actor="usr_9")
    assert refund.amount_minor == 4000 + 760
    shop.work()
    assert booked(shop, "credit") == [(Decimal(19), "DE", -4760, -760)]


def test_the_frozen_tax_of_an_order_cannot_be_changed(shop: Shop) -> None:
    with_rates(shop)
    bought(shop)
    for table in ("order_taxes", "booked_taxes"):
        with pytest.raises(Exception, match="append-only"):
            shop.sql(f"UPDATE {table} SET tax_minor = 0")


def test_an_order_of_before_there_were_tax_lines_is_captured_refunded_and_documented(shop: Shop) -> None:
    shop.stock("prd_1", 5)
    shop.cart("cart_1", ("prd_1", 2))
    order_id = shop.order()
    shop.work()
    for table in ("order_taxes", "order_lines"):
        shop.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    shop.sql("DELETE FROM order_taxes")
    shop.sql("UPDATE order_lines SET tax_rate_percent = NULL, tax_minor = NULL, category = NULL")
    shop.pay_in_browser(order_id)
    shop.settle(order_id, "paid")
    assert booked(shop, "sale") == [(Decimal(19), "ZZ", 4490, 717)]
    services = shop.services
    invoice(services.db, seller(services.settings), order_id)
    refund = ask_refund(services.db, order_id, RefundWish(reason="all", expected_refundable=4490), actor="usr_9")
    shop.work()
    credit(services.db, seller(services.settings), refund.id)
    assert tax_in_the_ledger(shop) == 0
    assert verify_numbers(services.db).sound
