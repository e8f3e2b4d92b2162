"""The doctor asks everybody the shop depends on, and says of each who is away what to do."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from devstack.stand_ins import auth, carts, products
from devstack.stand_ins.mail import create_mail
from devstack.stand_ins.serving import serving
from devstack.stand_ins.stripe.app import running
from tests.boot.conftest import Run

TOKEN = "a-token-of-the-tests"

Doctor = Callable[..., tuple[int, dict[str, list[str]]]]


@pytest.fixture(name="outside")
def _outside() -> Iterator[dict[str, str]]:
    """Everybody there, as settings name them."""
    with ExitStack() as stack:
        mail = create_mail(smtp_port=0)
        smtp_port = mail.start()
        stack.callback(mail.stop)
        yield {
            "SERVICE_TOKEN": TOKEN,
            "AUTH_URL": stack.enter_context(serving(auth.create_app(service_token=TOKEN))).url,
            "PRODUCT_URL": stack.enter_context(serving(products.create_app(service_token=TOKEN))).url,
            "CART_URL": stack.enter_context(serving(carts.create_app(service_token=TOKEN))).url,
            "STRIPE_BASE_URL": stack.enter_context(running()).url,
            "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        }


@pytest.fixture(name="doctor")
def _doctor(run: Run) -> Doctor:
    """Exit code, and per grade the sentences."""

    def doctor(**more: str) -> tuple[int, dict[str, list[str]]]:
        done = run("doctor", "--json", **more)
        said: dict[str, list[str]] = {"ok": [], "warn": [], "bad": []}
        for finding in json.loads(done.stdout):
            said[finding["grade"]].append(finding["sentence"])
        return done.returncode, said

    return doctor


def test_where_all_is_well_nothing_is_broken(doctor: Doctor, outside: dict[str, str]) -> None:
    code, said = doctor(**outside)
    assert (code, said["bad"]) == (0, [])
    well = "\n".join(said["ok"])
    for part in ("PostgreSQL", "pgvector", "clock", "Redis", "Auth answers", "Product answers", "Cart answers"):
        assert part in well
    assert "Stripe answers and takes our key." in said["ok"]
    assert "The mail server takes us in." in said["ok"]


def test_whoever_is_away_or_refuses_us_is_named_with_what_to_do(doctor: Doctor, outside: dict[str, str]) -> None:
    code, said = doctor(**outside | {"SERVICE_TOKEN": "another", "SMTP_URL": "smtp://127.0.0.1:9"})
    assert code == 1
    assert sum("Is SERVICE_TOKEN the one it knows?" in sentence for sentence in said["bad"]) == 3
    assert any(sentence.startswith("Mail cannot be sent: 127.0.0.1:9") for sentence in said["bad"])
    assert not any("another" in sentence or TOKEN in sentence for sentence in said["bad"])


def test_a_live_key_beside_addresses_of_this_machine_is_broken(doctor: Doctor, outside: dict[str, str]) -> None:
    code, said = doctor(**outside | {"STRIPE_SECRET_KEY": "sk_live_1"})
    assert code == 1
    [near] = [sentence for sentence in said["bad"] if "still name this machine" in sentence]
    assert all(name in near for name in ("AUTH_URL", "PRODUCT_URL", "CART_URL", "STRIPE_BASE_URL"))
    assert "sk_live_1" not in json.dumps(said)
