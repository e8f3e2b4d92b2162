"""Invoices: numbered without gaps, drawn from what was frozen, never changed."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from pypdf import PdfReader

from db.database import Database
from shop.documents import numbers
from shop.documents.credit import credit
from shop.documents.errors import NothingCaptured, NothingToDocument
from shop.documents.invoice import invoice, issue_in
from shop.documents.paper import paper
from shop.documents.proof import verify_numbers
from shop.documents.queries import issue, sources
from shop.documents.seller import Logo
from tests.shop.documents import made, seen


def test_an_invoice_shows_who_sold_what_to_whom_and_how_much_of_it_is_tax(db: Database) -> None:
    order_id = made.order(db, lines=(("Walnut desk lamp", 2, 4990), ("Ceramic mug", 1, 1250)))
    number = invoice(db, made.SELLER, order_id)
    (row,) = seen.invoices(db)
    words = seen.text(seen.file_of(db, row["id"]))
    assert number == f"INV-{datetime.now(made.SELLER.zone).year}-000001"
    for expected in (
        number, "Backroom Shop", "1 Market Street", "DE000000000", "Ada Lovelace", "SW1Y 4LE London", "ada@example.com",
        "Walnut desk lamp", "99.80", "Ceramic mug", "12.50", "Shipping", "4.90", "19%", "€117.20", "98.49", "18.71",
        "Visa ending in 4242", "Page 1 of 1",
    ):  # fmt: skip
        assert expected in words, expected
    assert (row["net_minor"], row["tax_minor"], row["total_minor"]) == (9849, 1871, 11720)


def test_an_invoice_run_twice_is_one_number_one_paper_and_one_mail(db: Database) -> None:
    order_id = made.order(db)
    first = invoice(db, made.SELLER, order_id)
    paper_before = seen.file_of(db, seen.invoices(db)[0]["id"])
    assert invoice(db, made.SELLER, order_id) == first
    assert len(seen.invoices(db)) == 1
    assert seen.file_of(db, seen.invoices(db)[0]["id"]) == paper_before
    assert seen.staged(db) == [
        {"name": "documents.mail", "args": {"kind": "order_paid", "subject_id": order_id}},
    ]


def test_a_crash_between_number_and_paper_is_finished_by_the_next_run(db: Database) -> None:
    order_id = made.order(db)
    issued = made.issued(db, order_id)
    assert seen.staged(db) == []
    assert invoice(db, made.SELLER, order_id) == issued.number
    assert seen.file_of(db, issued.id).startswith(b"%PDF-")
    assert len(seen.staged(db)) == 1


def test_issuing_in_parallel_leaves_no_gap_and_no_double(db: Database) -> None:
    orders = [made.order(db) for _ in range(24)]
    wishes = orders + orders[:8]
    with ThreadPoolExecutor(8) as threads:
        issued = list(threads.map(lambda order_id: made.issued(db, order_id), wishes))
    serials = sorted({document.serial for document in issued})
    assert serials == list(range(1, 25))
    assert len(seen.invoices(db)) == 24
    times = [document.issued_at for document in sorted(issued, key=lambda document: document.serial)]
    assert times == sorted(times)
    assert verify_numbers(db).faults == []


def test_a_number_taken_in_a_transaction_that_fails_is_given_back(db: Database) -> None:
    with db.transaction() as tx:
        moment = numbers.lock_and_time(tx, "INV")
        assert numbers.take(tx, "INV", moment, made.SELLER.zone).serial == 1
        raise psycopg.Rollback
    assert made.issued(db, made.order(db)).serial == 1


def test_the_year_of_a_number_is_that_of_the_shop_not_of_greenwich(db: Database) -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    with db.transaction() as tx:
        number = numbers.take(tx, "INV", late, made.SELLER.zone)
    assert number.text == "INV-2027-000001"


def test_each_year_begins_at_one(db: Database) -> None:
    with db.transaction() as tx:
        for moment in (datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)):
            assert numbers.take(tx, "INV", moment, made.SELLER.zone).serial == 1
        assert numbers.take(tx, "INV", datetime(2026, 7, 1, tzinfo=UTC), made.SELLER.zone).serial == 2


def test_what_changes_in_the_order_later_does_not_change_the_invoice(db: Database) -> None:
    order_id = made.order(db)
    issued = made.issued(db, order_id)
    with db.transaction() as tx:
        tx.execute("UPDATE order_lines SET name = 'Something else' WHERE order_id = %s", (order_id,))
        tx.execute("UPDATE orders SET email = 'other@example.com', shipping_address = NULL WHERE id = %s", (order_id,))
    invoice(db, made.SELLER, order_id)
    words = seen.text(seen.file_of(db, issued.id))
    assert "Walnut desk lamp" in words
    assert "ada@example.com" in words
    assert "Something else" not in words


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET total_minor = total_minor + 1, net_minor = net_minor + 1",
        "DELETE FROM invoices",
        "TRUNCATE invoices CASCADE",
        "UPDATE document_files SET drawn_at = now()",
        "DELETE FROM document_files",
        "TRUNCATE document_files",
    ],
)
def test_the_database_refuses_to_change_what_was_issued(db: Database, statement: Any) -> None:
    invoice(db, made.SELLER, made.order(db))
    with pytest.raises(psycopg.errors.RestrictViolation), db.transaction() as tx:
        tx.execute(statement)


def test_the_same_snapshot_is_the_same_bytes(db: Database) -> None:
    issued = made.issued(db, made.order(db))
    with db.transaction() as tx:
        read_back = issue.invoice(tx, issued.id)
    assert read_back is not None
    assert paper(issued.snapshot, issued.snapshot_sha256) == paper(read_back.snapshot, read_back.snapshot_sha256)


def test_less_captured_than_ordered_is_invoiced_as_what_was_captured(db: Database) -> None:
    order_id = made.order(db, lines=(("Oak shelf", 2, 5000),), shipping=0, captured=5000)
    invoice(db, made.SELLER, order_id)
    (row,) = seen.invoices(db)
    words = seen.text(seen.file_of(db, row["id"]))
    assert (row["total_minor"], row["tax_minor"]) == (5000, 799)  # half of the order's 1597, as in the books
    assert "Not charged" in words
    assert "−50.00" in words
    assert "€50.00" in words


def test_nothing_is_invoiced_before_money_was_received(db: Database) -> None:
    with pytest.raises(NothingCaptured):
        invoice(db, made.SELLER, made.order(db, captured=0, status="authorized"))
    with pytest.raises(NothingToDocument):
        invoice(db, made.SELLER, "ord_unknown")
    assert seen.invoices(db) == []


def test_a_hostile_product_name_is_printed_and_nothing_more(db: Database) -> None:
    name = "<img src='file:///etc/passwd'><script>alert(1)</script>{{ 7 * 7 }}"
    invoice(db, made.SELLER, made.order(db, lines=((name, 1, 1000),)))
    words = seen.text(seen.file_of(db, seen.invoices(db)[0]["id"]))
    assert "<script>alert(1)</script>" in words.replace(" ", "")  # where a line ended is of no importance
    assert "{{ 7 * 7 }}" in words
    assert "root:" not in words


def test_sixty_lines_flow_over_pages_with_head_and_number_on_each(db: Database) -> None:
    lines = tuple((f"Product number {position} with a name of ordinary length", 1, 1000) for position in range(1, 61))
    number = invoice(db, made.SELLER, made.order(db, lines=lines))
    printed = seen.pages(seen.file_of(db, seen.invoices(db)[0]["id"]))
    assert len(printed) > 1
    for place, page in enumerate(printed, 1):
        assert f"Page {place} of {len(printed)}" in page
        assert number in page
    assert sum("UNIT PRICE" in page.upper() for page in printed) >= len(printed) - 1
    together = " ".join(printed)
    assert all(f"Product number {position} " in together for position in range(1, 61))


def test_yen_have_no_decimals_and_dinars_three(db: Database) -> None:
    invoice(db, made.SELLER, made.order(db, lines=(("Tea", 1, 1500),), shipping=0, currency="jpy"))
    invoice(db, made.SELLER, made.order(db, lines=(("Tea", 1, 1500),), shipping=0, currency="kwd"))
    yen, dinars = (seen.text(seen.file_of(db, row["id"])) for row in seen.invoices(db))
    assert "¥1,500" in yen
    assert "KWD 1.500" in dinars


def test_rolled_back_issues_between_others_on_connections_of_their_own_leave_no_gap(
    db: Database, database_url: str
) -> None:
    """Sixteen writers, each on its own connection; every third dies after it has taken its number."""
    orders = [made.order(db) for _ in range(16)]
    started = threading.Barrier(16)

    def write(place: int) -> str | None:
        with psycopg.connect(database_url) as connection:
            started.wait(timeout=20)
            document = issue_on(connection, orders[place])
            if place % 3 == 0:
                connection.rollback()
                return None
            connection.commit()
            return document

    with ThreadPoolExecutor(16) as threads:
        numbers_given = sorted(filter(None, threads.map(write, range(16))))
    year = datetime.now(made.SELLER.zone).year
    assert numbers_given == [f"INV-{year}-{serial:06d}" for serial in range(1, 11)]
    assert verify_numbers(db).faults == []


def issue_on(connection: psycopg.Connection[Any], order_id: str) -> str:
    """As the job does it, in a transaction that the caller ends."""
    order = sources.order(connection, order_id)
    assert order is not None
    return issue_in(connection, made.SELLER, order)[-1].number


def test_money_that_comes_in_two_captures_gets_two_invoices_that_come_to_the_whole(db: Database) -> None:
    order_id = made.order(db, lines=(("Oak shelf", 2, 5000),), shipping=490, captured=6000)
    first = invoice(db, made.SELLER, order_id)
    with db.transaction() as tx:
        tx.execute("UPDATE orders SET amount_captured = total_minor WHERE id = %s", (order_id,))
    second = invoice(db, made.SELLER, order_id)
    assert invoice(db, made.SELLER, order_id) == second != first
    one, other = seen.invoices(db)
    assert (one["total_minor"], other["total_minor"]) == (6000, 4490)
    with db.transaction() as tx:
        order = sources.order(tx, order_id)
    assert order is not None
    assert one["tax_minor"] + other["tax_minor"] == order.tax_minor
    words = seen.text(seen.file_of(db, other["id"]))
    assert f"Invoiced before with {first}" in words
    assert "−60.00" in words
    mails = [job["args"]["subject_id"] for job in seen.staged(db) if job["name"] == "documents.mail"]
    assert mails == [order_id, other["id"]]
    assert verify_numbers(db, redraw=True).redrawn == 2
    note = credit(db, made.SELLER, made.refund(db, order_id, 10490))
    words = seen.text(seen.file_of(db, seen.credit_notes(db)[0]["id"]))
    assert first in words
    assert second in words
    assert note.startswith("CRN-")


def test_a_document_is_drawn_with_the_logo_of_its_day_for_ever(db: Database) -> None:
    old = Logo(
        "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
    )
    new = Logo(
        "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 9h9v0z"/></svg>'
    )
    for logo in (old, new, new):
        invoice(db, replace(made.SELLER, logo=logo), made.order(db))
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM document_logos").fetchone() == (2,)
    proof = verify_numbers(db, redraw=True)
    assert (proof.redrawn, proof.faults) == (3, [])


def test_a_paper_drawn_by_another_version_is_not_compared_and_one_drawn_by_this_is(db: Database) -> None:
    for _ in range(2):
        invoice(db, made.SELLER, made.order(db))
    with db.transaction() as tx:
        tx.execute("SET LOCAL session_replication_role = replica")
        tx.execute(
            "UPDATE document_files SET drawn_with = 'WeasyPrint 1 of long ago' WHERE document_id ="
            " (SELECT id FROM invoices WHERE serial = 1)"
        )
        tx.execute(
            "UPDATE document_files SET pdf = '%PDF-other', sha256 = sha256('%PDF-other') WHERE document_id ="
            " (SELECT id FROM invoices WHERE serial = 2)"
        )
    assert verify_numbers(db).sound
    proof = verify_numbers(db, redraw=True)
    assert proof.of_another_version == 1
    assert [fault[-27:] for fault in proof.faults] == ["drawn again is another paper"[-27:]]


def test_a_customer_gets_paper_in_the_language_of_the_order(db: Database) -> None:
    order_id = made.order(db)
    with db.transaction() as tx:
        tx.execute("UPDATE orders SET locale = 'de_AT' WHERE id = %s", (order_id,))
    invoice(db, made.SELLER, order_id)
    pdf = seen.file_of(db, seen.invoices(db)[0]["id"])
    words = seen.text(pdf)
    for expected in ("Rechnung", "Nettobetrag", "€ 104,70", "Visa mit Endziffern 4242", "Seite 1 von 1", "Versand"):
        assert expected in words, expected
    root: Any = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert root["/Lang"] == "de-AT"
