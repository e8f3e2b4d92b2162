"""A shop in which there is one of everything that the admin pages show."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from db import outbox
from shop import jobs
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.strays import orphan
from tests.web.admin.conftest import Browser

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def address(path: str, **known: str) -> str:
    """The path with its parts filled in; of what is not known, something that is not there."""
    return "/admin" + PARAMETER.sub(lambda found: known.get(found[1], "nothing"), path)


@dataclass
class Furnished:
    """A shop in which there is one of everything; `known` fills in the addresses."""

    shop: Shop
    known: dict[str, str]

    def address(self, path: str) -> str:
        return address(path, **self.known)


@pytest.fixture(name="furnished")
def _furnished(open_shop: Shop, at_the_desk: Callable[..., Browser]) -> Furnished:
    shop, desk = open_shop, at_the_desk("usr_9", "admin")
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    _, orphan_id = orphan(shop)
    (charge,) = shop.sql("SELECT charge_id FROM payments WHERE order_id = %s", order_id)[0]
    shop.door("disputes", charge=charge, reason="fraudulent")
    shop.read_all_news()
    for path in ("/admin/reconciliations", "/admin/ledger/proofs"):
        answer = desk.send(desk.page(path.removesuffix("/proofs")), path)
        assert answer.status_code == 303
    shop.work()
    with shop.services.db.transaction() as tx:
        job_id = outbox.stage(tx, jobs.SEND_MAIL, kind="order_paid", subject_id=order_id)
    (dispute_id,) = shop.sql("SELECT id FROM disputes")[0]
    (reconciliation_id,) = shop.sql("SELECT id FROM reconciliations")[0]
    (proof_id,) = shop.sql("SELECT id FROM ledger_proofs")[0]
    found = {
        "order_id": order_id,
        "dispute_id": dispute_id,
        "delivery_id": orphan_id,
        "reconciliation_id": reconciliation_id,
        "proof_id": proof_id,
        "job_id": job_id,
        "name": "payments",
    }
    return Furnished(shop, found)
