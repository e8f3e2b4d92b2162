"""The client for Stripe against the stand-in: what each kind of failure is called in our words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from clients.stripe import StripeGateway, connect
from devstack.stand_ins.stripe.app import Running, running
from shop.money import Money
from shop.ports.gateway import CardDeclined, GatewayRefused, GatewayUnavailable, OutcomeUnknown, PaymentSeen

RETURN = "https://shop.example/return"


@pytest.fixture(name="stand_in")
def _stand_in() -> Iterator[Running]:
    with running() as stand_in:
        yield stand_in


@pytest.fixture(name="gateway")
def _gateway(stand_in: Running) -> StripeGateway:
    return connect("sk_test_of_the_tests", stand_in.url, read_timeout_s=0.5)


def create(gateway: StripeGateway, key: str = "create-1", amount: int = 1999) -> PaymentSeen:
    return gateway.create_payment(Money(amount, "eur"), order_id="ord_1", attempt_id="att_1", key=key)


def fault(stand_in: Running, match: str, kind: str, **more: Any) -> None:
    body = {"match": match, "kind": kind, **more}
    requests.post(f"{stand_in.url}/standin/faults", json=body, timeout=5).raise_for_status()


def test_a_payment_from_its_making_to_its_fee_and_its_refund(gateway: StripeGateway) -> None:
    made = create(gateway)
    assert (made.status, made.amount, made.order_id, made.attempt_id) == (
        "requires_payment_method",
        1999,
        "ord_1",
        "att_1",
    )
    held = gateway.confirm_payment(made.id, method="pm_card_visa", return_url=RETURN, key="confirm-1")
    assert (held.status, held.capturable, held.captured) == ("requires_capture", 1999, 0)
    assert held.card is not None
    assert (held.card.brand, held.card.last4) == ("visa", "4242")
    assert held.capture_before is not None
    assert held.capture_before > datetime.now(UTC) + timedelta(days=6)
    taken = gateway.capture_payment(made.id, amount=1999, key="capture-1")
    assert (taken.status, taken.captured, taken.fee) == ("succeeded", 1999, 88)
    back = gateway.refund_payment(made.id, amount=500, order_id="ord_1", refund_id="ref_1", key="refund-1")
    assert (back.status, back.refund_id, back.payment_id) == ("succeeded", "ref_1", made.id)
    assert gateway.refund(back.id) == back
    assert gateway.refunds_of(made.id) == [back]
    after = gateway.payment(made.id)
    assert after is not None
    assert after.refunded == 500
    assert after.charge_id is not None
    assert gateway.payment_of_charge(after.charge_id) == after


def test_what_stripe_lets_go_uncaptured_is_no_refund(gateway: StripeGateway) -> None:
    part = create(gateway)
    gateway.confirm_payment(part.id, method="pm_card_visa", return_url=RETURN, key="confirm-1")
    gateway.capture_payment(part.id, amount=1500, key="capture-1")
    seen = gateway.payment(part.id)
    assert seen is not None
    assert (seen.captured, seen.refunded, gateway.refunds_of(part.id)) == (1500, 0, [])
    back = gateway.refund_payment(part.id, amount=600, order_id="ord_1", refund_id="ref_1", key="refund-1")
    seen = gateway.payment(part.id)
    assert seen is not None
    assert (seen.refunded, gateway.refunds_of(part.id)) == (600, [back])
    held = create(gateway, "create-2")
    gateway.confirm_payment(held.id, method="pm_card_visa", return_url=RETURN, key="confirm-2")
    gone = gateway.cancel_payment(held.id, reason="customer", key="cancel-2")
    assert (gone.status, gone.refunded, gateway.refunds_of(held.id)) == ("canceled", 0, [])


def test_the_same_key_gives_the_same_payment_and_another_body_is_not_taken_for_done(gateway: StripeGateway) -> None:
    assert create(gateway).id == create(gateway).id
    with pytest.raises(OutcomeUnknown) as unknown:
        create(gateway, amount=2000)
    assert unknown.value.replayed


def test_a_declined_card_comes_with_the_finer_reason_and_the_payment(gateway: StripeGateway) -> None:
    made = create(gateway)
    with pytest.raises(CardDeclined) as declined:
        gateway.confirm_payment(
            made.id, method="pm_card_visa_chargeDeclinedInsufficientFunds", return_url=RETURN, key="confirm-1"
        )
    assert declined.value.decline.code == "insufficient_funds"
    seen = declined.value.seen
    assert seen is not None
    assert (seen.id, seen.status, seen.order_id) == (made.id, "requires_payment_method", "ord_1")


def test_what_stripe_will_not_do_is_refused_with_its_word(gateway: StripeGateway) -> None:
    with pytest.raises(GatewayRefused) as refused:
        gateway.capture_payment(create(gateway).id, amount=1, key="capture-1")
    assert refused.value.vendor_code == "payment_intent_unexpected_state"
    with pytest.raises(GatewayRefused) as refused:
        create(gateway, "create-2", amount=1)
    assert refused.value.vendor_code == "amount_too_small"
    assert gateway.payment("pi_nothing") is None
    assert gateway.refund("re_nothing") is None
    assert gateway.payment_of_charge("ch_nothing") is None


@pytest.mark.parametrize(
    ("kind", "more"),
    [("timeout", {"seconds": 1}), ("timeout_after_work", {"seconds": 0}), ("reset", {}), ("status", {"status": 500})],
)
def test_a_lost_answer_is_an_unknown_outcome_when_moving_and_only_away_when_looking(
    gateway: StripeGateway, stand_in: Running, kind: str, more: dict[str, Any]
) -> None:
    fault(stand_in, "* /v1/payment_intents*", kind, times=2, **more)
    with pytest.raises(OutcomeUnknown) as unknown:
        create(gateway)
    assert not unknown.value.replayed
    with pytest.raises(GatewayUnavailable):
        gateway.payment("pi_1")
    assert create(gateway).status == "requires_payment_method"


def test_a_kept_failure_says_that_it_is_a_replay(gateway: StripeGateway, stand_in: Running) -> None:
    fault(stand_in, "POST /v1/payment_intents", "status", status=500, stored=True)
    with pytest.raises(OutcomeUnknown) as first:
        create(gateway)
    assert not first.value.replayed
    with pytest.raises(OutcomeUnknown) as again:
        create(gateway)
    assert again.value.replayed


def test_what_never_left_the_house_did_not_happen() -> None:
    with pytest.raises(GatewayUnavailable):
        create(connect("sk_test_of_the_tests", "http://127.0.0.1:9"))


@pytest.mark.parametrize(("status", "spends"), [(429, False), (409, True)])
def test_being_asked_to_wait_is_no_failure(
    gateway: StripeGateway, stand_in: Running, status: int, spends: bool
) -> None:
    fault(stand_in, "POST /v1/payment_intents", "status", status=status)
    with pytest.raises(GatewayUnavailable) as away:
        create(gateway)
    assert away.value.spends_attempt is spends


def test_a_wrong_key_is_for_a_person_and_heals_by_itself(stand_in: Running) -> None:
    fault(stand_in, "POST /v1/payment_intents", "status", status=401)
    with pytest.raises(GatewayUnavailable) as wrong:
        create(connect("sk_test_wrong", stand_in.url))
    assert wrong.value.code == "gateway_misconfigured"


def test_payments_and_events_are_listed_to_the_end(gateway: StripeGateway) -> None:
    made = {create(gateway, f"create-{number}").id for number in range(3)}
    for intent in made:
        gateway.confirm_payment(intent, method="pm_card_visa", return_url=RETURN, key=f"confirm-{intent}")
    now = datetime.now(UTC)
    listed = list(gateway.payments_between(now - timedelta(hours=1), now + timedelta(hours=1)))
    assert {payment.id for payment in listed} == made
    assert all(payment.card for payment in listed)
    assert list(gateway.payments_between(now - timedelta(hours=2), now - timedelta(hours=1))) == []
    events = list(gateway.events(now - timedelta(hours=1)))
    assert {event.payment_id for event in events} == made
    assert {event.type for event in events} >= {"payment_intent.amount_capturable_updated"}
    found = gateway.find_payment("att_1")
    assert found is not None
    assert found.id in made
    assert gateway.find_payment("att_unknown") is None
