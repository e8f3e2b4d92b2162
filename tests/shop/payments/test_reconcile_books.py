"""Our books beside Stripe's: every movement has its entry, every entry its movement, and what is left over is said."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from db.ids import new_id
from shop.payments.books.entries import Posting
from shop.payments.queries import ledger as books
from shop.payments.queries import orders, settling
from shop.payments.queries import payouts as house
from shop.payments.queries.payouts import HouseFact
from shop.payments.queries.reconciling import Difference
from shop.payments.refunds.refunding import RefundWish, ask_refund
from shop.payments.settlement.balancing import FOREIGN, PENDING
from shop.payments.settlement.listing import BEYOND, Listing
from shop.payments.settlement.reconcile import (
    Outcome,
    ask_reconciliation,
    begin_reconciliation,
    read_reconciliation,
    reconcile,
)
from shop.payments.settlement.resolve import Wish, accept
from shop.payments.settlement.settle import settle
from tests.shop.payments.shopkeeper import Shop

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}
DAY_S = 24 * 3600
LONG_AGO = "2 hours"


def compare(shop: Shop) -> Outcome:
    services = shop.services
    return reconcile(services.db, services.gateway, services.settlements)


def compare_dry(shop: Shop) -> Outcome:
    services = shop.services
    asked = ask_reconciliation(services.db, dry_run=True, actor="usr_8")
    shop.work(only="payments.reconcile")
    return read_reconciliation(services.db, asked.reconciliation.id)


def age(shop: Shop) -> None:
    """Everything happened two hours ago: nothing can be on its way any more."""
    shop.sql("ALTER TABLE ledger_entries DISABLE TRIGGER USER")
    shop.sql("ALTER TABLE provider_movements DISABLE TRIGGER USER")
    shop.sql("UPDATE ledger_entries SET booked_at = booked_at - interval '2 hours'")
    shop.sql("UPDATE provider_movements SET made_at = made_at - interval '2 hours'")
    shop.sql("ALTER TABLE ledger_entries ENABLE TRIGGER USER")
    shop.sql("ALTER TABLE provider_movements ENABLE TRIGGER USER")
    shop.sql("UPDATE payments SET updated_at = now() - interval '2 hours'")


def equation(outcome: Outcome, currency: str = "eur") -> dict[str, Any]:
    lines = {line["currency"]: line for line in outcome.reconciliation.totals["equation"]}
    return lines[currency]


def matched(outcome: Outcome) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {
        (row["type"], row["currency"]): (row["number"], row["net"], row["open"])
        for row in outcome.reconciliation.totals["movements"]
    }


def kinds(outcome: Outcome) -> list[tuple[str, bool]]:
    return [(difference.kind, difference.explanation is not None) for difference in outcome.differences]


def balances(shop: Shop, currency: str = "eur") -> dict[str, int]:
    rows = shop.sql(
        "SELECT account, sum(amount_minor)::int FROM ledger_lines WHERE currency = %s GROUP BY account", currency
    )
    return {account: amount for account, amount in rows if amount}


def decide(shop: Shop, outcome: Outcome, kind: str, reason: str = "seen on paper") -> Outcome:
    (position,) = [found.position for found in outcome.differences if found.kind == kind]
    return accept(shop.services.db, Wish(outcome.reconciliation.id, position, "accept", reason, "usr_admin"))


def foreign_charge(shop: Shop, amount: int = 1000) -> str:
    """A payment that somebody else made on the same account."""
    data = {
        "amount": amount,
        "currency": "eur",
        "confirm": "true",
        # Else the booking follows a moment after the answer.
        "capture_method": "automatic",
        "payment_method": "pm_card_visa",
        "return_url": "https://shop.example/return",
    }
    answer = requests.post(f"{shop.stripe.url}/v1/payment_intents", data=data, headers=BEARER, timeout=5)
    answer.raise_for_status()
    return answer.json()["id"]


def test_a_sale_is_matched_line_by_line_and_nothing_is_left_over(shop: Shop) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    outcome = compare(shop)
    assert outcome.differences == ()
    assert matched(outcome) == {("charge", "eur"): (1, 4330, 0)}
    assert equation(outcome) == {
        "currency": "eur",
        "ours": 4330,
        "explained": 0,
        "available": 0,
        "pending": 4330,
        "theirs": 4330,
        "unexplained": 0,
        "not_listed": 0,
    }


def test_a_payout_is_on_its_way_then_in_the_bank_and_the_one_that_fails_comes_back(shop: Shop) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * DAY_S)
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    assert balances(shop)["payouts"] == 4330
    assert "stripe" not in balances(shop)
    payout = shop.stripe.account.store.all("payout")[0]["id"]
    shop.door(f"payouts/{payout}", outcome="succeed")
    shop.read_all_news()
    assert (balances(shop)["bank"], balances(shop).get("payouts")) == (4330, None)
    assert shop.sql("SELECT status, composed_minor FROM payouts") == [("paid", 4330)]
    outcome = compare(shop)
    assert [found.kind for found in outcome.differences] == []
    assert equation(outcome)["unexplained"] == 0


def test_a_payout_that_was_read_before_stripe_had_put_it_together_is_read_again(shop: Shop) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * DAY_S)
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    # As if the list of what it pays out had been short when it was read.
    shop.sql("UPDATE payouts SET composed_minor = 0")
    settle(shop.services.db, shop.services.settlements)
    assert shop.sql("SELECT composed_minor FROM payouts") == [(4330,)]
    asked = len(shop.seen_by_stripe("GET /v1/balance_transactions"))
    settle(shop.services.db, shop.services.settlements)
    assert len(shop.seen_by_stripe("GET /v1/balance_transactions")) == asked + 1  # none of them of the payout


def test_a_payout_that_fails_puts_the_money_back_where_it_was(shop: Shop) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * DAY_S)
    shop.read_all_news()
    payout = shop.stripe.account.store.all("payout")[0]["id"]
    shop.door(f"payouts/{payout}", outcome="fail")
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    held = balances(shop)
    assert (held["stripe"], held.get("payouts"), held.get("bank")) == (4330, None, None)
    assert shop.sql("SELECT status, failure_code FROM payouts") == [("failed", "account_closed")]
    assert equation(compare(shop))["unexplained"] == 0


def test_the_news_of_a_payout_told_again_book_nothing_again(shop: Shop) -> None:
    shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * DAY_S)
    shop.read_all_news()
    payout = shop.stripe.account.store.all("payout")[0]["id"]
    shop.door(f"payouts/{payout}", outcome="succeed")
    for _ in range(3):
        settle(shop.services.db, shop.services.settlements)
    assert shop.sql("SELECT count(*) FROM ledger_entries WHERE kind = 'payout'") == [(2,)]
    assert shop.sql("SELECT count(*) FROM house_facts WHERE kind = 'payout.seen' AND data ->> 'status' = 'paid'") == [
        (1,)
    ]


def test_a_refund_made_in_the_dashboard_of_a_lost_webhook_is_found_by_its_movement(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    shop.door("deliveries", mode="drop", **{"for": 1000})
    data = {"payment_intent": shop.intent(order_id), "amount": 1000}
    requests.post(f"{shop.stripe.url}/v1/refunds", data=data, headers=BEARER, timeout=5).raise_for_status()
    # Long after the span in which payments themselves are compared.
    shop.sql("UPDATE payments SET created_at = now() - interval '30 days'")
    shop.stripe.account.store.get("payment_intent", shop.intent(order_id))["created"] -= 30 * DAY_S
    dry = compare_dry(shop)
    assert ("movement_foreign", True) in kinds(dry)
    assert shop.read(order_id).status == "paid"
    outcome = compare(shop)
    assert shop.read(order_id).status == "partially_refunded"
    assert (outcome.differences, equation(outcome)["unexplained"]) == ((), 0)
    assert matched(outcome)[("refund", "eur")] == (1, -1000, 0)


def test_a_refund_that_is_pending_is_explained_and_one_that_failed_then_leaves_nothing_open(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    shop.door("next-refund", status="pending")
    wish = RefundWish(reason="scratched", expected_refundable=None, amount=550)
    ask_refund(shop.services.db, order_id, wish, actor="usr_9")
    shop.work()
    compare(shop)
    age(shop)
    (found,) = compare(shop).differences
    assert (found.amount_minor, found.explanation) == (-550, PENDING)
    ((refund_id,),) = shop.sql("SELECT provider_refund_id FROM refunds")
    shop.door(f"refunds/{refund_id}", outcome="fail")
    shop.read_all_news()
    compare(shop)
    age(shop)
    outcome = compare(shop)
    assert (outcome.differences, equation(outcome)["unexplained"]) == ((), 0)
    assert matched(outcome)[("refund", "eur")] == (1, -550, 0)
    assert matched(outcome)[("refund_failure", "eur")] == (1, 550, 0)


def test_a_charge_that_is_no_order_of_ours_stays_unexplained_until_a_person_says_why(shop: Shop) -> None:
    foreign_charge(shop)
    compare(shop)
    age(shop)
    outcome = compare(shop)
    assert ("movement_foreign", False) in kinds(outcome)
    assert equation(outcome)["unexplained"] == 941  # 10.00 less the fee
    assert equation(outcome)["not_listed"] == 0
    decided = decide(shop, outcome, "movement_foreign", reason="gift cards, sold by hand")
    assert decided.unexplained == outcome.unexplained - 1
    said = [found.explanation for found in decided.differences if found.kind == "movement_foreign"]
    assert said == ["accept by usr_admin: gift cards, sold by hand"]
    assert balances(shop) == {"stripe": 941, "corrections": -941}
    again = compare(shop)
    assert equation(again)["unexplained"] == 0
    assert "movement_foreign" not in [found.kind for found in again.differences]
    assert shop.sql("SELECT kind, actor, data ->> 'reason' FROM house_facts") == [
        ("difference.resolved", "usr_admin", "gift cards, sold by hand")
    ]


def test_a_fee_of_stripes_own_has_an_account_and_a_kind_nobody_knows_is_shown_and_never_dropped(shop: Shop) -> None:
    new_movement(shop, "stripe_fee", -250, description="Radar for fraud teams")
    new_movement(shop, "lunar_surcharge", -99)
    settle(shop.services.db, shop.services.settlements)
    age(shop)
    outcome = compare(shop)
    assert balances(shop) == {"stripe": -250, "stripe_fees": 250}
    memo = shop.sql("SELECT memo FROM ledger_entries")[0][0]
    assert "Radar for fraud teams" in memo
    assert kinds(outcome) == [("movement_unknown", False)]
    assert equation(outcome)["unexplained"] == -99
    assert matched(outcome)[("lunar_surcharge", "eur")] == (1, -99, 1)


def test_what_no_movement_says_is_listed_as_a_remainder(shop: Shop) -> None:
    """A balance from before the shop came here, for instance."""
    new_movement(shop, "charge", 5000, created_before=400 * DAY_S)
    outcome = compare(shop)
    assert kinds(outcome) == [("balance", False)]
    assert equation(outcome)["unexplained"] == 5000
    decide(shop, outcome, "balance", reason="balance before the move to this shop")
    again = compare(shop)
    assert (again.differences, equation(again)["unexplained"]) == ((), 0)


def test_an_entry_of_ours_that_stripe_knows_nothing_of_is_listed_and_can_be_undone_by_a_correction(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    with shop.services.db.transaction() as tx:
        from shop.payments.books.entries import Posting
        from shop.payments.queries import ledger

        lines = [Posting("fees", "eur", 77), Posting("stripe", "eur", -77)]
        ledger.enter(tx, order_id=order_id, kind="fee", cause="fee:ch_never_was", lines=lines)
    age(shop)
    outcome = compare(shop)
    assert ("entry_alone", False) in kinds(outcome)
    assert equation(outcome)["unexplained"] == 77
    decide(shop, outcome, "entry_alone", reason="typed twice")
    again = compare(shop)
    assert equation(again)["unexplained"] == 0
    assert "entry_alone" not in [found.kind for found in again.differences]
    facts = shop.sql("SELECT data ->> 'what', actor FROM transactions WHERE kind = 'correction.made'")
    assert facts == [("booked", "usr_admin")]


def test_the_same_difference_is_resolved_once(shop: Shop) -> None:
    from shop.payments.errors import AlreadyResolved

    foreign_charge(shop)
    compare(shop)
    age(shop)
    outcome = compare(shop)
    decide(shop, outcome, "movement_foreign")
    with pytest.raises(AlreadyResolved):
        decide(shop, outcome, "movement_foreign")
    assert shop.sql("SELECT count(*) FROM ledger_entries WHERE kind = 'correction'") == [(1,)]


def test_a_strangers_payment_is_looked_at_for_as_long_as_its_movement_is_in_the_span(shop: Shop) -> None:
    intent = foreign_charge(shop)
    looks: list[int] = []
    for days in (0, 7, 9):
        shop.sql("ALTER TABLE provider_movements DISABLE TRIGGER USER")
        shop.sql("UPDATE provider_movements SET made_at = now() - make_interval(days => %s)", days)
        shop.sql("ALTER TABLE provider_movements ENABLE TRIGGER USER")
        before = len(shop.seen_by_stripe(f"GET /v1/payment_intents/{intent}"))
        found = dict(kinds(compare(shop)))
        assert ("movement_foreign" in found, found.get("foreign")) == ((True, None) if days < 7 else (False, True))
        looks.append(len(shop.seen_by_stripe(f"GET /v1/payment_intents/{intent}")) - before)
    assert looks == [1, 1, 0]


def make_old(shop: Shop, days: int = 9) -> None:
    shop.sql("ALTER TABLE provider_movements DISABLE TRIGGER USER")
    shop.sql("UPDATE provider_movements SET made_at = now() - make_interval(days => %s)", days)
    shop.sql("ALTER TABLE provider_movements ENABLE TRIGGER USER")


def test_old_movements_of_strangers_are_one_explained_line_and_are_not_read_any_more(shop: Shop) -> None:
    for amount in (1000, 2000, 3000):
        foreign_charge(shop, amount)
    compare(shop)
    make_old(shop)
    outcome = compare(shop)
    (line,) = [found for found in outcome.differences if found.kind == "foreign"]
    net = shop.sql("SELECT sum(net_minor)::bigint FROM provider_movements")[0][0]
    assert (line.amount_minor, line.theirs, line.explanation) == (net, f"3 movements, {net} eur", FOREIGN)
    assert not [found for found in outcome.differences if found.kind == "movement_foreign"]
    assert (equation(outcome)["explained"], equation(outcome)["unexplained"]) == (net, 0)
    with shop.services.db.transaction() as tx:
        assert settling.open_movements(tx, after="", limit=10) == []


def test_a_strangers_movement_that_a_person_accepts_late_is_counted_once(shop: Shop) -> None:
    foreign_charge(shop)
    compare(shop)
    age(shop)
    listed = compare(shop)
    make_old(shop)
    assert ("foreign", True) in kinds(compare(shop))
    decide(shop, listed, "movement_foreign", reason="gift cards, sold by hand")
    outcome = compare(shop)
    assert "foreign" not in dict(kinds(outcome))
    assert (equation(outcome)["ours"], equation(outcome)["unexplained"]) == (941, 0)
    assert shop.sql("SELECT matched_at IS NOT NULL, foreign_at FROM provider_movements") == [(True, None)]


def test_a_payment_of_an_order_that_is_not_here_is_never_called_a_strangers(shop: Shop) -> None:
    """Books that were put back from an older copy, for instance: Stripe says that it is this shop's."""
    intent = foreign_charge(shop)
    shop.stripe.account.store.get("payment_intent", intent)["metadata"]["order_id"] = new_id("ord")
    compare(shop)
    make_old(shop)
    outcome = compare(shop)
    assert ("movement_foreign", False) in kinds(outcome)
    assert equation(outcome)["unexplained"] == 941


