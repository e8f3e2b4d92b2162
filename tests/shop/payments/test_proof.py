"""Whoever changes, adds or removes a row of the books is named, also where no chain can show it."""

import random
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shop.payments import read
from shop.payments.books.entries import Posting
from shop.payments.books.proof import prove, prove_recent
from shop.payments.books.sealing import seal_days
from shop.payments.books.verify import verify
from shop.payments.queries import ledger, settling
from shop.payments.settlement.settle import settle
from tests.shop.payments.shopkeeper import Shop

HARMLESS = {
    "transactions": "kind = kind",
    "ledger_entries": "memo = memo",
    "ledger_lines": "account = account",
    "house_facts": "kind = kind",
    "ledger_digests": "facts = facts",
    "ledger_day_balances": "balance_minor = balance_minor",
    "provider_movements": "type = type || 'x'",
    "difference_resolutions": "reason = reason",
}
DAY = timedelta(days=1)


@pytest.fixture(name="books")
def _books(shop: Shop) -> str:
    """A paid order and a payout, all of it the day before yesterday, and the day sealed."""
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * 24 * 3600)
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    return order_id


def behind_the_triggers(shop: Shop, table: str, statement: str, *values: object) -> None:
    """As the owner of the tables can."""
    shop.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    shop.sql(statement, *values)
    shop.sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def age_and_seal(shop: Shop) -> None:
    """Move everything two days back, hashes and all, as if it had happened then; then seal what is over."""
    for table, column in (
        ("transactions", "recorded_at"),
        ("house_facts", "recorded_at"),
        ("ledger_entries", "booked_at"),
    ):
        behind_the_triggers(shop, table, f"UPDATE {table} SET {column} = {column} - interval '2 days'")
        chain = {"transactions": "order_id"}.get(table, "chain")
        made = {"transactions": "transaction_hash", "house_facts": "house_fact_hash"}.get(table, "ledger_entry_hash")
        longest = shop.sql(f"SELECT coalesce(max(seq), 0) FROM {table}")[0][0]
        shop.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for seq in range(1, longest + 1):
            shop.sql(
                f"UPDATE {table} AS row_ SET prev_hash = coalesce((SELECT hash FROM {table} AS before"
                f" WHERE before.{chain} = row_.{chain} AND before.seq = row_.seq - 1),"
                f" sha256(convert_to(row_.{chain}, 'UTF8'))) WHERE seq = %s",
                seq,
            )
            shop.sql(f"UPDATE {table} AS row_ SET hash = {made}(row_) WHERE seq = %s", seq)
        shop.sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert prove(shop.services.db).faults == ()
    assert seal_days(shop.services.db)


