"""`backroom reconcile` and `backroom ledger …`: what they print, and the exit code by which scripts tell."""

import json

import pytest

from tests.boot.conftest import Run
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture


@pytest.fixture(name="variables")
def _variables(shop: Shop, variables: dict[str, str]) -> dict[str, str]:
    settings = shop.services.settings
    return variables | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "STRIPE_BASE_URL": settings.stripe_base_url,
    }


def test_books_that_agree_end_with_0_and_one_charge_nobody_knows_ends_with_1(shop: Shop, run: Run) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    agreed = run("reconcile")
    assert agreed.returncode == 0, agreed.stderr
    assert agreed.stdout.startswith("No differences.")
    assert "ours 43.30 EUR + explained 0.00 EUR + unexplained 0.00 EUR = Stripe's 43.30 EUR" in agreed.stdout
    account = shop.stripe.account
    with account.lock:
        known = account.store.all("balance_transaction")[0]
        account.new(
            "balance_transaction",
            "txn",
            **{**{name: known[name] for name in known if name not in {"id", "object", "created"}}, "type": "riddle"},
            source_of_tests=None,
        )
        made = account.store.all("balance_transaction")[-1]
        made |= {"source": None, "created": made["created"] - 3600}
        made.pop("source_of_tests")
    found = run("reconcile", "--dry-run", "--json")
    assert found.returncode == 1, found.stderr
    told = json.loads(found.stdout)
    assert [(each["kind"], each["explanation"]) for each in told["differences"]] == [("movement_unknown", None)]
    assert told["equation"][0]["unexplained"] == 4330


def test_the_ledger_is_proved_shown_and_its_first_bad_row_named(shop: Shop, run: Run) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    sound = run("ledger", "verify")
    assert (sound.returncode, "nothing changed" in sound.stdout) == (0, True), sound.stderr
    held = {row["account"]: row["minor"] for row in json.loads(run("ledger", "balances", "--json").stdout)}
    assert (held["stripe"], held["fees"], held["authorised"]) == (4330, 160, 0)
    assert "No day is sealed yet" in run("ledger", "digests", "--seal").stdout
    (wanted,) = shop.sql("SELECT id FROM ledger_entries ORDER BY seq LIMIT 1")[0]
    shop.sql("ALTER TABLE ledger_entries DISABLE TRIGGER USER")
    shop.sql("UPDATE ledger_entries SET kind = 'correction' WHERE id = %s", wanted)
    bad = run("ledger", "verify", "--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["faults"] == [{"kind": "entry_changed", "id": wanted}]


def test_a_time_that_ends_before_it_begins_is_one_sentence(run: Run) -> None:
    done = run("reconcile", "--from", "2026-02-01", "--to", "2026-01-01")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "must end after it begins" in done.stderr
