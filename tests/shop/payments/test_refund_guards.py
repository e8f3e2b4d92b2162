"""Four guards keep refunds within what was captured: each is shown alone, with the other three switched off.

The provider is made to accept everything (its charge says it holds a fortune), the constraint is dropped in the test's
own database, and each test calls the layer below the guards that are to be off. The first test shows that nothing else
would have stopped it: with all four off, more is paid out than was captured.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from db.database import Tx
from shop.payments.errors import RefundableChanged, RefundTooLarge
from shop.payments.orders import attempts
from shop.payments.queries import facts as log
from shop.payments.queries import refundable
from shop.payments.refunds.refund import refund as pay_out
from shop.payments.refunds.refunding import Priced, RefundWish, ask_refund, reserve, send
from shop.payments.rows import Payment
from tests.shop.payments.shopkeeper import Shop

CAPTURED = 4490
SIXTY = 2700
"""More than half: two of them are too much."""

WITHOUT_EXPECTATION = RefundWish("test", expected_refundable=None, amount=SIXTY)
WITH_EXPECTATION = RefundWish("test", expected_refundable=CAPTURED, amount=SIXTY)


@pytest.fixture(name="paid_order")
def _paid_order(shop: Shop) -> str:
    """A paid order at a provider that would give back any amount."""
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    shop.read_all_news()
    for charge in shop.stripe.account.store.all("charge"):
        charge["amount_captured"] = charge["amount"] = 10**6
    return order_id


def without_constraint(shop: Shop) -> None:
    (name,) = shop.sql(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass"
        " AND pg_get_constraintdef(oid) LIKE '%amount_reserved_for_refund) <= amount_captured%'"
    )[0]
    shop.sql(f"ALTER TABLE orders DROP CONSTRAINT {name}")


def paid_out(shop: Shop) -> int:
    return sum(refund["amount"] for refund in shop.stripe.account.store.all("refund"))


def the_payment(tx: Tx, order_id: str) -> Payment:
    (payment,) = log.payments_of(tx, [order_id])
    return payment


def hold_and_send(tx: Tx, order_id: str, expected: int | None, number: int) -> bool:
    """What is below the row lock and the checks under it: hold, write the rows, stage the job."""
    if not refundable.hold(tx, order_id, amount=SIXTY, expected=expected):
        return False
    payment = the_payment(tx, order_id)
    tx.execute(
        "INSERT INTO refunds (id, order_id, payment_id, amount_minor, currency, reason)"
        " VALUES (%(id)s, %(order)s, %(payment)s, %(amount)s, 'eur', 'test')",
        {"id": f"ref_{number}", "order": order_id, "payment": payment.id, "amount": SIXTY},
    )
    send(tx, order_id, f"ref_{number}", payment.intent_id, SIXTY)
    return True


def waits_for_a_lock(shop: Shop) -> bool:
    rows = shop.sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
    return rows[0][0] > 0


def meanwhile(shop: Shop, first: Callable[[Tx], object], second: Callable[[], object]) -> object:
    """Run `second` in a thread while `first`'s transaction is open; it commits once `second` is waiting for it."""
    with ThreadPoolExecutor(1) as thread:
        with shop.services.db.transaction() as tx:
            first(tx)
            outcome = thread.submit(second)
            deadline = time.monotonic() + 10
            while not waits_for_a_lock(shop) and not outcome.done():
                assert time.monotonic() < deadline
                threading.Event().wait(0.01)
        error = outcome.exception()
        return error if error is not None else outcome.result()


def give(shop: Shop, order_id: str) -> None:
    """Pay out whatever was staged, straight through the attempts: the fold would refuse to write it down afterwards."""
    for (refund_id,) in shop.sql("SELECT id FROM refunds WHERE order_id = %s ORDER BY id", order_id):
        asking = attempts.begin(shop.services.db, order_id, "refund", refund_id=refund_id)
        assert asking is not None
        body = asking.attempt.body
        shop.services.gateway.refund_payment(
            body["intent"], amount=body["amount"], order_id=order_id, refund_id=refund_id,
            key=asking.attempt.provider_key,
        )  # fmt: skip


