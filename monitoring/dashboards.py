"""Grafana's pages, drawn from the lists below: `python -m monitoring.dashboards` writes them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "grafana" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}

WIDTH = 24
"""Columns of Grafana's grid; a row of panels shares them."""

HEIGHT = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries` by legend. `alarm`: the value from which on it is red. `kind`: a curve, or the figure of now."""

    title: str
    words: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    alarm: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    title: str
    rows: tuple[tuple[Panel, ...], ...]


def _now(title: str, words: str, query: str, *, unit: str = "short", alarm: float | None = None) -> Panel:
    return Panel(title, words, {"": query}, unit=unit, kind="stat", alarm=alarm)


# Every web process tells the same of the database, so the largest is taken; what requests did is added up.
PAGES = (
    Page(
        "overview",
        "Backroom: is all well?",
        (
            (
                _now("Web processes", "Answering Prometheus.", "sum(up{job='backroom'})"),
                _now("PostgreSQL", "1 while it answers.", "min(backroom_postgresql_up)"),
                _now("Redis", "1 while it answers.", "min(backroom_redis_up)"),
                _now("Clock", "1 while a control process keeps the time.", "max(backroom_clock_up)"),
                _now("Dead jobs", "They wait for a person.", "sum(max by (queue) (backroom_queue_dead))", alarm=1),
                _now("Unexplained", "Differences to Stripe.", "max(backroom_differences_unexplained)", alarm=1),
            ),
            (
                Panel(
                    "Requests",
                    "Answers a second, by the first digit of their status.",
                    {"{{status}}": "sum by (status) (rate(backroom_requests_total[5m]))"},
                    unit="reqps",
                ),
                Panel(
                    "Time to answer",
                    "Half, 95 and 99 of a hundred requests are faster.",
                    {
                        part: f"histogram_quantile({part}, sum by (le) (rate(backroom_request_seconds_bucket[5m])))"
                        for part in ("0.5", "0.95", "0.99")
                    },
                    unit="s",
                ),
            ),
            (
                Panel(
                    "Waits longest",
                    "Age of the job that is due longest. The first thing that grows when something is wrong.",
                    {"{{queue}}": "max by (queue) (backroom_queue_oldest_seconds)"},
                    unit="s",
                    alarm=120,
                ),
                Panel("Incidents", "What the shop noticed itself.", {"{{kind}}": "max by (kind) (backroom_alerts)"}),
            ),
        ),
    ),
    Page(
        "jobs",
        "Backroom: jobs and workers",
        (
            (
                Panel("Due", "Could start now.", {"{{queue}}": "max by (queue) (backroom_queue_due)"}),
                Panel("Waiting", "Those of later included.", {"{{queue}}": "max by (queue) (backroom_queue_waiting)"}),
                Panel(
                    "At work",
                    "Beside what the workers could do at a time.",
                    {
                        "{{queue}}": "max by (queue) (backroom_queue_running)",
                        "{{queue}} at most": "max by (queue) (backroom_worker_threads)",
                    },
                ),
            ),
            (
                Panel("Done in an hour", "", {"{{queue}}": "max by (queue) (backroom_queue_done_last_hour)"}),
                Panel("Dead", "", {"{{queue}}": "max by (queue) (backroom_queue_dead)"}, alarm=1),
                Panel("Workers", "Processes alive.", {"{{queue}}": "max by (queue) (backroom_workers)"}),
                Panel("Paused", "By a person.", {"{{queue}}": "max by (queue) (backroom_queue_paused)"}, alarm=1),
            ),
            (
                Panel("Events in Redis", "Accepted, not stored.", {"events": "max(backroom_events_waiting)"}),
                Panel(
                    "Their size",
                    "At 128 MB senders are asked to come again.",
                    {"bytes": "max(backroom_events_waiting_bytes)"},
                    unit="bytes",
                    alarm=2**25,
                ),
            ),
        ),
    ),
    Page(
        "money",
        "Backroom: money and Stripe",
        (
            (
                _now("Unknown outcomes", "Stripe gave no verdict.", "max(backroom_outcomes_unknown)", alarm=1),
                _now(
                    "Since",
                    "The oldest of them.",
                    "max(backroom_outcomes_unknown_oldest_seconds)",
                    unit="s",
                    alarm=900,
                ),
                _now("Authorisations", "End soon.", "max(backroom_authorizations_expiring)", alarm=1),
                _now("Reconciled", "So long ago.", "max(backroom_reconciliation_age_seconds)", unit="s", alarm=93600),
            ),
            (
                Panel(
                    "Deliveries",
                    "As they arrive.",
                    {"{{way}}": "max by (way) (rate(backroom_webhook_arrived_total[15m]))"},
                    unit="reqps",
                ),
                Panel(
                    "What became of them",
                    "",
                    {"{{state}}": "max by (state) (rate(backroom_webhook_settled_total[15m]))"},
                    unit="reqps",
                ),
                Panel(
                    "Waiting",
                    "Orphans and parked ones need a person.",
                    {"{{state}}": "max by (state) (backroom_webhook_waiting)"},
                ),
            ),
            (
                Panel(
                    "Only the sweep saw",
                    "Grows when deliveries do not arrive.",
                    {"events": "max(backroom_webhook_only_sweep_saw)"},
                ),
                Panel("Oldest unread", "", {"age": "max(backroom_webhook_oldest_unread_seconds)"}, unit="s", alarm=600),
                Panel("In another version", "", {"events": "max(backroom_webhook_other_version_total)"}),
            ),
        ),
    ),
    Page(
        "routes",
        "Backroom: routes",
        (
            (
                Panel(
                    "Slowest",
                    "95 of a hundred are faster.",
                    {
                        "{{route}}": "topk(10, histogram_quantile(0.95, sum by (method, route, le) "
                        "(rate(backroom_request_seconds_bucket[5m]))))"
                    },
                    unit="s",
                ),
                Panel(
                    "Most asked",
                    "",
                    {"{{route}}": "topk(10, sum by (method, route) (rate(backroom_requests_total[5m])))"},
                    unit="reqps",
                ),
            ),
            (
                Panel(
                    "Refused",
                    "Answers of 4xx.",
                    {
                        "{{route}} {{status}}": "topk(10, sum by (route, status) "
                        "(rate(backroom_requests_total{status=~'4..'}[5m])))"
                    },
                    unit="reqps",
                ),
                Panel(
                    "Failed",
                    "Answers of 5xx.",
                    {
                        "{{route}} {{status}}": "topk(10, sum by (route, status) "
                        "(rate(backroom_requests_total{status=~'5..'}[5m])))"
                    },
                    unit="reqps",
                ),
            ),
        ),
    ),
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"{name} is written")


def drawn() -> dict[str, str]:
    """The text of each file by its name."""
    return {f"{page.name}.json": json.dumps(_page(page), indent=2) + "\n" for page in PAGES}


def _page(page: Page) -> dict[str, Any]:
    return {
        "uid": f"backroom-{page.name}",
        "title": page.title,
        "tags": ["backroom"],
        "timezone": "browser",
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["backroom"], "title": "Backroom", "asDropdown": True}],
        "panels": [
            _panel(panel, number=row * 10 + place + 1, x=place * (WIDTH // len(panels)), y=row * HEIGHT, of=len(panels))
            for row, panels in enumerate(page.rows)
            for place, panel in enumerate(panels)
        ],
    }


def _panel(panel: Panel, *, number: int, x: int, y: int, of: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.alarm is not None:
        steps.append({"color": "red", "value": panel.alarm})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.words,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": WIDTH // of, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + place), "expr": query, "legendFormat": legend, "datasource": SOURCE}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }


if __name__ == "__main__":
    main()
