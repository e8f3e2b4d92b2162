"""Orders: found, read with all that happened to them, and what people may do about them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from flask import Response

from shop.money import decimals
from web.admin.inside import Refused, at
from web.admin.section import Done, Section, Visit

SECTION = Section("Orders", "/orders", "Money")

STATES = (
    ("", "All"),
    ("paid", "Paid"),
    ("authorized", "Authorised"),
    ("awaiting_payment", "Awaiting payment"),
    ("requires_action", "At the bank"),
    ("processing", "Processing"),
    ("payment_failed", "Declined"),
    ("partially_refunded", "Partly refunded"),
    ("refunded", "Refunded"),
    ("canceled", "Cancelled"),
    ("expired", "Expired"),
    ("rejected", "Rejected"),
)

EXPIRES_WITHIN_H = 24
"""Hours before a card's deadline at which authorised money is worth a look: one working day."""

CANCELLABLE = frozenset({"placing", "awaiting_payment", "requires_action", "payment_failed", "authorized"})

SENT = {
    "succeeded": "The refund is done.",
    "requested": "The refund waits for an admin to agree.",
    "failed": "The refund did not work; the history below says why.",
}


@SECTION.page("/orders")
def orders(visit: Visit) -> Response:
    """All orders, or those of a number, a customer, a state or some days."""
    find = visit.asked("find")
    if find.startswith("ord_"):
        return order(visit, find)
    number = find if any(sign.isdigit() for sign in find) and not find.startswith("usr") else ""
    page = visit.api.get(
        "/v1/orders",
        status=visit.asked("status"),
        number=number,
        customer_id="" if number else find,
        outcome_unknown=visit.asked("doubt") == "1",
        authorization_expires_within_hours=EXPIRES_WITHIN_H if visit.asked("expiring") == "1" else None,
        placed_from=_midnight(visit, "from"),
        placed_to=_midnight(visit, "to", days=1),
        cursor=visit.asked("cursor"),
        limit=50,
    )
    return visit.show("orders.html", title="Orders", page=page, states=STATES, find=find)


@SECTION.page("/orders/<order_id>")
def order(visit: Visit, order_id: str) -> Response:
    """One order: its lines and money, why it is as it is, its papers, refunds and mails."""
    found = visit.api.get(at("/v1/orders/{}", order_id))
    disputed = visit.api.get("/v1/disputes", order=found["id"])["data"]
    return visit.show(
        "order.html",
        title=f"Order {found['number']}",
        order=found,
        cancellable=found["status"] in CANCELLABLE,
        disputes=disputed,
        history=visit.api.get(at("/v1/orders/{}/timeline", order_id))["data"],
        refunds=visit.api.get(at("/v1/orders/{}/refunds", order_id))["data"],
        documents=visit.api.get(at("/v1/orders/{}/documents", order_id))["data"],
        mails=visit.api.get("/v1/mails", order_id=order_id)["data"],
    )


@SECTION.page("/orders/<order_id>/papers/<number>")
def paper(visit: Visit, order_id: str, number: str) -> Response:
    """An invoice, credit note or debit note of the order, as PDF."""
    listed = visit.api.get(at("/v1/orders/{}/documents", order_id))["data"]
    found = next((one for one in listed if one["number"] == number), None)
    if found is None:
        raise Refused(404, {"code": "not_found", "detail": "the order has no such document"})
    return visit.paper(found["url"])


@SECTION.action("/orders/<order_id>/refund", again=order)
def refund(visit: Visit, order_id: str) -> Done | Response:
    """Give money back: an amount, some of the lines, or all that is left. First says what that comes to."""
    path = at("/v1/orders/{}/refunds", order_id)
    found = visit.api.get(at("/v1/orders/{}", order_id))
    wish = _wish(visit, found)
    if visit.typed("agreed") != "yes":
        preview = visit.api.send("POST", f"{path}/preview", wish)
        return visit.show(
            "refund.html", title="Refund", order=found, preview=preview, names={x["id"]: x for x in found["lines"]}
        )
    made = visit.api.send("POST", path, wish, key=visit.typed("key"))
    note = SENT.get(made["status"], "The refund is on its way; the customer's bank decides how long it takes.")
    return Done(at("/admin/orders/{}", order_id), note, "problem" if made["status"] == "failed" else "done")


@SECTION.action("/orders/<order_id>/capture", role="admin", again=order)
def capture(visit: Visit, order_id: str) -> Done:
    """Take authorised money, all of it or an amount."""
    found = visit.api.get(at("/v1/orders/{}", order_id))
    amount = visit.typed("take")
    body = {"amount": minor(amount, found["currency"], "/take")} if amount else {}
    visit.api.send("POST", at("/v1/orders/{}/capture", order_id), body, key=visit.typed("key"))
    return Done(at("/admin/orders/{}", order_id), "The money is being taken.")


@SECTION.action("/orders/<order_id>/cancel", again=order)
def cancel(visit: Visit, order_id: str) -> Done:
    """Call an order off before its money is taken."""
    visit.api.send("POST", at("/v1/orders/{}/cancel", order_id), {}, key=visit.typed("key"))
    return Done(at("/admin/orders/{}", order_id), "The order is called off; its goods are released.")


def whole(typed: str) -> int:
    """A whole number that a form holds; 0 where it holds none (the API then says what is wrong)."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 12 else 0


def minor(typed: str, currency: str, pointer: str) -> int:
    """`12.50` as minor units of the currency. Raises Refused for what is no amount of it."""
    try:
        amount = Decimal(typed.replace(",", ".")) * 10 ** decimals(currency)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.to_integral_value() or abs(amount) >= 10**12:
        fault = {"pointer": pointer, "detail": f"must be an amount such as {'12.50' if decimals(currency) else '12'}"}
        raise Refused(422, {"code": "invalid_request", "detail": "the amount is not one", "errors": [fault]})
    return int(amount)


def _wish(visit: Visit, found: dict[str, object]) -> dict[str, object]:
    currency = str(found["currency"])
    lines = found["lines"] if isinstance(found["lines"], list) else []
    body: dict[str, object] = {
        "reason": visit.typed("reason"),
        "expected_refundable": whole(visit.typed("expected")),
        "restock": visit.typed("restock") == "yes",
    }
    match visit.typed("how"):
        case "amount":
            body["amount"] = minor(visit.typed("amount"), currency, "/amount")
        case "lines":
            body["lines"] = [
                {"line_id": line["id"], "quantity": quantity}
                for line in lines
                if (quantity := whole(visit.typed(f"quantity-{line['id']}", "0")))
            ]
            body["shipping"] = minor(visit.typed("shipping", "0") or "0", currency, "/shipping")
        case _:
            pass
    return body


def _midnight(visit: Visit, name: str, days: int = 0) -> str:
    """The moment in which the day of an address begins on the shop's clock; "" for what is no day."""
    try:
        asked = date.fromisoformat(visit.asked(name)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return datetime.combine(asked, time.min, ZoneInfo(visit.menu.zone)).isoformat()