def test_what_is_beyond_the_list_is_counted_and_summed() -> None:
    listing = Listing(most=2)
    for number, why in enumerate((None, None, None, "known", None)):
        listing.add([Difference("movement_foreign", None, f"txn_{number}", None, None, why, 10, "eur")])
    listing.add([Difference("missing_here", None, "pi_1", None, None, None)] * 3)
    lines = listing.lines()
    assert [
        (line.kind, line.object_id, line.amount_minor, line.explanation) for line in lines if line.kind == "more"
    ] == [
        ("more", "missing_here", None, None),
        ("more", "movement_foreign eur", 20, None),
        ("more", "movement_foreign eur", 10, BEYOND),
    ]
    assert len(lines) == 7


def test_a_decision_and_news_of_a_payout_at_the_same_moment_do_not_stand_in_each_others_way(shop: Shop) -> None:
    """Both write into the log of the house and into its books; a payout the log first."""
    foreign_charge(shop)
    compare(shop)
    age(shop)
    outcome = compare(shop)
    db = shop.services.db
    with ThreadPoolExecutor(1) as desk:
        with db.transaction() as tx:
            house.append(tx, HouseFact("po_1", "payout.seen", "sweep", "paid", orders.clock(tx)))
            deciding = desk.submit(decide, shop, outcome, "movement_foreign")
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            until = time.monotonic() + 10
            while shop.sql(waiting) == [(0,)]:
                assert time.monotonic() < until, "nobody waits"
            lines = [Posting("bank", "eur", 100), Posting("payouts", "eur", -100)]
            books.enter(tx, order_id=None, kind="payout", cause="payout paid:po_1", lines=lines)
        assert deciding.result(10).unexplained == outcome.unexplained - 1


