"""The check itself: it must see what Stripe would not understand."""

import re
from typing import Any

import pytest

from devstack.stand_ins.stripe.app import ROUTES
from tests.contract.sdk_params import endpoints, parameters, request_faults

FORM = "application/x-www-form-urlencoded"


def sent(asked: str, given: str = "", kind: str = FORM) -> dict[str, Any]:
    method, path = asked.split(" ")
    where = {"body": given, "query": ""} if method == "POST" else {"body": "", "query": given}
    return {"method": method, "path": path, "headers": {"content-type": kind}, **where}


@pytest.mark.parametrize(
    ("asked", "given", "faults"),
    [
        ("POST /v1/payment_intents", "amount=1999&currency=eur&capture_method=manual&metadata[a]=b", []),
        ("POST /v1/payment_intents", "currency=eur", ["amount: missing"]),
        ("POST /v1/payment_intents", "amount=19.9&currency=eur", ["amount: int expected, got '19.9'"]),
        ("POST /v1/payment_intents", "amount=1&currency=eur&colour=red", ["colour: surplus"]),
        (
            "POST /v1/payment_intents",
            "amount=1&currency=eur&capture_method=later",
            ["capture_method: 'later' is none of the known values"],
        ),
        (
            "POST /v1/payment_intents",
            "amount=1&currency=eur&automatic_payment_methods[enabled]=yes",
            ["automatic_payment_methods[enabled]: bool expected, got 'yes'"],
        ),
        (
            "POST /v1/payment_intents",
            "amount=1&currency=eur&shipping[address][line1]=x",
            ["shipping[name]: missing"],
        ),
        ("POST /v1/payment_intents/pi_1/confirm", "customer=cus_1", ["customer: surplus"]),
        (
            "POST /v1/payment_intents",
            "amount=1&currency=eur&expand=customer",
            ["expand: a list expected, got 'customer'"],
        ),
        ("GET /v1/payment_intents/search", "limit=1", ["query: missing"]),
        ("GET /v1/events", "types[0]=charge.captured&created[gte]=1", []),
        ("GET /v1/events", "created[since]=1", ["created[since]: surplus"]),
        ("POST /v1/customers", "metadata=&name=", []),
        ("POST /v1/charged", "", ["POST /v1/charged: the SDK knows no such endpoint"]),
    ],
)
def test_a_wrong_parameter_is_named(asked: str, given: str, faults: list[str]):
    assert request_faults(sent(asked, given)) == faults


def test_a_multipart_form_is_read_part_by_part():
    body = (
        '--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndispute_evidence\r\n'
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF\r\n--x--\r\n'
    )
    upload = sent("POST /v1/files", body, "multipart/form-data; boundary=x")
    assert parameters(upload) == {"purpose": "dispute_evidence", "file": "file"}
    assert request_faults(upload) == []
    assert request_faults(sent("POST /v1/files", "purpose=dispute_evidence")) == ["file: missing"]


def test_the_sdk_knows_every_route_of_the_stand_in():
    unknown = [
        route
        for route in ROUTES
        if not any(known.matches(route.method, re.sub(r"<\w+>", "id_1", route.path)) for known in endpoints())
    ]
    assert unknown == []
