"""The API's manners: keys, versions, parameters, lists, expansion, and the stand-in's own doors."""

import subprocess
import sys

import pytest
import requests
import stripe
from stripe._api_version import _ApiVersion

from devstack.stand_ins.stripe.account import API_VERSION
from devstack.stand_ins.stripe.app import ROUTES, Running, running
from tests.devstack.stripe.conftest import SECRET, Receiver, authorised, door, paid, sdk
from tests.devstack.stripe.sdk_shapes import faults


def get(served: Running, path: str, key: str | None = "sk_test_1", **headers: str) -> requests.Response:
    given = headers | ({"Authorization": f"Bearer {key}"} if key else {})
    return requests.get(f"{served.url}{path}", headers=given, timeout=5)


def test_the_stand_in_speaks_the_version_of_the_installed_sdk():
    assert API_VERSION == _ApiVersion.CURRENT


def test_another_version_is_refused_rather_than_answered_wrongly(stand_in: Running):
    refused = get(stand_in, "/v1/balance", **{"Stripe-Version": "2020-08-27"})
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    assert get(stand_in, "/v1/balance").headers["Stripe-Version"] == API_VERSION


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("sk_live_1234567890", 401), ("pk_test_1", 403)])
def test_a_key_that_is_missing_live_or_publishable_opens_nothing(stand_in: Running, key: str | None, status: int):
    refused = get(stand_in, "/v1/balance", key=key)
    assert refused.status_code == status
    assert "1234567890" not in refused.text


def test_stripes_own_script_sends_its_key_among_the_fields(stand_in: Running, client: stripe.StripeClient):
    intent = client.v1.payment_intents.create({"amount": 1999, "currency": "eur"})
    fields = {"key": "pk_test_1", "client_secret": str(intent.client_secret)}
    path = f"{stand_in.url}/v1/payment_intents/{intent.id}"
    assert requests.get(path, params=fields, timeout=5).json()["id"] == intent.id
    confirmed = requests.post(f"{path}/confirm", data=fields | {"payment_method": "pm_card_visa"}, timeout=5)
    assert confirmed.json()["status"] == "succeeded", confirmed.text
    assert requests.get(path, params=fields | {"key": "sk_test_1"}, timeout=5).status_code == 401


def test_an_unknown_address_is_refused_in_stripes_shape(stand_in: Running):
    refused = get(stand_in, "/v1/payment_itents")
    assert refused.status_code == 404
    assert refused.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/payment_itents)")
    assert refused.headers["Request-Id"] in refused.json()["error"]["request_log_url"]


