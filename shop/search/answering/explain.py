"""Why a product is where it is: each part of its score, its places in both legs, and the words it was found by."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.database import Tx
from shop.search.answering.listing import Listing, Wanted
from shop.search.answering.rank import Ranked, floor
from shop.search.queries import find as queries


@dataclass(frozen=True, slots=True)
class Word:
    """`rarity` is BM25's inverse document frequency, `weight` what its frequency in this product gives."""

    term: str
    rarity: float
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """parts: what the score is added up from, by name, without those that are 0. Ranks count from 1 within the
    candidates of each leg. `floor`: the similarity from which meaning alone keeps a product.
    """

    parts: dict[str, float]
    words: list[Word]
    lexical_score: float
    lexical_rank: int | None
    similarity: float | None
    semantic_rank: int | None
    floor: float
    liking: float | None
    pinned: bool


def explain(tx: Tx, wanted: Wanted, found: Listing, page: Sequence[Ranked]) -> dict[str, Explanation]:
    """By product id, for the products of one page."""
    candidates = found.gathered.candidates
    lexical = _places([(one.lexical, one.card.id) for one in candidates if one.found])
    near = [(one.card.similarity, one.card.id) for one in candidates if one.near and one.card.similarity is not None]
    semantic = _places(near)
    least = floor(found.gathered, generous=wanted.generous)
    words = _words(tx, wanted, page)
    return {
        one.candidate.card.id: Explanation(
            parts={name: round(part, 4) for name, part in one.parts._asdict().items() if part},
            words=words.get(one.candidate.card.n, []),
            lexical_score=round(one.candidate.lexical, 3),
            lexical_rank=lexical.get(one.candidate.card.id),
            similarity=_rounded(one.candidate.card.similarity),
            semantic_rank=semantic.get(one.candidate.card.id),
            floor=round(least, 3),
            liking=_rounded(one.candidate.card.liking),
            pinned=one.pinned,
        )
        for one in page
    }


def _places(scored: Sequence[tuple[float, str]]) -> dict[str, int]:
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))
    return {product_id: place for place, (_, product_id) in enumerate(best, start=1)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _words(tx: Tx, wanted: Wanted, page: Sequence[Ranked]) -> dict[int, list[Word]]:
    terms = {term for way in wanted.means.ways for term in way}
    known = {term.id: term for term in queries.look_up(tx, sorted(terms))}
    found: dict[int, list[Word]] = {}
    for posting in queries.postings_of(tx, [one.candidate.card.n for one in page], list(known)):
        term = known[posting.term_id]
        found.setdefault(posting.product_n, []).append(Word(term.term, round(term.rarity, 3), round(posting.weight, 3)))
    return found
