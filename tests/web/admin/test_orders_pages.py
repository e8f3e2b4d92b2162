"""Orders in the admin pages: found, refunded in two steps, called off; nothing happens twice, nothing is markup."""

from collections.abc import Callable

from tests.shop.payments.shopkeeper import Shop
from tests.web.admin.conftest import Browser
from tests.web.admin.page import Page

Desk = Callable[..., Browser]


def paid_order(shop: Shop) -> str:
    """Two pieces of one product and shipping: 44.90."""
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    return order_id


def test_support_sees_what_a_refund_leaves_before_it_is_given(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = paid_order(open_shop), at_the_desk("usr_7", "support")
    path = f"/admin/orders/{order_id}/refund"
    page = desk.page(f"/admin/orders/{order_id}")
    (line,) = [name for name in page.form(path) if name.startswith("quantity-")]
    typed = {"how": "lines", line: "1", "shipping": "0.90", "reason": "one was broken"}
    seen = desk.send(page, path, **typed)
    assert seen.status_code == 200
    facts = Page(seen.text).facts()
    assert (facts["Given back"], facts["Can be refunded now"]) == ("€20.90", "€44.90")
    assert (facts["Can be refunded then"], facts["Shipping in it"]) == ("€24.00", "€0.90")
    assert "Nothing is given back yet" in seen.text
    assert open_shop.read(order_id).refundable == 4490


def test_sending_the_form_twice_gives_the_money_back_once(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = paid_order(open_shop), at_the_desk("usr_7", "support")
    path = f"/admin/orders/{order_id}/refund"
    typed = {"how": "amount", "amount": "12,50", "reason": "late", "restock": ""}
    review = desk.send(desk.page(f"/admin/orders/{order_id}"), path, **typed)
    sent = Page(review.text).form(path)
    assert (sent["agreed"], sent["amount"], sent["reason"]) == ("yes", "12,50", "late")
    for _ in range(2):
        assert desk.post(path, **sent).status_code == 303
    open_shop.settle(order_id, "partially_refunded")
    refunds = open_shop.sql("SELECT amount_minor, status, requested_by FROM refunds")
    assert refunds == [(1250, "succeeded", "usr_7")]
    page = desk.page(f"/admin/orders/{order_id}")
    assert "partially refunded" in page.text
    assert "€32.40" in page.text


def test_who_comes_second_is_told_and_gives_nothing_back(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk, other = paid_order(open_shop), at_the_desk("usr_7", "support"), at_the_desk("usr_8", "support")
    path = f"/admin/orders/{order_id}/refund"
    typed = {"how": "all", "reason": "sorry"}
    first, second = (
        Page(who.send(who.page(f"/admin/orders/{order_id}"), path, **typed).text).form(path) for who in (desk, other)
    )
    assert desk.post(path, **first).status_code == 303
    refused = other.post(path, **second)
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert open_shop.sql("SELECT count(*) FROM refunds") == [(1,)]


def test_what_was_typed_wrong_stands_beside_its_field_and_the_rest_is_kept(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = paid_order(open_shop), at_the_desk("usr_7", "support")
    path = f"/admin/orders/{order_id}/refund"
    for amount in ("twelve", "12.505", "-1", "NaN", "1e3000", "999999"):
        answer = desk.send(
            desk.page(f"/admin/orders/{order_id}"), path, how="amount", amount=amount, reason="<b>kept</b>"
        )
        assert answer.status_code == 422, amount
        assert "&lt;b&gt;kept&lt;/b&gt;" in answer.text
        assert f'value="{amount}"' in answer.text
    nothing_ticked = desk.send(desk.page(f"/admin/orders/{order_id}"), path, how="lines", reason="x")
    assert nothing_ticked.status_code == 422
    assert open_shop.sql("SELECT count(*) FROM refunds") == [(0,)]


def test_a_large_refund_of_support_waits_for_an_admin_who_is_somebody_else(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id = paid_order(open_shop)
    settings = open_shop.services.settings
    object.__setattr__(settings, "refund_approval_from_minor", 2000)
    desk, admin = at_the_desk("usr_7", "support"), at_the_desk("usr_9", "admin")
    path = f"/admin/orders/{order_id}/refund"
    review = desk.send(desk.page(f"/admin/orders/{order_id}"), path, how="all", reason="lost by the carrier")
    assert "waits until an admin agrees" in review.text
    desk.post(path, **Page(review.text).form(path))
    (refund_id,) = open_shop.sql("SELECT id FROM refunds WHERE status = 'requested'")[0]
    assert "An admin decides" in desk.page("/admin/refunds").text
    waiting = admin.page("/admin/refunds")
    assert "lost by the carrier" in waiting.text
    home = admin.page("/admin")
    assert "/admin/refunds" in home.links
    done = admin.send(waiting, f"/admin/refunds/{refund_id}/decline", reason="")
    assert "problem" in admin.follow(done).html
    assert open_shop.sql("SELECT status FROM refunds") == [("requested",)]
    done = admin.send(waiting, f"/admin/refunds/{refund_id}/approve", reason="seen the letter")
    assert "The money goes out now" in admin.follow(done).text
    assert open_shop.sql("SELECT approved_by FROM refunds") == [("usr_9",)]
    open_shop.settle(order_id, "refunded")


def test_a_name_that_is_a_script_is_only_ever_a_name(open_shop: Shop, at_the_desk: Desk) -> None:
    name = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    open_shop.stock("prd_1", 5, name=name)
    open_shop.cart("cart_1", ("prd_1", 1))
    order_id = open_shop.order(
        payment_method="pm_card_visa",
        shipping_address={"name": '"><script>x</script>', "line1": "1 Main St", "city": "Berlin", "country": "DE"},
    )
    open_shop.settle(order_id, "paid")
    desk = at_the_desk("usr_7", "support")
    for path in (
        f"/admin/orders/{order_id}",
        "/admin/orders",
        "/admin",
        "/admin/orders?find=%3Cscript%3Ex%3C/script%3E",
    ):
        page = desk.page(path)
        assert page.faults() == [], path
        assert [one.get("src")[:14] for one in page.all("script")] == ["/admin/static/"], path
    assert name in desk.page(f"/admin/orders/{order_id}").text


def test_orders_are_found_by_number_customer_state_and_day(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = paid_order(open_shop), at_the_desk("usr_7", "support")
    (number,) = open_shop.sql("SELECT number FROM orders")[0]
    (today,) = open_shop.sql("SELECT (created_at AT TIME ZONE 'Europe/Berlin')::date::text FROM orders")[0]
    link = f"/admin/orders/{order_id}"
    for query in (f"find={number}", "find=usr_1", "status=paid", f"from={today}&to={today}", "from=nonsense"):
        assert link in desk.page(f"/admin/orders?{query}").links, query
    for query in ("find=usr_2", "status=refunded", f"to={today[:4]}-01-01", "doubt=1", "expiring=1"):
        page = desk.page(f"/admin/orders?{query}")
        assert link not in page.links, query
        assert "No order is like that" in page.text
    assert number in desk.page(f"/admin/orders?find={order_id}").all("h1")[0].text


def test_an_admin_takes_authorised_money_and_support_cannot(open_shop: Shop, at_the_desk: Desk) -> None:
    object.__setattr__(open_shop.services.settings, "capture", "manual")
    order_id = open_shop.simple_order(payment_method="pm_card_visa")
    open_shop.settle(order_id, "authorized")
    support, admin = at_the_desk("usr_7", "support"), at_the_desk("usr_9", "admin")
    path = f"/admin/orders/{order_id}/capture"
    assert all(form.get("action") != path for form in support.page(f"/admin/orders/{order_id}").all("form"))
    assert support.post(path, mark=support.mark, key="k").status_code == 403
    answer = admin.send(admin.page(f"/admin/orders/{order_id}"), path, take="40.00")
    assert "being taken" in admin.follow(answer).text
    open_shop.settle(order_id, "paid")
    assert open_shop.read(order_id).amount_captured == 4000


def test_an_unpaid_order_is_called_off(open_shop: Shop, at_the_desk: Desk) -> None:
    order_id, desk = open_shop.simple_order(), at_the_desk("usr_7", "support")
    answer = desk.send(desk.page(f"/admin/orders/{order_id}"), f"/admin/orders/{order_id}/cancel")
    assert "called off" in desk.follow(answer).text
    open_shop.settle(order_id, "canceled")
