"""What goes wrong on an ordinary day, on purpose: Stripe's news get lost, and a bank takes a payment back."""

import random

from devstack.day.api import WAIT_S, Api, Json, Unexpected
from devstack.day.customers import Plan, Visit, visit
from devstack.day.town import Town

NEWS_OF_ONE_PURCHASE = 12
"""More than Stripe tells about one purchase, so that none of it arrives."""

DECIDED_WITHIN_S = 90.0
"""Each news of a dispute comes by webhook within a second or two; the sweep, each minute, is the second way."""


def buy_while_news_are_lost(town: Town, support: Api, user: Json, words: list[str], dice: random.Random) -> Visit:
    """One customer pays while no webhook arrives: a sweep of Stripe's events, or a look at it, finds the payment."""
    doors = town.stripe_doors()
    doors.post("/standin/deliveries", {"mode": "drop", "for": NEWS_OF_ONE_PURCHASE}, expect=(200, 201))
    try:
        story = visit(town, user, Plan.NEWS_LOST, words, dice)
    finally:
        doors.post("/standin/deliveries", {"mode": "normal"}, expect=(200, 201))
    if story.status == "paid" and not _healed_without_news(support, story.order_id):
        story.note = f"order {story.order_number} was to be paid without any news, and its history tells otherwise"
    return story


def dispute(town: Town, support: Api, story: Visit) -> None:
    """The customer's bank takes the money back, refunds are refused meanwhile, and the shop answers and wins."""
    opened = town.stripe_doors().post(
        "/standin/disputes", {"charge": _charge(support, story.order_id), "reason": "fraudulent"}, expect=(200, 201)
    )
    path = f"/v1/orders/{story.order_id}"
    held = support.until(path, lambda order: bool(order["disputed"]), seconds=DECIDED_WITHIN_S)
    body = {"reason": "requested_by_customer", "expected_refundable": held["refundable"]}
    refused = support.post(f"{path}/refunds", body, expect=(409,))
    if refused["code"] != "dispute_open":
        raise Unexpected(f"a refund beside a dispute was refused for {refused['code']}")
    _answer(support, story.order_id)
    town.stripe_doors().post(f"/standin/disputes/{opened['id']}", {"outcome": "won"}, expect=(200, 201))
    support.until(path, lambda order: not order["disputed"], seconds=DECIDED_WITHIN_S)


def _answer(support: Api, order_id: str) -> None:
    """What support sends to the bank: one document with all that speaks for the shop, drawn and submitted."""
    held = support.get("/v1/disputes", order=order_id)["data"][0]
    path = f"/v1/disputes/{held['id']}"
    evidence = {
        "note": "The goods were handed over at the customer's own address.",
        "shipping": {"carrier": "City Couriers", "tracking_number": "CC-4711-0815"},
        "submit": True,
    }
    support.post(f"{path}/evidence", evidence, wait=WAIT_S, expect=(200, 202))
    support.until(path, lambda one: one["evidence_submitted"], seconds=DECIDED_WITHIN_S)


def _healed_without_news(support: Api, order_id: str) -> bool:
    """Whether no webhook led to `paid`: the sweep found the event, or a look at Stripe for whoever was watching did."""
    moments = support.get(f"/v1/orders/{order_id}/timeline")["data"]
    steps = [(moment["detail"].get("moved") or ["", ""])[1] for moment in moments]
    before = moments[: steps.index("paid") + 1] if "paid" in steps else []
    return bool(before) and not any(
        moment["kind"] == "delivery" and moment["detail"]["source"] == "webhook" for moment in before
    )


def _charge(support: Api, order_id: str) -> str:
    """Stripe's name for the charge, as the order's history has it: what support would read out to the bank."""
    moments = support.get(f"/v1/orders/{order_id}/timeline")["data"]
    charges = [moment["detail"]["data"].get("charge_id") for moment in moments if moment["kind"] == "fact"]
    found = next((charge for charge in reversed(charges) if charge), None)
    if found is None:
        raise Unexpected(f"the history of order {order_id} names no charge")
    return str(found)
