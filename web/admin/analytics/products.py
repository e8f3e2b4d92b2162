"""How products do: who looks, who puts them into the cart, who buys, what comes back."""

from flask import Response

from web.admin.analytics.span import span
from web.admin.section import Section, Visit

SECTION = Section("Products", "/products", "Analytics")

SORTS = (
    ("sold", "Money sold"),
    ("units", "Pieces"),
    ("buyers", "Buyers"),
    ("viewers", "Viewers"),
    ("carters", "In carts"),
    ("refunded", "Given back"),
)

MOST = 100


@SECTION.page("/products")
def products(visit: Visit) -> Response:
    """The strongest first."""
    days = span(visit)
    asked = {"sort": visit.asked("sort"), "category": visit.asked("category")}
    found = visit.api.get("/v1/analytics/products", limit=MOST, **asked, **days.query)
    return visit.show("analytics/products.html", title="Products", span=days, found=found, sorts=SORTS)
