"""What a customer does: look around, search, fill a cart, order, pay; each with a plan of their own."""

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from devstack.day import experiment
from devstack.day.api import WAIT_S, Api, Json
from devstack.day.town import Town
from devstack.day.tracker import Tracker

ADDRESS = {"line1": "Lindenweg 4", "postal_code": "10437", "city": "Berlin", "country": "DE"}


class Plan(Enum):
    """How the visit shall go; the value is what the closing table calls it."""

    LOOKS = "only looked"
    BUYS = "paid"
    SECOND_CARD = "declined, then paid with another card"
    DECLINED = "declined and left"
    BANK_ASKS = "paid after the bank asked (3-D Secure)"
    TOO_MANY = "wanted more than there is"
    CHANGES_MIND = "cancelled before paying"
    SENDS_BACK = "paid, then refunded in full"
    SENDS_PART_BACK = "paid, then refunded in part"
    DISPUTES = "paid, disputed at the bank, won"
    NEWS_LOST = "paid while Stripe's news got lost"


SOLD_OUT = "found it sold out"
"""Not a plan but bad luck: others of this day took the last ones between the search and the order."""

ENDS = {
    Plan.BUYS: "paid",
    Plan.SECOND_CARD: "paid",
    Plan.DECLINED: "payment_failed",
    Plan.BANK_ASKS: "paid",
    Plan.TOO_MANY: "rejected",
    Plan.CHANGES_MIND: "canceled",
    Plan.SENDS_BACK: "paid",
    Plan.SENDS_PART_BACK: "paid",
    Plan.DISPUTES: "paid",
    Plan.NEWS_LOST: "paid",
}
"""The order's status when its customer leaves; what is sent back is refunded in the evening."""

CARD, DECLINED_CARD, BANK_CARD = "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_authenticationRequired"

PATIENCE_S = 45.0
"""From a confirmed card to a paid order: webhook, stock, capture and ledger, on a busy small machine."""

SWEPT_WITHIN_S = 150.0
"""The same when no webhook comes: the sweep runs each minute."""


@dataclass
class Visit:
    """What came of it. `status` is the order's last, `note` says what did not go as planned."""

    plan: Plan
    customer: str
    order_id: str = ""
    order_number: str = ""
    status: str = ""
    total: int = 0
    refunded: int = 0
    currency: str = "eur"
    searched: str = ""
    hits: int = 0
    note: str = ""
    events: int = 0
    email: str = ""
    search_ms: list[float] = field(default_factory=list[float])
    sold_out: bool = False
    variant: str = ""

    @property
    def kept(self) -> int:
        """What the shop keeps of the order's money."""
        return self.total - self.refunded if self.status in {"paid", "partially_refunded"} else 0

    @property
    def outcome(self) -> str:
        """What the closing table counts: the plan's words only when it went that way."""
        return SOLD_OUT if self.sold_out else self.plan.value


def visit(town: Town, user: Json, plan: Plan, words: list[str], dice: random.Random) -> Visit:
    """Play one customer's visit. Raises Unexpected when the shop misbehaves."""
    visitor = f"vis_{user['id']}_{dice.randrange(1_000_000):06}"
    api = town.customer(user["id"], user["email"], visitor)
    browser = town.stranger(visitor)
    tracker = Tracker(browser, visitor)
    story = Visit(plan, user["name"], email=user["email"])
    story.variant = experiment.shown(browser, tracker, visitor)
    wanted = _look_around(api, tracker, words, dice, story)
    if plan is not Plan.LOOKS and not wanted:
        story.note = f"found nothing to buy for {' or '.join(words)}"
    elif plan is not Plan.LOOKS:
        cart_id = _fill_cart(town, user, wanted, plan, tracker, dice)
        _order(town, api, cart_id, story, tracker)
    tracker.flush(twice=dice.random() < 0.2)
    story.events = tracker.sent
    return story


def _look_around(api: Api, tracker: Tracker, words: list[str], dice: random.Random, story: Visit) -> list[Json]:
    """Search for something, look at some hits; answer what could be bought."""
    tracker.saw("page_view", path="/")
    wanted: list[Json] = []
    for text in words:
        found = api.get("/v1/search", q=text, in_stock="true", limit=10)
        story.searched, story.hits = text, story.hits + int(found["total"])
        story.search_ms.append(float(found["took_ms"]))
        tracker.saw("search", search_id=found["search_id"], path="/search")
        hits: list[Json] = found["data"]
        for position, product in list(enumerate(hits, start=1))[: dice.choice((1, 2, 3))]:
            tracker.saw("search_click", search_id=found["search_id"], product_id=product["id"], position=position)
            tracker.saw("product_view", product_id=product["id"], path=f"/products/{product['id']}")
            wanted.append(product)
    return wanted


