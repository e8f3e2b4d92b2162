"""The shop watched by a real Prometheus: it can read the figures, and its alerts are about figures that exist."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from boot.services import Services, connect
from boot.settings import Settings
from db import outbox
from db.database import Database
from monitoring.dashboards import FOLDER, drawn
from shop import jobs
from tests.rules.source import ROOT
from tests.web.serving import start
from web.app import create_app

PATIENCE_S = 40
RULES = ROOT / "monitoring" / "alerts.yml"

NAME = re.compile(r"\b(?:up|backroom_[a-z0-9_]+)\b(?!\s*=)")
LABELLED = re.compile(r"\{[^}]*\}")


def needs(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine (Debian: apt-get install prometheus)")
    return found


@pytest.fixture(name="figures")
def _figures(services: Services) -> str:
    client = create_app(services).test_client()
    client.get("/health/live")
    return client.get("/metrics").text


def test_names_follow_the_conventions(figures: str) -> None:
    families = list(text_string_to_metric_families(figures))
    assert len(families) > 20
    for family in families:
        assert re.fullmatch(r"backroom(_[a-z0-9]+)+", family.name)
        assert family.documentation
        assert not family.name.endswith(("_count", "_sum", "_bucket", "_info")), "these ends belong to the format"
        assert "_ms" not in family.name
        assert "_minutes" not in family.name
        assert (family.type == "counter") == (
            f"{family.name}_total " in figures
            or f"{family.name}_total{{" in figures
            or f"# TYPE {family.name}_total" in figures
        )


def test_without_postgresql_the_figures_say_so_and_tell_the_rest(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(database_url="postgresql://nobody@127.0.0.1:1/none"), name="test")
    text = create_app(services).test_client().get("/metrics").text
    assert "backroom_postgresql_up 0.0" in text
    assert "backroom_redis_up 1.0" in text
    assert "backroom_queue_due" not in text
    services.db.close()


def test_without_redis_the_figures_say_so_and_tell_the_rest(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(redis_url="redis://127.0.0.1:1/0"), name="test")
    text = create_app(services).test_client().get("/metrics").text
    assert "backroom_redis_up 0.0" in text
    assert "backroom_postgresql_up 1.0" in text
    assert 'backroom_queue_due{queue="payments"} 0.0' in text
    services.db.close()


def test_who_works_is_counted_by_queue(db: Database, services: Services) -> None:
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO workers (boot_id, queue, broker_id, pid, host, threads, beat_at)"
            " VALUES ('a', 'payments', 'a', 1, 'h', 8, now()), ('b', 'payments', 'b', 1, 'h', 8, now()),"
            "        ('c', 'documents', 'c', 1, 'h', 2, now() - interval '1 minute')"
        )
        tx.execute("INSERT INTO leases (name, holder, until) VALUES ('clock', 'me', now() + interval '9 seconds')")
    text = create_app(services).test_client().get("/metrics").text
    assert 'backroom_workers{queue="payments"} 2.0' in text
    assert 'backroom_worker_threads{queue="payments"} 16.0' in text
    assert 'backroom_workers{queue="documents"} 0.0' in text
    assert "backroom_clock_up 1.0" in text


def test_differences_that_nobody_explained_are_counted_in_the_latest_comparison(
    db: Database, services: Services
) -> None:
    with db.transaction() as tx:
        for number, done in ((1, "now() - interval '2 days'"), (2, "now() - interval '1 hour'")):
            tx.execute(
                "INSERT INTO reconciliations (id, state, dry_run, from_at, to_at, finished_at, orders_checked,"
                f" payments_checked, refunds_checked) VALUES ('rec_{number}', 'done', false, now() - interval '1 day',"
                f" now(), {done}, 0, 0, 0)"
            )
            tx.execute(
                "INSERT INTO reconciliation_differences (reconciliation_id, position, kind, explanation)"
                f" VALUES ('rec_{number}', 1, 'missing_here', NULL), ('rec_{number}', 2, 'missing_here', 'on its way')"
            )
    text = create_app(services).test_client().get("/metrics").text
    assert "backroom_differences_unexplained 1.0" in text
    age = re.search(r"^backroom_reconciliation_age_seconds (\S+)", text, re.MULTILINE)
    assert age is not None
    assert 3600 <= float(age[1]) < 3700


def test_alerts_and_pages_ask_for_figures_that_are_there(figures: str) -> None:
    asked = {name for query in (*_alerts().values(), *_queries()) for name in _names(query)}
    assert len(asked) > 15
    assert asked - _there(figures) == {"up"}


def test_every_gauge_of_the_shop_is_on_a_page(figures: str) -> None:
    shown = {name for query in _queries() for name in _names(query)}
    gauges = {one.name for one in text_string_to_metric_families(figures) if one.type == "gauge"}
    gauges = {name for name in gauges if not name.endswith("_created")}  # when a counter began; not the shop's
    assert gauges - shown == set()


def test_grafanas_pages_are_those_that_the_code_draws() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == drawn()


def test_grafanas_pages_have_panels_that_do_not_lie_on_each_other() -> None:
    for text in drawn().values():
        panels = json.loads(text)["panels"]
        fields = [(x, y) for one in panels for x, y in _field(one["gridPos"])]
        assert len(fields) == len(set(fields))
        assert all(x < 24 for x, _ in fields)
        assert len({one["id"] for one in panels}) == len(panels)


def test_every_alert_leads_to_a_chapter_that_says_what_to_do() -> None:
    for rule in _rules():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_alerts_call_when_they_should_and_only_then() -> None:
    promtool = needs("promtool")
    for words in (["check", "rules", str(RULES)], ["test", "rules", str(Path(__file__).with_name("alerts.test.yml"))]):
        done = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    syntax = [promtool, "check", "config", "--syntax-only", str(ROOT / "monitoring" / "prometheus.yml")]
    assert subprocess.run(syntax, capture_output=True, check=False).returncode == 0


@pytest.fixture(name="prometheus")
def _prometheus(settings_with: Callable[..., Settings], tmp_path: Path) -> Iterator[str]:
    program = needs("prometheus")
    settings = settings_with()
    web = start(settings, tmp_path, "web.wsgi:app", workers=2, threads=2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text(encoding="utf-8"))
    asked["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    asked["rule_files"] = [str(RULES)]
    job = asked["scrape_configs"][0]
    del job["dns_sd_configs"], job["authorization"]  # both on this machine
    job["static_configs"] = [{"targets": [web.url.removeprefix("http://")]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(asked))
    words = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
    words += [f"--web.listen-address=127.0.0.1:{port}"]
    running = subprocess.Popen([program, *words], stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        running.terminate()
        web.process.terminate()
        running.wait(20)
        web.process.wait(20)


def test_a_real_prometheus_reads_the_figures_and_weighs_the_alerts(db: Database, prometheus: str) -> None:
    with db.transaction() as tx:
        job = outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1")
        tx.execute(
            "UPDATE jobs SET state = 'dead', finished_at = now(), error = '{}'::jsonb WHERE id = %(id)s", {"id": job}
        )
    target = _until(lambda: _get(f"{prometheus}/targets")["activeTargets"], lambda found: found[0]["health"] == "up")
    assert target[0]["lastError"] == ""
    dead = {"query": 'backroom_queue_dead{queue="payments"}'}
    assert _until(lambda: _get(f"{prometheus}/query", **dead)["result"], bool)[0]["value"][1] == "1"
    rules = _until(
        lambda: _get(f"{prometheus}/rules")["groups"][0]["rules"],
        lambda found: (
            all(rule["health"] == "ok" for rule in found)
            and "pending" in {rule["state"] for rule in found if rule["name"] == "DeadJobs"}
        ),
    )
    waiting = {rule["name"] for rule in rules if rule["state"] != "inactive"}
    assert waiting == {"DeadJobs", "NoControl", "NoWorker"}  # nobody works in this test


def _until(ask: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            found = ask()
            if enough(found):
                return found
        except (requests.ConnectionError, IndexError, KeyError):
            found = None
        assert time.monotonic() < until, found
        time.sleep(0.2)


def _get(url: str, **query: str) -> Any:
    return requests.get(url, params=query, timeout=5).json()["data"]


def _rules() -> list[dict[str, Any]]:
    return yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]


def _alerts() -> dict[str, str]:
    return {rule["alert"]: rule["expr"] for rule in _rules()}


def _queries() -> list[str]:
    panels = (panel for text in drawn().values() for panel in json.loads(text)["panels"])
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _names(query: str) -> set[str]:
    return set(NAME.findall(LABELLED.sub("", query)))


def _there(figures: str) -> set[str]:
    """Every name a query can use: families, and the parts of histograms."""
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", figures, re.MULTILINE))
    parts = {f"{name}_{part}" for name, kind in families.items() if kind == "histogram" for part in ("bucket", "count")}
    return set(families) | parts


def _field(place: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])
    ]
