"""Answers a search from what is kept where nothing has changed since, and anew where it has."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from db.database import Database, DatabaseUnavailable
from shop.ids import new_id
from shop.ports.answers import Answers
from shop.ports.encoder import Encoder
from shop.search.answering import kept
from shop.search.answering.asked import SearchRequest, SearchResult
from shop.search.answering.find import fingerprint, is_personal, logged, search
from shop.search.answering.flights import Flight, Flights
from shop.search.answering.kept import Kept
from shop.search.answering.known import Knowledge, Known
from shop.search.queries import lists

REST_S = 7.0
"""After PostgreSQL was away one search in seven seconds asks for it, two more than the wait for a connection takes; the
others have what is kept at once."""


class Recent:
    """What one process keeps between searches: who is finding out what, and until when PostgreSQL is left alone."""

    def __init__(self, answers: Answers, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.answers = answers
        self.flights: Flights[tuple[str, Kept]] = Flights()
        self._clock = clock
        self._lock = threading.Lock()
        self._resting_until: float | None = None

    def found(self, name: str) -> Kept | None:
        packed = self.answers.find(name)
        return None if packed is None else kept.unpacked(packed)

    def may_ask(self) -> bool:
        """Whether to ask the database: always while it answers, else one of those who ask in REST_S seconds."""
        with self._lock:
            if self._resting_until is None:
                return True
            if self._clock() < self._resting_until:
                return False
            self._resting_until = self._clock() + REST_S
            return True

    def database_is(self, *, there: bool) -> None:
        if there and self._resting_until is None:
            return
        with self._lock:
            self._resting_until = None if there else self._clock() + REST_S


def answer(
    db: Database, encoder: Encoder, request: SearchRequest, knowledge: Knowledge, recent: Recent
) -> SearchResult:
    """As `find`. Kept answers (`cached`) are of this very state of catalogue, vectors and merchandising, and never
    anyone's personal ones. While the database is away they are all there is (`degraded`): no change can be made then.

    Raises WrongPlace, LegAway, and DatabaseUnavailable where nothing is kept.
    """
    last = knowledge.last
    if not kept.may_be_kept(request):
        return search(db, encoder, request, knowledge)[0]
    if last is None:  # the first search of this process
        return _anew(db, encoder, request, knowledge, recent, Flight())
    name = kept.name(encoder, request, last, datetime.now(UTC))
    with recent.flights.boarded(name) as flight:
        found = flight.landed or _named(name, recent.found(name))
        if found is not None and not recent.may_ask():
            return _without_database(request, last, found[1])
        try:
            repeated = None if found is None else _again(db, encoder, request, knowledge, found)
            found = found if repeated is not None else None  # it is of another state, or not for this person
            result = repeated or _anew(db, encoder, request, knowledge, recent, flight)
        except DatabaseUnavailable:
            recent.database_is(there=False)
            if found is None:
                raise
            return _without_database(request, last, found[1])
        recent.database_is(there=True)
        if repeated is not None:
            flight.landed = found
        return result


def _named(name: str, found: Kept | None) -> tuple[str, Kept] | None:
    return None if found is None else (name, found)


def _again(
    db: Database, encoder: Encoder, request: SearchRequest, knowledge: Knowledge, found: tuple[str, Kept]
) -> SearchResult | None:
    """The kept answer, if nothing has changed and nothing about it would be the asker's own."""
    began = time.perf_counter()
    name, answered = found
    with db.transaction() as tx:
        known = knowledge.of(tx)
        if kept.name(encoder, request, known, datetime.now(UTC)) != name or is_personal(tx, encoder, known, request):
            return None
        result = _repeated(request, known, answered)
        if result.next_place is not None:
            lists.copy_list(tx, result.search_id, of=answered.search_id)
        return logged(tx, request, result, began)


def _anew(
    db: Database,
    encoder: Encoder,
    request: SearchRequest,
    knowledge: Knowledge,
    recent: Recent,
    flight: Flight[tuple[str, Kept]],
) -> SearchResult:
    # The time before: where a pin begins or ends meanwhile, the answer is kept under a name that nobody asks for again.
    began = datetime.now(UTC)
    result, known = search(db, encoder, request, knowledge)
    if not (result.personal or result.degraded or result.teams):
        name = kept.name(encoder, request, known, began)
        found = kept.of_result(result)
        flight.landed = name, found
        recent.answers.keep(name, kept.packed(found), for_s=kept.KEPT_S)
    return result


def _repeated(request: SearchRequest, known: Known, answered: Kept) -> SearchResult:
    return kept.repeated(answered, request, known, search_id=new_id("sch"), of=fingerprint(request))


def _without_database(request: SearchRequest, known: Known, answered: Kept) -> SearchResult:
    began = time.perf_counter()
    result = replace(_repeated(request, known, answered), degraded=True)
    return replace(result, took_ms=round((time.perf_counter() - began) * 1000, 2))
