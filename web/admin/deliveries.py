"""Stripe's deliveries: what came, what became of it, and what a person decides about what nobody could place."""

import json

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Stripe's news", "/deliveries", "Money")

STATES = (
    ("", "All"),
    ("orphan", "Unplaced"),
    ("parked", "Waiting"),
    ("refused", "Refused"),
    ("returning", "Money going back"),
    ("returned", "Money given back"),
    ("applied", "Applied"),
    ("ignored", "Ignored"),
    ("dismissed", "Dismissed"),
)

RETRIABLE = frozenset({"parked", "orphan", "ignored"})
DECIDABLE = frozenset({"parked", "orphan"})


@SECTION.page("/deliveries")
def deliveries(visit: Visit) -> Response:
    """Newest first, of one state or all."""
    page = visit.api.get(
        "/v1/webhooks/deliveries",
        state=visit.asked("state"),
        payment=visit.asked("payment"),
        order=visit.asked("order"),
        cursor=visit.asked("cursor"),
        limit=50,
    )
    secrets = visit.api.get("/v1/webhooks/secrets")["data"] if visit.person.is_admin else []
    return visit.show("deliveries.html", title="Stripe's news", page=page, states=STATES, secrets=secrets)


@SECTION.page("/deliveries/<delivery_id>")
def delivery(visit: Visit, delivery_id: str) -> Response:
    """One delivery: what it says, what the payment looked like, what people did about it."""
    found = visit.api.get(at("/v1/webhooks/deliveries/{}", delivery_id))
    return visit.show(
        "delivery.html",
        title="Delivery",
        delivery=found,
        body=json.dumps(found["body"], indent=2, ensure_ascii=False) if found.get("body") is not None else "",
        retriable=found["state"] in RETRIABLE,
        decidable=found["state"] in DECIDABLE and visit.person.is_admin,
    )


@SECTION.action("/deliveries/<delivery_id>/retry", again=delivery)
def retry(visit: Visit, delivery_id: str) -> Done:
    """Read it again, now."""
    reason = visit.typed("reason")
    now = _send(visit, delivery_id, "retry", {"reason": reason} if reason else {})
    return Done(_place(delivery_id), f"It was read again and is {now}.")


@SECTION.action("/deliveries/<delivery_id>/adopt", role="admin", again=delivery)
def adopt(visit: Visit, delivery_id: str) -> Done:
    """Make its payment one of an order's."""
    now = _send(visit, delivery_id, "adopt", {"order_id": visit.typed("order_id"), "reason": visit.typed("reason")})
    if now == "orphan":
        return Done(_place(delivery_id), "The payment does not fit that order; the reason stands below.", "problem")
    return Done(_place(delivery_id), "The payment is the order's now.")


@SECTION.action("/deliveries/<delivery_id>/dismiss", role="admin", again=delivery)
def dismiss(visit: Visit, delivery_id: str) -> Done:
    """Close it for good."""
    _send(visit, delivery_id, "dismiss", {"reason": visit.typed("reason")})
    return Done(_place(delivery_id), "Closed, with all other waiting news of its payment.")


@SECTION.action("/deliveries/<delivery_id>/refund", role="admin", again=delivery)
def give_back(visit: Visit, delivery_id: str) -> Done:
    """Give money of no order back."""
    _send(visit, delivery_id, "refund", {"reason": visit.typed("reason")})
    return Done(_place(delivery_id), "The money is on its way back.")


def _send(visit: Visit, delivery_id: str, act: str, body: dict[str, str]) -> str:
    return visit.api.send("POST", at(f"/v1/webhooks/deliveries/{{}}/{act}", delivery_id), body)["state"]


def _place(delivery_id: str) -> str:
    return at("/admin/deliveries/{}", delivery_id)
