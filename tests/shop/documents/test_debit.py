"""Debit notes: the counter-document of a credit note whose refund came back."""

import pytest

from db.database import Database
from shop.documents.credit import credit
from shop.documents.debit import debit
from shop.documents.errors import RefundNotDone
from shop.documents.issued import documents_of, paper_of
from shop.documents.proof import verify_numbers
from tests.shop.documents import made, seen


def bounce(db: Database, refund_id: str) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE refunds SET status = 'failed' WHERE id = %(id)s", {"id": refund_id})


def test_a_refund_that_came_back_gets_a_debit_note_over_what_was_credited(db: Database) -> None:
    order_id = made.order(db)
    refund_id = made.refund(db, order_id, 1000)
    note = credit(db, made.SELLER, refund_id)
    bounce(db, refund_id)
    number = debit(db, made.SELLER, refund_id)
    assert number is not None
    assert number.startswith("DBN-")
    assert debit(db, made.SELLER, refund_id) == number
    words = seen.text(paper_of(db, "debit_note", number).pdf)
    for told in (number, note, "Debit note", "The refund did not arrive.", "10.00"):
        assert told in words, told
    listed = [(document.kind, document.number, document.total_minor) for document in documents_of(db, order_id)]
    assert listed[0] == ("debit_note", number, 1000)
    assert not verify_numbers(db).faults


def test_the_next_refund_is_credited_in_full_again(db: Database) -> None:
    order_id = made.order(db)
    for _ in range(3):
        refund_id = made.refund(db, order_id, 10470)
        credit(db, made.SELLER, refund_id)
        bounce(db, refund_id)
        assert debit(db, made.SELLER, refund_id)
    credit(db, made.SELLER, made.refund(db, order_id, 10470))
    assert len(seen.credit_notes(db)) == 4
    assert not verify_numbers(db).faults


def test_without_a_credit_note_there_is_nothing_to_cancel(db: Database) -> None:
    order_id = made.order(db)
    refund_id = made.refund(db, order_id, 1000)
    assert debit(db, made.SELLER, refund_id) is None
    credit(db, made.SELLER, refund_id)
    assert debit(db, made.SELLER, refund_id) is None  # it has not come back
    other = made.refund(db, order_id, 500)
    bounce(db, other)
    assert debit(db, made.SELLER, other) is None
    with pytest.raises(RefundNotDone):
        credit(db, made.SELLER, other)


def test_a_credit_of_a_bounced_refund_without_its_debit_note_is_a_fault(db: Database) -> None:
    refund_id = made.refund(db, made.order(db), 1000)
    note = credit(db, made.SELLER, refund_id)
    bounce(db, refund_id)
    with db.transaction() as tx:
        tx.execute("UPDATE refunds SET updated_at = now() - interval '2 hours'")
    assert list(verify_numbers(db).faults) == [f"{note} credits a refund that failed afterwards"]
    debit(db, made.SELLER, refund_id)
    assert not verify_numbers(db).faults


def test_an_issued_debit_note_is_final(db: Database) -> None:
    refund_id = made.refund(db, made.order(db), 1000)
    credit(db, made.SELLER, refund_id)
    bounce(db, refund_id)
    debit(db, made.SELLER, refund_id)
    with pytest.raises(Exception, match="final"), db.transaction() as tx:
        tx.execute("UPDATE debit_notes SET number = 'DBN-0'")
