"""Webhooks: signed, in order, tried again, and as unruly as the doors order."""

import json
import time

import pytest
import requests
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import SECRET, Receiver, authorised, door, sdk, wait_until
from tests.devstack.stripe.sdk_shapes import faults

PAYMENT = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.amount_capturable_updated",
    "charge.captured",
    "payment_intent.succeeded",
]


def pay(served: Running, key: str = "capture-7") -> stripe.PaymentIntent:
    client = sdk(served)
    return client.v1.payment_intents.capture(authorised(client).id, {}, {"idempotency_key": key})


def attempts(served: Running) -> list[dict[str, object]]:
    return requests.get(f"{served.url}/standin/deliveries", timeout=5).json()["data"]


def test_deliveries_are_signed_in_order_and_of_the_shape_of_the_sdk(listening: Running, receiver: Receiver):
    pay(listening)
    received = receiver.wait_for(5)
    assert receiver.types() == PAYMENT
    for delivery in received:
        event = stripe.Webhook.construct_event(delivery.payload, delivery.signature, SECRET)
        assert event.id == delivery.event["id"]
        assert faults(delivery.event) == []
        assert delivery.event["pending_webhooks"] == 1
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(received[0].payload, received[0].signature, "whsec_other")


def test_an_event_names_the_request_that_caused_it(listening: Running, receiver: Receiver):
    intent = pay(listening)
    event = receiver.wait_for(5)[-1].event
    assert event["request"]["idempotency_key"] == "capture-7"
    assert event["request"]["id"] == intent.last_response.request_id
    assert event["api_version"] == stripe.api_version
    assert isinstance(event["created"], int)


def test_a_delivered_event_has_no_pending_webhooks_any_more(listening: Running, receiver: Receiver):
    pay(listening)
    receiver.wait_for(5)
    client = sdk(listening)
    wait_until(lambda: len(client.v1.events.list({"delivery_success": True}).data) == 5)
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_a_failed_delivery_is_tried_again_with_a_new_signature(listening: Running, receiver: Receiver):
    receiver.answers = [500]
    client = sdk(listening)
    client.v1.customers.create({"name": "Ada"})
    receiver.wait_for(1)
    wait_until(lambda: len(attempts(listening)) == 1)
    assert len(client.v1.events.list({"delivery_success": False}).data) == 1
    door(listening, "clock", advance=1)
    first, second = receiver.wait_for(2)
    assert first.event["id"] == second.event["id"]
    wait_until(lambda: len(attempts(listening)) == 2)
    assert [(tried["try"], tried["status"], tried["retries"]) for tried in attempts(listening)] == [
        (2, 200, False),
        (1, 500, True),
    ]
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_delays_grow_and_an_endpoint_that_never_answers_is_given_up(listening: Running, receiver: Receiver):
    receiver.answers = [503] * 50
    sdk(listening).v1.customers.create()
    for count, delay in enumerate((0, 1, 5, 30, 300, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 24 * 3600), start=1):
        if delay:
            wait_until(lambda tries=count - 1: len(attempts(listening)) == tries)
            door(listening, "clock", advance=delay)
        receiver.wait_for(count)
    wait_until(lambda: len(attempts(listening)) == 10)
    assert attempts(listening)[0]["retries"] is False
    assert sdk(listening).v1.events.list({"delivery_success": False}).data[0].pending_webhooks == 1


def test_a_dead_endpoint_holds_up_neither_payments_nor_other_endpoints(listening: Running, receiver: Receiver):
    client = sdk(listening)
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/nobody", "enabled_events": ["*"]})
    pay(listening)
    receiver.wait_for(5)
    assert receiver.types() == PAYMENT
    wait_until(lambda: client.v1.events.list({"limit": 1}).data[0].pending_webhooks == 1)


def test_an_endpoint_gets_only_the_events_it_asked_for_under_its_own_secret(stand_in: Running, receiver: Receiver):
    client = sdk(stand_in)
    made = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["payment_intent.succeeded"], "description": "money"}
    )
    assert made.secret
    assert made.secret.startswith("whsec_")
    pay(stand_in)
    (delivery,) = receiver.wait_for(1)
    stripe.Webhook.construct_event(delivery.payload, delivery.signature, made.secret)
    assert delivery.event["type"] == "payment_intent.succeeded"
    assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id).to_dict()

    client.v1.webhook_endpoints.update(made.id, {"disabled": True})
    pay(stand_in, key="capture-8")
    client.v1.webhook_endpoints.delete(made.id)
    assert client.v1.webhook_endpoints.list().data == []
    time.sleep(0.1)
    assert len(receiver.received) == 1


