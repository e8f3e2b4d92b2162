"""What every search needs to know beforehand, kept in the process: language, model, brands, synonyms, pins."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from db.database import Tx
from shop.search.catalogue.product import CATEGORY_STEP
from shop.search.language.languages import ENGLISH
from shop.search.language.text import normalise, terms, words
from shop.search.queries import boosts, index, merchandising, models, values, versions
from shop.search.queries.find import EF_SEARCH
from shop.search.queries.models import Model
from shop.search.queries.versions import State

VALUES_FRESH_S = 60.0
"""New brands and categories are recognised after a minute at most: an import of hours changes them every second."""

MOST_SYNONYMS = 5000
MOST_PINS = 5000


@dataclass(frozen=True, slots=True)
class Pinned:
    """Shown first, in this order, while now is between the two ends; None: no end."""

    product_ids: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None

    def holds(self, now: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= now) and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class Synonym:
    """Stems: a query with `from_` finds what has one of `to` too."""

    from_: tuple[str, ...]
    to: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """brands: by their words, with single spaces, the brand in lower case. categories: by the stems of their last step,
    the whole paths in lower case. synonyms: by the first stem they replace. former_language: looked under too, while
    products are put over. learning: whether what was learned from clicks counts. documents: how many products are
    indexed. versions: of the catalogue and the merchandising as they were found; values_of: the catalogue's whose
    brands and categories these are.
    """

    language: str = ENGLISH
    former_language: str | None = None
    currency: str = "eur"
    model: Model | None = None
    brands: Mapping[str, str] = field(default_factory=dict[str, str])
    categories: Mapping[tuple[str, ...], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, ...], tuple[str, ...]]
    )
    synonyms: Mapping[str, Sequence[Synonym]] = field(default_factory=dict[str, Sequence[Synonym]])
    pins: Mapping[str, Pinned] = field(default_factory=dict[str, Pinned])
    learning: boosts.State = "off"
    documents: int = 0
    versions: tuple[int, int] = (-1, -1)
    values_of: int = -1


NOTHING = Known()


class Knowledge:
    """One for a process. Each search begins with asking for three numbers and reads anew what they say is old.

    So synonyms, pins, language, model and learning hold from the next search on after they were changed.
    """

    def __init__(self, *, values_fresh_s: float = VALUES_FRESH_S) -> None:
        self._fresh_s = values_fresh_s
        self._lock = threading.Lock()
        self._known: Known | None = None
        self._values_read = 0.0

    @property
    def last(self) -> Known | None:
        """As the latest search found it; None before the first one. The database is not asked."""
        return self._known

    def of(self, tx: Tx) -> Known:
        """Begins a search: the transaction has its settings afterwards."""
        begun = versions.begin(tx, ef_search=EF_SEARCH)
        now = begun.versions
        known = self._known
        if known is not None and (now, begun.documents, now[0]) == (known.versions, known.documents, known.values_of):
            return known
        with self._lock:
            return self._read(tx, begun)

    def _read(self, tx: Tx, begun: State) -> Known:
        known, now = self._known, begun.versions
        values_of = known.values_of if known else -1
        if known is None or now[1] != known.versions[1]:
            old = known.language if known else None
            known = _decided(tx, known or NOTHING)
            # Categories are kept by their stems: another language has others.
            values_of = -1 if known.language != old else values_of
        if now[0] != values_of and (values_of < 0 or time.monotonic() - self._values_read >= self._fresh_s):
            known = _with_values(tx, known)
            values_of, self._values_read = now[0], time.monotonic()
        self._known = replace(known, documents=begun.documents, versions=now, values_of=values_of)
        return self._known


def _decided(tx: Tx, known: Known) -> Known:
    corpus = index.corpus(tx)
    return Known(
        language=corpus.language,
        former_language=corpus.former_language,
        currency=known.currency,
        model=models.active_model(tx),
        brands=known.brands,
        categories=known.categories,
        synonyms=synonyms_by_stem(merchandising.active_synonyms(tx, limit=MOST_SYNONYMS), corpus.language),
        pins={
            pins.normalised: Pinned(tuple(pins.product_ids), pins.starts_at, pins.ends_at)
            for pins in merchandising.list_pins(tx, normalised=None, before=None, limit=MOST_PINS)
        },
        learning=boosts.state(tx),
    )


def _with_values(tx: Tx, known: Known) -> Known:
    return replace(
        known,
        currency=values.currency(tx) or known.currency,
        brands={" ".join(words(normalise(brand))): brand for brand in values.brands(tx)},
        categories=_categories(values.categories(tx), known.language),
    )


def synonyms_by_stem(found: Iterable[tuple[str, Sequence[str]]], language: str) -> dict[str, list[Synonym]]:
    """From kinds and terms."""
    made: defaultdict[str, list[Synonym]] = defaultdict(list)
    for kind, written in found:
        stems = [tuple(terms(term, language)) for term in written]
        stems = [stem for stem in dict.fromkeys(stems) if stem]
        sources = stems if kind == "equal" else stems[:1]
        for one in sources if len(stems) > 1 else ():
            made[one[0]].append(Synonym(one, tuple(other for other in stems if other != one)))
    return dict(made)


def _categories(found: Iterable[str], language: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    by_stems: dict[tuple[str, ...], tuple[str, ...]] = {}
    for path in found:
        stems = tuple(terms(path.rsplit(CATEGORY_STEP, 1)[-1], language))
        if stems:
            by_stems[stems] = (*by_stems.get(stems, ()), path)
    return by_stems
