"""A shop in which there is one of everything that the admin pages show."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from db import outbox
from shop import jobs
from shop.analytics.alerts.watch import watch
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.sessions import sessions
from shop.analytics.experiments.assign import Visitor, assign
from shop.analytics.reports import report as reports
from tests.shop.analytics.conftest import PERSON, batch, event
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
        tx.execute(
            "INSERT INTO quarantined_events (batch_id, raw, reason) VALUES ('bat_1', '{\"id\": 1}', 'is no event')"
        )
    search_and_analytics(shop, desk)
    (dispute_id,) = shop.sql("SELECT id FROM disputes")[0]
    (reconciliation_id,) = shop.sql("SELECT id FROM reconciliations")[0]
    (proof_id,) = shop.sql("SELECT id FROM ledger_proofs")[0]
    (quarantine_id,) = shop.sql("SELECT id::text FROM quarantined_events")[0]
    (replay_id,) = shop.sql("SELECT id FROM search_replays")[0]
    (alert_id,) = shop.sql("SELECT id FROM incidents WHERE kind = 'quarantine'")[0]
    found = {
        "order_id": order_id,
        "dispute_id": dispute_id,
        "delivery_id": orphan_id,
        "reconciliation_id": reconciliation_id,
        "proof_id": proof_id,
        "job_id": job_id,
        "name": "payments",
        "key": "one-page",
        "quarantine_id": quarantine_id,
        "replay_id": replay_id,
        "alert_id": alert_id,
    }
    return Furnished(shop, found)


def search_and_analytics(shop: Shop, desk: Browser) -> None:
    """Somebody looked around; an experiment runs, a funnel is kept, a report is being made, something is wrong."""
    services = shop.services
    seen = [event("page_view", visitor="vis_1", path="/"), event("product_view", visitor="vis_1", product_id="prd_1")]
    accept(services.db, services.events, batch(seen))
    ingest(services.db, services.events)
    sessions(services.db)
    new = "/admin/experiments/new"
    desk.send(desk.page(new), new, experiment="one-page", name="One page", variants="control 50\none_page 50")
    desk.send(desk.page("/admin/experiments/one-page"), "/admin/experiments/one-page/start")
    assign(services.db, Visitor("vis_1", PERSON, signed_in=False), ["one-page"])
    desk.send(desk.page("/admin/funnels"), "/admin/funnels/keep", name="To the till")
    desk.send(desk.page("/admin/synonyms"), "/admin/synonyms/keep", terms="sofa, couch")
    desk.send(desk.page("/admin/learning"), "/admin/learning/replays")
    reports.ask(services.db, services.settings.zone, kind="nightly", day=date(2026, 1, 5), asked_by="usr_9")
    watch(services.db, services.events, services.settings.zone, currency="eur", now=datetime.now(UTC))
