"""Disputes, Stripe's news, reconciliation and ledger in the admin pages."""

from collections.abc import Callable

from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.strays import orphan, states
from tests.shop.payments.test_reconcile_books import age, compare, foreign_charge
from tests.web.admin.conftest import Browser
from tests.web.admin.test_orders_pages import paid_order

Desk = Callable[..., Browser]


def test_a_dispute_shows_its_deadline_and_takes_what_is_known_of_the_parcel(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = paid_order(open_shop), at_the_desk("usr_7", "support")
    (charge,) = open_shop.sql("SELECT charge_id FROM payments")[0]
    open_shop.door("disputes", charge=charge, reason="product_not_received")
    open_shop.read_all_news()
    (dispute_id,) = open_shop.sql("SELECT id FROM disputes")[0]
    path = f"/admin/disputes/{dispute_id}"
    assert path in desk.page("/admin/disputes?status=needs_response").links
    assert "Disputes wait for an answer" in desk.page("/admin").text
    order = desk.page(f"/admin/orders/{order_id}")
    assert path in order.links
    assert f"/admin/orders/{order_id}/refund" not in {form.get("action") for form in order.all("form")}
    page = desk.page(path)
    assert "Unanswered, it is lost" in page.text
    wrong = desk.send(page, f"{path}/evidence", carrier="DHL", shipped_on="yesterday")
    assert wrong.status_code == 422
    assert 'aria-invalid="true"' in wrong.text
    answer = desk.send(page, f"{path}/evidence", note="It was signed for.", carrier="DHL", shipped_on="2026-11-20")
    assert "being drawn" in desk.follow(answer).text
    asked = open_shop.sql("SELECT requested_by, note, shipping, submit FROM evidence_packets")
    assert asked == [("usr_7", "It was signed for.", {"carrier": "DHL", "shipped_on": "2026-11-20"}, False)]


def test_an_admin_adopts_a_payment_that_nobody_could_place(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = open_shop.simple_order(), at_the_desk("usr_9", "admin")
    intent, delivery_id = orphan(open_shop)
    path = f"/admin/deliveries/{delivery_id}"
    page = desk.page(path)
    assert path in desk.page("/admin/deliveries?state=orphan").links
    assert "payment_intent" in "".join(one.text for one in page.all("pre"))
    wrong = desk.send(page, f"{path}/adopt", order_id="ord_none", reason="why not")
    assert wrong.status_code == 422
    assert states(open_shop, intent) == {"orphan"}
    answer = desk.send(page, f"{path}/adopt", order_id=order_id, reason="paid by telephone")
    after = desk.follow(answer)
    assert "paid by telephone" in after.text
    open_shop.settle(order_id, "paid")


def test_what_support_may_and_may_not_do_about_a_delivery(open_shop: Shop, at_the_desk: Desk) -> None:
    intent, delivery_id = orphan(open_shop)
    support, admin = at_the_desk("usr_7", "support"), at_the_desk("usr_9", "admin")
    path = f"/admin/deliveries/{delivery_id}"
    seen = support.page(path)
    assert [form.get("action") for form in seen.all("form") if form.get("action").startswith(path)] == [f"{path}/retry"]
    assert not seen.all("pre")
    empty = admin.send(admin.page(path), f"{path}/dismiss", reason="")
    assert empty.status_code == 422
    assert states(open_shop, intent) == {"orphan"}
    done = admin.follow(admin.send(admin.page(path), f"{path}/dismiss", reason="a test of the terminal"))
    assert "a test of the terminal" in done.text
    assert states(open_shop, intent) == {"dismissed"}


def test_a_difference_is_decided_with_a_reason_and_the_next_comparison_knows_it(
    open_shop: Shop, at_the_desk: Desk
) -> None:
    foreign_charge(open_shop)
    compare(open_shop)
    age(open_shop)
    desk = at_the_desk("usr_9", "admin")
    found = desk.follow(desk.send(desk.page("/admin/reconciliations"), "/admin/reconciliations"))
    (reconciliation_id,) = open_shop.sql("SELECT max(id) FROM reconciliations")[0]
    path = f"/admin/reconciliations/{reconciliation_id}"
    open_ones = [form.get("action") for form in found.all("form") if form.get("action").startswith(path)]
    assert open_ones
    assert "Differences are unexplained" in desk.page("/admin").text
    short = desk.send(found, open_ones[0], decision="accept", reason="no")
    assert short.status_code == 422
    for action in open_ones:
        desk.follow(desk.send(found, action, decision="accept", reason="taken by hand at the fair"))
    again = desk.follow(desk.send(desk.page("/admin/reconciliations"), "/admin/reconciliations"))
    assert "Nothing is unexplained" in again.text
    assert "Differences are unexplained" not in desk.page("/admin").text


def test_the_books_are_proven_and_a_changed_line_is_named(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = paid_order(open_shop), at_the_desk("usr_9", "admin")
    ledger = desk.page("/admin/ledger")
    assert "Captured, held by Stripe for us" in ledger.text
    assert f"/admin/orders/{order_id}" in desk.page(f"/admin/ledger/entries?order={order_id}").links
    proven = desk.follow(desk.send(ledger, "/admin/ledger/proofs"))
    assert "every hash is as it was written" in proven.text
    assert "every hash is as it was written" in desk.page("/admin/ledger/verify").text
    open_shop.sql(
        "SET session_replication_role = replica; UPDATE ledger_lines SET amount_minor = amount_minor + 1"
        " WHERE entry_id = (SELECT min(id) FROM ledger_entries)"
    )
    broken = desk.page("/admin/ledger/verify")
    assert "not as it was written" in broken.text
    assert broken.faults() == []
