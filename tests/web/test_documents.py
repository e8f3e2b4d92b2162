"""Documents over HTTP: as issued, for their owner and for support."""

import hashlib
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from db.database import Database
from shop.documents.credit import credit
from shop.documents.invoice import invoice
from tests.shop.documents import made, seen

Headers = dict[str, str]
SignedIn = Callable[..., Headers]


def test_the_owner_lists_the_documents_of_an_order_newest_first(
    db: Database, client: FlaskClient, signed_in: SignedIn
) -> None:
    order_id = made.order(db)
    number = invoice(db, made.SELLER, order_id)
    refund_id = made.refund(db, order_id, 1000)
    note = credit(db, made.SELLER, refund_id)
    body = client.get(f"/v1/orders/{order_id}/documents", headers=signed_in("user_ada")).json
    assert body is not None
    assert body["next_cursor"] is None
    newest, first = body["data"]
    assert (newest["kind"], newest["number"], newest["refund_id"]) == ("credit_note", note, refund_id)
    assert (first["kind"], first["number"], first["total"], first["currency"]) == ("invoice", number, 10470, "eur")
    assert first["id"].startswith("inv_")
    assert newest["id"].startswith("crn_")
    assert "refund_id" not in first
    for document in body["data"]:
        paper = client.get(document["url"], headers=signed_in("user_ada"))
        assert paper.status_code == 200
        assert hashlib.sha256(paper.data).hexdigest() == document["sha256"]


def test_the_documents_of_an_order_come_page_by_page(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    order_id = made.order(db)
    number = invoice(db, made.SELLER, order_id)
    note = credit(db, made.SELLER, made.refund(db, order_id, 1000))
    first = client.get(f"/v1/orders/{order_id}/documents?limit=1", headers=signed_in("user_ada")).json
    assert first is not None
    path = f"/v1/orders/{order_id}/documents?limit=1&cursor={first['next_cursor']}"
    second = client.get(path, headers=signed_in("user_ada")).json
    assert second is not None
    assert [document["number"] for document in (*first["data"], *second["data"])] == [note, number]
    assert second["next_cursor"] is None


def test_an_order_without_money_has_no_documents(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    order_id = made.order(db, captured=0, status="awaiting_payment")
    answer = client.get(f"/v1/orders/{order_id}/documents", headers=signed_in("user_ada"))
    assert answer.status_code == 200
    assert answer.json == {"data": [], "next_cursor": None}


def test_an_invoice_is_a_pdf_that_a_browser_may_keep(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    number = invoice(db, made.SELLER, made.order(db))
    answer = client.get(f"/v1/invoices/{number}.pdf", headers=signed_in("user_ada"))
    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    assert answer.data == seen.file_of(db, seen.invoices(db)[0]["id"])
    assert answer.headers["Content-Disposition"] == f'inline; filename="{number}.pdf"'
    assert answer.headers["Cache-Control"] == "private, max-age=86400"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    tag = answer.headers["ETag"]
    assert tag == f'"{hashlib.sha256(answer.data).hexdigest()}"'
    again = client.get(f"/v1/invoices/{number}.pdf", headers={**signed_in("user_ada"), "If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""


def test_support_reads_every_customers_documents(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    order_id = made.order(db)
    number = invoice(db, made.SELLER, order_id)
    for role in ("support", "admin"):
        who = signed_in("staff", role)
        assert client.get(f"/v1/invoices/{number}.pdf", headers=who).status_code == 200
        assert client.get(f"/v1/orders/{order_id}/documents", headers=who).status_code == 200


def test_somebody_elses_documents_do_not_exist(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    order_id = made.order(db)
    number = invoice(db, made.SELLER, order_id)
    note = credit(db, made.SELLER, made.refund(db, order_id, 1000))
    eve = signed_in("user_eve")
    for path in (f"/v1/invoices/{number}.pdf", f"/v1/credit-notes/{note}.pdf", f"/v1/orders/{order_id}/documents"):
        theirs, unknown = client.get(path, headers=eve), client.get(path.replace("0001", "9999"), headers=eve)
        assert theirs.status_code == unknown.status_code == 404
        assert theirs.json is not None
        assert theirs.json["code"] == "not_found"
        assert client.get(path).status_code == 401


@pytest.mark.parametrize("kind", ["invoices", "credit-notes"])
def test_an_invoice_is_no_credit_note_nor_the_other_way_round(
    db: Database, client: FlaskClient, signed_in: SignedIn, kind: str
) -> None:
    order_id = made.order(db)
    numbers = {"invoices": invoice(db, made.SELLER, order_id)}
    numbers["credit-notes"] = credit(db, made.SELLER, made.refund(db, order_id, 1000))
    other = next(number for place, number in numbers.items() if place != kind)
    assert client.get(f"/v1/{kind}/{other}.pdf", headers=signed_in("user_ada")).status_code == 404


def test_a_reader_who_comes_before_the_paper_is_told_to_come_back(
    db: Database, client: FlaskClient, signed_in: SignedIn
) -> None:
    issued = made.issued(db, made.order(db))
    answer = client.get(f"/v1/invoices/{issued.number}.pdf", headers=signed_in("user_ada"))
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "document_not_drawn"
    assert int(answer.headers["Retry-After"]) >= 1
    (listed,) = client.get(f"/v1/orders/{issued.order_id}/documents", headers=signed_in("user_ada")).json["data"]  # pyright: ignore[reportOptionalSubscript]
    assert "sha256" not in listed
