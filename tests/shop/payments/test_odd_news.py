"""Odd but signed: whatever Stripe's signature vouches for is taken with 200, kept, and never stops a job."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.strays import deliver

EVENT: dict[str, Any] = {
    "id": "evt_odd",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "livemode": False,
    "api_version": "2026-10-28.endive",
    "data": {"object": {"id": "pi_unknown", "object": "payment_intent"}},
}

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    st.sampled_from(["", "\x00", "\ud800", "x" * 100_000, "../../v1/charges", "pi_unknown?expand[]=customer", "%00"]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)

TYPES = st.sampled_from(
    [
        "payment_intent.succeeded",
        "payment_intent.teleported",
        "charge.refunded",
        "charge.dispute.created",
        "refund.updated",
        "setup_intent.succeeded",
        "payment_method.attached",
        "invoice.paid",
        "v2.core.event",
    ]
)


@st.composite
def odd_events(draw: st.DrawFn) -> Any:
    """An event with some of its fields gone, and some turned into something else."""
    event = {**EVENT, "type": draw(TYPES)}
    thing: dict[str, Any] = {"id": "pi_unknown", "object": draw(st.sampled_from(["payment_intent", "charge", "card"]))}
    for name in draw(st.lists(st.sampled_from([*EVENT, "account"]), max_size=3)):
        if draw(st.booleans()):
            event.pop(name, None)
        else:
            event[name] = draw(ODD)
    for name in draw(st.lists(st.sampled_from(["id", "object", "payment_intent", "status"]), max_size=3)):
        thing[name] = draw(ODD)
    if isinstance(event.get("data"), dict) and draw(st.integers(0, 4)):
        event["data"] = {"object": thing}
    return event if draw(st.integers(0, 9)) else draw(ODD)


@given(st.lists(odd_events(), min_size=8, max_size=8))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_but_signed_news_are_taken_kept_and_settled_or_parked(shop: Shop, odd: list[Any]) -> None:
    for event in odd:
        assert deliver(shop, json.dumps(event)).status_code == 200
    shop.work()
    assert shop.sql("SELECT name, error FROM jobs WHERE state <> 'done'") == []
    assert shop.sql("SELECT id FROM webhook_deliveries WHERE state = 'received'") == []
    assert (
        shop.sql("SELECT id FROM webhook_deliveries WHERE state IN ('ignored', 'parked', 'orphan') AND reason IS NULL")
        == []
    )


@pytest.mark.parametrize(
    ("more", "state", "reason"),
    [
        ({"livemode": True}, "ignored", "foreign: it is of live mode, our key of test mode"),
        ({"account": "acct_other"}, "ignored", "foreign: it is of the connected account acct_other"),
        ({"type": "invoice.paid"}, "ignored", "not a kind of news that changes an order"),
        ({"type": None}, "ignored", "not a kind of news that changes an order"),
        ({"data": {}}, "orphan", "malformed: it names no object"),
        ({"data": None, "type": "product.created"}, "ignored", "malformed: it names no object"),
        ({"data": {"object": {"id": None, "object": "charge"}}}, "orphan", "malformed: it names no object"),
        ({"data": {"object": {"id": "x" * 5000, "object": "charge"}}}, "orphan", "malformed: it names no object"),
        ({"type": "payment_intent.teleported"}, "parked", "the provider does not know the object"),
        ({"id": None}, "parked", "the provider does not know the object"),
        ({"created": "yesterday"}, "parked", "the provider does not know the object"),
        ({"created": 10**20}, "parked", "the provider does not know the object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_oddity_is_settled_with_its_reason(shop: Shop, more: dict[str, Any], state: str, reason: str) -> None:
    assert deliver(shop, json.dumps(EVENT | more)).status_code == 200
    assert deliver(shop, json.dumps(EVENT | more)).status_code == 200
    shop.work()
    assert shop.sql("SELECT state, reason, repeats FROM webhook_deliveries") == [(state, reason, 1)]


def test_a_signed_body_that_is_no_json_is_kept_once_and_put_aside(shop: Shop) -> None:
    for _ in range(2):
        assert deliver(shop, "{ this is no JSON").status_code == 200
    rows = shop.sql("SELECT state, reason, body, repeats FROM webhook_deliveries")
    assert rows == [("ignored", "malformed: it is no JSON", "{ this is no JSON", 1)]


def test_an_object_with_a_status_nobody_knows_is_parked_and_the_order_stays_as_it_is(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent = shop.intent(order_id)
    shop.read_all_news()
    shop.stripe.account.store.get("payment_intent", intent)["status"] = "teleporting"
    event = EVENT | {"data": {"object": {"id": intent, "object": "payment_intent"}}}
    assert deliver(shop, json.dumps(event)).status_code == 200
    shop.work()
    (row,) = shop.sql("SELECT state, reason FROM webhook_deliveries WHERE event_id = 'evt_odd'")
    assert row[0] == "parked"
    assert "teleporting" in row[1]
    assert shop.read(order_id).status == "awaiting_payment"


def test_news_in_another_version_are_noticed_and_applied_all_the_same(shop: Shop) -> None:
    order_id = shop.simple_order()
    shop.door("deliveries", mode="drop", **{"for": 100})
    shop.pay_in_browser(order_id)
    old = {"id": shop.intent(order_id), "object": "payment_intent", "charges": {"data": []}, "status": "ancient"}
    event = EVENT | {"api_version": "2019-02-19", "data": {"object": old}}
    assert deliver(shop, json.dumps(event)).status_code == 200
    shop.settle(order_id, "paid")
    assert shop.sql("SELECT state, api_version FROM webhook_deliveries WHERE event_id = 'evt_odd'") == [
        ("applied", "2019-02-19")
    ]
    assert shop.sql("SELECT sum(count) FROM webhook_tallies WHERE kind = 'version' AND name = '2019-02-19'") == [(1,)]
