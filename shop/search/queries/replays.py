"""Logged queries that are run again: which, what came first without and with the candidate, and what it says in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx

Candidate = Literal["learned", "synonyms", "log"]
JudgedBy = Literal["people", "clicks"]


@dataclass(frozen=True, slots=True)
class Replay:
    """`done` of `queries` have been run; None before they are chosen. `summary` and `passed` are there at the end."""

    id: str
    candidate: Candidate
    synonym_ids: list[str]
    days: int
    most_queries: int
    asked_by: str | None
    created_at: datetime
    queries: int | None
    done: int
    ended_at: datetime | None
    summary: dict[str, Any] | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """One query. NDCG at 10 by the shop's own judgments or by clicks, None where there are neither. `moved`: clicked
    products whose place is another, None for a place behind the tenth.
    """

    query: str
    searches: int
    first_before: list[str]
    first_after: list[str]
    overlap: float
    judged_by: JudgedBy | None
    ndcg_before: float | None
    ndcg_after: float | None
    moved: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Due:
    query: str
    logged_first: list[str]


def insert(
    tx: Tx, replay_id: str, candidate: Candidate, *, synonym_ids: Sequence[str], days: int, most: int, asked_by: str
) -> None:
    tx.execute(
        """
        INSERT INTO search_replays (id, candidate, synonym_ids, days, most_queries, asked_by)
        VALUES (%(id)s, %(candidate)s, %(synonym_ids)s, %(days)s, %(most)s, %(asked_by)s)
        """,
        {
            "id": replay_id,
            "candidate": candidate,
            "synonym_ids": list(synonym_ids),
            "days": days,
            "most": most,
            "asked_by": asked_by,
        },
    )


def read(tx: Tx, replay_id: str) -> Replay | None:
    return (
        tx.cursor(row_factory=class_row(Replay))
        .execute(
            """
            SELECT id, candidate, synonym_ids, days, most_queries, asked_by, created_at, queries, ended_at, summary,
                   passed, (SELECT count(*)::integer FROM search_replay_queries q
                             WHERE q.replay_id = r.id AND q.first_after IS NOT NULL) AS done
              FROM search_replays r WHERE id = %(id)s
            """,
            {"id": replay_id},
        )
        .fetchone()
    )


def newest(tx: Tx, *, before: str | None, limit: int) -> list[Replay]:
    return (
        tx.cursor(row_factory=class_row(Replay))
        .execute(
            """
            SELECT id, candidate, synonym_ids, days, most_queries, asked_by, created_at, queries, ended_at, summary,
                   passed, (SELECT count(*)::integer FROM search_replay_queries q
                             WHERE q.replay_id = r.id AND q.first_after IS NOT NULL) AS done
              FROM search_replays r
             WHERE %(before)s::text IS NULL OR id < %(before)s
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"before": before, "limit": limit},
        )
        .fetchall()
    )


def last_ended(tx: Tx, candidate: Candidate, *, days: int) -> Replay | None:
    """The newest that has ended, if that is days ago at most."""
    row = tx.execute(
        """
        SELECT id FROM search_replays
         WHERE candidate = %(candidate)s AND ended_at > now() - make_interval(days => %(days)s)
      ORDER BY ended_at DESC, id DESC
         LIMIT 1
        """,
        {"candidate": candidate, "days": days},
    ).fetchone()
    return read(tx, row[0]) if row else None


def is_to_choose(tx: Tx, replay_id: str) -> bool:
    """Whether its queries are not chosen yet; whoever else runs it waits until this transaction ends."""
    row = tx.execute(
        "SELECT queries IS NULL FROM search_replays WHERE id = %(id)s FOR UPDATE", {"id": replay_id}
    ).fetchone()
    return bool(row and row[0])


def choose_queries(tx: Tx, replay: Replay, *, people: int) -> None:
    """What was asked most by so many different people, without filters, and all that the shop has judged. The newest
    list of each is kept as it was shown.
    """
    tx.execute(
        """
        WITH asked AS (
            SELECT normalised AS query, count(*)::integer AS searches,
                   (array_agg(id ORDER BY searched_at DESC, id))[1] AS newest
              FROM search_queries
             WHERE searched_at > now() - make_interval(days => %(days)s) AND sort = 'relevance' AND filters = '{}'
               AND mode = 'hybrid' AND teams IS NULL AND normalised <> ''
          GROUP BY normalised
            HAVING count(DISTINCT coalesce('c:' || customer_id, 'v:' || visitor_id)) >= %(people)s
          ORDER BY count(*) DESC, normalised
             LIMIT %(most)s
        ), chosen AS (
            SELECT coalesce(asked.query, judged.query) AS query, coalesce(asked.searches, 0) AS searches, newest
              FROM asked
              FULL JOIN (SELECT DISTINCT query FROM search_judgments) judged ON judged.query = asked.query
        ), kept AS (
            INSERT INTO search_replay_queries (replay_id, query, searches, logged_first)
            SELECT %(id)s, c.query, c.searches, coalesce(s.first_products, '{}')
              FROM chosen c
              LEFT JOIN search_queries s ON s.id = c.newest
                ON CONFLICT (replay_id, query) DO NOTHING
            RETURNING 1
        )
        UPDATE search_replays SET queries = (SELECT count(*) FROM kept) WHERE id = %(id)s
        """,
        {"id": replay.id, "days": replay.days, "most": replay.most_queries, "people": people},
    )


