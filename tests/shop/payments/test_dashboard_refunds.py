"""Refunds that nobody asked us for: made in the provider's dashboard, taken over once, with paper and mail."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import requests

from shop.payments.news import inbox
from shop.payments.orders.fold import fold
from shop.payments.queries import facts as log
from shop.payments.read import verify
from shop.payments.settlement.settle import settle
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.test_evidence import work_off
from tests.shop.payments.test_refunds import paid

HEADERS = {"Authorization": "Bearer sk_test_of_the_tests"}


def refund_in_dashboard(shop: Shop, order_id: str, amount: int) -> str:
    asked = {"payment_intent": shop.intent(order_id), "amount": amount}
    answer = requests.post(f"{shop.stripe.url}/v1/refunds", data=asked, headers=HEADERS, timeout=5)
    answer.raise_for_status()
    return answer.json()["id"]


def test_it_is_taken_over_once_with_credit_note_and_mail(shop: Shop) -> None:
    order_id = paid(shop)
    work_off(shop, "documents.invoice")
    theirs = refund_in_dashboard(shop, order_id, 1000)
    shop.settle(order_id, "partially_refunded")
    shop.read_all_news()
    assert shop.sql("SELECT provider_refund_id, origin, amount_minor, status FROM refunds") == [
        (theirs, "provider", 1000, "succeeded")
    ]
    work_off(shop, "documents.credit")
    assert shop.sql("SELECT total_minor FROM credit_notes") == [(1000,)]
    assert shop.sql("SELECT count(*) FROM jobs WHERE name = 'documents.mail' AND args ->> 'kind' = 'refund_done'") == [
        (1,)
    ]
    assert verify(shop.services.db).faults == ()


def test_news_that_name_only_the_charge_find_every_refund_of_it(shop: Shop) -> None:
    order_id = paid(shop)
    shop.read_all_news()
    shop.door("deliveries", mode="drop", **{"for": 100})
    for amount in (1000, 500):
        refund_in_dashboard(shop, order_id, amount)
    # Of all news only that of the charge is read, which says nothing of which refund.
    shop.sweep()
    shop.sql("UPDATE webhook_deliveries SET state = 'ignored', reason = 'test' WHERE state = 'received'"
             " AND type <> 'charge.refunded'")  # fmt: skip
    shop.work()
    assert shop.sql("SELECT amount_minor FROM refunds ORDER BY 1") == [(500,), (1000,)]
    assert shop.read(order_id).amount_refunded == 1500


def test_refunds_of_another_program_that_names_them_alike_are_each_taken_over(shop: Shop) -> None:
    order_id = paid(shop)
    for amount in (1000, 500):
        asked = {"payment_intent": shop.intent(order_id), "amount": amount, "metadata[refund_id]": "case 17"}
        requests.post(f"{shop.stripe.url}/v1/refunds", data=asked, headers=HEADERS, timeout=5).raise_for_status()
    shop.read_all_news()
    assert shop.sql("SELECT amount_minor, origin FROM refunds ORDER BY 1") == [(500, "provider"), (1000, "provider")]
    assert shop.read(order_id).amount_refunded == 1500
    # The entries of both are found again by the movements of Stripe's balance.
    settle(shop.services.db, shop.services.settlements)
    assert shop.sql("SELECT count(*) FROM provider_movements WHERE matched_at IS NULL") == [(0,)]


def test_two_news_of_it_at_the_very_same_moment_take_it_over_once(shop: Shop) -> None:
    order_id = paid(shop)
    shop.read_all_news()
    refund_in_dashboard(shop, order_id, 1000)
    shop.door("deliveries", mode="normal")
    waiting: list[tuple[str]] = []
    while len(waiting) < 2:
        waiting = shop.sql("SELECT id FROM webhook_deliveries WHERE state = 'received'")
    with ThreadPoolExecutor(8) as readers:
        ids = [delivery_id for (delivery_id,) in waiting] * 4
        outcomes = list(readers.map(lambda each: inbox.inbox(shop.services.db, shop.services.gateway, each), ids))
    assert "applied" in outcomes
    assert shop.sql("SELECT count(*) FROM refunds") == [(1,)]
    assert shop.read(order_id).amount_refunded == 1000
    assert shop.sql("SELECT count(*) FROM effects WHERE kind = 'credit_note'") == [(1,)]
    shop.read_all_news()
    assert verify(shop.services.db).faults == ()


def test_success_and_failure_of_a_refund_end_the_same_whichever_is_learnt_first(shop: Shop) -> None:
    order_id = paid(shop)
    theirs = refund_in_dashboard(shop, order_id, 1000)
    shop.settle(order_id, "partially_refunded")
    shop.door(f"refunds/{theirs}", outcome="fail")
    shop.settle(order_id, "paid")
    with shop.services.db.transaction() as tx:
        facts = log.facts_of(tx, order_id)
    looks = {fact.data["status"]: fact for fact in facts if fact.kind == "refund.seen"}
    others = [fact for fact in facts if fact.kind != "refund.seen"]
    assert set(looks) == {"succeeded", "failed"}
    early, late = looks["succeeded"], looks["failed"]
    swapped = [replace(early, seen_at=late.seen_at), replace(late, seen_at=early.seen_at)]
    for pair in ([early, late], [late, early], swapped, swapped[::-1]):
        state = fold([*others, *pair])
        assert (state.refunded, state.reserved, state.status) == (0, 0, "paid")
        assert [found.status for found in state.refunds] == ["failed"]
