"""The books and the log: append-only, balanced, and whoever changes them is found out."""

from datetime import datetime

import psycopg
import pytest

from shop.payments import read
from shop.payments.errors import NoSuchSpan
from shop.payments.settlement.reconcile import ask_reconciliation, read_reconciliation, reconcile
from tests.shop.payments.shopkeeper import Shop


@pytest.fixture(name="paid")
def _paid(shop: Shop) -> str:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status == "paid"
    return order_id


@pytest.mark.parametrize("table", ["transactions", "ledger_entries", "ledger_lines"])
def test_no_row_is_ever_changed_or_removed(shop: Shop, paid: str, table: str) -> None:
    column = {"transactions": "kind", "ledger_entries": "cause", "ledger_lines": "account"}[table]
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            shop.sql(statement)
    assert paid


def test_an_entry_that_does_not_sum_to_zero_cannot_be_committed(shop: Shop, paid: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="sum to zero"):
        shop.sql(
            "WITH made AS (INSERT INTO ledger_entries (id, chain, seq, order_id, kind, cause, lines_hash, prev_hash, hash)"
            " VALUES ('led_x', %s, 1, %s, 'fee', 'x', '', '', '') RETURNING id)"
            " INSERT INTO ledger_lines SELECT id, 'fees', 'eur', 5 FROM made",
            paid,
            paid,
        )
    with pytest.raises(psycopg.errors.CheckViolation, match=r"sum to zero|other lines"):
        shop.sql("INSERT INTO ledger_lines SELECT id, 'bank', 'eur', 5 FROM ledger_entries LIMIT 1")


def test_the_books_of_one_sale(shop: Shop, paid: str) -> None:
    lines = shop.sql("SELECT kind, account, amount_minor FROM ledger_entries JOIN ledger_lines ON entry_id = id")
    assert set(lines) == {
        ("sale", "customer", 4490),
        ("sale", "sales", -(4000 - 639)),
        ("sale", "shipping", -(490 - 78)),
        ("sale", "tax", -(639 + 78)),
        ("capture", "stripe", 4490),
        ("capture", "customer", -4490),
        ("fee", "fees", 160),  # 2.9 % and 0.30
        ("fee", "stripe", -160),
        # Held on the card, and no longer: in accounts of their own that touch no other.
        ("authorisation", "authorised", 4490),
        ("authorisation", "authorisations", -4490),
        ("authorisation", "authorised", -4490),
        ("authorisation", "authorisations", 4490),
    }
    assert paid


def tampered(shop: Shop, table: str, statement: str) -> tuple[tuple[str, str], ...]:
    assert read.verify(shop.services.db).faults == ()
    shop.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    shop.sql(statement)
    shop.sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return read.verify(shop.services.db).faults


def test_a_fact_that_was_changed_behind_the_triggers_is_found(shop: Shop, paid: str) -> None:
    statement = "UPDATE transactions SET amount_minor = 1 WHERE kind = 'order.priced'"
    (wanted,) = shop.sql("SELECT id FROM transactions WHERE kind = 'order.priced'")[0]
    assert tampered(shop, "transactions", statement) == (("fact_changed", wanted),)
    assert paid


def test_a_fact_that_was_removed_is_found_at_its_successor(shop: Shop, paid: str) -> None:
    faults = tampered(shop, "transactions", "DELETE FROM transactions WHERE seq = 3")
    assert faults[0][0] == "fact_changed"
    assert paid


def test_a_line_and_an_entry_that_were_changed_are_found(shop: Shop, paid: str) -> None:
    faults = tampered(shop, "ledger_lines", "UPDATE ledger_lines SET amount_minor = -amount_minor")
    assert {kind for kind, _ in faults} == {"unbalanced", "order_differs"}
    shop.sql("ALTER TABLE ledger_lines DISABLE TRIGGER USER")
    shop.sql("UPDATE ledger_lines SET amount_minor = -amount_minor")
    faults = tampered(shop, "ledger_entries", "UPDATE ledger_entries SET booked_at = booked_at - interval '1 day'")
    assert {kind for kind, _ in faults} == {"entry_changed"}
    assert paid


def test_reconciliation_puts_right_what_was_lost_and_only_lists_it_in_a_dry_run(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id)
    shop.sql("UPDATE payments SET updated_at = now() - interval '1 hour'")
    services = shop.services
    asked = ask_reconciliation(services.db, dry_run=True, actor="usr_8")
    shop.work()
    dry = read_reconciliation(services.db, asked.reconciliation.id)
    assert [(found.kind, found.ours, found.theirs) for found in dry.differences] == [
        ("status", "requires_payment_method", "requires_capture")
    ]
    assert (dry.explained, dry.unexplained, shop.read(order_id).status) == (0, 1, "awaiting_payment")
    healed = reconcile(services.db, services.gateway, services.settlements)
    assert (healed.explained, healed.unexplained) == (1, 0)
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert reconcile(services.db, services.gateway, services.settlements).differences == ()


def test_reconciliation_names_what_stripe_does_not_have_and_what_the_books_do_not_say(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.sql("UPDATE payments SET updated_at = now() - interval '1 hour'")
    shop.sql("ALTER TABLE ledger_lines DISABLE TRIGGER USER")
    shop.sql("UPDATE ledger_lines SET amount_minor = amount_minor * 2 WHERE amount_minor IN (160, -160)")
    services = shop.services
    found = reconcile(services.db, services.gateway, services.settlements)
    charge = shop.sql("SELECT charge_id FROM payments")[0][0]
    assert [(row.kind, row.order_id, row.ours, row.theirs) for row in found.differences] == [
        ("books", order_id, "4170", "4330"),
        ("movement_differs", order_id, "4170 eur", f"4330 eur charge {charge}"),
    ]
    assert found.unexplained == 1  # the other one is minutes old
    shop.sql("UPDATE payments SET intent_id = 'pi_never_was'")
    found = reconcile(services.db, services.gateway, services.settlements)
    assert {"missing_there", "missing_here"} <= {row.kind for row in found.differences}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("8157-10-13T00:00:00+00:00", None),
        (None, "0001-01-01T00:00:00+00:00"),
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_time_in_which_nothing_can_have_been_is_not_compared(shop: Shop, start: str | None, end: str | None) -> None:
    first, last = (datetime.fromisoformat(text) if text else None for text in (start, end))
    with pytest.raises(NoSuchSpan):
        ask_reconciliation(shop.services.db, dry_run=True, actor="usr_9", start=first, end=last)
    assert shop.sql("SELECT count(*) FROM reconciliations") == [(0,)]