def due(tx: Tx, replay_id: str, *, limit: int) -> list[Due]:
    return (
        tx.cursor(row_factory=class_row(Due))
        .execute(
            """
            SELECT query, logged_first FROM search_replay_queries
             WHERE replay_id = %(id)s AND first_after IS NULL
          ORDER BY searches DESC, query
             LIMIT %(limit)s
               FOR UPDATE
            """,
            {"id": replay_id, "limit": limit},
        )
        .fetchall()
    )


def save(tx: Tx, replay_id: str, found: Replayed) -> None:
    tx.execute(
        """
        UPDATE search_replay_queries
           SET first_before = %(before)s, first_after = %(after)s, overlap = %(overlap)s, judged_by = %(judged_by)s,
               ndcg_before = %(ndcg_before)s, ndcg_after = %(ndcg_after)s, moved = %(moved)s
         WHERE replay_id = %(id)s AND query = %(query)s
        """,
        {
            "id": replay_id,
            "query": found.query,
            "before": found.first_before,
            "after": found.first_after,
            "overlap": found.overlap,
            "judged_by": found.judged_by,
            "ndcg_before": found.ndcg_before,
            "ndcg_after": found.ndcg_after,
            "moved": Jsonb(found.moved),
        },
    )


def results(tx: Tx, replay_id: str, *, limit: int) -> list[Replayed]:
    """What to look at first: newly empty, then the largest losses, then the largest changes."""
    return (
        tx.cursor(row_factory=class_row(Replayed))
        .execute(
            """
            SELECT query, searches, first_before, first_after, overlap, judged_by, ndcg_before, ndcg_after, moved
              FROM search_replay_queries
             WHERE replay_id = %(id)s AND first_after IS NOT NULL
          ORDER BY first_after = '{}' AND first_before <> '{}' DESC, coalesce(ndcg_after - ndcg_before, 0), overlap,
                   searches DESC, query
             LIMIT %(limit)s
            """,
            {"id": replay_id, "limit": limit},
        )
        .fetchall()
    )


def end(tx: Tx, replay_id: str, *, summary: Mapping[str, Any], passed: bool) -> None:
    tx.execute(
        """
        UPDATE search_replays SET summary = %(summary)s, passed = %(passed)s, ended_at = now()
         WHERE id = %(id)s AND ended_at IS NULL
        """,
        {"id": replay_id, "summary": Jsonb(dict(summary)), "passed": passed},
    )


def forget(tx: Tx, *, days: int) -> int:
    """Old ones: what people asked then is nobody's business any more."""
    return tx.execute(
        "DELETE FROM search_replays WHERE created_at < now() - make_interval(days => %(days)s)", {"days": days}
    ).rowcount


def gains(tx: Tx, queries: Sequence[str]) -> list[tuple[str, str, float]]:
    """What people of the shop said: query, product, gain."""
    return tx.execute(
        "SELECT query, product_id, gain FROM search_judgments WHERE query = ANY(%(queries)s)",
        {"queries": list(queries)},
    ).fetchall()


def replace_judgments(tx: Tx, query: str, gains_: Mapping[str, float]) -> None:
    tx.execute("DELETE FROM search_judgments WHERE query = %(query)s", {"query": query})
    tx.execute(
        """
        INSERT INTO search_judgments (query, product_id, gain)
        SELECT %(query)s, product_id, gain
          FROM unnest(%(products)s::text[], %(gains)s::real[]) AS judged (product_id, gain)
        """,
        {"query": query, "products": list(gains_), "gains": list(gains_.values())},
    )


def suggested(tx: Tx, synonym_ids: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Kind and terms of those named that are suggested; of all where none is named."""
    return tx.execute(
        """
        SELECT kind, terms FROM search_synonyms
         WHERE state = 'suggested' AND (id = ANY(%(ids)s) OR cardinality(%(ids)s::text[]) = 0)
      ORDER BY id
        """,
        {"ids": list(synonym_ids)},
    ).fetchall()
