"""The queue `payments`: everything that moves money or goods. Short jobs; all their waiting is network."""

from typing import Any

from boot.services import Services
from boot.terms import terms
from shop import jobs
from shop.identity.keys import keys
from shop.payments.books.verify import verify
from shop.payments.cards.detach import detach
from shop.payments.cards.setup import setup
from shop.payments.clocks.look import look
from shop.payments.clocks.sweep import sweep
from shop.payments.clocks.watch import watch
from shop.payments.disputes.answer import answer
from shop.payments.disputes.remind import remind
from shop.payments.news.forget import forget
from shop.payments.news.give_back import give_back
from shop.payments.news.inbox import inbox
from shop.payments.orders.cancel import cancel
from shop.payments.orders.capture import capture
from shop.payments.orders.clear import clear
from shop.payments.orders.confirm import confirm
from shop.payments.orders.place import Shelves, place
from shop.payments.orders.release import release
from shop.payments.refunds.refund import refund
from shop.payments.settlement.reconcile import reconcile
from shop.payments.settlement.resolve import resolve
from shop.payments.settlement.settle import settle
from tasks.broker import Run, performs


@performs(jobs.PLACE_ORDER)
def place_order(services: Services, _run: Run, *, order_id: str) -> dict[str, Any]:
    shelves = Shelves(carts=services.carts, products=services.products, users=services.users)
    return {"status": place(services.db, services.gateway, shelves, terms(services.settings), order_id)}


@performs(jobs.CONFIRM_PAYMENT)
def confirm_payment(services: Services, _run: Run, *, order_id: str) -> dict[str, Any]:
    return {"status": confirm(services.db, services.gateway, order_id)}


@performs(jobs.CAPTURE_PAYMENT)
def capture_payment(services: Services, _run: Run, *, order_id: str) -> dict[str, Any]:
    return {"status": capture(services.db, services.gateway, services.products, order_id)}


@performs(jobs.CANCEL_ORDER)
def cancel_order(services: Services, _run: Run, *, order_id: str) -> dict[str, Any]:
    return {"status": cancel(services.db, services.gateway, order_id)}


@performs(jobs.REFUND_PAYMENT)
def refund_payment(services: Services, _run: Run, *, refund_id: str) -> dict[str, Any]:
    return {"status": refund(services.db, services.gateway, refund_id)}


@performs(jobs.READ_DELIVERY)
def read_delivery(services: Services, _run: Run, *, delivery_id: str) -> dict[str, Any]:
    return {"state": inbox(services.db, services.gateway, delivery_id)}


@performs(jobs.GIVE_BACK)
def give_money_back(services: Services, _run: Run, *, return_id: str) -> dict[str, Any]:
    return {"outcome": give_back(services.db, services.gateway, return_id)}


@performs(jobs.FORGET_DELIVERIES)
def forget_deliveries(services: Services, run: Run) -> dict[str, Any]:
    return dict(forget(services.db, run.progress))


@performs(jobs.RELEASE_STOCK)
def release_stock(services: Services, _run: Run, *, order_id: str, refund_id: str | None = None) -> None:
    release(services.db, services.products, order_id, refund_id)


@performs(jobs.CLEAR_CART)
def clear_cart(services: Services, _run: Run, *, order_id: str) -> None:
    clear(services.db, services.carts, order_id)


@performs(jobs.OPEN_SETUP)
def open_setup(services: Services, _run: Run, *, setup_id: str) -> dict[str, Any]:
    return {"state": setup(services.db, services.gateway, setup_id)}


@performs(jobs.DETACH_METHOD)
def detach_method(services: Services, _run: Run, *, provider_method_id: str) -> dict[str, Any]:
    return {"outcome": detach(services.db, services.gateway, provider_method_id)}


@performs(jobs.LOOK_AT_PAYMENTS)
def look_at_payments(services: Services, _run: Run, *, order_id: str) -> dict[str, Any]:
    return {"status": look(services.db, services.gateway, order_id)}


@performs(jobs.WATCH_PAYMENTS)
def watch_payments(services: Services, _run: Run) -> dict[str, Any]:
    return dict(watch(services.db, terms(services.settings)))


@performs(jobs.ANSWER_DISPUTE)
def answer_dispute(services: Services, _run: Run, *, packet_id: str) -> dict[str, Any]:
    return {"outcome": answer(services.db, services.evidence, packet_id)}


@performs(jobs.REMIND_OF_DISPUTES)
def remind_of_disputes(services: Services, _run: Run) -> dict[str, Any]:
    return {"reminders": remind(services.db, days=services.settings.dispute_remind_days)}


@performs(jobs.SWEEP_PAYMENTS)
def sweep_payments(services: Services, run: Run) -> dict[str, Any]:
    return dict(sweep(services.db, services.gateway, run.progress))


@performs(jobs.RECONCILE_PAYMENTS)
def reconcile_payments(services: Services, run: Run, *, reconciliation_id: str | None = None) -> dict[str, Any]:
    """Without an id it is the nightly one, which makes its own."""
    outcome = reconcile(services.db, services.gateway, services.settlements, reconciliation_id, run.progress)
    return {
        "reconciliation": outcome.reconciliation.id,
        "explained": outcome.explained,
        "unexplained": outcome.unexplained,
    }


@performs(jobs.SETTLE_MOVEMENTS)
def settle_movements(services: Services, run: Run) -> dict[str, Any]:
    return dict(settle(services.db, services.settlements, run.progress))


@performs(jobs.RESOLVE_DIFFERENCE)
def resolve_difference(services: Services, _run: Run, *, wish_key: str) -> dict[str, Any]:
    outcome = resolve(services.db, services.gateway, wish_key)
    return {"reconciliation": outcome.reconciliation.id, "unexplained": outcome.unexplained}


@performs(jobs.VERIFY_LEDGER)
def verify_ledger(services: Services, run: Run, *, proof_id: str | None = None) -> dict[str, Any]:
    """Without an id it is the nightly one, which makes its own."""
    proof = verify(services.db, proof_id, run.progress)
    return {"proof": proof.id, "faults": len(proof.faults), "head": proof.head}


@performs(jobs.FETCH_KEYS)
def fetch_keys(services: Services, _run: Run) -> dict[str, Any]:
    return keys(services.db, services.users)
