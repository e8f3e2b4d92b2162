"""Idempotency keys: one effect a key, for a day, and honest answers to wrong uses."""

import threading

import pytest
import requests
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import authorised, door

INTENT = {"amount": "1999", "currency": "eur"}


def post(served: Running, key: str, path: str = "payment_intents", **form: str) -> requests.Response:
    headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": key}
    return requests.post(f"{served.url}/v1/{path}", data=form, headers=headers, timeout=10)


def made(served: Running, kind: str = "payment_intent") -> int:
    return requests.get(f"{served.url}/standin/state", timeout=5).json()["counts"].get(kind, 0)


def test_the_same_request_under_the_same_key_is_answered_again_and_done_once(stand_in: Running):
    first, second = post(stand_in, "k1", **INTENT), post(stand_in, "k1", **INTENT)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"] != second.headers["Request-Id"]
    assert made(stand_in) == 1


def test_other_parameters_under_the_same_key_are_refused(stand_in: Running):
    post(stand_in, "k1", **INTENT)
    refused = post(stand_in, "k1", amount="2000", currency="eur")
    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "idempotency_error"
    assert "same parameters" in refused.json()["error"]["message"]
    assert made(stand_in) == 1


def test_another_endpoint_under_the_same_key_is_refused(stand_in: Running):
    post(stand_in, "k1", **INTENT)
    refused = post(stand_in, "k1", path="customers")
    assert refused.status_code == 400
    assert "same endpoint" in refused.json()["error"]["message"]


def test_the_sdk_raises_its_own_error_for_a_reused_key(stand_in: Running, client: stripe.StripeClient):
    client.v1.payment_intents.create({"amount": 1999, "currency": "eur"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.create({"amount": 2999, "currency": "eur"}, {"idempotency_key": "k1"})


def test_a_key_is_forgotten_after_a_day(stand_in: Running):
    first = post(stand_in, "k1", **INTENT)
    door(stand_in, "clock", advance=24 * 3600 - 60)
    assert post(stand_in, "k1", **INTENT).json()["id"] == first.json()["id"]
    door(stand_in, "clock", advance=120)
    assert post(stand_in, "k1", **INTENT).json()["id"] != first.json()["id"]
    assert made(stand_in) == 2


def test_a_request_in_flight_answers_409_to_its_twin(stand_in: Running):
    door(stand_in, "faults", match="POST /v1/payment_intents", kind="slow", seconds=1)
    slow: list[requests.Response] = []
    thread = threading.Thread(target=lambda: slow.append(post(stand_in, "k1", **INTENT)))
    thread.start()
    twin = post_until_claimed(stand_in)
    thread.join()
    assert twin.json()["error"]["code"] == "idempotency_key_in_use"
    assert twin.headers["Stripe-Should-Retry"] == "true"
    assert slow[0].status_code == 200
    assert post(stand_in, "k1", **INTENT).json()["id"] == slow[0].json()["id"]
    assert made(stand_in) == 1


def post_until_claimed(served: Running) -> requests.Response:
    """Return the answer to a twin sent once the first request holds the key."""
    while not requests.get(f"{served.url}/standin/requests", timeout=5).json()["data"]:
        pass
    for _ in range(200):
        answered = post(served, "k1", **INTENT)
        if answered.status_code == 409:
            return answered
    raise AssertionError("the twin was never refused")


def test_twenty_twins_at_once_make_one_payment(stand_in: Running):
    answers: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(post(stand_in, "k1", **INTENT))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["id"] for answer in answers if answer.ok}) == 1
    assert made(stand_in) == 1


def test_a_stored_500_is_replayed_and_nothing_is_done(stand_in: Running):
    door(stand_in, "faults", match="POST /v1/payment_intents", kind="status", status=500, stored=True)
    first, second = post(stand_in, "k1", **INTENT), post(stand_in, "k1", **INTENT)
    assert (first.status_code, second.status_code) == (500, 500)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Stripe-Should-Retry"] == "false"
    assert first.json()["error"]["type"] == "api_error"
    assert made(stand_in) == 0
    assert post(stand_in, "k2", **INTENT).status_code == 200


def test_a_503_from_the_way_there_is_not_stored(stand_in: Running):
    door(stand_in, "faults", match="POST /v1/payment_intents", kind="status", status=503)
    failed = post(stand_in, "k1", **INTENT)
    assert (failed.status_code, failed.json()["error"]["type"]) == (503, "api_error")
    assert failed.headers["Request-Id"].startswith("req_")
    assert post(stand_in, "k1", **INTENT).status_code == 200


def test_a_parameter_that_makes_no_sense_does_not_use_up_the_key(stand_in: Running):
    assert post(stand_in, "k1", amount="many", currency="eur").status_code == 400
    assert post(stand_in, "k1", amount="1999", currency="eur", colour="red").status_code == 400
    assert post(stand_in, "k1", **INTENT).status_code == 200


def test_a_refused_card_is_stored_under_its_key(stand_in: Running):
    form = INTENT | {
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": "true",
        "return_url": "https://shop.example",
    }
    first, second = post(stand_in, "k1", **form), post(stand_in, "k1", **form)
    assert (first.status_code, second.status_code) == (402, 402)
    assert first.content == second.content
    assert made(stand_in, "charge") == 1


def test_a_capture_that_timed_out_after_the_work_is_answered_to_the_same_key(
    stand_in: Running, client: stripe.StripeClient
):
    intent = authorised(client)
    door(stand_in, "faults", match="POST /v1/payment_intents/*/capture", kind="timeout_after_work", seconds=0.05)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": "capture-1"})
    again = client.v1.payment_intents.capture(intent.id, {}, {"idempotency_key": "capture-1"})
    assert (again.status, again.amount_received) == ("succeeded", 1999)
    assert len(client.v1.balance_transactions.list({"type": "charge"}).data) == 1
