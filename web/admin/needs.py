"""What waits for a person: each kind with how many there are, why it matters, and where to go."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from web.admin.inside import Refused
from web.admin.section import Visit

EXPIRES_WITHIN_H = 24
"""Hours before a card's deadline at which authorised money is worth a look: one working day."""

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


def _disputes(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/disputes", status="needs_response", limit=MANY)
    yield _listed(
        page, "disputes wait for an answer", "Unanswered, they are lost.", "/admin/disputes?status=needs_response"
    )


def _doubts(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/orders", outcome_unknown=True, limit=MANY)
    yield _listed(
        page, "orders have an unknown outcome", "The payment provider gave no verdict.", "/admin/orders?doubt=1"
    )


def _expiring(visit: Visit) -> Iterator[Need]:
    page = visit.api.get("/v1/orders", authorization_expires_within_hours=EXPIRES_WITHIN_H, limit=MANY)
    yield _listed(
        page, "authorisations end within a day", "Take the money, or it is released.", "/admin/orders?status=authorized"
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
    latest = visit.api.get("/v1/reconciliations", limit=1)["data"]
    if latest:
        count = int(latest[0].get("unexplained") or 0)
        way = "Our books and Stripe's disagree."
        yield Need(count, "differences are unexplained", way, f"/admin/reconciliations/{latest[0]['id']}")


def _dead(visit: Visit) -> Iterator[Need]:
    queues = visit.api.get("/v1/queues")["data"]
    yield Need(
        sum(queue["dead"] for queue in queues), "jobs are dead", "Retry or dismiss each.", "/admin/jobs?state=dead"
    )
    paused = [queue["name"] for queue in queues if queue["paused"]]
    yield Need(len(paused), "queues are paused", ", ".join(paused), "/admin/queues")


_LOOKS: tuple[_Look, ...] = (_disputes, _doubts, _expiring, _orphans, _differences, _refunds, _dead)


def _listed(page: dict[str, list[object] | str | None], words: str, way: str, to: str) -> Need:
    rows = page["data"]
    return Need(len(rows) if isinstance(rows, list) else 0, words, way, to, more=page["next_cursor"] is not None)
