"""Runs logged queries without and with what may be switched on, and says what would change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from db.database import Database, Tx
from shop.errors import NotFound
from shop.ports.encoder import Encoder
from shop.progress import Progress, unheard
from shop.search.answering.find import SearchRequest, listed
from shop.search.answering.known import MOST_SYNONYMS, Knowledge, Known, synonyms_by_stem
from shop.search.learning import judging
from shop.search.learning.judging import FIRST
from shop.search.learning.learn_boosts import boosts_of, fitted
from shop.search.learning.learned import HALF_LIFE_DAYS, boosted
from shop.search.learning.replay_report import told
from shop.search.queries import boosts, merchandising, replays
from shop.search.queries.replays import Due, JudgedBy, Replay, Replayed

JUDGED_DAYS = 7
"""The latest clicks judge, and only older ones have taught: what is judged must not have been seen before."""

LEAST_PEOPLE = 3
"""Who asked, for a query to be written down in a report."""

BITE = 20
"""Queries of a transaction: with two lists each about a second."""


def replay(db: Database, encoder: Encoder, progress: Progress = unheard, *, replay_id: str) -> dict[str, object]:
    """Answers {queries, passed}; a killed run goes on where it was, and one beside another waits for its bites. Raises
    NotFound.
    """
    asked = _begun(db, replay_id)
    if asked.ended_at is not None:
        return {"queries": asked.queries, "passed": asked.passed}
    with db.transaction() as tx:
        judges = _judges(tx, asked)
    while asked.done < (asked.queries or 0):
        _bite(db, encoder, judges, asked)
        asked = _read(db, replay_id)
        progress(asked.done, asked.queries)
    with db.transaction() as tx:
        summary, passed = told(replays.results(tx, replay_id, limit=asked.queries or 0))
        replays.end(tx, replay_id, summary=summary, passed=passed)
    return {"queries": asked.queries, "passed": passed}


def _begun(db: Database, replay_id: str) -> Replay:
    found = _read(db, replay_id)
    if found.queries is not None:
        return found
    with db.transaction() as tx:
        if replays.is_to_choose(tx, replay_id):
            replays.choose_queries(tx, found, people=LEAST_PEOPLE)
    return _read(db, replay_id)


def _read(db: Database, replay_id: str) -> Replay:
    with db.transaction() as tx:
        found = replays.read(tx, replay_id)
    if found is None:
        raise NotFound(f"there is no replay {replay_id}")
    return found


@dataclass(frozen=True, slots=True)
class _Judges:
    """`boosts` by query: those that older clicks teach."""

    clicks: Mapping[str, Mapping[str, float]]
    boosts: Mapping[str, Mapping[str, float]]


def _judges(tx: Tx, asked: Replay) -> _Judges:
    now = datetime.now(UTC)
    since = now - timedelta(days=JUDGED_DAYS)
    model = fitted(tx, until=since)
    learned: dict[str, dict[str, float]] = {}
    for one in boosts_of(tx, model, until=since) if asked.candidate == "learned" else ():
        learned.setdefault(one.query, {})[one.product_id] = one.boost
    return _Judges(judging.by_clicks(boosts.clicks(tx, since=since, until=now), model.seen), learned)


def _bite(db: Database, encoder: Encoder, judges: _Judges, asked: Replay) -> None:
    with db.transaction() as tx:
        due = replays.due(tx, asked.id, limit=BITE)
        judged: dict[str, dict[str, float]] = {}
        for query, product_id, gain in replays.gains(tx, [one.query for one in due]):
            judged.setdefault(query, {})[product_id] = gain
        known = Knowledge().of(tx)
        for one in due:
            before, after = _lists(tx, encoder, known, judges, asked, one)
            gains, by = _gains(one.query, judged, judges)
            replays.save(tx, asked.id, _compared(one.query, before, after, gains, by))


def _lists(
    tx: Tx, encoder: Encoder, known: Known, judges: _Judges, asked: Replay, due: Due
) -> tuple[list[str], list[str]]:
    """The first ten without the candidate and with it, as a stranger sees them."""
    request = SearchRequest(text=due.query, personal=False)
    query, plain = listed(tx, encoder, known, request)
    now = [one.candidate.card.id for one in plain[:FIRST]]
    if asked.candidate == "learned":
        lifted = boosted(plain, judges.boosts.get(query.normalised, {}))
        return now, [one.candidate.card.id for one in lifted[:FIRST]]
    if asked.candidate == "synonyms":
        _, other = listed(tx, encoder, _with_suggested(tx, known, asked.synonym_ids), request)
        return now, [one.candidate.card.id for one in other[:FIRST]]
    state, counting = boosts.counting(tx, query.normalised, half_life=HALF_LIFE_DAYS)
    shown = boosted(plain, counting) if state == "on" else plain
    return due.logged_first[:FIRST], [one.candidate.card.id for one in shown[:FIRST]]


def _with_suggested(tx: Tx, known: Known, synonym_ids: Sequence[str]) -> Known:
    active = merchandising.active_synonyms(tx, limit=MOST_SYNONYMS)
    return replace(known, synonyms=synonyms_by_stem([*active, *replays.suggested(tx, synonym_ids)], known.language))


def _gains(
    query: str, judged: Mapping[str, Mapping[str, float]], judges: _Judges
) -> tuple[Mapping[str, float], JudgedBy | None]:
    """What people say goes before what clicks say."""
    if any(judged.get(query, {}).values()):
        return judged[query], "people"
    return (judges.clicks[query], "clicks") if query in judges.clicks else ({}, None)


def _compared(
    query: str, before: list[str], after: list[str], gains: Mapping[str, float], by: JudgedBy | None
) -> Replayed:
    longer = max(len(before), len(after))
    places = [{one: place for place, one in enumerate(ids, start=1)} for ids in (before, after)]
    moved = [
        {"product_id": one, "before": places[0].get(one), "after": places[1].get(one)}
        for one, gain in gains.items()
        if gain > 0 and places[0].get(one) != places[1].get(one)
    ]
    return Replayed(
        query=query,
        searches=0,
        first_before=before,
        first_after=after,
        overlap=len(set(before) & set(after)) / longer if longer else 1.0,
        judged_by=by,
        ndcg_before=judging.ndcg(before, gains) if by else None,
        ndcg_after=judging.ndcg(after, gains) if by else None,
        moved=moved,
    )
