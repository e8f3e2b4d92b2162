"""Every request the shop makes of Stripe is one that the SDK's parameter types allow, and carries what it must."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import stripe

import clients.stripe
from clients.stripe import connect
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


def test_every_request_of_every_client_is_one_that_stripe_understands(stand_in: Running):
    called: set[str] = set()
    for kind in client_classes():
        if kind.__name__ in EXERCISES:
            EXERCISES[kind.__name__](stand_in, Asked(made(kind, stand_in), called))
    sent = asked_of(stand_in)
    assert len(sent) > 25
    assert [fault for request in sent for fault in told(request)] == []
    assert methods_of_all_clients() - called == SILENT, "methods whose requests nobody has checked"


def made(kind: type, stand_in: Running) -> object:
    """Return a client as the shop connects it, its gateway with the shop's own settings."""
    if kind is clients.stripe.StripeGateway:
        return connect("sk_test_1", stand_in.url)
    addresses = {"api": stand_in.url, "files": stand_in.url}
    return kind(stripe.StripeClient("sk_test_1", base_addresses=addresses, max_network_retries=0))  # type: ignore[arg-type]


def told(request: dict[str, Any]) -> list[str]:
    """Return the faults of one request, its headers' too."""
    found = request_faults(request)
    key = request["headers"].get("idempotency-key", "")
    if request["method"] == "POST" and not 1 <= len(key) <= 255:
        found.append(f"an idempotency key of {len(key)} characters")
    if request["headers"].get("stripe-version") != stripe.api_version:
        found.append(f"version {request['headers'].get('stripe-version')}")
    return [f"{request['method']} {request['path']}: {fault}" for fault in found]


def client_classes() -> list[type]:
    """Return every public class of the package that takes Stripe's client or its secrets."""
    found: list[type] = []
    for module in sorted(pkgutil.iter_modules(clients.stripe.__path__), key=lambda one: ORDER.get(one.name, 0)):
        loaded = importlib.import_module(f"clients.stripe.{module.name}")
        of_module = [kind for _, kind in inspect.getmembers(loaded, inspect.isclass)]
        found += [kind for kind in of_module if kind.__module__ == loaded.__name__ and "Stripe" in kind.__name__]
    return found


def methods_of_all_clients() -> set[str]:
    return {
        f"{kind.__name__}.{name}"
        for kind in client_classes()
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def use_gateway(stand_in: Running, gateway: Asked) -> None:
    pay(gateway)
    refund_and_dispute(stand_in, gateway)
    save_cards(stand_in, gateway)


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
    assert gateway.events(LONG_AGO)
    assert gateway.events(LONG_AGO, datetime.now(UTC) + timedelta(minutes=1), undelivered=True) == []


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


def use_settlements(stand_in: Running, settlements: Asked) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    assert settlements.movements(since, datetime.now(UTC) + timedelta(minutes=1))
    assert settlements.balance()
    assert settlements.payouts(since) == []
    assert settlements.payout("po_nothing") is None
    assert settlements.movements_of_payout("po_nothing") == []


def use_evidence_desk(stand_in: Running, desk: Asked) -> None:
    (open_one,) = stand_in.account.store.all("dispute")
    file = desk.upload(b"%PDF-1.7\n", name="evidence.pdf", key="upload-1")
    answer = SimpleNamespace(evidence_id="evi_1", file_id=file, texts={"customer_name": "Ada"})
    assert desk.submit(open_one["id"], answer, key="submit-1").evidence_submitted
    assert desk.dispute(open_one["id"]).status == "under_review"
    assert desk.card_checks(open_one["payment_intent"]).network == "visa"


EXERCISES: dict[str, Callable[[Running, Asked], None]] = {
    "StripeGateway": use_gateway,
    "StripeSettlements": use_settlements,
    "StripeEvidenceDesk": use_evidence_desk,
}
ORDER = {"gateway": -1}  # the others look at what it has done
