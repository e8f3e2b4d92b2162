"""What is tried where nothing was found, in a fixed order, the smallest step away from the query first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from db.database import Tx
from shop.search.answering.listing import Listing, Wanted, listing
from shop.search.queries.filters import Filters
from shop.search.understanding.understand import Query

Step = Literal["filters", "spelling", "meaning"]


@dataclass(frozen=True, slots=True)
class Rescued:
    step: Step
    wanted: Wanted
    found: Listing


def rescue(tx: Tx, wanted: Wanted, *, chosen: Filters, respelt: Callable[[], Wanted | None]) -> Rescued | None:
    """The first step that finds anything, None when none does. Each one keeps what those before gave up.

    filters: what was understood as a price or an exclusion is no longer required; `chosen`, what the shopper set, is.
    spelling: words that hardly any product has become those that more have. meaning: what is merely somewhat alike.
    """
    for step, other in _steps(wanted, chosen, respelt):
        found = listing(tx, other)
        if found.ranked:
            return Rescued(step, other, found)
    return None


def _steps(wanted: Wanted, chosen: Filters, respelt: Callable[[], Wanted | None]) -> Iterator[tuple[Step, Wanted]]:
    if wanted.query.price is not None or wanted.query.excluded:
        wanted = replace(wanted, query=_unrequired(wanted.query), filters=chosen)
        yield "filters", wanted
    other = respelt()
    if other is not None:
        wanted = replace(other, query=_unrequired(other.query), filters=chosen)
        yield "spelling", wanted
    if wanted.means.vector is not None:
        yield "meaning", replace(wanted, generous=True, means=replace(wanted.means, ways=()))


def _unrequired(query: Query) -> Query:
    """The query as it is when nothing that it says is required."""
    return replace(query, excluded=(), readings=tuple(one for one in query.readings if not one.hard))
