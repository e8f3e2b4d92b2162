"""Large refunds need a second person; lines, shipping and rounding; what is reserved meanwhile."""

import threading
from typing import Any

import pytest

from shop.payments.errors import DisputeOpen, OwnRequest, RefundableChanged, RefundTooLarge, WrongState
from shop.payments.read import requested_refunds, timeline, verify
from shop.payments.refunds.approving import approve_refund, decline_refund
from shop.payments.refunds.refund import LineWish, RefundWish, ask_refund
from shop.payments.rows import LineLeft, Refund
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.test_disputes import decide, open_dispute
from tests.shop.payments.test_refunds import paid

FROM = 2000


def ask(shop: Shop, order_id: str, amount: int | None, *, actor: str = "usr_support", **more: Any) -> Refund:
    seen = shop.read(order_id).refundable
    wish = RefundWish("broken on arrival", seen, amount, **more)
    return ask_refund(shop.services.db, order_id, wish, actor=actor, approval_from_minor=FROM)


def status_of(shop: Shop, refund: Refund) -> str:
    return shop.sql("SELECT status FROM refunds WHERE id = %s", refund.id)[0][0]


def test_a_large_refund_waits_with_its_amount_reserved_until_an_admin_approves(shop: Shop) -> None:
    order_id = paid(shop)
    refund = ask(shop, order_id, FROM)
    shop.work()
    assert refund.status == "requested"
    assert shop.seen_by_stripe("POST /v1/refunds") == []
    order = shop.read(order_id)
    assert (order.amount_reserved_for_refund, order.refundable) == (FROM, 4490 - FROM)
    assert [view.refund.id for view in requested_refunds(shop.services.db, before_id=None, limit=5)] == [refund.id]
    after = approve_refund(shop.services.db, refund.id, actor="usr_admin", reason="seen the photos")
    assert (after.status, after.approved_by, after.decision_reason) == ("pending", "usr_admin", "seen the photos")
    approve_refund(shop.services.db, refund.id, actor="usr_admin")
    shop.work()
    assert status_of(shop, refund) == "succeeded"
    assert len(shop.stripe.account.store.all("refund")) == 1
    assert requested_refunds(shop.services.db, before_id=None, limit=5) == []
    told = {(moment.what, moment.detail.get("actor")) for moment in timeline(shop.services.db, order_id)}
    assert {("refund.asked", "usr_support"), ("refund.approved", "usr_admin")} <= told


def test_a_smaller_one_goes_straight_out_and_the_rule_may_be_off(shop: Shop) -> None:
    order_id = paid(shop)
    assert ask(shop, order_id, FROM - 1).status == "pending"
    wish = RefundWish("all of it", shop.read(order_id).refundable)
    assert ask_refund(shop.services.db, order_id, wish, actor="usr_support").status == "pending"


def test_a_large_refund_cannot_be_cut_into_small_ones(shop: Shop) -> None:
    order_id = paid(shop)
    assert ask(shop, order_id, FROM - 1).status == "pending"
    assert ask(shop, order_id, 1).status == "requested"
    assert ask(shop, order_id, 1, actor="usr_colleague").status == "pending"


def test_who_asked_cannot_decide_and_what_is_decided_stays(shop: Shop) -> None:
    refund = ask(shop, paid(shop), FROM)
    db = shop.services.db
    for decide_it in (approve_refund, decline_refund):
        with pytest.raises(OwnRequest):
            decide_it(db, refund.id, actor="usr_support", reason="mine")
    assert decline_refund(db, refund.id, actor="usr_admin", reason="used up").status == "declined"
    assert shop.read(refund.order_id).refundable == 4490
    with pytest.raises(WrongState):
        approve_refund(db, refund.id, actor="usr_other")
    shop.work()
    assert shop.seen_by_stripe("POST /v1/refunds") == []


def test_two_admins_at_once_decide_once(shop: Shop) -> None:
    refund = ask(shop, paid(shop), FROM)
    outcomes: list[str] = []

    def act(number: int) -> None:
        try:
            if number % 2:
                approve_refund(shop.services.db, refund.id, actor=f"usr_admin_{number}")
            else:
                decline_refund(shop.services.db, refund.id, actor=f"usr_admin_{number}", reason="no")
            outcomes.append("decided")
        except WrongState:
            outcomes.append("too late")

    admins = [threading.Thread(target=act, args=(number,)) for number in range(6)]
    for admin in admins:
        admin.start()
    for admin in admins:
        admin.join()
    assert sorted(outcomes) == ["decided"] + ["too late"] * 5


