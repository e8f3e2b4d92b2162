"""The Cart service: what somebody wants to buy, until they have bought it."""

from urllib.parse import quote

from clients.neighbours import READ_TIMEOUT_S, Json, Neighbour, shaped
from shop.ports.neighbours import Cart, StockLine


class CartService:
    """Implements `shop.ports.neighbours.Carts`."""

    def __init__(self, service: Neighbour) -> None:
        self._service = service

    def cart(self, cart_id: str) -> Cart | None:
        status, told = self._service.ask("GET", _path(cart_id), expected=(404, 410))
        return None if status in {404, 410} else _cart(told)

    def clear(self, cart_id: str) -> None:
        self._service.ask("DELETE", _path(cart_id), key=f"clear-{cart_id}", expected=(404, 410))


def connect(url: str, token: str, *, read_timeout_s: float = READ_TIMEOUT_S) -> CartService:
    """Opens nothing; the first call does."""
    return CartService(Neighbour("cart", url, token, read_timeout_s=read_timeout_s))


def _cart(told: Json) -> Cart:
    return Cart(
        id=shaped("cart", told, "id", str),
        user_id=shaped("cart", told, "user_id", str),
        currency=shaped("cart", told, "currency", str).lower(),
        lines=tuple(_line(line) for line in shaped("cart", told, "lines", list)),
    )


def _line(told: Json) -> StockLine:
    return StockLine(shaped("cart", told, "product_id", str), shaped("cart", told, "quantity", int))


def _path(cart_id: str) -> str:
    return f"/carts/{quote(cart_id, safe='')}"