def test_no_sealed_row_can_be_changed_removed_or_truncated(shop: Shop, books: str) -> None:
    for table, harmless in HARMLESS.items():
        fill(shop, table)
        for statement in (f"UPDATE {table} SET {harmless}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                shop.sql(statement)
    assert books


def test_a_role_that_may_write_everything_may_change_nothing_of_it_either(shop: Shop, books: str) -> None:
    name = shop.sql("SELECT current_database()")[0][0] + "_application"
    shop.sql(f"CREATE ROLE {name}")
    shop.sql(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    url = shop.services.settings.database_url.get_secret_value()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"SET ROLE {name}".encode())
            for table in ("transactions", "ledger_entries", "ledger_lines", "house_facts"):
                for statement in (
                    f"UPDATE {table} SET {HARMLESS[table]}",
                    f"DELETE FROM {table}",
                    f"TRUNCATE {table} CASCADE",
                ):
                    with pytest.raises(psycopg.errors.RestrictViolation):
                        connection.execute(statement.encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
    finally:
        shop.sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}")
        shop.sql(f"DROP ROLE {name}")
    assert books


def fill(shop: Shop, table: str) -> None:
    """UPDATE and DELETE say something only where there is a row."""
    if table == "ledger_digests":
        shop.sql("INSERT INTO ledger_digests VALUES (current_date - 1, 1, 1, 'x', '', '')")
    if table == "ledger_day_balances":
        shop.sql("INSERT INTO ledger_day_balances VALUES (current_date - 1, 'bank', 'eur', 1)")
    if table == "difference_resolutions":
        shop.sql(
            "INSERT INTO reconciliations (id, dry_run, from_at, to_at) VALUES ('rec_1', true, now() - interval '1d', now())"
        )
        shop.sql("INSERT INTO reconciliation_differences VALUES ('rec_1', 1, 'balance')")
        shop.sql(
            "INSERT INTO difference_resolutions (id, reconciliation_id, position, action, reason, actor, likeness)"
            " VALUES ('rsl_1', 'rec_1', 1, 'accept', 'because', 'usr_9', repeat('a', 64))"
        )
    assert shop.sql(f"SELECT count(*) > 0 FROM {table}") == [(True,)]


def test_a_changed_fact_of_a_payout_is_named(shop: Shop, books: str) -> None:
    (wanted,) = shop.sql("SELECT id FROM house_facts ORDER BY chain, seq LIMIT 1")[0]
    behind_the_triggers(shop, "house_facts", "UPDATE house_facts SET amount_minor = 1 WHERE id = %s", wanted)
    assert prove(shop.services.db).faults == (("house_fact_changed", wanted),)
    assert prove_recent(shop.services.db).faults == (("house_fact_changed", wanted),)
    assert books


def test_a_changed_memo_is_named(shop: Shop, books: str) -> None:
    (wanted,) = shop.sql("SELECT id FROM ledger_entries WHERE memo IS NOT NULL ORDER BY seq LIMIT 1")[0]
    behind_the_triggers(shop, "ledger_entries", "UPDATE ledger_entries SET memo = 'a better one' WHERE id = %s", wanted)
    assert prove(shop.services.db).faults == (("entry_changed", wanted),)
    assert books


def test_the_first_bad_row_of_a_chain_is_named_and_not_all_that_follow(shop: Shop, books: str) -> None:
    behind_the_triggers(
        shop, "transactions", "UPDATE transactions SET actor = 'me' WHERE seq IN (3, 5) AND order_id = %s", books
    )
    (wanted,) = shop.sql("SELECT id FROM transactions WHERE seq = 3 AND order_id = %s", books)[0]
    assert prove(shop.services.db).faults == (("fact_changed", wanted),)


def test_the_end_of_a_chain_that_was_removed_is_found_by_the_seal_of_its_day(shop: Shop, books: str) -> None:
    age_and_seal(shop)
    day = (datetime.now(UTC) - 2 * DAY).date()
    last = "DELETE FROM transactions WHERE seq = (SELECT max(seq) FROM transactions) AND order_id = %s"
    behind_the_triggers(shop, "transactions", last, books)
    assert prove(shop.services.db).faults == (("digest_differs", day.isoformat()),)


def test_a_seal_that_was_changed_with_its_rows_breaks_the_seals_after_it(shop: Shop, books: str) -> None:
    age_and_seal(shop)
    assert shop.sql("SELECT count(*) FROM ledger_digests") >= [(1,)]
    day = shop.sql("SELECT min(day) FROM ledger_digests")[0][0]
    behind_the_triggers(shop, "ledger_digests", "UPDATE ledger_digests SET facts = facts - 1 WHERE day = %s", day)
    assert {kind for kind, _ in prove(shop.services.db).faults} == {"digest_broken", "digest_differs"}
    assert books


def test_days_are_sealed_in_their_order_once_and_only_when_they_are_over(shop: Shop, books: str) -> None:
    assert seal_days(shop.services.db) == []  # today is not over
    age_and_seal(shop)
    assert seal_days(shop.services.db) == []
    with pytest.raises(psycopg.errors.CheckViolation, match="is sealed next"):
        shop.sql("INSERT INTO ledger_digests VALUES (current_date + 5, 0, 0, 'x', '', '')")
    assert books


def by_hand(shop: Shop) -> list[tuple[str, str, int]]:
    return shop.sql(
        "SELECT account, currency, sum(amount_minor)::bigint FROM ledger_lines"
        " GROUP BY account, currency ORDER BY currency, account"
    )


def told(shop: Shop) -> list[tuple[str, str, int]]:
    return [(line.code, line.currency, line.balance_minor) for line in read.balances(shop.services.db)]


def book_at_random(shop: Shop, chance: random.Random, number: int) -> None:
    accounts = ["stripe", "bank", "payouts", "fees", "corrections", "exchange"]
    for _ in range(number):
        taken, given = chance.sample(accounts, 2)
        currency, amount = chance.choice(["eur", "usd", "jpy"]), chance.randint(1, 10**9)
        lines = [Posting(taken, currency, amount), Posting(given, currency, -amount)]
        with shop.services.db.transaction() as tx:
            ledger.enter(tx, order_id=None, kind="correction", cause=f"chance:{chance.random()}", lines=lines)


def test_balances_are_the_plain_sum_before_and_after_days_are_sealed_and_read_no_sealed_line(
    shop: Shop, books: str
) -> None:
    chance = random.Random(7)
    assert told(shop) == by_hand(shop)
    book_at_random(shop, chance, 30)
    assert told(shop) == by_hand(shop)
    age_and_seal(shop)
    assert shop.sql("SELECT count(*) > 0 FROM ledger_day_balances") == [(True,)]
    assert told(shop) == by_hand(shop)
    book_at_random(shop, chance, 30)
    assert told(shop) == by_hand(shop)
    with shop.services.db.transaction() as tx:
        held = settling.held(tx)
    assert held == {currency: amount for account, currency, amount in by_hand(shop) if account == "stripe"}
    assert prove(shop.services.db).faults == ()
    before = told(shop)
    # What is kept is what is read: whoever hid a sealed line would change no balance.
    behind_the_triggers(
        shop,
        "ledger_lines",
        "UPDATE ledger_lines SET amount_minor = amount_minor + 1 WHERE"
        " entry_id IN (SELECT id FROM ledger_entries WHERE booked_at < now() - interval '1 day')",
    )
    assert told(shop) == before != by_hand(shop)
    assert "balance_differs" in {kind for kind, _ in prove(shop.services.db).faults}


def test_a_kept_balance_that_was_changed_is_named(shop: Shop, books: str) -> None:
    age_and_seal(shop)
    day = shop.sql("SELECT max(day) FROM ledger_day_balances")[0][0]
    behind_the_triggers(
        shop,
        "ledger_day_balances",
        "UPDATE ledger_day_balances SET balance_minor = balance_minor + 1 WHERE account = 'sales' AND day = %s",
        day,
    )
    assert prove_recent(shop.services.db).faults == (("balance_differs", day.isoformat()),)
    assert prove(shop.services.db).faults == (("balance_differs", day.isoformat()),)


def test_no_day_is_sealed_while_an_entry_is_still_being_written(shop: Shop, books: str) -> None:
    with shop.services.db.transaction() as tx:
        lines = [Posting("bank", "eur", 100), Posting("payouts", "eur", -100)]
        ledger.enter(tx, order_id=None, kind="correction", cause="chance:slow", lines=lines)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            seal_days(shop.services.db)
        assert shop.sql("SELECT count(*) FROM ledger_digests") == [(0,)]


def test_a_request_checks_what_is_newer_than_the_last_seal_and_says_since_when(shop: Shop, books: str) -> None:
    age_and_seal(shop)
    proof = prove_recent(shop.services.db)
    assert (proof.faults, proof.facts, proof.complete) == ((), 0, True)
    assert proof.since is not None
    assert proof.head == shop.sql("SELECT encode(digest, 'hex') FROM ledger_digests ORDER BY day DESC LIMIT 1")[0][0]
    assert prove(shop.services.db).facts > 5
    assert books


def test_the_nightly_check_keeps_what_it_found(shop: Shop, books: str) -> None:
    age_and_seal(shop)
    kept = verify(shop.services.db)
    assert (kept.state, list(kept.faults), kept.digests > 0, kept.head is not None) == ("done", [], True, True)
    behind_the_triggers(shop, "ledger_lines", "UPDATE ledger_lines SET amount_minor = amount_minor * 3")
    found = verify(shop.services.db)
    assert {fault[0] for fault in found.faults} == {"unbalanced", "order_differs", "balance_differs"}
    assert read.verify(shop.services.db).faults != ()
    assert books
