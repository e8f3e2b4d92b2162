"""One bad order holds up no other: the rest has its turn, and the job that ends as failed says which it was and why."""

from typing import Any

import psycopg
import pytest

from db import outbox
from shop import jobs
from shop.payments.clocks.turns import OrdersFailed, Turns
from shop.payments.orders.fact import Fact
from shop.payments.queries import facts as log
from shop.payments.queries.orders import clock
from shop.ports.gateway import GatewayUnavailable
from tests.shop.payments.shopkeeper import Shop

ASKS = "pm_card_authenticationRequired"


def two_orders(shop: Shop, **wish: Any) -> tuple[str, str]:
    """The log of the first holds a word that nobody knows, so that nothing can be computed from it."""
    bad, good = shop.simple_order(**wish), shop.simple_order(**wish)
    shop.read_all_news()
    with shop.services.db.transaction() as tx:
        odd = Fact("payment.seen", "sweep", "odd", clock(tx), shop.intent(bad), data={"status": "odd"})
        log.append(tx, bad, odd)
    return bad, good


def run(shop: Shop, job: outbox.Job) -> tuple[str, str, str]:
    """`(state, code, message)` of the job afterwards."""
    with shop.services.db.transaction() as tx:
        job_id = outbox.stage(tx, job)
    shop.work(only=job.name)
    (row,) = shop.sql("SELECT state, error_code, error FROM jobs WHERE id = %s", job_id)
    return row[0], row[1], row[2]


def test_a_bad_order_at_the_bank_keeps_no_other_from_being_called_off(shop: Shop) -> None:
    bad, good = two_orders(shop, payment_method=ASKS)
    shop.sql("UPDATE payments SET action_since = now() - interval '16 minutes'")
    shop.sql("UPDATE payments SET action_since = now() - interval '17 minutes' WHERE order_id = %s", bad)
    state, code, message = run(shop, jobs.WATCH_PAYMENTS)
    assert shop.read(good).status == "payment_failed"
    assert shop.read(bad).status == "requires_action"
    assert (state, code) == ("failed", "orders_failed")
    assert bad in message
    assert "is odd" in message
    assert good not in message


def test_a_bad_order_that_is_overdue_keeps_no_other_from_expiring(shop: Shop) -> None:
    bad, good = two_orders(shop)
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 minute'")
    shop.sql("UPDATE orders SET expires_at = now() - interval '2 minutes' WHERE id = %s", bad)
    state, code, message = run(shop, jobs.SWEEP_PAYMENTS)
    shop.work()
    assert shop.read(good).status == "expired"
    assert (state, code) == ("failed", "orders_failed")
    assert bad in message
    assert good not in message
    assert shop.sql("SELECT count(*) FROM jobs WHERE name = 'payments.cancel' AND args ->> 'order_id' = %s", bad) == [
        (0,)
    ]


def test_an_order_whose_row_is_locked_for_long_is_passed_over(shop: Shop) -> None:
    turns = Turns()

    def locked() -> bool:
        raise psycopg.errors.LockNotAvailable("somebody has it")

    assert not turns.take("ord_1", locked)
    assert turns.take("ord_2", lambda: True)
    with pytest.raises(OrdersFailed, match=r"1 orders failed.*ord_1: LockNotAvailable"):
        turns.end()


@pytest.mark.parametrize("error", [GatewayUnavailable("away"), psycopg.OperationalError("away")])
def test_while_provider_or_database_are_away_nobody_has_a_turn(error: Exception) -> None:
    def away() -> bool:
        raise error

    turns = Turns()
    with pytest.raises(type(error)):
        turns.take("ord_1", away)
    turns.end()
