"""Credit notes: one for each refund, adding up to the invoice to the last cent."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from db.database import Database
from shop.documents.credit import credit
from shop.documents.errors import CreditTooLarge, NothingToDocument, RefundNotDone
from shop.documents.invoice import invoice
from shop.documents.proof import verify_numbers
from tests.shop.documents import made, seen


def test_a_refund_of_lines_gets_a_credit_note_that_names_them_and_the_invoice(db: Database) -> None:
    order_id = made.order(db, lines=(("Walnut desk lamp", 2, 4990), ("Ceramic mug", 1, 1250)))
    number = invoice(db, made.SELLER, order_id)
    refund_id = made.refund(db, order_id, 4990 + 490, lines=((1, 1, 4990),), shipping=490)
    note = credit(db, made.SELLER, refund_id)
    (row,) = seen.credit_notes(db)
    words = seen.text(seen.file_of(db, row["id"]))
    assert note.startswith("CRN-")
    for expected in (note, number, "Walnut desk lamp", "49.90", "Shipping", "4.90", "€54.80", "Ada Lovelace"):
        assert expected in words, expected
    assert "Ceramic mug" not in words
    assert "suspected nonsense" not in words
    assert {"name": "documents.mail", "args": {"kind": "refund_done", "subject_id": refund_id}} in seen.staged(db)


def test_a_full_refund_without_lines_credits_every_line_of_the_invoice(db: Database) -> None:
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    credit(db, made.SELLER, made.refund(db, order_id, 10470))
    words = seen.text(seen.file_of(db, seen.credit_notes(db)[0]["id"]))
    assert "Walnut desk lamp" in words
    assert "Shipping" in words
    assert [seen.credit_notes(db)[0][key] for key in ("net_minor", "tax_minor", "total_minor")] == [
        seen.invoices(db)[0][key] for key in ("net_minor", "tax_minor", "total_minor")
    ]


def test_a_refund_of_more_or_less_than_its_lines_still_adds_up(db: Database) -> None:
    order_id = made.order(db, lines=(("Walnut desk lamp", 2, 4990),))
    credit(db, made.SELLER, made.refund(db, order_id, 5190, lines=((1, 1, 4990),)))
    credit(db, made.SELLER, made.refund(db, order_id, 4000, lines=((1, 1, 4990),)))
    more, less = (seen.text(seen.file_of(db, row["id"])) for row in seen.credit_notes(db))
    assert "Further amount" in more
    assert "€51.90" in more
    assert "−9.90" in less
    assert "€40.00" in less


def test_a_credit_note_run_twice_is_one_number_and_one_mail(db: Database) -> None:
    order_id = made.order(db)
    refund_id = made.refund(db, order_id, 1000)
    assert credit(db, made.SELLER, refund_id) == credit(db, made.SELLER, refund_id)
    assert len(seen.credit_notes(db)) == 1
    assert len([job for job in seen.staged(db) if job["args"].get("kind") == "refund_done"]) == 1


def test_a_refund_that_overtakes_the_invoice_issues_it_first(db: Database) -> None:
    order_id = made.order(db)
    credit(db, made.SELLER, made.refund(db, order_id, 1000))
    assert len(seen.invoices(db)) == 1
    number = invoice(db, made.SELLER, order_id)
    assert number in seen.text(seen.file_of(db, seen.credit_notes(db)[0]["id"]))


def test_parts_refunded_one_by_one_return_exactly_the_tax_that_was_charged(db: Database) -> None:
    order_id = made.order(db, lines=(("Tea", 1, 1000),), shipping=0)
    for _ in range(9):
        credit(db, made.SELLER, made.refund(db, order_id, 111))
    credit(db, made.SELLER, made.refund(db, order_id, 1))
    notes = seen.credit_notes(db)
    assert sum(note["tax_minor"] for note in notes) == seen.invoices(db)[0]["tax_minor"] == 160
    assert sum(note["total_minor"] for note in notes) == 1000
    assert verify_numbers(db).faults == []


def test_all_of_a_part_captured_returns_the_tax_of_that_part(db: Database) -> None:
    order_id = made.order(db, lines=(("Oak shelf", 2, 5000),), shipping=0, captured=5001)
    for amount in (333, 1667, 3001):
        credit(db, made.SELLER, made.refund(db, order_id, amount))
    assert sum(note["tax_minor"] for note in seen.credit_notes(db)) == seen.invoices(db)[0]["tax_minor"]


def test_refunds_credited_at_the_same_time_neither_gap_nor_lose_a_cent(db: Database) -> None:
    order_id = made.order(db, lines=(("Tea", 1, 1003),), shipping=0)
    refunds = [made.refund(db, order_id, 59) for _ in range(17)]
    with ThreadPoolExecutor(6) as threads:
        numbers = list(threads.map(lambda refund_id: credit(db, made.SELLER, refund_id), refunds + refunds[:4]))
    assert sorted({number[-6:] for number in numbers}) == [f"{serial:06d}" for serial in range(1, 18)]
    assert sum(note["tax_minor"] for note in seen.credit_notes(db)) == seen.invoices(db)[0]["tax_minor"]


def test_nothing_is_credited_before_the_money_went_back(db: Database) -> None:
    order_id = made.order(db)
    with pytest.raises(RefundNotDone):
        credit(db, made.SELLER, made.refund(db, order_id, 1000, status="pending"))
    with pytest.raises(NothingToDocument):
        credit(db, made.SELLER, "ref_unknown")
    assert seen.credit_notes(db) == []


def test_more_than_was_invoiced_is_never_credited(db: Database) -> None:
    order_id = made.order(db, lines=(("Tea", 1, 1000),), shipping=0)
    credit(db, made.SELLER, made.refund(db, order_id, 600))
    with pytest.raises(CreditTooLarge):
        credit(db, made.SELLER, made.refund(db, order_id, 401))
    assert len(seen.credit_notes(db)) == 1


def test_a_refund_that_fails_after_its_credit_note_is_told_and_does_not_block_the_next(db: Database) -> None:
    order_id = made.order(db, lines=(("Tea", 1, 1000),), shipping=0)
    refund_id = made.refund(db, order_id, 1000)
    note = credit(db, made.SELLER, refund_id)
    with db.transaction() as tx:
        tx.execute(
            "UPDATE refunds SET status = 'failed', updated_at = now() - interval '2 hours' WHERE id = %s", (refund_id,)
        )
    credit(db, made.SELLER, made.refund(db, order_id, 1000))
    assert verify_numbers(db).faults == [f"{note} credits a refund that failed afterwards"]
