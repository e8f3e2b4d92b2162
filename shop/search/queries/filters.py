"""What a shopper narrows a search by, and the one wording of it that all statements share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString


@dataclass(frozen=True, slots=True)
class Filters:
    """What must hold. Categories and brands in lower case, any of them; prices in minor units, both ends included."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool = False
    rating_min: float | None = None

    def __bool__(self) -> bool:
        return self != NO_FILTERS

    def parameters(self) -> dict[str, Any]:
        return {
            "categories": list(self.categories) or None,
            "brands": list(self.brands) or None,
            "price_min": self.price_min,
            "price_max": self.price_max,
            "in_stock": self.in_stock or None,
            "rating_min": self.rating_min,
        }


NO_FILTERS = Filters()


def numbers(values: Sequence[float]) -> str:
    """As PostgreSQL reads an array of numbers. The driver looks at each one's type, a tenth of a search's time."""
    return f"{{{','.join(map(str, values))}}}"


# One wording of the filters for all statements. Each is planned for its own values (plan_cache_mode below), so that
# what is not asked for is gone from the plan.
PASSES: LiteralString = """
           p.active
       AND (%(categories)s::text[] IS NULL OR lower(p.category) = ANY(%(categories)s::text[]))
       AND (%(brands)s::text[] IS NULL OR lower(p.brand) = ANY(%(brands)s::text[]))
       AND (%(price_min)s::bigint IS NULL OR p.price >= %(price_min)s::bigint)
       AND (%(price_max)s::bigint IS NULL OR p.price <= %(price_max)s::bigint)
       AND (%(in_stock)s::boolean IS NULL OR p.available)
       AND (%(rating_min)s::real IS NULL OR p.rating >= %(rating_min)s::real)
"""
