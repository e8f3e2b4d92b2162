"""The Product service: prices, stock, goods set aside for a while. A shop with another dialect changes this file."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from clients.neighbours import READ_TIMEOUT_S, Json, Neighbour, shaped
from shop.ports.neighbours import (
    NeighbourRefused,
    OutOfStock,
    Product,
    ProductPage,
    ReservationGone,
    StockLine,
)


class ProductService:
    """Implements `shop.ports.neighbours.Products`."""

    def __init__(self, service: Neighbour) -> None:
        self._service = service

    def product(self, product_id: str) -> Product | None:
        status, told = self._service.ask("GET", f"/products/{quote(product_id, safe='')}", expected=(404, 410))
        return None if status in {404, 410} else _product(told)

    def page(self, *, cursor: str | None = None, updated_since: datetime | None = None) -> ProductPage:
        since = updated_since.astimezone(UTC).isoformat() if updated_since else None
        _, told = self._service.ask("GET", "/products", query={"cursor": cursor, "updated_since": since})
        found = shaped("product", told, "data", list)
        products: list[Product] = []
        problems: list[str] = []
        for one in found:
            try:
                products.append(_product(one if isinstance(one, dict) else {}))
            except (NeighbourRefused, ValueError) as odd:
                problems.append(str(odd))
        return ProductPage(tuple(products), told.get("next_cursor"), tuple(problems))

    def pages(self, *, cursor: str | None = None, updated_since: datetime | None = None) -> Iterator[ProductPage]:
        while True:
            page = self.page(cursor=cursor, updated_since=updated_since)
            yield page
            if page.next_cursor is None:
                return
            if page.next_cursor == cursor:
                raise NeighbourRefused("product: GET /products answered a page that leads back to itself")
            cursor = page.next_cursor

    def reserve(self, reservation_id: str, *, expires_at: datetime, lines: Sequence[StockLine]) -> None:
        body = {"id": reservation_id, "expires_at": _rfc3339(expires_at), "lines": _lines(lines)}
        status, told = self._service.ask(
            "POST", "/reservations", body=body, key=f"reserve-{reservation_id}", expected=(404, 409)
        )
        if status in {404, 409}:
            raise OutOfStock(_short(told))

    def commit(self, reservation_id: str) -> None:
        status, _ = self._service.ask(
            "POST",
            f"/reservations/{quote(reservation_id, safe='')}/commit",
            body={},
            key=f"commit-{reservation_id}",
            expected=(404, 409, 410),
        )
        if status in {404, 409, 410}:
            raise ReservationGone(f"reservation {reservation_id} is gone")

    def release(self, reservation_id: str) -> None:
        path = f"/reservations/{quote(reservation_id, safe='')}"
        self._service.ask("DELETE", path, key=f"release-{reservation_id}", expected=(404, 409, 410))

    def take_back(self, return_id: str, lines: Sequence[StockLine]) -> None:
        body = {"id": return_id, "lines": _lines(lines)}
        self._service.ask("POST", "/stock-returns", body=body, key=f"return-{return_id}")


def connect(url: str, token: str, *, read_timeout_s: float = READ_TIMEOUT_S) -> ProductService:
    """Opens nothing; the first call does."""
    return ProductService(Neighbour("product", url, token, read_timeout_s=read_timeout_s))


def _product(told: Json) -> Product:
    return Product(
        id=shaped("product", told, "id", str),
        name=shaped("product", told, "name", str),
        price=shaped("product", told, "price", int),
        currency=shaped("product", told, "currency", str).lower(),
        stock=shaped("product", told, "stock", int) - (told.get("reserved") or 0),
        active=told.get("active") is not False,
        description=told.get("description") or "",
        category=told.get("category") or "",
        brand=told.get("brand"),
        attributes=told.get("attributes") or {},
        image_url=told.get("image_url"),
        rating=told.get("rating"),
        rating_count=told.get("rating_count"),
        updated_at=_time(told.get("updated_at")),
    )


def _short(told: Json) -> list[str]:
    """The short lines' product ids, from the shapes a 409 may name them in."""
    named: Any = told.get("short") or told.get("lines") or []
    return [str(line.get("product_id") if isinstance(line, dict) else line) for line in named]


def _lines(lines: Sequence[StockLine]) -> list[dict[str, Any]]:
    return [{"product_id": line.product_id, "quantity": line.quantity} for line in lines]


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(told: str | None) -> datetime | None:
    if told is None:
        return None
    moment = datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