def _fill_cart(town: Town, user: Json, wanted: list[Json], plan: Plan, tracker: Tracker, dice: random.Random) -> str:
    chosen = _chosen(wanted, plan, dice)
    # By id: the same product may have been found by two searches.
    lines = {product["id"]: dice.choice((1, 1, 1, 2)) for product in chosen}
    if plan is Plan.TOO_MANY:
        lines = {chosen[0]["id"]: 10_000}
    for product_id, quantity in lines.items():
        tracker.saw("cart_add", product_id=product_id, quantity=quantity)
    cart_id = f"crt_{user['id']}_{dice.randrange(1_000_000_000):09}"
    cart: dict[str, Any] = {
        "user_id": user["id"],
        "currency": "eur",
        "lines": [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines.items()],
    }
    town.carts().put(f"/carts/{cart_id}", cart)
    return cart_id


def _chosen(wanted: list[Json], plan: Plan, dice: random.Random) -> list[Json]:
    """A few of them; whoever has more in mind than buying takes what others will not have bought up meanwhile."""
    if plan in {Plan.LOOKS, Plan.BUYS}:
        return dice.sample(wanted, min(len(wanted), dice.choice((1, 1, 2, 3))))
    return [max(wanted, key=lambda product: int(product["stock"]))]


def _order(town: Town, api: Api, cart_id: str, story: Visit, tracker: Tracker) -> None:
    tracker.saw("checkout_start", path="/checkout")
    if experiment.has_address_page(story.variant):
        tracker.saw("page_view", path="/checkout/address")
    wish = {"cart_id": cart_id, "shipping_address": {"name": story.customer, **ADDRESS}}
    order = api.post("/v1/orders", wish, wait=WAIT_S, expect=(200, 201, 202))
    order = _settled(api, order)
    story.order_id, story.order_number, story.total = order["id"], order["number"], order["total"]
    if order["status"] == "awaiting_payment":
        tracker.saw("payment_try", path="/checkout")
        order = _pay(town, api, order, story.plan)
    story.status = order["status"]
    _compare_with_plan(story, (order.get("rejection") or {}).get("code"))


def _compare_with_plan(story: Visit, rejection: str | None) -> None:
    """An order that ended otherwise than its customer meant it is a trouble of the day, unless goods ran out."""
    story.sold_out = story.status == "rejected" and rejection == "out_of_stock" and story.plan is not Plan.TOO_MANY
    expected = ENDS[story.plan]
    if story.sold_out:
        return
    if story.status != expected:
        story.note = f"order {story.order_number} should have ended {expected}, and is {story.status}"
    elif expected == "rejected" and rejection != "out_of_stock":
        story.note = f"order {story.order_number} should have been out of stock, and was refused for {rejection}"


def _settled(api: Api, order: Json) -> Json:
    return api.until(f"/v1/orders/{order['id']}", lambda now: now["status"] != "placing", seconds=PATIENCE_S)


def _pay(town: Town, api: Api, order: Json, plan: Plan) -> Json:
    path = f"/v1/orders/{order['id']}"
    if plan is Plan.CHANGES_MIND:
        api.post(f"{path}/cancel", {}, wait=WAIT_S, expect=(200, 202))
        return api.until(path, lambda now: now["status"] == "canceled", seconds=PATIENCE_S)
    if plan in {Plan.DECLINED, Plan.SECOND_CARD}:
        _confirm(town, order, DECLINED_CARD)
        order = api.until(path, lambda now: now["status"] == "payment_failed", seconds=PATIENCE_S)
        if plan is Plan.DECLINED:
            return order
    _confirm(town, order, BANK_CARD if plan is Plan.BANK_ASKS else CARD)
    if plan is Plan.BANK_ASKS:
        api.until(path, lambda now: now["status"] == "requires_action", seconds=PATIENCE_S)
        town.stripe_doors().post(f"/standin/3ds/{_intent_of(order)}", {"outcome": "succeed"})
    patience = SWEPT_WITHIN_S if plan is Plan.NEWS_LOST else PATIENCE_S
    return api.until(path, lambda now: now["status"] == "paid", seconds=patience)


def _confirm(town: Town, order: Json, card: str) -> None:
    """What Stripe.js does in the browser: our server never sees a card."""
    fields = {
        "client_secret": order["payment"]["client_secret"],
        "payment_method": card,
        "return_url": "https://shop.example.com/thanks",
    }
    town.browser_to_stripe().form(f"/v1/payment_intents/{_intent_of(order)}/confirm", fields, expect=(200, 402))


def _intent_of(order: Json) -> str:
    return str(order["payment"]["client_secret"]).partition("_secret_")[0]