def test_an_endpoint_gets_events_under_the_version_it_was_made_with(listening: Running, receiver: Receiver):
    client = sdk(listening)
    other = "2025-03-31.basil"
    made = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["*"], "api_version": other}  # type: ignore[typeddict-item]
    )
    client.v1.customers.create()
    versions = {delivery.event["api_version"] for delivery in receiver.wait_for(2)}
    assert versions == {other, stripe.api_version}
    assert client.v1.webhook_endpoints.retrieve(made.id).api_version == other
    assert client.v1.events.list().data[0].api_version == stripe.api_version
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version: yesterday"):
        client.v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["*"], "api_version": "yesterday"}  # type: ignore[typeddict-item]
        )


def test_an_endpoint_that_moves_keeps_its_secret(stand_in: Running, receiver: Receiver):
    client = sdk(stand_in)
    params = {"url": "http://127.0.0.1:9/old", "enabled_events": ["customer.created"], "metadata": {"env": "dev"}}
    made = client.v1.webhook_endpoints.create(params)  # type: ignore[arg-type]
    moved = client.v1.webhook_endpoints.update(made.id, {"url": receiver.url, "description": "moved"})
    assert (moved.url, moved.description, moved.metadata.to_dict()) == (receiver.url, "moved", {"env": "dev"})
    client.v1.customers.create()
    (delivery,) = receiver.wait_for(1)
    stripe.Webhook.construct_event(delivery.payload, delivery.signature, str(made.secret))
    with pytest.raises(stripe.InvalidRequestError, match="Invalid URL"):
        client.v1.webhook_endpoints.create({"url": "shop.example/hooks", "enabled_events": ["*"]})


def test_a_dropped_event_is_never_sent_but_can_be_listed(listening: Running, receiver: Receiver):
    door(listening, "deliveries", mode="drop", **{"for": 1})
    client = sdk(listening)
    client.v1.customers.create()
    client.v1.customers.create()
    receiver.wait_for(1)
    wait_until(lambda: len(client.v1.events.list({"delivery_success": True}).data) == 1)
    (lost,) = client.v1.events.list({"delivery_success": False}).data
    assert lost.id not in {delivery.event["id"] for delivery in receiver.received}


def test_a_doubled_event_comes_twice_with_one_id(listening: Running, receiver: Receiver):
    door(listening, "deliveries", mode="double", **{"for": 1})
    client = sdk(listening)
    client.v1.customers.create()
    client.v1.customers.create()
    ids = [delivery.event["id"] for delivery in receiver.wait_for(3)]
    assert ids[0] == ids[1] != ids[2]
    wait_until(lambda: client.v1.events.list({"delivery_success": False}).data == [])


def test_a_delayed_event_is_overtaken(listening: Running, receiver: Receiver):
    door(listening, "deliveries", mode="delay", seconds=3600, **{"for": 1})
    pay(listening)
    receiver.wait_for(4)
    assert receiver.types() == PAYMENT[1:]
    door(listening, "clock", advance=3600)
    receiver.wait_for(5)
    assert receiver.types()[-1] == PAYMENT[0]


def test_shuffled_events_come_in_the_wrong_order_and_none_is_lost(listening: Running, receiver: Receiver):
    door(listening, "deliveries", mode="shuffle", **{"for": 5})
    pay(listening)
    receiver.wait_for(5)
    assert receiver.types() == PAYMENT[::-1]


def test_normal_mode_lets_go_what_was_held_back(listening: Running, receiver: Receiver):
    door(listening, "deliveries", mode="shuffle", **{"for": 100})
    sdk(listening).v1.customers.create()
    door(listening, "deliveries", mode="normal")
    receiver.wait_for(1)


def test_events_are_listed_by_type_time_and_cursor(stand_in: Running):
    client = sdk(stand_in)
    pay(stand_in)
    wanted = ["charge.captured", "payment_intent.created"]
    found = client.v1.events.list({"types": wanted}).data
    assert [event.type for event in found] == wanted
    assert [event.type for event in client.v1.events.list({"type": "charge.*"}).data] == [
        "charge.captured",
        "charge.succeeded",
    ]
    newest = client.v1.events.list({"limit": 2})
    assert newest.has_more is True
    older = client.v1.events.list({"limit": 2, "starting_after": newest.data[-1].id})
    newer = client.v1.events.list({"limit": 2, "ending_before": older.data[0].id})
    assert [event.id for event in newer.data] == [event.id for event in newest.data]
    assert client.v1.events.list({"created": {"gte": int(time.time()) + 60}}).data == []
    assert len(client.v1.events.list({"created": {"gte": int(time.time()) - 60}}).data) == 5
    assert json.loads(str(client.v1.events.retrieve(newest.data[0].id)))["id"] == newest.data[0].id


def test_events_are_kept_for_thirty_days(stand_in: Running):
    client = sdk(stand_in)
    old = client.v1.customers.create()
    event = client.v1.events.list().data[0]
    door(stand_in, "clock", advance=31 * 24 * 3600)
    assert client.v1.events.list().data == []
    assert client.v1.customers.retrieve(old.id).id == old.id
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(event.id)
