"""First pages as they are kept for whoever asks the same: named by everything that decides them, packed as bytes."""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from shop.ports.encoder import Encoder
from shop.search.answering import facets
from shop.search.answering.asked import Hit, Place, SearchRequest, SearchResult
from shop.search.answering.known import Known
from shop.search.answering.rank import RANKER
from shop.search.language.text import normalise
from shop.search.queries.cards import Shown
from shop.search.understanding.understand import understand
from shop.search.vectors.models import model_version

KEPT_S = 300
"""Every change of a product, a vector or the merchandising gives the answers after it another name. What has no such
number, how many people had a product, is counted once an hour. Five minutes of fifty different queries a second are
some 100 MB in Redis."""

FORM = 1
"""Of what is packed; raised with any change of it, since old and new processes run side by side."""


@dataclass(frozen=True, slots=True)
class Kept:
    """`search_id` is of the search that made it: whose list the further pages of the others are a copy of."""

    search_id: str
    told: dict[str, Any]


def may_be_kept(request: SearchRequest) -> bool:
    """First pages only: later ones are of a list that is kept anyway. What is explained to an admin is asked once."""
    return request.after is None and not request.explain


def name(encoder: Encoder, request: SearchRequest, known: Known, now: datetime) -> str:
    """The same name is the same answer: the versions rise with every change, in its own transaction.

    Who asks is not in it, so that only answers that are the same for everybody may be kept under it.
    """
    pins = known.pins.get(normalise(request.text))
    decides = (
        FORM, RANKER, model_version(encoder), known.versions, known.values_of, known.currency,
        pins.product_ids if pins and pins.holds(now) else (),
        normalise(request.text), request.filters, request.sort, request.mode, request.limit, request.correct,
        request.literal,
    )  # fmt: skip
    return f"search:{hashlib.blake2b(repr(decides).encode(), digest_size=16).hexdigest()}"


def of_result(result: SearchResult) -> Kept:
    """What of it is the same for everybody, as JSON can keep it."""
    told = {
        "search_id": result.search_id,
        "interpreted": dict(result.interpreted),
        "corrected": result.corrected,
        "total": result.total,
        "total_is_exact": result.total_is_exact,
        "facets": facets.told(result.facets),
        "hits": [_packed(hit) for hit in result.hits],
        "next": [result.next_place.at, result.next_place.product_id] if result.next_place else None,
    }
    return Kept(result.search_id, told)


def packed(kept: Kept) -> bytes:
    return zlib.compress(json.dumps(kept.told, ensure_ascii=False, separators=(",", ":")).encode(), level=1)


def unpacked(found: bytes) -> Kept:
    told: dict[str, Any] = json.loads(zlib.decompress(found))
    return Kept(told["search_id"], told)


def repeated(kept: Kept, request: SearchRequest, known: Known, *, search_id: str, of: str) -> SearchResult:
    """The answer to this request, under a search_id of its own: what people do next is joined to their own search."""
    told = kept.told
    return SearchResult(
        search_id=search_id,
        query=understand(told["corrected"] or request.text, known, literal=request.literal),
        interpreted=told["interpreted"],
        corrected=told["corrected"],
        total=told["total"],
        total_is_exact=told["total_is_exact"],
        facets=facets.read(told["facets"]),
        hits=[_hit(row) for row in told["hits"]],
        next_place=Place(search_id, of, *told["next"]) if told["next"] else None,
        took_ms=0.0,
        degraded=False,
        cached=True,
    )


_SHOWN = tuple(field.name for field in fields(Shown))


def _packed(hit: Hit) -> Sequence[Any]:
    # Not by asdict, which would copy every attribute of every product.
    return {name: getattr(hit.product, name) for name in _SHOWN}, hit.score, hit.matched, hit.pinned


def _hit(row: Sequence[Any]) -> Hit:
    product, score, matched, pinned = row
    return Hit(Shown(**product), score, tuple(matched), pinned=pinned)
