"""Retention and product performance over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.events.ingest import ingest
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, event


@pytest.fixture(name="support")
def _support(signed_in: Any) -> dict[str, str]:
    return signed_in("boss", "support")


@pytest.mark.parametrize("path", ["retention", "products"])
def test_they_are_for_support_only(client: FlaskClient, signed_in: Any, support: dict[str, str], path: str) -> None:
    assert client.get(f"/v1/analytics/{path}").status_code == 401
    assert client.get(f"/v1/analytics/{path}", headers=signed_in("cus_1")).status_code == 403
    assert client.get(f"/v1/analytics/{path}", headers=support).status_code == 200


def test_customers_come_back(client: FlaskClient, services: Services, support: dict[str, str]) -> None:
    now = datetime.now(UTC)
    for customer, weeks in (("a", 2), ("a", 1), ("b", 2)):
        books.paid_order(services.db, at=now - timedelta(weeks=weeks), customer=customer)
    answer = client.get("/v1/analytics/retention?by=customer", headers=support).json
    assert answer
    assert len(answer["data"]) == 12
    cohort = answer["data"][-3]
    assert cohort["size"] == 2
    assert [(cell["rate"], cell["finished"]) for cell in cohort["cells"]] == [(1, True), (0.5, True), (0, False)]
    assert answer["means"][1] == {"week": 1, "people": 1, "of": 2, "rate": 0.5}
    wrong = client.get("/v1/analytics/retention?from=2024-01-01&to=2026-01-01", headers=support)
    assert wrong.status_code == 422


def test_products_are_counted_by_people_and_sold_by_orders(
    client: FlaskClient, services: Services, support: dict[str, str]
) -> None:
    books.product(services.db, "p1")
    books.product(services.db, "p2", category="Hats")
    seen = [event("product_view", visitor=f"v{n % 4}", product_id="p1") for n in range(8)]
    seen += [event("cart_add", visitor="v1", product_id="p1"), event("product_view", visitor="v1", product_id="p2")]
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": seen}
    client.post("/v1/events", json=body, headers={"User-Agent": PERSON})
    ingest(services.db, services.events)
    now = datetime.now(UTC)
    books.paid_order(services.db, [("p1", 2, 1000)], at=now, customer="a")
    books.paid_order(services.db, [("p1", 1, 1000)], at=now, customer="a")
    books.paid_order(services.db, [("p1", 1, 900)], at=now, customer="b", currency="usd")

    rows = (client.get("/v1/analytics/products", headers=support).json or {})["data"]
    assert [(row["product_id"], row["currency"], row["sold"], row["units"]) for row in rows] == [
        ("p1", "eur", 3000, 3),
        ("p2", None, 0, 0),
        ("p1", "usd", 900, 1),
    ]
    first = rows[0]
    assert (first["viewers"], first["carters"], first["buyers"], first["orders"]) == (4, 1, 1, 2)
    assert (first["cart_rate"], first["buy_rate"], first["name"]) == (0.25, 0.25, "The p1")
    hats = (client.get("/v1/analytics/products?category=hats&sort=viewers", headers=support).json or {})["data"]
    assert [row["product_id"] for row in hats] == ["p2"]
