"""The proof over issued documents finds what an auditor would."""

from typing import Any

import pytest

from db.database import Database
from shop.documents.credit import credit
from shop.documents.invoice import invoice
from shop.documents.proof import verify_numbers
from tests.shop.documents import made


def test_an_honest_set_of_documents_is_sound(db: Database) -> None:
    for _ in range(2):
        invoice(db, made.SELLER, made.order(db))
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    credit(db, made.SELLER, made.refund(db, order_id, 100))
    proof = verify_numbers(db)
    assert proof.sound
    assert proof.documents == 4


@pytest.mark.parametrize(
    ("crime", "finding"),
    [
        ("DELETE FROM invoices WHERE serial = 2", "000002 is missing"),
        ("DELETE FROM invoices WHERE serial = 3", "the last document is number 2, and the counter says 3"),
        ("UPDATE orders SET amount_captured = amount_captured - 1", "000001 is not for the amount that was captured"),
        ("UPDATE document_counters SET last_serial = 7", "the last document is number 3, and the counter says 7"),
        ("UPDATE invoices SET snapshot = jsonb_set(snapshot, '{buyer,name}', '\"Eve\"') WHERE serial = 2",
         "000002 does not say what it said when it was issued"),
        ("UPDATE invoices SET total_minor = total_minor + 5, net_minor = net_minor + 5 WHERE serial = 1",
         "000001 has a row that differs from its contents"),
        ("UPDATE invoices SET issued_at = issued_at - interval '1 day' WHERE serial = 2",
         "000002 is older than the number before it"),
        ("ALTER TABLE document_files DROP CONSTRAINT document_files_check; UPDATE document_files SET pdf = '%PDF-forged'",
         "has a paper that is not the one drawn"),
        ("DELETE FROM document_files; UPDATE invoices SET issued_at = issued_at - interval '1 day'", "000001 has no paper"),
    ],
)  # fmt: skip
def test_a_forger_with_all_rights_is_found(db: Database, crime: Any, finding: str) -> None:
    for _ in range(3):
        invoice(db, made.SELLER, made.order(db))
    with db.transaction() as tx:
        tx.execute("SET LOCAL session_replication_role = replica")  # the forger switches the triggers off
        tx.execute(crime)
    proof = verify_numbers(db)
    assert not proof.sound
    assert any(finding in fault for fault in proof.faults), proof.faults


def test_a_document_issued_a_moment_ago_may_still_wait_for_its_paper(db: Database) -> None:
    made.issued(db, made.order(db))
    assert verify_numbers(db).sound
