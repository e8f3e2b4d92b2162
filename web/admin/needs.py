"""What waits for a person: each kind with how many there are, why it matters, and where to go."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from web.admin.inside import Refused
from web.admin.orders import EXPIRES_WITHIN_H
from web.admin.section import Visit

ANSWER_WITHIN_DAYS = 60
"""Longer than any bank leaves a shop: every dispute that can still be answered."""

LATE_S = 120.0
"""Seconds. What is due for two minutes is not about to start; the relay looks twice a second."""

MANY = 100
"""The longest list that is counted; more are shown as "100+"."""


@dataclass(frozen=True, slots=True)
class Need:
    """`count` things of a kind; `more` says that there are further ones."""

    count: int
    words: str
    way: str
    to: str
    more: bool = False


def needs(visit: Visit) -> list[Need]:
    """All that waits for this person, the most pressing first. What they may not see is left out."""
    return [need for look in _LOOKS for need in _of(look, visit) if need.count]


def _of(look: "_Look", visit: Visit) -> list[Need]:
    try:
        return list(look(visit))
    except Refused as refusal:
        if refusal.status in {401, 403}:
            return []
        raise


_Look = Callable[[Visit], Iterator[Need]]


def _alerts(visit: Visit) -> Iterator[Need]:
    """Among them skewed experiments, lag, and events that were lost; dead jobs are counted below."""
    found = visit.api.get("/v1/alerts", status="open", limit=MANY)["data"]
    for kind in dict.fromkeys(alert["kind"] for alert in found if alert["kind"] != "dead_jobs"):
        alike = [alert for alert in found if alert["kind"] == kind]
        yield Need(len(alike), alike[0]["title"], alike[0]["last_words"], "/admin/alerts")


def _disputes(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/disputes", due_within_days=ANSWER_WITHIN_DAYS, limit=MANY)
    where = f"/admin/disputes?due={ANSWER_WITHIN_DAYS}"
    yield _listed(page, "disputes wait for an answer", "Unanswered, they are lost.", where)


def _doubts(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/orders", outcome_unknown=True, limit=MANY)
    yield _listed(
        page, "orders have an unknown outcome", "The payment provider gave no verdict.", "/admin/orders?doubt=1"
    )


def _expiring(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/orders", authorization_expires_within_hours=EXPIRES_WITHIN_H, limit=MANY)
    yield _listed(
        page, "authorisations end within a day", "Take the money, or it is released.", "/admin/orders?expiring=1"
    )


def _refunds(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/refunds", limit=MANY)
    yield _listed(page, "refunds wait for a second person", "An admin agrees or declines.", "/admin/refunds")


def _orphans(visit: Visit) -> Iterator[Need]:
    for state in ("orphan", "parked"):
        page = visit.api.get("/v1/webhooks/deliveries", state=state, limit=MANY)
        words = "payments belong to no order" if state == "orphan" else "messages of Stripe could not be read"
        yield _listed(page, words, "Each needs a decision.", f"/admin/deliveries?state={state}")


def _differences(visit: Visit) -> Iterator[Need]:
    compared = (one for one in visit.api.get("/v1/reconciliations", limit=5)["data"] if one["state"] == "done")
    latest = next(compared, None)
    if latest is not None:
        path = f"/v1/reconciliations/{latest['id']}"
        way = "Our books and Stripe's disagree."
        to = f"/admin/reconciliations/{latest['id']}"
        yield Need(int(visit.api.get(path)["unexplained"]), "differences are unexplained", way, to)


def _queues(visit: Visit) -> Iterator[Need]:
    queues = visit.api.get("/v1/queues")["data"]
    dead = sum(queue["dead"] for queue in queues)
    yield Need(dead, "jobs are dead", "Retry or dismiss each.", "/admin/jobs?state=dead")
    late = [queue["name"] for queue in queues if queue["oldest_s"] > LATE_S and not queue["paused"]]
    yield Need(len(late), "queues lag behind", f"Work is due for minutes: {', '.join(late)}.", "/admin/queues")
    paused = [queue["name"] for queue in queues if queue["paused"]]
    yield Need(len(paused), "queues are paused", ", ".join(paused), "/admin/queues")


def _clock(visit: Visit) -> Iterator[Need]:
    late = sum(1 for line in visit.api.get("/v1/timetable")["data"] if line["late"])
    yield Need(late, "timetable lines are late", "No clock runs.", "/admin/timetable")


def _mails(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/mails", state="gave_up", limit=MANY)
    way = "Their servers never took them; send again once mended."
    yield _listed(page, "mails were given up", way, "/admin/mails?state=gave_up")


_LOOKS: tuple[_Look, ...] = (
    _alerts,
    _disputes,
    _doubts,
    _expiring,
    _orphans,
    _differences,
    _refunds,
    _queues,
    _clock,
    _mails,
)


def _listed(page: dict[str, list[object] | str | None], words: str, way: str, to: str) -> Need:
    rows = page["data"]
    return Need(len(rows) if isinstance(rows, list) else 0, words, way, to, more=page["next_cursor"] is not None)
