"""The catalogue: products by id, and in the order of their last change, so that pages miss nothing."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from devstack.stand_ins.keeping import Keeping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# The list of changes is rewritten when most of it is history: that costs little and bounds the memory.
HISTORY_FACTOR, HISTORY_SPARE = 2, 1000


@dataclass(frozen=True)
class Product:
    """One product; price in minor units, `updated` in microseconds since 1970, no two alike."""

    id: str
    name: str
    price: int
    description: str = ""
    category: str = ""
    brand: str | None = None
    currency: str = "eur"
    stock: int = 0
    attributes: dict[str, Any] | None = None
    image_url: str | None = None
    rating: float | None = None
    rating_count: int = 0
    active: bool = True
    updated: int = 0

    def as_json(self) -> dict[str, Any]:
        shown = asdict(self)
        shown["attributes"] = shown["attributes"] or {}
        shown["updated_at"] = moment_of(shown.pop("updated")).isoformat().replace("+00:00", "Z")
        return shown


class Catalogue:
    """All products. Whoever reads and then writes holds `lock` meanwhile."""

    def __init__(self, keeping: Keeping) -> None:
        self.lock = keeping
        self._products = {name: Product(**kept) for name, kept in keeping.rows("product")}
        self._loaded = {name: Product(**kept) for name, kept in keeping.rows("loaded")}
        self._changes = self._present()
        self._last_stamp = self._changes[-1][0] if self._changes else 0

    def find(self, product_id: str) -> Product | None:
        with self.lock:
            return self._products.get(product_id)

    def put(self, product: Product) -> Product:
        """Keep a product and return it as kept: with a new stamp if anything about it changed."""
        with self.lock:
            known = self._products.get(product.id)
            if known is not None and replace(product, updated=known.updated) == known:
                return known
            kept = replace(product, updated=self._next_stamp())
            self._products[kept.id] = kept
            self.lock.put("product", kept.id, asdict(kept))
            self._changes.append((kept.updated, kept.id))
            self._forget_history()
            return kept

    def load(self, products: Iterable[Product], *, only_missing: bool = False) -> int:
        """Put many at once, and remember them as what a reset goes back to; return how many were put."""
        with self.lock:
            wanted = [product for product in products if not (only_missing and product.id in self._products)]
            for product in wanted:
                kept = self.put(product)
                self._loaded[kept.id] = kept
                self.lock.put("loaded", kept.id, asdict(kept))
            return len(wanted)

    def reset(self) -> None:
        with self.lock:
            self._products, self._changes = {}, []
            self.lock.clear("product")
            for product in self._loaded.values():
                self.put(product)

    def page(self, *, after: int, since: int, limit: int) -> tuple[list[Product], int | None]:
        """Return the next products by last change, and the stamp to go on after (None at the end).

        A product that changes while somebody pages moves to the end: it may be seen twice, never missed.
        """
        with self.lock:
            start = max(bisect_right(self._changes, (after, "\uffff")), bisect_left(self._changes, (since, "")))
            found: list[Product] = []
            for place in range(start, len(self._changes)):
                stamp, product_id = self._changes[place]
                product = self._products[product_id]
                if product.updated != stamp:
                    continue
                if len(found) == limit:
                    return found, found[-1].updated
                found.append(product)
            return found, None

    def _next_stamp(self) -> int:
        self._last_stamp = max(stamp_of(datetime.now(UTC)), self._last_stamp + 1)
        return self._last_stamp

    def _forget_history(self) -> None:
        if len(self._changes) > HISTORY_FACTOR * len(self._products) + HISTORY_SPARE:
            self._changes = self._present()

    def _present(self) -> list[tuple[int, str]]:
        return sorted((product.updated, product.id) for product in self._products.values())


def stamp_of(moment: datetime) -> int:
    """Return a moment as whole microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(stamp: int) -> datetime:
    """Return the moment of a stamp, in UTC."""
    return EPOCH + stamp * MICROSECOND
