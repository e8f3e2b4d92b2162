"""Purchases of every kind, played through the shop against the stand-in, and the facts that were written meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.proofs.house import Customer, House
from bench.proofs.scenarios import TOTAL, VISA, authorised, paid, pay_in_browser, waiting
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.capture import ask_capture
from shop.payments.orders.confirm import ask_confirm
from shop.payments.orders.fact import Fact
from shop.payments.queries import facts as log
from shop.payments.refunds.refund import RefundWish, ask_refund

AGAIN = "_again"
"""At the end of a story all its news is told once more under other ids: what a sweep would then find of lost news."""

Play = Callable[[House, Customer], str]


@dataclass(frozen=True, slots=True)
class History:
    """The facts of one order as they were written. `told` are those that one piece of news brought, by its id;
    `swept` are those that the same news brings to whoever reads it only at the end.
    """

    name: str
    order_id: str
    ours: tuple[Fact, ...]
    told: Mapping[str, tuple[Fact, ...]]
    swept: Mapping[str, tuple[Fact, ...]]

    @property
    def facts(self) -> list[Fact]:
        return [*self.ours, *(fact for facts in self.told.values() for fact in facts)]


STORIES: dict[str, Play] = {}


def story(play: Play) -> Play:
    STORIES[play.__name__.removeprefix("_").replace("_", " ")] = play
    return play


def record(house: House) -> list[History]:
    """Play every story once."""
    return [_record(house, name, play) for name, play in STORIES.items()]


def hear_all(house: House) -> None:
    """Let the shop hear and do everything there is, news of what it does included."""
    while house.news():
        house.hear()
        house.work()
        house.hurry()
    house.settle_all()


def ask_back(house: House, order_id: str, amount: int) -> None:
    refundable = house.read(order_id).refundable
    ask_refund(house.services.db, order_id, RefundWish("a story", refundable, amount=amount), actor="usr_staff")
    house.work()


def charge_of(house: House, order_id: str) -> str:
    return house.sql("SELECT charge_id FROM payments WHERE order_id = %s AND captured_minor > 0", order_id)[0][0]


@story
def _in_the_browser(house: House, who: Customer) -> str:
    order_id = waiting(house, who)
    pay_in_browser(house, order_id)
    return order_id


@story
def _declined_and_then_paid(house: House, who: Customer) -> str:
    order_id = waiting(house, who)
    _try(house, order_id, who, "pm_card_chargeDeclinedInsufficientFunds")
    _try(house, order_id, who, VISA)
    return order_id


@story
def _authenticated(house: House, who: Customer) -> str:
    order_id = waiting(house, who)
    _try(house, order_id, who, "pm_card_threeDSecure2Required")
    house.door(f"3ds/{house.intent(order_id)}", outcome="succeed")
    return order_id


@story
def _not_authenticated_and_paid_by_another_card(house: House, who: Customer) -> str:
    order_id = waiting(house, who)
    _try(house, order_id, who, "pm_card_threeDSecure2Required")
    house.door(f"3ds/{house.intent(order_id)}", outcome="fail")
    hear_all(house)
    _try(house, order_id, who, "pm_nobody_has")
    _try(house, order_id, who, VISA)
    return order_id


@story
def _a_bank_that_takes_its_time(house: House, who: Customer) -> str:
    house.door("next-payment", status="processing")
    order_id = waiting(house, who)
    _try(house, order_id, who, VISA)
    hear_all(house)
    house.door(f"payments/{house.intent(order_id)}", outcome="fail")
    hear_all(house)
    _try(house, order_id, who, VISA)
    return order_id


@story
def _captured_in_part_and_refunded_in_part(house: House, who: Customer) -> str:
    order_id = authorised(house, who)
    hear_all(house)
    ask_capture(house.services.db, order_id, amount=3000, actor="usr_staff")
    hear_all(house)
    ask_back(house, order_id, 1000)
    return order_id


@story
def _refunded_in_three_parts(house: House, who: Customer) -> str:
    order_id = paid(house, who)
    for amount in (1, 1111, TOTAL - 1112):
        ask_back(house, order_id, amount)
        hear_all(house)
    return order_id


@story
def _a_refund_that_bounced(house: House, who: Customer) -> str:
    order_id = paid(house, who)
    ask_back(house, order_id, 4000)
    hear_all(house)
    house.door(f"refunds/{_their_refund(house, order_id)}", outcome="fail")
    hear_all(house)
    ask_back(house, order_id, 490)
    return order_id


@story
def _a_refund_that_took_days(house: House, who: Customer) -> str:
    house.door("next-refund", status="pending")
    order_id = paid(house, who)
    ask_back(house, order_id, 2000)
    hear_all(house)
    house.door(f"refunds/{_their_refund(house, order_id)}", outcome="succeed")
    return order_id


@story
def _a_refund_from_the_dashboard(house: House, who: Customer) -> str:
    order_id = paid(house, who)
    house.at_stripe("refunds", payment_intent=house.intent(order_id), amount=490)
    hear_all(house)
    ask_back(house, order_id, 1000)
    return order_id


@story
def _a_dispute_that_was_won(house: House, who: Customer) -> str:
    order_id = paid(house, who)
    dispute = house.door("disputes", charge=charge_of(house, order_id), reason="fraudulent")
    hear_all(house)
    house.door(f"disputes/{dispute['id']}", outcome="under_review")
    hear_all(house)
    house.door(f"disputes/{dispute['id']}", outcome="won")
    hear_all(house)
    ask_back(house, order_id, 490)
    return order_id


@story
def _an_inquiry_that_became_a_lost_dispute(house: House, who: Customer) -> str:
    order_id = paid(house, who)
    dispute = house.door("disputes", charge=charge_of(house, order_id), reason="inquiry")
    hear_all(house)
    house.door(f"disputes/{dispute['id']}", outcome="needs_response")
    hear_all(house)
    house.door(f"disputes/{dispute['id']}", outcome="lost")
    return order_id


@story
def _called_off(house: House, who: Customer) -> str:
    order_id = waiting(house, who)
    _try(house, order_id, who, "pm_card_chargeDeclined")
    ask_cancel(house.services.db, order_id, reason="customer", actor=who.id)
    return order_id


@story
def _called_off_when_authorised(house: House, who: Customer) -> str:
    order_id = authorised(house, who)
    hear_all(house)
    ask_cancel(house.services.db, order_id, reason="support", actor="usr_staff")
    return order_id


@story
def _never_paid(house: House, who: Customer) -> str:
    order_id = waiting(house, who)
    house.sql("UPDATE orders SET expires_at = now() - interval '1 second' WHERE id = %s", order_id)
    house.sweep()
    return order_id


@story
def _an_authorisation_that_ran_out(house: House, who: Customer) -> str:
    order_id = authorised(house, who)
    hear_all(house)
    house.at_stripe(f"payment_intents/{house.intent(order_id)}/cancel", cancellation_reason="abandoned")
    return order_id


def _record(house: House, name: str, play: Play) -> History:
    order_id = play(house, house.customer())
    house.work()
    hear_all(house)
    with house.stripe.account.lock:
        events = [dict(event) for event in house.stripe.account.store.all("event")]
    house.hear(*[event | {"id": event["id"] + AGAIN} for event in events])
    house.work()
    house.never_hear()
    with house.services.db.transaction() as tx:
        written = log.facts_of(tx, order_id)
    return _divided(name, order_id, written)


def _divided(name: str, order_id: str, written: Sequence[Fact]) -> History:
    ours: list[Fact] = []
    told: dict[str, tuple[Fact, ...]] = {}
    swept: dict[str, tuple[Fact, ...]] = {}
    for fact in written:
        event, _, rest = fact.source_key.partition(":")
        if not event.startswith("evt_"):
            ours.append(fact)
        elif event.endswith(AGAIN):
            event = event.removesuffix(AGAIN)
            swept[event] = (*swept.get(event, ()), replace(fact, source_key=f"{event}:{rest}"))
        else:
            told[event] = (*told.get(event, ()), fact)
    assert told.keys() == swept.keys(), f"{name}: some news came only once"
    return History(name, order_id, tuple(ours), told, swept)


def _try(house: House, order_id: str, who: Customer, method: str) -> None:
    ask_confirm(house.services.db, house.terms, order_id, method=method, actor=who.id)
    house.work()


def _their_refund(house: House, order_id: str) -> str:
    statement = "SELECT provider_refund_id FROM refunds WHERE order_id = %s ORDER BY id DESC LIMIT 1"
    return house.sql(statement, order_id)[0][0]