def test_a_dispute_stops_the_approval_and_a_refund_that_was_not_sent_yet(shop: Shop) -> None:
    order_id = paid(shop)
    waiting = ask(shop, order_id, FROM)
    unsent = ask(shop, order_id, 100, actor="usr_colleague")
    shop.sql("UPDATE jobs SET run_after = now() + interval '1 hour' WHERE name = 'payments.refund'")
    provider_id = open_dispute(shop, order_id)
    with pytest.raises(DisputeOpen):
        approve_refund(shop.services.db, waiting.id, actor="usr_admin")
    shop.hurry()
    shop.work()
    assert shop.seen_by_stripe("POST /v1/refunds") == []
    assert shop.sql("SELECT status, failure_code FROM refunds WHERE id = %s", unsent.id) == [("failed", "dispute_open")]
    decide(shop, provider_id, "won")
    assert approve_refund(shop.services.db, waiting.id, actor="usr_admin").status == "pending"


def test_a_request_that_fits_no_longer_is_off_and_holds_up_no_news(shop: Shop) -> None:
    """Somebody refunded all of it in the provider's dashboard while the request waited."""
    order_id = paid(shop)
    refund = ask(shop, order_id, FROM)
    shop.services.gateway.refund_payment(
        shop.intent(order_id), amount=4490, order_id=order_id, refund_id="dashboard", key="dashboard"
    )
    for made in shop.stripe.account.store.all("refund"):
        made["metadata"] = {}
    shop.settle(order_id, "refunded")
    assert shop.sql("SELECT status, failure_code FROM refunds WHERE id = %s", refund.id) == [
        ("failed", "no_longer_refundable")
    ]
    with pytest.raises(WrongState):
        approve_refund(shop.services.db, refund.id, actor="usr_admin")
    assert verify(shop.services.db).faults == ()


def test_lines_and_shipping_are_priced_and_no_piece_or_cent_of_them_goes_twice(shop: Shop) -> None:
    order_id = paid(shop)
    (line,) = shop.sql("SELECT id FROM order_lines")[0]
    db = shop.services.db

    def wish(**more: Any) -> Refund:
        made = RefundWish("test", shop.read(order_id).refundable, **more)
        return ask_refund(db, order_id, made, actor="usr_support")

    first = wish(lines=(LineWish(line, 1),), shipping=90)
    assert (first.amount_minor, first.shipping_minor) == (2090, 90)
    with pytest.raises(RefundTooLarge):
        wish(lines=(LineWish(line, 2),))
    with pytest.raises(RefundTooLarge):
        wish(shipping=401)
    assert wish(shipping=400).amount_minor == 400
    rest = wish()
    assert (rest.amount_minor, rest.shipping_minor) == (2000, 0)
    shop.work()
    assert shop.read(order_id).status == "refunded"


@pytest.mark.parametrize("gross", [999, 1000, 1001])
def test_the_pieces_of_a_line_add_up_to_its_price_however_they_are_refunded(gross: int) -> None:
    given, pieces = 0, 0
    for step in (1, 2, 1, 3):
        price = LineLeft("lin", 7, gross, pieces, given).price_of(step)
        assert abs(price - gross * step / 7) <= 1
        given, pieces = given + price, pieces + step
    assert given == gross


def test_what_the_caller_expects_must_be_what_is_left(shop: Shop) -> None:
    order_id = paid(shop)
    with pytest.raises(RefundableChanged):
        ask_refund(shop.services.db, order_id, RefundWish("x", 4489, 100), actor="usr_support")


def test_goods_that_came_back_are_not_put_on_the_shelf_again_with_the_next_refund(shop: Shop) -> None:
    """The first refund bounced after its goods were back; refunding once more returns money, no second lamp."""
    order_id = paid(shop)
    first = ask_refund(shop.services.db, order_id, RefundWish("back", 4490, restock=True), actor="usr_support")
    shop.work()
    assert shop.product("prd_1")["stock"] == 5
    (theirs,) = shop.sql("SELECT provider_refund_id FROM refunds")[0]
    shop.door(f"refunds/{theirs}", outcome="fail")
    shop.settle(order_id, "paid")
    assert status_of(shop, first) == "failed"
    ask_refund(shop.services.db, order_id, RefundWish("again", 4490, restock=True), actor="usr_support")
    shop.work()
    assert shop.read(order_id).status == "refunded"
    assert shop.product("prd_1")["stock"] == 5
    notes = [moment.what for moment in timeline(shop.services.db, order_id) if moment.kind == "note"]
    assert notes == ["goods.stay_returned"]
    effects = {moment.what for moment in timeline(shop.services.db, order_id) if moment.kind == "effect"}
    assert {"restock", "debit_note", "mail_refund_failed"} <= effects
