"""The stand-in over a crash: a payment of yesterday is captured, refunded and reconciled today."""

import subprocess
import sys
from typing import Any

import requests
import stripe as stripe_sdk

from tests.devstack.conftest import Neighbour, Start
from tests.devstack.stripe.conftest import SECRET, Receiver, wait_until

KEY = {"Authorization": "Bearer sk_test_1"}


def post(stripe: Neighbour, path: str, key: str | None = None, **form: str) -> requests.Response:
    headers = KEY | ({"Idempotency-Key": key} if key else {})
    return stripe.ask("POST", f"/v1/{path}", data=form, headers=headers)


def state(stripe: Neighbour) -> dict[str, Any]:
    return stripe.ask("GET", "/standin/state").json()


def authorised(stripe: Neighbour, **more: str) -> dict[str, Any]:
    form = {"amount": "1999", "currency": "eur", "capture_method": "manual", "payment_method": "pm_card_visa"}
    form |= {"confirm": "true", "return_url": "https://shop.example"}
    return post(stripe, "payment_intents", **(form | more)).json()


def test_a_payment_of_yesterday_is_captured_and_refunded_today(start: Start):
    stripe = start("stripe")
    intent = authorised(stripe)
    before = state(stripe)["objects"]
    stripe.crash()
    assert state(stripe)["objects"] == before
    captured = post(stripe, f"payment_intents/{intent['id']}/capture", key="capture-1")
    assert captured.json()["amount_received"] == 1999
    stripe.crash()
    again = post(stripe, f"payment_intents/{intent['id']}/capture", key="capture-1")
    assert again.content == captured.content
    assert again.headers["Idempotent-Replayed"] == "true"
    refund = post(stripe, "refunds", payment_intent=intent["id"], amount="500").json()
    assert (refund["status"], refund["charge"]) == ("succeeded", intent["latest_charge"])
    booked = stripe.ask("GET", "/v1/balance_transactions", headers=KEY).json()["data"]
    assert [one["amount"] for one in booked] == [-500, 1999]


def test_a_dispute_of_yesterday_is_lost_today_and_a_payout_planned_then_leaves(start: Start):
    stripe = start("stripe")
    intents = [authorised(stripe, capture_method="automatic") for _ in range(3)]
    opened = stripe.ask("POST", "/standin/disputes", json={"charge": intents[0]["latest_charge"]}).json()
    stripe.crash()
    assert [dispute["id"] for dispute in state(stripe)["objects"]["dispute"]] == [opened["id"]]
    stripe.ask("POST", "/standin/clock", json={"advance": 8 * 24 * 3600})
    after = state(stripe)["objects"]
    assert (after["dispute"][0]["status"], after["payout"][0]["status"]) == ("lost", "paid")
    assert after["payout"][0]["amount"] == 3 * (1999 - 88) - 3499


def test_the_clock_goes_on_where_it_was_and_what_was_planned_happens(start: Start):
    stripe = start("stripe")
    intent = authorised(stripe)
    ahead = stripe.ask("POST", "/standin/clock", json={"advance": 6 * 24 * 3600}).json()["now"]
    stripe.crash()
    assert 0 <= stripe.ask("GET", "/standin/clock").json()["now"] - ahead < 60
    stripe.ask("POST", "/standin/clock", json={"advance": 2 * 24 * 3600})
    expired = stripe.ask("GET", f"/v1/payment_intents/{intent['id']}", headers=KEY).json()
    assert (expired["status"], expired["cancellation_reason"]) == ("canceled", "automatic")


def test_ids_are_never_given_twice_even_from_one_seed(start: Start):
    stripe = start("stripe", "--seed", "tests")
    ids = [post(stripe, "customers").json()["id"]]
    for _ in range(2):
        stripe.crash()
        ids.append(post(stripe, "customers").json()["id"])
    assert len(set(ids)) == 3
    listed = stripe.ask("GET", "/v1/customers", headers=KEY).json()["data"]
    assert [customer["id"] for customer in listed] == ids[::-1]


def test_an_event_that_could_not_be_delivered_is_delivered_after_the_restart(start: Start, receiver: Receiver):
    receiver.answers = [503]
    options = ("--webhook-url", receiver.url, "--webhook-secret")
    stripe = start("stripe", *options, SECRET)
    post(stripe, "customers", name="Ada")
    (refused,) = receiver.wait_for(1)
    stripe.crash()
    post(stripe, "customers", name="Grace")
    retried = receiver.wait_for(3)[1:]
    assert sorted(delivery.event["data"]["object"]["name"] for delivery in retried) == ["Ada", "Grace"]
    assert refused.event["id"] in {delivery.event["id"] for delivery in retried}
    for delivery in retried:
        stripe_sdk.Webhook.construct_event(delivery.payload, delivery.signature, SECRET)
    wait_until(lambda: state(stripe)["deliveries"]["waiting"] == 0)
    stripe.crash()
    assert {event["pending_webhooks"] for event in state(stripe)["objects"]["event"]} == {0}
    assert len(receiver.received) == 3


def test_what_waits_for_the_endpoint_of_the_start_goes_where_that_is_now(start: Start, receiver: Receiver):
    stripe = start("stripe", "--webhook-url", "http://127.0.0.1:9/closed", "--webhook-secret", SECRET)
    post(stripe, "customers", name="Ada")
    stripe.crash("--webhook-url", receiver.url)
    (delivery,) = receiver.wait_for(1)
    assert delivery.event["type"] == "customer.created"
    endpoints = stripe.ask("GET", "/v1/webhook_endpoints", headers=KEY).json()["data"]
    assert [endpoint["url"] for endpoint in endpoints] == [receiver.url]


def test_killed_in_the_middle_of_much_work_it_keeps_whole_payments_only(start: Start):
    stripe = start("stripe")
    working = subprocess.Popen([sys.executable, "-c", BUSY, stripe.url], stdout=subprocess.PIPE, text=True)
    assert working.stdout
    for _ in range(5):
        working.stdout.readline()
    stripe.kill()
    answered = int(working.communicate(timeout=20)[0].split()[-1])
    stripe.start()
    objects = state(stripe)["objects"]
    captured = [charge for charge in objects["charge"] if charge["captured"]]
    assert answered <= len(captured) <= answered + 1
    assert {charge["id"] for charge in captured} == {booked["source"] for booked in objects["balance_transaction"]}
    told = [event for event in objects["event"] if event["type"] == "payment_intent.succeeded"]
    assert len(told) == len(captured)


# Pays until nobody answers any more, and says how many payments were answered.
BUSY = """
import itertools, requests, sys
form = {"amount": "1999", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true",
        "capture_method": "automatic", "return_url": "https://shop.example"}
for number in itertools.count():
    try:
        requests.post(sys.argv[1] + "/v1/payment_intents", data=form,
                      headers={"Authorization": "Bearer sk_test_1"}, timeout=5).raise_for_status()
    except requests.RequestException:
        print(number)
        break
    print(number + 1, flush=True)
"""
