"""Evidence over HTTP: support asks for it, reads it, sends it; nobody else sees it."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.shop.payments.test_evidence import disputed_order, work_off
from tests.web.test_orders import Headers
from web.app import create_app


@pytest.fixture(name="client")
def _client(shop: Shop) -> FlaskClient:
    return create_app(shop.services).test_client()


def test_support_draws_reads_and_sends_the_evidence(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    dispute_id = disputed_order(shop)
    path = f"/v1/disputes/{dispute_id}/evidence"
    support = signed_in("usr_9", "support")
    assert client.get(f"{path}.pdf", headers=support).status_code == 404
    asked = client.post(path, json={"note": "Delivered.", "shipping": {"carrier": "DHL"}}, headers=support)
    assert (asked.status_code, asked.json["name"]) == (202, "documents.evidence")
    assert asked.headers["Location"] == f"/v1/jobs/{asked.json['id']}"
    assert client.get(f"{path}.pdf", headers=support).status_code == 503
    assert client.get(path, headers=support).json["data"][0]["state"] == "drawing"
    work_off(shop, "documents.evidence")
    paper = client.get(f"{path}.pdf", headers=support)
    assert paper.status_code == 200
    assert paper.data.startswith(b"%PDF-")
    etag = paper.headers["ETag"]
    assert client.get(f"{path}.pdf", headers={**support, "If-None-Match": etag}).status_code == 304
    assert client.post(path, json={"submit": True}, headers=support).status_code == 202
    again = client.post(path, json={"submit": True}, headers=support)
    assert (again.status_code, again.json["code"]) == (409, "evidence_on_its_way")
    work_off(shop, "documents.evidence")
    shop.work()
    newest, oldest = client.get(path, headers=support).json["data"]
    assert (newest["state"], newest["version"], newest["requested_by"]) == ("submitted", 2, "usr_9")
    assert (oldest["state"], oldest["note"]) == ("drawn", "Delivered.")
    assert client.get(f"/v1/disputes/{dispute_id}", headers=support).json["evidence_submitted"] is True
    (order_id,) = shop.sql("SELECT id FROM orders")[0]
    told = client.get(f"/v1/orders/{order_id}/timeline", headers=support).json["data"]
    sentences = [moment["sentence"] for moment in told if moment["kind"] == "evidence"]
    assert sentences[-1] == "The evidence was sent to the bank."
    assert "Evidence for the bank was asked for (usr_9), to be read." in sentences
    closed = client.post(path, json={"submit": True}, headers=support)
    assert (closed.status_code, closed.json["code"]) == (409, "dispute_closed")


def test_evidence_is_for_support_and_a_card_number_never_gets_into_it(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    for method, path in (("POST", "evidence"), ("GET", "evidence"), ("GET", "evidence.pdf")):
        answer = client.open(f"/v1/disputes/dsp_1/{path}", method=method, json={}, headers=signed_in())
        assert answer.status_code == 403
    support = signed_in("usr_9", "support")
    assert client.post("/v1/disputes/dsp_1/evidence", json={}, headers=support).status_code == 404
    hidden = client.post("/v1/disputes/dsp_1/evidence", json={"note": "paid with 4242 4242 4242 4242"}, headers=support)
    assert hidden.status_code == 422
    assert shop.sql("SELECT count(*) FROM evidence_packets") == [(0,)]


def test_disputes_that_are_due_soon_are_listed(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    dispute_id = disputed_order(shop)
    support = signed_in("usr_9", "support")

    def due(days: int) -> list[str]:
        page = client.get(f"/v1/disputes?due_within_days={days}", headers=support).json
        return [dispute["id"] for dispute in page["data"]]

    assert (due(3), due(30)) == ([], [dispute_id])
    shop.sql("UPDATE disputes SET status = 'under_review'")
    assert due(30) == []
    assert client.get("/v1/disputes?due_within_days=-1", headers=support).status_code == 422
