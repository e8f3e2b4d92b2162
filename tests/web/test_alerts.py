"""Alerts, attribution and tracking loss over HTTP, for those who may see them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.alerts.watch import watch
from shop.analytics.events.ingest import ingest
from shop.analytics.events.sessions import sessions
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, event


@pytest.fixture(name="support")
def _support(signed_in: Any) -> dict[str, str]:
    return signed_in("boss", "support")


@pytest.mark.parametrize(
    "path", ["/v1/alerts", "/v1/alerts/watched", "/v1/analytics/attribution", "/v1/analytics/tracking"]
)
def test_only_support_may_see_them(client: FlaskClient, signed_in: Any, path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.get(path, headers=signed_in("cus_1")).status_code == 403
    assert client.get(path, headers=signed_in("boss", "support")).status_code == 200


def test_an_incident_is_listed_taken_on_and_over_when_its_reason_is(
    services: Services, client: FlaskClient, support: dict[str, str]
) -> None:
    zone, now = services.settings.zone, datetime.now(UTC)
    with services.db.transaction() as tx:
        tx.execute(
            "INSERT INTO jobs (id, name, queue, state, max_attempts, time_limit_s, finished_at)"
            " VALUES ('job_dead', 'payments.refund', 'payments', 'dead', 1, 1, now())"
        )
    watch(services.db, services.events, zone, currency="eur", now=now)
    (found,) = client.get("/v1/alerts?status=open", headers=support).get_json()["data"]
    assert (found["kind"], found["subject"], found["status"]) == ("dead_jobs", "payments.refund", "open")
    assert found["advice"]
    assert b'backroom_alerts{kind="dead_jobs"} 1.0' in client.get("/metrics").data
    where = f"/v1/alerts/{found['id']}"
    taken = client.post(f"{where}/acknowledge", json={"note": "looking"}, headers=support).get_json()
    assert (taken["status"], taken["acknowledged_by"], taken["note"]) == ("acknowledged", "boss", "looking")
    with services.db.transaction() as tx:
        tx.execute("DELETE FROM jobs WHERE id = 'job_dead'")
    watch(services.db, services.events, zone, currency="eur", now=now + timedelta(minutes=5))
    assert client.get(where, headers=support).get_json()["status"] == "resolved"
    late = client.post(f"{where}/acknowledge", json={}, headers=support)
    assert (late.status_code, late.get_json()["code"]) == (409, "already_resolved")
    assert client.get("/v1/alerts/inc_none", headers=support).status_code == 404


def test_an_order_is_credited_to_the_visit_before_it_and_seen_by_tracking(
    services: Services, client: FlaskClient, support: dict[str, str]
) -> None:
    seen = event("page_view", visitor="v1", campaign="spring", path="/")
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": [seen]}
    assert client.post("/v1/events", json=body, headers={"User-Agent": PERSON}).status_code == 202
    ingest(services.db, services.events)
    sessions(services.db)
    at = datetime.now(UTC)
    books.paid_order(services.db, at=at, visitor="v1")
    books.paid_order(services.db, at=at, visitor="somebody")

    found = client.get("/v1/analytics/attribution?by=campaign&model=linear", headers=support).get_json()
    assert found["data"] == [{"value": "spring", "currency": "eur", "orders": 1, "net": 10000, "share": 0.5}]
    assert found["unattributed"] == [{"currency": "eur", "orders": 1, "net": 10000}]
    assert found["totals"] == [{"currency": "eur", "orders": 2, "net": 20000}]

    lost = client.get("/v1/analytics/tracking", headers=support).get_json()
    assert lost["total"] == {"orders": 2, "lost": 1, "share": 0.5}
    assert [row["value"] for row in lost["by_browser"]] == ["unknown"]
