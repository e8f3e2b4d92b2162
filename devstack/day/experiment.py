"""The shop's experiment of the day: an admin starts it, pages ask what to show, and at night it is read out."""

from devstack.day.api import Api, Json
from devstack.day.tracker import Tracker

KEY = "short-checkout"

PLAN: Json = {
    "key": KEY,
    "name": "Checkout on one page",
    "hypothesis": "Without a page of its own for the address, more of those who begin to order pay.",
    "variants": ["control", "one_page"],
    "metrics": ["conversion", "net_revenue"],
    "guardrails": ["search_ms", "payment_failures", "refund_share"],
    # A day is over in minutes: whoever came is read out at once, and the readout says itself that it is too early.
    "window_days": 0,
    "settle_days": 0,
}


def start(admin: Api) -> Json:
    """The experiment, running. What an earlier day started goes on, so that its numbers grow; a stopped one is begun
    anew, in another phase."""
    admin.post("/v1/experiments", PLAN, expect=(201, 409))
    found = admin.get(f"/v1/experiments/{KEY}")
    if found["status"] == "running":
        return found
    return admin.patch(f"/v1/experiments/{KEY}", {"status": "running"})


def shown(browser: Api, tracker: Tracker, visitor: str) -> str:
    """Which checkout to show. Asked before anything is drawn, and told as seen, as a page does."""
    drawn = browser.post("/v1/assignments", {"visitor_id": visitor, "keys": [KEY]}, expect=(200,))["data"]
    mine = next((one for one in drawn if one["counted"]), None)
    if mine is None:
        return str(PLAN["variants"][0])
    tracker.saw("experiment_seen", props={"experiment": KEY, "variant": mine["variant"]})
    return str(mine["variant"])


def has_address_page(variant: str) -> bool:
    return variant == PLAN["variants"][0]