def test_a_missing_object_is_no_such_object(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent: 'pi_1'") as refused:
        client.v1.payment_intents.retrieve("pi_1")
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (404, "resource_missing", "intent")


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": 1999}, "parameter_missing", "currency"),
        ({"amount": 1999, "currency": "eur", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": "19.99", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1999, "currency": "eur", "description": ""}, None, None),
        ({"amount": 1999, "currency": ""}, "parameter_invalid_empty", "currency"),
        (
            {"amount": 1999, "currency": "eur", "shipping": {"address": {"line1": "x"}}},
            "parameter_missing",
            "shipping[name]",
        ),
        (
            {"amount": 1999, "currency": "eur", "shipping": {"name": "A", "planet": "x"}},
            "parameter_unknown",
            "shipping[planet]",
        ),
        ({"amount": 1999, "currency": "eur", "capture_method": "later"}, None, "capture_method"),
        ({"amount": 1999, "currency": "eur", "off_session": True}, None, "off_session"),
        ({"amount": 1999, "currency": "eur", "metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 41}]"),
    ],
)
def test_parameters_are_checked_before_any_work(
    client: stripe.StripeClient, params: dict[str, object], code: str | None, param: str | None
):
    if param is None:
        assert client.v1.payment_intents.create(params).description is None  # type: ignore[arg-type]
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(params)  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.param) == (code, param)
    assert client.v1.payment_intents.list().data == []


def test_json_bodies_are_refused(stand_in: Running):
    headers = {"Authorization": "Bearer sk_test_1"}
    refused = requests.post(f"{stand_in.url}/v1/customers", json={"name": "Ada"}, headers=headers, timeout=5)
    assert (refused.status_code, "x-www-form-urlencoded" in refused.text) == (400, True)


def test_lists_are_newest_first_and_page_both_ways(client: stripe.StripeClient):
    made = [client.v1.customers.create({"name": str(number)}).id for number in range(5)]
    first = client.v1.customers.list({"limit": 2})
    assert [found.id for found in first.data] == [made[4], made[3]]
    second = client.v1.customers.list({"limit": 2, "starting_after": made[3]})
    assert ([found.id for found in second.data], second.has_more) == ([made[2], made[1]], True)
    back = client.v1.customers.list({"limit": 2, "ending_before": made[1]})
    assert ([found.id for found in back.data], back.has_more) == ([made[3], made[2]], True)
    assert [found.id for found in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.list({"starting_after": "cus_gone"})
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
        client.v1.customers.list({"limit": 101})


def test_lists_are_filtered(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    mine, other = authorised(client, customer=customer.id), paid(client)
    assert [found.id for found in client.v1.payment_intents.list({"customer": customer.id}).data] == [mine.id]
    assert [found.id for found in client.v1.charges.list({"payment_intent": other.id}).data] == [other.latest_charge]
    client.v1.payment_intents.capture(mine.id)
    booked = client.v1.balance_transactions.list({"source": str(mine.latest_charge), "type": "charge"}).data
    assert [entry.amount for entry in booked] == [1999]


def test_expansion_puts_objects_in_the_place_of_ids(client: stripe.StripeClient):
    customer = client.v1.customers.create({"name": "Ada"})
    intent = authorised(client, customer=customer.id, expand=["customer", "latest_charge.payment_intent"])
    assert isinstance(intent.customer, stripe.Customer)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.payment_intent, stripe.PaymentIntent)
    listed = client.v1.payment_intents.list({"expand": ["data.latest_charge"]}).data[0]
    assert isinstance(listed.latest_charge, stripe.Charge)
    assert client.v1.payment_intents.retrieve(intent.id).latest_charge == intent.latest_charge.id


def test_a_property_that_cannot_be_expanded_is_refused_before_any_work(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        paid(client, expand=["amount"])
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.payment_intents.list({"expand": ["latest_charge"]})
    assert client.v1.payment_intents.list().data == []


def test_the_same_seed_gives_the_same_ids_and_a_reset_never_gives_one_twice():
    with running(seed="s") as one, running(seed="s") as two, running() as three:
        first = sdk(one).v1.customers.create().id
        assert sdk(two).v1.customers.create().id == first
        assert sdk(three).v1.customers.create().id != first
        door(one, "reset")
        assert sdk(one).v1.customers.list().data == []
        assert sdk(one).v1.customers.create().id != first


def test_the_state_is_open_to_view(stand_in: Running, client: stripe.StripeClient):
    intent = authorised(client)
    state = requests.get(f"{stand_in.url}/standin/state", timeout=5).json()
    assert (state["counts"]["payment_intent"], state["counts"]["charge"]) == (1, 1)
    assert state["objects"]["payment_intent"][0]["id"] == intent.id


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"advance": -1}),
        ("clock", {}),
        ("deliveries", {"mode": "explode"}),
        ("next-refund", {"status": "lost"}),
        ("next-payment", {"status": "pending"}),
    ],
)
def test_a_door_refuses_what_makes_no_sense(stand_in: Running, path: str, body: dict[str, object]):
    refused = requests.post(f"{stand_in.url}/standin/{path}", json=body, timeout=5)
    assert refused.status_code == 400
    assert refused.json()["error"]


def test_browsers_may_ask_across_origins(stand_in: Running):
    asked = requests.options(f"{stand_in.url}/v1/payment_intents/pi_1/confirm", timeout=5)
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]


def test_every_route_answers_in_the_shape_of_the_sdk_or_refuses(stand_in: Running):
    for route in ROUTES:
        path = route.path.replace("<", "").replace(">", "")
        headers = {"Authorization": "Bearer sk_test_1"}
        answered = requests.request(route.method, stand_in.url + path, headers=headers, timeout=5)
        assert answered.status_code < 500, route
        if answered.ok:
            assert faults(answered.json()) == [], route


def test_it_runs_as_a_process_of_its_own_with_an_endpoint_and_ends_cleanly(receiver: Receiver):
    command = [sys.executable, "-m", "devstack.stand_ins.stripe", "--port", "0"]
    command += ["--webhook-url", receiver.url, "--webhook-secret", SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.split()[-1]
        assert requests.get(f"{url}/health/live", timeout=5).json()["status"] == "ok"
        requests.post(f"{url}/standin/reset", timeout=5)
        requests.post(f"{url}/v1/customers", headers={"Authorization": "Bearer sk_test_1"}, timeout=5)
        (delivery,) = receiver.wait_for(1)
        assert stripe.Webhook.construct_event(delivery.payload, delivery.signature, SECRET).type == "customer.created"
        process.terminate()
        assert process.wait(timeout=5) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (429, stripe.RateLimitError),
        (409, stripe.APIError),
        (402, stripe.CardError),
        (401, stripe.AuthenticationError),
        (500, stripe.APIError),
    ],
)
def test_an_injected_status_raises_what_the_sdk_raises_for_stripes(
    stand_in: Running, client: stripe.StripeClient, status: int, raised: type[stripe.StripeError]
):
    door(stand_in, "faults", match="GET /v1/balance", kind="status", status=status)
    with pytest.raises(raised) as refused:
        client.v1.balance.retrieve()
    assert refused.value.http_status == status
    assert client.v1.balance.retrieve().livemode is False