def test_without_any_guard_more_is_paid_out_than_was_captured(shop: Shop, paid_order: str) -> None:
    without_constraint(shop)
    for number in (1, 2):
        with shop.services.db.transaction() as tx:
            assert hold_and_send(tx, paid_order, None, number)
    give(shop, paid_order)
    assert paid_out(shop) == 2 * SIXTY > CAPTURED


def test_the_row_lock_with_the_reservation_alone(shop: Shop, paid_order: str) -> None:
    """The second clerk reads only once the first has committed, and finds too little left."""
    without_constraint(shop)
    db = shop.services.db

    def first(tx: Tx) -> None:
        tx.execute("SELECT id FROM orders WHERE id = %(id)s FOR UPDATE", {"id": paid_order})
        payment = the_payment(tx, paid_order)
        refund_id = reserve(tx, payment, WITHOUT_EXPECTATION, Priced(SIXTY, 0, ()), "usr_8")
        send(tx, paid_order, refund_id, payment.intent_id, SIXTY)

    outcome = meanwhile(shop, first, lambda: ask_refund(db, paid_order, WITHOUT_EXPECTATION, actor="usr_9"))
    assert isinstance(outcome, RefundTooLarge)
    give(shop, paid_order)
    assert paid_out(shop) == SIXTY <= CAPTURED


def test_the_expected_remainder_alone(shop: Shop, paid_order: str) -> None:
    """No lock was taken before and no constraint is there: the reserving statement itself compares."""
    without_constraint(shop)
    db = shop.services.db

    def second() -> bool:
        with db.transaction() as tx:
            return hold_and_send(tx, paid_order, CAPTURED, 2)

    assert meanwhile(shop, lambda tx: hold_and_send(tx, paid_order, CAPTURED, 1), second) is False
    give(shop, paid_order)
    assert paid_out(shop) == SIXTY <= CAPTURED


def test_the_key_of_the_refunds_row_alone(shop: Shop, paid_order: str) -> None:
    """Two workers ask for the same refund, neither knowing of the other: the provider is asked under one key."""
    without_constraint(shop)
    with shop.services.db.transaction() as tx:
        hold_and_send(tx, paid_order, None, 1)
    give(shop, paid_order)
    give(shop, paid_order)
    assert len(shop.seen_by_stripe("POST /v1/refunds")) == 2
    assert paid_out(shop) == SIXTY <= CAPTURED


def test_the_constraint_of_the_database_alone(shop: Shop, paid_order: str) -> None:
    """No lock before, nothing expected: the second reservation waits for the first and breaks the constraint."""
    db = shop.services.db

    def second() -> bool:
        with db.transaction() as tx:
            return hold_and_send(tx, paid_order, None, 2)

    outcome = meanwhile(shop, lambda tx: hold_and_send(tx, paid_order, None, 1), second)
    assert isinstance(outcome, psycopg.errors.CheckViolation)
    give(shop, paid_order)
    assert paid_out(shop) == SIXTY <= CAPTURED


def test_with_all_guards_on_one_of_many_clerks_is_served(shop: Shop, paid_order: str) -> None:
    def clerk(number: int) -> str:
        try:
            ask_refund(shop.services.db, paid_order, WITH_EXPECTATION, actor=f"usr_{number}")
        except RefundableChanged:
            return "changed"
        return "asked"

    with ThreadPoolExecutor(6) as clerks:
        outcomes = list(clerks.map(clerk, range(6)))
    assert sorted(outcomes) == ["asked"] + ["changed"] * 5
    (refund_id,) = shop.sql("SELECT id FROM refunds")[0]
    assert pay_out(shop.services.db, shop.services.gateway, refund_id) == "succeeded"
    assert paid_out(shop) == SIXTY
