"""Probes, figures and the served contract."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient

from boot.services import connect
from boot.settings import Settings
from db import outbox
from db.database import Database
from db.migrations.runner import newest
from shop import jobs
from shop.operations.readiness import expected_revision
from web.app import create_app


def test_a_live_process_says_so(client: FlaskClient) -> None:
    assert client.get("/health/live").json == {"status": "ok"}


def test_ready_names_every_part(client: FlaskClient) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "parts": {"postgresql": "ok", "migrations": "ok", "redis": "ok"},
        "warnings": [],
    }


def test_without_redis_the_shop_is_degraded_and_serves(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(redis_url="redis://127.0.0.1:1/0"), name="test")
    answer = create_app(services).test_client().get("/health/ready")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "degraded",
        "parts": {"postgresql": "ok", "migrations": "ok", "redis": "down"},
        "warnings": [],
    }
    services.db.close()


def test_a_schema_older_than_the_code_is_not_ready(db: Database, client: FlaskClient) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE alembic_version SET version_num = '0001'")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["parts"]["migrations"] == "behind"


def test_a_newer_schema_is_fine_while_a_deploy_is_under_way(db: Database, client: FlaskClient) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE alembic_version SET version_num = '9999'")
    assert client.get("/health/ready").status_code == 200


def test_the_expected_revision_is_alembics_head() -> None:
    assert expected_revision() == newest()


def test_figures_tell_how_queues_and_requests_stand(db: Database, client: FlaskClient) -> None:
    with db.transaction() as tx:
        outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1")
        tx.execute("UPDATE jobs SET run_after = now() - interval '90 seconds'")
    client.get("/v1/nothing")
    text = client.get("/metrics").text
    assert 'backroom_queue_waiting{queue="payments"} 1.0' in text
    oldest = re.search(r'backroom_queue_oldest_seconds{queue="payments"} (\S+)', text)
    assert oldest is not None
    assert 90 <= float(oldest[1]) < 100
    assert re.search(r'backroom_requests_total{method="GET",route="unknown",status="404"} [1-9]', text)
    assert "nothing" not in text


def test_figures_are_for_this_machine_or_for_the_token(
    client: FlaskClient, settings_with: Callable[..., Settings]
) -> None:
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.1"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 403
    services = connect(settings_with(metrics_token="scraper"), name="test")
    guarded = create_app(services).test_client()
    assert guarded.get("/metrics").status_code == 403
    assert guarded.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    far = {"REMOTE_ADDR": "203.0.113.1"}
    assert guarded.get("/metrics", headers={"Authorization": "Bearer scraper"}, environ_base=far).status_code == 200
    services.db.close()


def test_the_contract_is_whole(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document is not None
    assert document["openapi"] == "3.1.0"
    refs = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert refs <= set(document["components"]["schemas"])
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            assert operation["responses"]
            assert operation["x-access"]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if "id" in given:
            assert given["id"] not in self.ids, given["id"]
            self.ids.add(given["id"])
        if "href" in given:
            self.links.append(given["href"])


def test_the_page_needs_no_script_and_nobody_elses_server(client: FlaskClient) -> None:
    answer = client.get("/docs")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = Links()
    page.feed(answer.text)
    assert not page.tags & {"script", "img", "iframe", "form", "style"}
    assert all(link.startswith(("/", "#")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert client.get("/docs/style.css").status_code == 200


def test_every_problem_points_to_its_explanation(client: FlaskClient) -> None:
    page = Links()
    page.feed(client.get("/docs").text)
    for answer in (client.get("/nothing"), client.get("/v1/queues"), client.post("/docs"), client.get("/docs?x=1")):
        assert answer.json is not None
        assert answer.json["type"].removeprefix("/docs#") in page.ids
