"""Every request the shop makes of Stripe is one that the SDK's parameter types allow, and carries what it must."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import stripe

import clients.stripe
from clients.stripe import connect
from clients.stripe.settlements import StripeSettlements
from devstack.stand_ins.stripe.app import Running, running
from shop.money import Money
from tests.contract.sdk_params import request_faults

RETURN = "https://shop.example/return"
LONG_AGO = datetime.now(UTC) - timedelta(days=1)
SILENT = {"StripeNotices.read"}
"""Methods that ask nobody anything."""


class Asked:
    """One of the shop's clients; notes which of its methods were called and follows what they give to the end."""

    def __init__(self, client: object, called: set[str]) -> None:
        self._client, self.called = client, called

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def asked(*given: Any, **named: Any) -> Any:
            self.called.add(f"{type(self._client).__name__}.{name}")
            answered = method(*given, **named)
            return list(answered) if isinstance(answered, Iterator) else answered

        return asked


@pytest.fixture(name="stand_in")
def _stand_in() -> Iterator[Running]:
    with running() as stand_in:
        yield stand_in


def door(stand_in: Running, path: str, **body: Any) -> Any:
    answered = requests.post(f"{stand_in.url}/standin/{path}", json=body, timeout=5)
    answered.raise_for_status()
    return answered.json()


def asked_of(stand_in: Running) -> list[dict[str, Any]]:
    return requests.get(f"{stand_in.url}/standin/requests", timeout=5).json()["data"]


def sdk(stand_in: Running) -> stripe.StripeClient:
    addresses = {"api": stand_in.url, "files": stand_in.url}
    return stripe.StripeClient("sk_test_1", base_addresses=addresses, max_network_retries=0)  # type: ignore[arg-type]


def test_every_request_of_every_client_is_one_that_stripe_understands(stand_in: Running):
    called: set[str] = set()
    gateway = Asked(connect("sk_test_1", stand_in.url), called)
    pay(gateway)
    refund_and_dispute(stand_in, gateway)
    save_cards(stand_in, gateway)
    settle(stand_in, Asked(StripeSettlements(sdk(stand_in)), called))
    sent = asked_of(stand_in)
    assert len(sent) > 25
    assert [fault for request in sent for fault in told(request)] == []
    assert methods_of_all_clients() - called == SILENT, "methods whose requests nobody has checked"


def told(request: dict[str, Any]) -> list[str]:
    """Return the faults of one request, its headers' too."""
    found = request_faults(request)
    key = request["headers"].get("idempotency-key", "")
    if request["method"] == "POST" and not 1 <= len(key) <= 255:
        found.append(f"an idempotency key of {len(key)} characters")
    if request["headers"].get("stripe-version") != stripe.api_version:
        found.append(f"version {request['headers'].get('stripe-version')}")
    return [f"{request['method']} {request['path']}: {fault}" for fault in found]


def methods_of_all_clients() -> set[str]:
    """Return every public method of every class in the package that has Stripe's client inside, or its secrets."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(clients.stripe.__path__):
        loaded = importlib.import_module(f"clients.stripe.{module.name}")
        for name, kind in inspect.getmembers(loaded, inspect.isclass):
            if kind.__module__ == loaded.__name__ and not issubclass(kind, Exception):
                found |= {f"{name}.{one}" for one, _ in inspect.getmembers(kind, inspect.isfunction) if one[0] != "_"}
    return found


def pay(gateway: Asked) -> None:
    customer = gateway.create_customer("user_1", key="customer-1")
    made = gateway.create_payment(
        Money(1999, "eur"), order_id="ord_1", attempt_id="att_1", key="create-1", customer=customer, save=True
    )
    gateway.create_payment(Money(1999, "eur"), order_id="ord_2", attempt_id="att_2", key="create-2")
    gateway.confirm_payment(made.id, method="pm_card_visa", return_url=RETURN, key="confirm-1", customer=customer)
    gateway.capture_payment(made.id, amount=1500, key="capture-1")
    seen = gateway.payment(made.id)
    assert gateway.payment_of_charge(seen.charge_id) == seen
    for reason in ("customer", "unpaid"):
        other = gateway.create_payment(Money(500, "eur"), order_id="ord_3", attempt_id=reason, key=f"create-{reason}")
        gateway.cancel_payment(other.id, reason=reason, key=f"cancel-{reason}")
    assert gateway.find_payment("att_2").order_id == "ord_2"
    assert gateway.payments_between(LONG_AGO, datetime.now(UTC) + timedelta(minutes=1))
    assert gateway.events_since(LONG_AGO)


def refund_and_dispute(stand_in: Running, gateway: Asked) -> None:
    paid = gateway.find_payment("att_1")
    back = gateway.refund_payment(paid.id, amount=500, order_id="ord_1", refund_id="ref_1", key="refund-1")
    assert gateway.refund(back.id) == back
    assert gateway.refunds_of(paid.id) == [back]
    door(stand_in, "disputes", charge=paid.charge_id, reason="fraudulent")
    assert len(gateway.disputes_of(paid.id)) == 1


def save_cards(stand_in: Running, gateway: Asked) -> None:
    customer = gateway.create_customer("user_2", key="customer-2")
    made = gateway.create_setup(customer, setup_id="set_1", key="setup-1")
    assert gateway.setup(made.id) == made
    (method,) = [kept for kept in stand_in.account.store.all("payment_method") if kept["customer"]]
    assert gateway.method(method["id"]).customer == method["customer"]
    gateway.detach_method(method["id"], key="detach-1")


def settle(stand_in: Running, settlements: Asked) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    assert settlements.movements(since, datetime.now(UTC) + timedelta(minutes=1))
    assert settlements.balance()
    assert settlements.payouts(since) == []
    assert settlements.payout("po_nothing") is None
    assert settlements.movements_of_payout("po_nothing") == []
