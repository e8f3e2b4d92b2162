"""What a search is asked, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from shop.errors import Rejected
from shop.search.answering.explain import Explanation
from shop.search.answering.facets import Facets
from shop.search.answering.pages import Sort
from shop.search.queries.cards import Shown
from shop.search.queries.filters import NO_FILTERS, Filters
from shop.search.understanding.understand import Part, Query

Mode = Literal["hybrid", "semantic", "lexical"]
Leg = Literal["semantic", "lexical"]


class WrongPlace(Rejected):
    """This cursor belongs to another search, or to the same with other filters."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last product and its place in the list, in the search it is of."""

    search_id: str
    of: str
    at: int
    product_id: str


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """`after` is the place a page before ended; it goes with the same text, filters, sort and mode only.

    `correct` False takes every word as it is written, `literal` names what of the query is not to be interpreted,
    `personal` False forgets who asks, `explain` tells of every hit why it is there, `counted` False is no shopper's
    search and in no figure.
    """

    text: str
    filters: Filters = NO_FILTERS
    sort: Sort = "relevance"
    mode: Mode = "hybrid"
    limit: int = 20
    after: Place | None = None
    customer_id: str | None = None
    visitor_id: str | None = None
    correct: bool = True
    literal: tuple[Part, ...] = ()
    personal: bool = True
    explain: bool = False
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """`score` is between 0 and 1 and compares within this search only."""

    product: Shown
    score: float
    matched: tuple[Leg, ...]
    pinned: bool = False
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """total_is_exact False: there are at least `total`. degraded: a part is away, so that words or meaning alone were
    compared, or the answer is a kept one. cached: it was kept. personal: what the asker had before has changed it.

    corrected: what was searched instead of what was written, None when that is the same. interpreted: how it was read.
    teams: in a trial, whose each of the first places is. learned: clicks had a say in the order.
    """

    search_id: str
    query: Query
    interpreted: Mapping[str, Any]
    corrected: str | None
    total: int
    total_is_exact: bool
    facets: Facets
    hits: Sequence[Hit]
    next_place: Place | None
    took_ms: float
    degraded: bool
    teams: str = ""
    learned: bool = False
    cached: bool = False
    personal: bool = False
