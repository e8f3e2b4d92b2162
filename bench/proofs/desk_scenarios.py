"""The situations of the jobs behind the counter: orphans, evidence, reconciliation, proofs, clocks and cleaning up."""

from bench.proofs.house import Customer, House
from bench.proofs.scenarios import TOTAL, VISA, only, paid, pay_in_browser, refund_half, scenario, waiting
from shop import jobs
from shop.payments.books.verify import ask_proof
from shop.payments.disputes.answering import EvidenceWish, ask_evidence
from shop.payments.news import orphans
from shop.payments.settlement.reconcile import ask_reconciliation
from shop.payments.settlement.resolve import Wish, ask_resolution


@scenario(jobs.GIVE_BACK)
def _give_back(house: House, who: Customer) -> None:
    _orphan(house, who, capture="automatic")


@scenario(jobs.GIVE_BACK, "money that is only held")
def _give_back_held(house: House, who: Customer) -> None:
    _orphan(house, who, capture="manual")


@scenario(jobs.FORGET_DELIVERIES)
def _forget(house: House, who: Customer) -> None:
    pay_in_browser(house, waiting(house, who))
    house.hear()
    house.work()
    house.sql("UPDATE webhook_deliveries SET received_at = now() - interval '91 days'")
    house.stage(jobs.FORGET_DELIVERIES)


@scenario(jobs.SETTLE_MOVEMENTS)
def _settle(house: House, who: Customer) -> None:
    paid(house, who)
    house.stage(jobs.SETTLE_MOVEMENTS)


@scenario(jobs.RESOLVE_DIFFERENCE)
def _resolve(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    pay_in_browser(house, order_id)
    intent = house.intent(order_id)
    house.sql("UPDATE payments SET updated_at = now() - interval '1 hour' WHERE order_id = %s", order_id)
    asked = ask_reconciliation(house.services.db, dry_run=True, actor="usr_staff")
    house.work()
    ((position,),) = house.sql(
        "SELECT position FROM reconciliation_differences WHERE reconciliation_id = %s AND object_id = %s LIMIT 1",
        asked.reconciliation.id,
        intent,
    )
    wish = Wish(asked.reconciliation.id, position, "take_over", "seen in the dashboard", "usr_staff")
    ask_resolution(house.services.db, wish)


@scenario(jobs.VERIFY_LEDGER)
def _verify(house: House, who: Customer) -> None:
    paid(house, who)
    ask_proof(house.services.db, actor="usr_staff")


@scenario(jobs.WATCH_PAYMENTS)
def _watch(house: House, who: Customer) -> None:
    order_id = house.buy(who, payment_method="pm_card_threeDSecure2Required")
    house.work()
    house.sql("UPDATE orders SET updated_at = now() - interval '2 hours' WHERE id = %s", order_id)
    house.stage(jobs.WATCH_PAYMENTS)


@scenario(jobs.LOOK_AT_PAYMENTS)
def _look(house: House, who: Customer) -> None:
    order_id = waiting(house, who)
    pay_in_browser(house, order_id)
    house.stage(jobs.LOOK_AT_PAYMENTS, order_id=order_id)


@scenario(jobs.DRAW_EVIDENCE)
def _evidence(house: House, who: Customer) -> None:
    _disputed(house, who)


@scenario(jobs.ANSWER_DISPUTE)
def _answer(house: House, who: Customer) -> None:
    _disputed(house, who)
    house.queues = ("payments", "documents")
    house.work(but="payments.answer")


@scenario(jobs.REMIND_OF_DISPUTES)
def _remind(house: House, who: Customer) -> None:
    _dispute(house, who)
    house.sql("UPDATE disputes SET evidence_due_at = now() + interval '1 hour' WHERE id = %s", _dispute_of(house, who))
    house.stage(jobs.REMIND_OF_DISPUTES)


@scenario(jobs.ISSUE_DEBIT_NOTE)
def _debit(house: House, who: Customer) -> None:
    order_id = paid(house, who)
    refund_half(house, order_id)
    house.work()
    ((theirs,),) = house.sql("SELECT provider_refund_id FROM refunds WHERE order_id = %s", order_id)
    house.door(f"refunds/{theirs}", outcome="fail")
    only(house, "refund.failed")
    house.work(but="documents.debit")


def _orphan(house: House, who: Customer, *, capture: str) -> None:
    """Somebody paid for an order that never was, and support sends the money back."""
    intent = house.at_stripe(
        "payment_intents",
        amount=TOTAL,
        currency="eur",
        capture_method=capture,
        payment_method=VISA,
        confirm="true",
        return_url="https://shop.example/",
        **{"metadata[order_id]": f"ord_never_{who.id}"},
    )
    kind = "payment_intent.succeeded" if capture == "automatic" else "payment_intent.amount_capturable_updated"
    only(house, kind)
    house.work()
    house.sql("UPDATE webhook_deliveries SET state = 'orphan', retry_at = NULL WHERE payment_ref = %s", intent["id"])
    ((delivery_id,),) = house.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s", intent["id"])
    orphans.refund(house.services.db, delivery_id, actor="usr_staff", reason="nobody knows the order")


def _dispute(house: House, who: Customer) -> None:
    order_id = paid(house, who)
    ((charge,),) = house.sql("SELECT charge_id FROM payments WHERE order_id = %s", order_id)
    house.door("disputes", charge=charge, reason="fraudulent")
    only(house, "charge.dispute.created")
    house.work()


def _dispute_of(house: House, who: Customer) -> str:
    statement = "SELECT d.id FROM disputes d JOIN orders o ON o.id = d.order_id WHERE o.customer_id = %s"
    return house.sql(statement, who.id)[0][0]


def _disputed(house: House, who: Customer) -> None:
    _dispute(house, who)
    wish = EvidenceWish(note="It was delivered.", submit=True)
    ask_evidence(house.services.db, _dispute_of(house, who), wish, actor="usr_staff")
