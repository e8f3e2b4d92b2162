"""Events in quarantine and links of visitors, as an operator sees and decides about them over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from tasks.analytics import replay_quarantined
from tests.shop.analytics.conftest import PERSON, batch, event


class Run:
    def progress(self, done: int, total: int | None) -> None: ...


@pytest.fixture(name="admin")
def _admin(signed_in: Any) -> dict[str, str]:
    return signed_in("ada", "admin")


def test_what_waits_is_seen_replayed_and_named_after_who_did_it(
    client: FlaskClient, services: Services, signed_in: Any, admin: dict[str, str]
) -> None:
    accept(services.db, services.events, batch([event(session_id="s" * 90), event(session_id="t" * 90)]))
    assert ingest(services.db, services.events) == {"quarantined": 2}
    support = signed_in("sue", "support")
    seen = client.get("/v1/analytics/quarantine", headers=support)
    assert seen.json
    assert seen.json["waiting"] == 2
    second, first = seen.json["data"]
    assert first["reason"] == "breaks events_session_id_check"
    assert "raw" not in first
    path = f"/v1/analytics/quarantine/{first['id']}"
    assert client.get(path, headers=support).status_code == 403
    assert "ssss" in client.get(path, headers=admin).json["raw"]  # pyright: ignore[reportOptionalSubscript]

    asked = client.post(f"{path}/replay", headers=admin)
    assert asked.status_code == 202
    with services.db.transaction() as tx:
        tx.execute("ALTER TABLE events DROP CONSTRAINT events_session_id_check")
        row = tx.execute("SELECT args FROM jobs WHERE name = 'analytics.replay'").fetchone()
    assert row is not None
    services.db.close()  # workers are started anew with what was mended
    assert replay_quarantined(services, Run(), **row[0]) == {"replayed": 1, "refused": 0}  # pyright: ignore[reportArgumentType]
    settled = client.get("/v1/analytics/quarantine?settled=true", headers=support).json
    assert settled
    assert [(one["settled_as"], one["settled_by"]) for one in settled["data"]] == [("replayed", "ada")]

    other = f"/v1/analytics/quarantine/{second['id']}/dismiss"
    assert client.post(other, headers=admin).json["settled_as"] == "dismissed"  # pyright: ignore[reportOptionalSubscript]
    assert client.post(other, headers=admin).status_code == 404
    assert client.get("/v1/analytics/quarantine/nine", headers=admin).status_code == 404


def test_a_link_is_seen_and_undone_with_a_reason(
    client: FlaskClient, services: Services, signed_in: Any, admin: dict[str, str]
) -> None:
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": [event(visitor="v1")]}
    client.post("/v1/events", json=body, headers={**signed_in("cus_1"), "User-Agent": PERSON})
    ingest(services.db, services.events)

    wish = {"visitor_id": "v1", "customer_id": "cus_1", "linked": False, "reason": "a friend's laptop"}
    path = "/v1/analytics/identity/decisions"
    assert client.post(path, json=wish, headers=signed_in("sue", "support")).status_code == 403
    undone = client.post(path, json=wish, headers=admin)
    assert (undone.status_code, undone.json["undone"]) == (200, True)  # pyright: ignore[reportOptionalSubscript]
    found = client.get("/v1/analytics/identity?customer_id=cus_1", headers=admin).json
    assert found
    assert [one["visitor_id"] for one in found["links"]] == ["v1"]
    assert [(one["decided_by"], one["reason"]) for one in found["decisions"]] == [("ada", "a friend's laptop")]
    assert client.get("/v1/analytics/identity", headers=admin).status_code == 422
    assert client.post(path, json={**wish, "customer_id": "cus_2"}, headers=admin).status_code == 404
