"""Files: evidence goes up as a multipart form, is refused if no bank would read it, and is laid on a dispute by id."""

import io

import pytest
import requests
import stripe

from devstack.stand_ins.stripe import disputing
from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import door, paid

PDF = b"%PDF-1.7\nthe whole story\n"


def upload(client: stripe.StripeClient, content: bytes = PDF, purpose: str = "dispute_evidence", key: str = "up-1"):
    file = io.BytesIO(content)
    file.name = "evidence.pdf"
    return client.v1.files.create({"purpose": purpose, "file": file}, {"idempotency_key": key})


def test_a_file_comes_back_as_it_went_up(stand_in: Running, client: stripe.StripeClient):
    made = upload(client)
    assert (made.filename, made.type, made.size, made.purpose) == ("evidence.pdf", "pdf", len(PDF), "dispute_evidence")
    assert made.url
    got = requests.get(made.url, headers={"Authorization": "Bearer sk_test_1"}, timeout=5)
    assert (got.content, got.headers["Content-Type"]) == (PDF, "application/pdf")
    assert requests.get(made.url, timeout=5).status_code == 401
    assert client.v1.files.retrieve(made.id).id == made.id
    assert [found.id for found in client.v1.files.list({"purpose": "dispute_evidence"}).data] == [made.id]
    assert client.v1.files.list({"purpose": "business_logo"}).data == []


def test_the_same_upload_under_the_same_key_is_one_file_and_other_bytes_are_refused(client: stripe.StripeClient):
    assert upload(client).id == upload(client).id
    with pytest.raises(stripe.IdempotencyError):
        upload(client, PDF + b"more")
    assert len(client.v1.files.list().data) == 1


@pytest.mark.parametrize(
    ("content", "refusal"),
    [(b"", "empty"), (b"PK\x03\x04", "PDF, a JPEG or a PNG"), (PDF + b"0" * 5 * 1024 * 1024, "up to 5242880 bytes")],
)
def test_what_no_bank_would_read_is_refused(client: stripe.StripeClient, content: bytes, refusal: str):
    with pytest.raises(stripe.InvalidRequestError, match=refusal):
        upload(client, content)


def test_a_form_that_is_no_multipart_is_refused(stand_in: Running):
    headers = {"Authorization": "Bearer sk_test_1"}
    refused = requests.post(
        f"{stand_in.url}/v1/files", data={"purpose": "dispute_evidence"}, headers=headers, timeout=5
    )
    assert (refused.status_code, "multipart/form-data" in refused.text) == (400, True)


def test_evidence_is_laid_on_a_dispute_first_and_sent_later(stand_in: Running, client: stripe.StripeClient):
    charge = str(paid(client).latest_charge)
    dispute = door(stand_in, "disputes", charge=charge, reason="product_not_received")["id"]
    made = upload(client)
    evidence = {"shipping_documentation": made.id, "uncategorized_text": "signed for"}
    staged = client.v1.disputes.update(dispute, {"evidence": evidence, "submit": False})  # type: ignore[typeddict-item]
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    assert staged.evidence_details.has_evidence
    sent = client.v1.disputes.update(dispute, {"submit": True, "expand": ["evidence.shipping_documentation"]})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert sent.evidence.shipping_documentation.filename == "evidence.pdf"  # type: ignore[union-attr]


def test_evidence_that_is_not_there_or_was_meant_for_something_else_is_refused(
    stand_in: Running, client: stripe.StripeClient
):
    dispute = door(stand_in, "disputes", charge=str(paid(client).latest_charge), reason="fraudulent")["id"]
    logo = upload(client, b"\x89PNG\r\n\x1a\n", "business_logo")
    with pytest.raises(stripe.InvalidRequestError, match="No such file upload: 'file_gone'"):
        client.v1.disputes.update(dispute, {"evidence": {"receipt": "file_gone"}})
    with pytest.raises(stripe.InvalidRequestError, match="must be dispute_evidence"):
        client.v1.disputes.update(dispute, {"evidence": {"receipt": logo.id}})
    texts = dict.fromkeys(disputing.TEXTS[:8], "x" * 20_000)
    with pytest.raises(stripe.InvalidRequestError, match="limited to 150000"):
        client.v1.disputes.update(dispute, {"evidence": texts})  # type: ignore[typeddict-item]
    assert client.v1.disputes.retrieve(dispute).status == "needs_response"
