"""Analytics, reports and trending over HTTP, for those who may see them."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.behaviour.trending import trending
from shop.analytics.events.ingest import ingest
from tasks.analytics import nightly_report
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, event


@pytest.fixture(name="support")
def _support(signed_in: Any) -> dict[str, str]:
    return signed_in("boss", "support")


def send(client: FlaskClient, *events: Any) -> None:
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": list(events)}
    assert client.post("/v1/events", json=body, headers={"User-Agent": PERSON}).status_code == 202


def run_report(services: Services) -> None:
    """Run the staged report job as its worker would."""

    class Run:
        def progress(self, done: int, total: int | None) -> None: ...

    with services.db.transaction() as tx:
        staged = tx.execute("SELECT args FROM jobs WHERE name = 'analytics.report' AND state = 'staged'").fetchall()
    for (args,) in staged:
        nightly_report(services, Run(), **args)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("path", ["overview", "revenue", "live", "ingest"])
def test_figures_are_for_support_only(client: FlaskClient, signed_in: Any, path: str) -> None:
    assert client.get(f"/v1/analytics/{path}").status_code == 401
    assert client.get(f"/v1/analytics/{path}", headers=signed_in("cus_1")).status_code == 403
    assert client.get(f"/v1/analytics/{path}", headers=signed_in("boss", "support")).status_code == 200


@pytest.mark.parametrize("path", ["overview", "revenue", "ingest"])
def test_a_range_is_named_by_days_or_by_moments(client: FlaskClient, support: dict[str, str], path: str) -> None:
    def asked(first: str, last: str) -> Any:
        answer = client.get(f"/v1/analytics/{path}", query_string={"from": first, "to": last}, headers=support).json
        return answer.get("now", answer)

    by_day = asked("2026-11-01", "2026-11-22")
    by_moment = asked("2026-10-31T23:00:00Z", "2026-11-22T23:00:00Z")  # midnight in Berlin
    assert (by_day["from"], by_day["to"]) == (by_moment["from"], by_moment["to"])
    for wrong in ("yesterday", "2026-11-01T09:00:00", "1999-12-31"):
        assert asked(wrong, "2026-11-22")["code"] == "invalid_request"


def test_the_overview_compares_with_the_days_before(
    client: FlaskClient, services: Services, support: dict[str, str]
) -> None:
    now = datetime.now(UTC)
    send(client, *[event("page_view", visitor=f"v{n}") for n in range(4)])
    ingest(services.db, services.events)
    books.paid_order(services.db, [("p1", 1, 11900)], at=now)
    books.paid_order(services.db, [("p1", 1, 5950)], at=now - timedelta(days=8))

    today = now.astimezone(services.settings.zone).date()
    answer = client.get(f"/v1/analytics/overview?from={today - timedelta(days=6)}&to={today}", headers=support).json
    assert answer["now"]["from"] == str(today - timedelta(days=6))
    assert answer["before"]["to"] == str(today - timedelta(days=7))
    assert (answer["now"]["visitors"], answer["now"]["orders"], answer["now"]["conversion"]) == (4, 1, 0.25)
    assert (answer["now"]["revenue"][0]["net"], answer["before"]["revenue"][0]["net"]) == (10000, 5000)
    assert answer["now"]["revenue"][0]["average_order"] == 11900


def test_revenue_can_be_read_as_it_was_known_then(
    client: FlaskClient, services: Services, support: dict[str, str]
) -> None:
    at = datetime(2026, 3, 10, 11, tzinfo=UTC)
    order = books.paid_order(services.db, [("p1", 1, 11900)], at=at)
    books.refund(services.db, order, 5950, at=at + timedelta(days=2))

    def asked(view: str, **more: str) -> list[tuple[str, int, int]]:
        query = {"from": "2026-03-01", "to": "2026-03-31", "view": view, **more}
        answer = client.get("/v1/analytics/revenue", query_string=query, headers=support)
        assert answer.status_code == 200, answer.json
        return [(row["period"], row["gross"], row["refunds"]) for row in answer.json["data"]]

    assert asked("booking_day") == [("2026-03-10", 11900, 0), ("2026-03-12", 0, 5950)]
    assert asked("order_day") == [("2026-03-10", 11900, 5950)]
    assert asked("order_day", as_of="2026-03-11T00:00:00Z") == [("2026-03-10", 11900, 0)]
    assert asked("booking_day", interval="week") == [("2026-03-09", 11900, 5950)]
    assert asked("booking_day", interval="month") == [("2026-03-01", 11900, 5950)]


def test_the_ingest_ledger_balances_before_and_after_the_drain(
    client: FlaskClient, services: Services, support: dict[str, str]
) -> None:
    send(client, event(), event(), event("order_paid"))
    before = client.get("/v1/analytics/ingest", headers=support).json
    assert (before["received"], before["in_flight"], before["stored"]) == (3, 3, 0)
    ingest(services.db, services.events)
    after = client.get("/v1/analytics/ingest", headers=support).json
    assert (after["received"], after["in_flight"], after["stored"], after["rejected"]) == (3, 0, 2, 1)
    assert after["rejected_by_code"] == {"reserved_name": 1}
    assert (before["at_the_door"], after["at_the_door"], after["unaccounted"]) == (3, 3, 0)
    assert before["balanced"]
    assert after["balanced"]


def test_events_that_redis_lost_are_an_alarm_and_not_a_silence(
    client: FlaskClient, services: Services, support: dict[str, str], redis_url: str
) -> None:
    import redis

    send(client, event(), event())
    with redis.Redis.from_url(redis_url) as server:
        server.delete("{events}:stream", "{events}:waiting")
    answer = client.get("/v1/analytics/ingest", headers=support).json
    assert (answer["unaccounted"], answer["balanced"]) == (2, False)


def test_live_shows_people_of_these_minutes(client: FlaskClient, services: Services, support: dict[str, str]) -> None:
    send(client, event(visitor="a"), event("cart_add", visitor="a"), event(visitor="b"))
    ingest(services.db, services.events)
    answer = client.get("/v1/analytics/live", headers=support).json
    assert (answer["visitors_now"], answer["in_flight"], answer["provisional"]) == (2, 0, True)
    assert sum(minute["events"].get("product_view", 0) for minute in answer["minutes"]) == 2


def test_live_can_be_watched(client: FlaskClient, support: dict[str, str]) -> None:
    watching = client.get("/v1/analytics/live", headers={**support, "Accept": "text/event-stream"})
    assert watching.content_type.startswith("text/event-stream")
    lines = (line if isinstance(line, str) else line.decode() for line in watching.response)
    assert next(line for line in lines if "event: live" in line).count('"visitors_now":0') == 1
    watching.close()


def test_a_report_is_asked_for_made_and_fetched_in_three_shapes(
    client: FlaskClient, services: Services, support: dict[str, str]
) -> None:
    books.paid_order(services.db, [("p1", 1, 11900)], at=datetime(2026, 3, 10, 11, tzinfo=UTC))
    asked = client.post("/v1/reports", json={"kind": "nightly", "day": "2026-03-10"}, headers=support)
    assert (asked.status_code, asked.json["state"]) == (202, "making")
    location = asked.headers["Location"]
    assert client.get(f"{location}.pdf", headers=support).json["code"] == "report_not_made"

    run_report(services)
    report = client.get(location, headers=support).json
    assert (report["state"], report["final"], report["version"]) == ("done", True, 1)
    body = client.get(report["files"]["json"], headers=support)
    assert hashlib.sha256(body.data).hexdigest() == report["sha256"]
    assert body.json["money"]["booking_day"][0]["gross"] == 11900
    pdf = client.get(report["files"]["pdf"], headers=support)
    assert (pdf.content_type, pdf.data[:4]) == ("application/pdf", b"%PDF")
    rows = list(csv.reader(io.StringIO(client.get(report["files"]["csv"], headers=support).text.lstrip("\ufeff"))))
    assert ["report", "", "sha256", "", report["sha256"]] in rows

    again = client.post("/v1/reports", json={"kind": "nightly", "day": "2026-03-10"}, headers=support)
    assert again.json["id"] == report["id"]
    assert [one["id"] for one in client.get("/v1/reports", headers=support).json["data"]] == [report["id"]]


@pytest.mark.parametrize(
    "body",
    [{"kind": "nightly", "day": "2026-02-30"}, {"kind": "weekly", "day": "2026-03-01"}, {"kind": "nightly"}],
)
def test_a_wrong_wish_for_a_report_is_refused(client: FlaskClient, support: dict[str, str], body: Any) -> None:
    assert client.post("/v1/reports", json=body, headers=support).json["code"] == "invalid_request"


def test_a_report_of_tomorrow_and_one_that_is_not_there(client: FlaskClient, support: dict[str, str]) -> None:
    late = client.post("/v1/reports", json={"kind": "nightly", "day": "2199-01-01"}, headers=support)
    assert (late.status_code, late.json["code"]) == (422, "day_not_begun")
    for path in ("rep_none", "rep_none.pdf", "rep_none.csv", "rep_none.json"):
        assert client.get(f"/v1/reports/{path}", headers=support).status_code == 404


def test_trending_is_for_everybody_and_says_why(client: FlaskClient, services: Services) -> None:
    books.product(services.db, "p1", category="Shoes")
    books.product(services.db, "p2", category="Hats")
    send(client, *[event(visitor=f"v{n}", product_id=f"p{1 + n % 2}") for n in range(8)])
    ingest(services.db, services.events)
    trending(services.db)

    answer = client.get("/v1/trending?window=1h&category=shoes")
    assert answer.status_code == 200
    [one] = answer.json["data"]
    assert (one["id"], one["visitors"], one["reasons"][0]["code"]) == ("p1", 4, "seen")
    assert len(client.get("/v1/trending").json["data"]) == 2
    assert client.get("/v1/trending?window=2h").status_code == 422
    assert client.get("/v1/trending?limit=100").status_code == 200
    assert client.get("/v1/trending?limit=101").status_code == 422
