"""`backroom invoices`: what was issued is listed, shown and proven in a terminal."""

import hashlib
import json
from pathlib import Path

from db.database import Database
from shop.documents.credit import credit
from shop.documents.invoice import invoice
from tests.boot.conftest import Run
from tests.shop.documents import made


def test_documents_are_listed_shown_kept_and_proven(db: Database, run: Run, tmp_path: Path) -> None:
    order_id = made.order(db)
    number = invoice(db, made.SELLER, order_id)
    note = credit(db, made.SELLER, made.refund(db, order_id, 1000))
    listed = json.loads(run("invoices", "list", "--json").stdout)
    assert [(row["number"], row["total"], row["order_id"]) for row in listed] == [
        (note, 1000, order_id), (number, 10470, order_id),
    ]  # fmt: skip
    assert json.loads(run("invoices", "list", "--series", "CRN", "--json").stdout)[0]["number"] == note
    assert number in run("invoices", "list").stdout
    shown = run("invoices", "show", number, "--pdf", "it.pdf")
    assert shown.returncode == 0
    assert "Walnut desk lamp" in shown.stdout
    assert "total 104.70 EUR" in shown.stdout
    paper = (tmp_path / "it.pdf").read_bytes()
    said = json.loads(run("invoices", "show", number, "--json").stdout)
    assert (said["unchanged"], said["paper_sha256"]) == (True, hashlib.sha256(paper).hexdigest())
    proven = run("invoices", "verify", "--redraw", "--json")
    verdict = json.loads(proven.stdout)
    assert proven.returncode == 0
    assert (verdict["sound"], verdict["documents"], verdict["redrawn"], verdict["faults"]) == (True, 2, 2, [])
    assert "without a gap, nothing changed" in run("invoices", "verify").stdout


def test_the_first_bad_number_is_named_and_the_exit_code_says_so(db: Database, run: Run) -> None:
    number = [invoice(db, made.SELLER, made.order(db)) for _ in range(4)][-1]
    with db.transaction() as tx:
        tx.execute("SET LOCAL session_replication_role = replica")
        tx.execute("DELETE FROM invoices WHERE serial = 2")
        tx.execute("UPDATE invoices SET snapshot = snapshot || '{\"total_minor\": 1}' WHERE serial = 4")
    proven = run("invoices", "verify")
    assert proven.returncode == 1
    assert f"The first fault: {number[:-1]}2 is missing." in proven.stdout
    assert json.loads(run("invoices", "verify", "--json").stdout)["faults"][0] == f"{number[:-1]}2 is missing"
    shown = run("invoices", "show", number)
    assert shown.returncode == 1
    assert "does not say what it said" in shown.stdout
    assert run("invoices", "show", "INV-1999-000001").returncode == 1


def test_the_doctor_looks_at_what_documents_need(run: Run) -> None:
    told = run("doctor", "--offline").stdout
    assert "SHOP_TAX_ID is still DE000000000" in told
    assert "SHOP_STREET, SHOP_POSTAL_CODE and SHOP_CITY" in told
    address = {"SHOP_STREET": "1 Market Street", "SHOP_POSTAL_CODE": "10115", "SHOP_CITY": "Berlin"}
    told = run("doctor", "--offline", SHOP_TAX_ID="DE123456788", **address).stdout
    assert "SHOP_TAX_ID" not in told
    assert "SHOP_STREET" not in told
    told = run("doctor", "--offline", SHOP_LOGO="nowhere.svg")
    assert told.returncode == 1
    assert "SHOP_LOGO cannot be read" in told.stdout
