"""What each job of the money and the papers has to do when its worker dies: a situation for every kind of job."""

from collections.abc import Callable
from dataclasses import dataclass

import requests

from bench.proofs.house import Customer, House
from db.outbox import Job
from shop import jobs
from shop.payments.cards import methods
from shop.payments.cards.setup import ask_setup, setup_of
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.capture import ask_capture
from shop.payments.orders.confirm import ask_confirm
from shop.payments.refunds.refund import RefundWish, ask_refund
from shop.payments.settlement.reconcile import ask_reconciliation

VISA = "pm_card_visa"
TOTAL = 4490

Arrange = Callable[[House, Customer], object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`arrange` leaves exactly one job of this kind waiting, whose every boundary is then somebody's end."""

    name: str
    job: Job
    arrange: Arrange


SCENARIOS: list[Scenario] = []


def scenario(job: Job, name: str = "") -> Callable[[Arrange], Arrange]:
    def register(arrange: Arrange) -> Arrange:
        SCENARIOS.append(Scenario(f"{job.name}{': ' if name else ''}{name}", job, arrange))
        return arrange

    return register


def paid(house: House, who: Customer, *, but: str | None = None) -> str:
    order_id = house.buy(who, payment_method=VISA)
    house.work(but=but)
    return order_id


def waiting(house: House, who: Customer) -> str:
    order_id = house.buy(who)
    house.work()
    return order_id


def authorised(house: House, who: Customer) -> str:
    order_id = house.buy(who, capture="manual", payment_method=VISA)
    house.work()
    return order_id


def pay_in_browser(house: House, order_id: str, card: str = VISA) -> None:
    data = {"payment_method": card, "return_url": "https://shop.example/return"}
    house.at_stripe(f"payment_intents/{house.intent(order_id)}/confirm", **data)


def refund_half(house: House, order_id: str) -> None:
    wish = RefundWish("a proof", TOTAL, amount=2000, restock=True)
    ask_refund(house.services.db, order_id, wish, actor="usr_staff")


@scenario(jobs.PLACE_ORDER)
def _place(house: House, who: Customer) -> None:
    house.buy(who, payment_method=VISA, save_payment_method=True)


@scenario(jobs.PLACE_ORDER, "nothing left")
def _place_in_vain(house: House, who: Customer) -> None:
    house.stock(who.product, 1)
    house.buy(who, payment_method=VISA)


@scenario(jobs.CONFIRM_PAYMENT)
def _confirm(house: House, who: Customer) -> None:
    paid(house, who, but="payments.confirm")


@scenario(jobs.CONFIRM_PAYMENT, "declined")
def _confirm_declined(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    ask_confirm(house.services.db, house.terms, order_id, method="pm_card_chargeDeclined", actor=who.id)


@scenario(jobs.CONFIRM_PAYMENT, "the bank asks")
def _confirm_asked(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    ask_confirm(house.services.db, house.terms, order_id, method="pm_card_threeDSecure2Required", actor=who.id)


@scenario(jobs.CAPTURE_PAYMENT)
def _capture(house: House, who: Customer) -> None:
    paid(house, who, but="payments.capture")


@scenario(jobs.CAPTURE_PAYMENT, "a part, at shipping time")
def _capture_part(house: House, who: Customer) -> None:
    ask_capture(house.services.db, authorised(house, who), amount=3000, actor="usr_staff")


@scenario(jobs.CAPTURE_PAYMENT, "the goods are gone")
def _capture_in_vain(house: House, who: Customer) -> None:
    order_id = paid(house, who, but="payments.capture")
    address = f"{house.products_url}/reservations/{order_id}"
    requests.delete(address, headers=house.token, timeout=10).raise_for_status()


@scenario(jobs.CANCEL_ORDER)
def _cancel(house: House, who: Customer) -> None:
    ask_cancel(house.services.db, waiting(house, who), reason="customer", actor=who.id)


@scenario(jobs.CANCEL_ORDER, "authorised")
def _cancel_authorised(house: House, who: Customer) -> None:
    ask_cancel(house.services.db, authorised(house, who), reason="support", actor="usr_staff")


@scenario(jobs.REFUND_PAYMENT)
def _refund(house: House, who: Customer) -> None:
    refund_half(house, paid(house, who))


@scenario(jobs.REFUND_PAYMENT, "pending, then looked at")
def _refund_pending(house: House, who: Customer) -> None:
    house.door("next-refund", status="pending")
    order_id = paid(house, who)
    refund_half(house, order_id)
    house.work()
    statement = "SELECT id, provider_refund_id FROM refunds WHERE order_id = %s"
    (ours, theirs) = house.sql(statement, order_id)[0]
    house.door(f"refunds/{theirs}", outcome="succeed")
    house.stage(jobs.REFUND_PAYMENT, refund_id=ours)


@scenario(jobs.READ_DELIVERY)
def _inbox(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    pay_in_browser(house, order_id)
    only(house, "payment_intent.amount_capturable_updated")


@scenario(jobs.READ_DELIVERY, "a refund from the dashboard")
def _inbox_refund(house: House, who: Customer) -> None:
    order_id = paid(house, who)
    house.at_stripe("refunds", payment_intent=house.intent(order_id), amount=490)
    only(house, "charge.refunded")


@scenario(jobs.READ_DELIVERY, "a dispute")
def _inbox_dispute(house: House, who: Customer) -> None:
    order_id = paid(house, who)
    (charge,) = house.sql("SELECT charge_id FROM payments WHERE order_id = %s", order_id)[0]
    house.door("disputes", charge=charge, reason="fraudulent")
    only(house, "charge.dispute.created")


@scenario(jobs.READ_DELIVERY, "a saved card")
def _inbox_card(house: House, who: Customer) -> None:
    save_card(house, who)
    only(house, "setup_intent.succeeded")


@scenario(jobs.RELEASE_STOCK)
def _release(house: House, who: Customer) -> None:
    ask_cancel(house.services.db, waiting(house, who), reason="customer", actor=who.id)
    house.work(but="payments.release")


@scenario(jobs.RELEASE_STOCK, "taken out of stock already")
def _release_committed(house: House, who: Customer) -> None:
    ask_cancel(house.services.db, authorised(house, who), reason="customer", actor=who.id)
    house.work(but="payments.release")


@scenario(jobs.RELEASE_STOCK, "of a refund")
def _release_refund(house: House, who: Customer) -> None:
    refund_half(house, paid(house, who))
    house.work(but="payments.release")


@scenario(jobs.OPEN_SETUP)
def _setup(house: House, who: Customer) -> None:
    ask_setup(house.services.db, who.id)


@scenario(jobs.DETACH_METHOD)
def _detach(house: House, who: Customer) -> None:
    save_card(house, who)
    only(house, "setup_intent.succeeded")
    house.work()
    (card,) = methods.saved(house.services.db, who.id)
    methods.remove(house.services.db, card.id)


@scenario(jobs.CLEAR_CART)
def _clear(house: House, who: Customer) -> None:
    paid(house, who, but="payments.clear")


@scenario(jobs.SWEEP_PAYMENTS, "lost news")
def _sweep(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    pay_in_browser(house, order_id)
    house.stage(jobs.SWEEP_PAYMENTS)


@scenario(jobs.SWEEP_PAYMENTS, "nobody paid")
def _sweep_overdue(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    house.sql("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = %s", order_id)
    house.stage(jobs.SWEEP_PAYMENTS)


@scenario(jobs.SWEEP_PAYMENTS, "a capture without an end")
def _sweep_stuck(house: House, who: Customer) -> None:
    house.fault("POST /v1/payment_intents/*/capture", "timeout_after_work", seconds=0)
    order_id = paid(house, who)
    house.sql("DELETE FROM jobs WHERE state <> 'done'")
    house.sql("UPDATE orders SET updated_at = now() - interval '10 minutes' WHERE id = %s", order_id)
    house.sql("UPDATE provider_attempts SET asked_at = now() - interval '10 minutes' WHERE order_id = %s", order_id)
    house.stage(jobs.SWEEP_PAYMENTS)


@scenario(jobs.RECONCILE_PAYMENTS)
def _reconcile(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    pay_in_browser(house, order_id)
    house.sql("UPDATE payments SET updated_at = now() - interval '1 hour' WHERE order_id = %s", order_id)
    ask_reconciliation(house.services.db, dry_run=False, actor="usr_staff")


@scenario(jobs.ISSUE_INVOICE)
def _invoice(house: House, who: Customer) -> None:
    paid(house, who, but="documents.invoice")


@scenario(jobs.ISSUE_CREDIT_NOTE)
def _credit(house: House, who: Customer) -> None:
    refund_half(house, paid(house, who))
    house.work(but="documents.credit")


@scenario(jobs.SEND_MAIL)
def _mail(house: House, who: Customer) -> None:
    paid(house, who, but="documents.mail")


def save_card(house: House, who: Customer, card: str = VISA) -> None:
    made = ask_setup(house.services.db, who.id)
    house.work()
    ready = setup_of(house.services.db, made.id)
    data = {"payment_method": card, "return_url": "https://shop.example/"}
    house.at_stripe(f"setup_intents/{ready.provider_setup_id}/confirm", **data)


def only(house: House, kind: str) -> None:
    """Of all the news only the last of this kind comes."""
    found = [event for event in house.news() if event["type"] == kind][-1]
    house.hear(found)
    house.never_hear()