class Died(Exception):
    """The process that compares is killed."""


def die_halfway(shop: Shop) -> None:
    """After the payments were compared, when the first movements of the balance have been read."""
    services = shop.services

    def die(done: int, total: int | None) -> None:
        raise Died(done, total)

    with pytest.raises(Died):
        reconcile(services.db, services.gateway, services.settlements, progress=die)


def test_a_nightly_comparison_that_died_is_taken_up_and_looks_anew_at_what_changed_since(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    shop.door("deliveries", mode="drop", **{"for": 1000})
    charge = shop.sql("SELECT charge_id FROM payments WHERE order_id = %s", order_id)[0][0]
    dispute = shop.door("disputes", charge=charge)["id"]
    die_halfway(shop)
    assert shop.sql("SELECT status FROM disputes") == [("needs_response",)]
    ((left, state),) = shop.sql("SELECT id, state FROM reconciliations")
    assert state == "running"
    shop.door(f"disputes/{dispute}", outcome="lost")
    outcome = compare(shop)
    assert outcome.reconciliation.id == left
    assert shop.sql("SELECT id, state FROM reconciliations") == [(left, "done")]
    assert shop.sql("SELECT status FROM disputes") == [("lost",)]
    assert equation(outcome)["unexplained"] == 0
    assert compare(shop).reconciliation.id != left


def test_a_comparison_that_a_person_asked_for_is_nobody_elses_to_take_up(shop: Shop) -> None:
    db = shop.services.db
    theirs = ask_reconciliation(db, dry_run=False, actor="usr_8").reconciliation.id
    dry = begin_reconciliation(db, dry_run=True, actor=None)
    assert compare(shop).reconciliation.id not in {theirs, dry}


def test_a_dispute_and_its_fee_are_matched_also_when_it_is_won(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    charge = shop.sql("SELECT charge_id FROM payments WHERE order_id = %s", order_id)[0][0]
    dispute = shop.door("disputes", charge=charge)["id"]
    shop.read_all_news()
    outcome = compare(shop)
    assert (outcome.differences, equation(outcome)["unexplained"]) == ((), 0)
    assert equation(outcome)["ours"] == 4330 - 4490 - 1500
    shop.door(f"disputes/{dispute}", outcome="won")
    shop.read_all_news()
    outcome = compare(shop)
    assert (outcome.differences, equation(outcome)["ours"]) == ((), 4330)
    assert matched(outcome)[("adjustment", "eur")][0] == 2


def new_movement(shop: Shop, kind: str, amount: int, *, created_before: int = 0, description: str | None = None) -> str:
    account = shop.stripe.account
    with account.lock:
        made = account.new(
            "balance_transaction",
            "txn",
            amount=amount,
            available_on=account.clock.now(),
            balance_type="payments",
            currency="eur",
            description=description,
            exchange_rate=None,
            fee=0,
            fee_details=[],
            net=amount,
            reporting_category=kind,
            source=None,
            status="available",
            type=kind,
        )
        made["created"] -= created_before
    return made["id"]


def test_money_settled_in_another_currency_is_exchanged_in_the_books_and_never_mixed(shop: Shop) -> None:
    shop.door("settlement", currency="usd", rate=1.1)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    assert balances(shop, "usd") == {"stripe": 4939 - 173, "exchange": -4939, "fees": 173}
    assert (balances(shop)["exchange"], balances(shop).get("stripe")) == (4490, None)
    (rate,) = shop.sql("SELECT memo FROM ledger_entries WHERE kind = 'exchange'")[0]
    assert rate == "1 eur = 1.1 usd"
    data = {"payment_intent": shop.intent(order_id), "amount": 1000}
    requests.post(f"{shop.stripe.url}/v1/refunds", data=data, headers=BEARER, timeout=5).raise_for_status()
    shop.read_all_news()
    outcome = compare(shop)
    assert outcome.differences == ()
    assert equation(outcome, "usd")["ours"] == equation(outcome, "usd")["theirs"] == 4939 - 173 - 1100
    assert equation(outcome, "eur")["ours"] == 0
    assert {line["unexplained"] for line in outcome.reconciliation.totals["equation"]} == {0}


def test_a_dispute_settled_in_another_currency_is_booked_in_that_one(shop: Shop) -> None:
    shop.door("settlement", currency="usd", rate=1.1)
    shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    shop.door("disputes", charge=shop.sql("SELECT charge_id FROM payments")[0][0])
    shop.read_all_news()
    outcome = compare(shop)
    assert outcome.differences == ()
    assert balances(shop, "usd")["disputes"] == 4939 + 1500
    assert equation(outcome, "usd")["unexplained"] == 0
