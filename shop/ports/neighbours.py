"""What the shop asks of the services next door: Product, Cart and Auth. Prices are whole minor units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shop.errors import NotYet, Rejected


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the Product service sells it. `price` is gross, `stock` is what can still be reserved."""

    id: str
    name: str
    price: int
    currency: str
    stock: int
    active: bool = True
    description: str = ""
    category: str = ""
    brand: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    image_url: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """`problems`: what is wrong with those on the page that are no products; the others are not held up by them."""

    products: tuple[Product, ...]
    next_cursor: str | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StockLine:
    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Cart:
    id: str
    user_id: str
    currency: str
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str | None
    name: str | None
    active: bool


class NeighbourAway(NotYet):
    """A neighbour was not reached, or answered that it is broken. All their writes may be repeated."""

    code = "neighbour_unavailable"


class NeighbourRefused(Rejected):
    """A neighbour answered something its contract does not foresee: a person has to look."""

    code = "neighbour_refused"
    status = 502


class OutOfStock(Rejected):
    """Some of the goods are not there in the wanted number; `short` names them."""

    code = "out_of_stock"

    def __init__(self, short: Sequence[str]) -> None:
        super().__init__(f"not enough in stock of {', '.join(short) or 'some products'}")
        self.short = tuple(short)


class ReservationGone(Rejected):
    """The goods are no longer set aside: the reservation ran out, was released, or never was."""

    code = "reservation_gone"


class Products(Protocol):
    """The Product service. Its writes are idempotent by the id we give."""

    def product(self, product_id: str) -> Product | None: ...

    def page(self, *, cursor: str | None = None, updated_since: datetime | None = None) -> ProductPage: ...

    def pages(self, *, cursor: str | None = None, updated_since: datetime | None = None) -> Iterator[ProductPage]:
        """All pages from this place on, each asked for when it is wanted."""
        ...

    def reserve(self, reservation_id: str, *, expires_at: datetime, lines: Sequence[StockLine]) -> None:
        """Set goods aside until `expires_at`. Raises OutOfStock."""
        ...

    def commit(self, reservation_id: str) -> None:
        """Take the goods out of stock for good. Raises ReservationGone."""
        ...

    def release(self, reservation_id: str) -> None:
        """Give the goods back; nothing happens if they are not set aside (any more)."""
        ...

    def take_back(self, return_id: str, lines: Sequence[StockLine]) -> None:
        """Put committed goods back into stock."""
        ...


class Carts(Protocol):
    """The Cart service."""

    def cart(self, cart_id: str) -> Cart | None: ...

    def clear(self, cart_id: str) -> None:
        """Remove the cart; nothing happens if it is not there."""
        ...


class Users(Protocol):
    """The Auth service."""

    def user(self, user_id: str) -> User | None: ...

    def signing_keys(self) -> Mapping[str, Any]:
        """The JSON Web Key Set that verifies tokens: `{"keys": [...]}`."""
        ...
