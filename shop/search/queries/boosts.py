"""What was shown and clicked, the boosts made from it, and how lists with boosts do against those without."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from db.database import Tx

State = Literal["off", "trial", "on"]


@dataclass(frozen=True, slots=True)
class Boost:
    query: str
    product_id: str
    boost: float
    attraction: float
    people: int


@dataclass(frozen=True, slots=True)
class Learning:
    """`since`: of the state. `boosts` of so many `queries` are kept."""

    state: State
    since: datetime
    changed_by: str | None
    boosts: int
    queries: int


@dataclass(frozen=True, slots=True)
class Wins:
    """Searches in which more was clicked of the list with boosts, of the one without, and equally much of both."""

    searches: int
    won: int
    lost: int


def shown(
    tx: Tx, *, days: int, half_life: int, least: int, places: int, itersize: int
) -> Iterator[tuple[str, str, int, float, float]]:
    """Of queries made `least` times: query, product, place from 0, how often it was shown there and how often clicked,
    each time counting half every `half_life` days.
    """
    with tx.cursor(name="shown") as cursor:
        cursor.itersize = itersize
        cursor.execute(
            """
            WITH asked AS (
                SELECT id, coalesce(corrected, normalised) AS query, first_products,
                       0.5 ^ (extract(epoch FROM now() - searched_at) / 86400 / %(half_life)s)::float8 AS weight
                  FROM search_queries
                 WHERE searched_at > now() - make_interval(days => %(days)s) AND sort = 'relevance' AND total > 0
            ), often AS (
                SELECT query FROM asked GROUP BY query HAVING count(*) >= %(least)s
            )
            SELECT asked.query, listed.product_id, listed.place::integer - 1, sum(asked.weight),
                   coalesce(sum(asked.weight) FILTER (WHERE o.clicked_at IS NOT NULL), 0)
              FROM asked
              JOIN often ON often.query = asked.query
             CROSS JOIN LATERAL unnest(asked.first_products) WITH ORDINALITY AS listed(product_id, place)
              LEFT JOIN search_outcomes o ON o.search_id = asked.id AND o.product_id = listed.product_id
             WHERE listed.place <= %(places)s
          GROUP BY asked.query, listed.product_id, listed.place
          ORDER BY asked.query, listed.product_id, listed.place
            """,
            {"days": days, "half_life": half_life, "least": least, "places": places},
        )
        yield from cursor


def clickers(tx: Tx, *, days: int, least: int) -> dict[tuple[str, str], int]:
    """How many people clicked a product for a query, where they are `least` or more."""
    rows = tx.execute(
        """
        SELECT coalesce(s.corrected, s.normalised), o.product_id,
               count(DISTINCT coalesce('c:' || s.customer_id, 'v:' || s.visitor_id))::integer
          FROM search_outcomes o
          JOIN search_queries s ON s.id = o.search_id
         WHERE o.searched_at > now() - make_interval(days => %(days)s) AND o.clicked_at IS NOT NULL
      GROUP BY 1, 2
        HAVING count(DISTINCT coalesce('c:' || s.customer_id, 'v:' || s.visitor_id)) >= %(least)s
        """,
        {"days": days, "least": least},
    ).fetchall()
    return {(query, product_id): people for query, product_id, people in rows}


def replace_boosts(tx: Tx, boosts: Sequence[Boost], *, built_at: datetime) -> None:
    tx.execute("DELETE FROM search_boosts")
    tx.cursor().executemany(
        """
        INSERT INTO search_boosts (query, product_id, boost, attraction, people, built_at)
        VALUES (%(query)s, %(product_id)s, %(boost)s, %(attraction)s, %(people)s, %(built_at)s)
        """,
        [
            {
                "query": one.query,
                "product_id": one.product_id,
                "boost": one.boost,
                "attraction": one.attraction,
                "people": one.people,
                "built_at": built_at,
            }
            for one in boosts
        ],
    )


def counting(tx: Tx, query: str) -> tuple[State, dict[str, float]]:
    """The boosts of a query, unless learning is off."""
    rows = tx.execute(
        """
        SELECT l.state, b.product_id, b.boost
          FROM search_learning l
          JOIN search_boosts b ON b.query = %(query)s
         WHERE l.state <> 'off'
        """,
        {"query": query},
    ).fetchall()
    return (rows[0][0] if rows else "off"), {product_id: float(boost) for _, product_id, boost in rows}


def state(tx: Tx) -> State:
    row = tx.execute("SELECT state FROM search_learning").fetchone()
    return row[0] if row else "off"


def learning(tx: Tx) -> Learning:
    found = (
        tx.cursor(row_factory=class_row(Learning))
        .execute(
            """
            SELECT l.state, l.since, l.changed_by, kept.boosts::integer, kept.queries::integer
              FROM search_learning l,
                   (SELECT count(*) AS boosts, count(DISTINCT query) AS queries FROM search_boosts) kept
            """
        )
        .fetchone()
    )
    assert found is not None, "the migration has put it there"
    return found


def change_state(tx: Tx, state_: State, *, changed_by: str) -> None:
    """To the state it has already changes nothing: a trial goes on."""
    tx.execute(
        """
        UPDATE search_learning SET state = %(state)s, since = now(), changed_by = %(changed_by)s
         WHERE state <> %(state)s
        """,
        {"state": state_, "changed_by": changed_by},
    )


def last_trial(tx: Tx, *, days: int) -> Wins:
    """Of the searches in which both lists took turns, within days, and in which something was clicked."""
    row = tx.execute(
        """
        WITH clicked AS (
            SELECT s.id, count(*) FILTER (WHERE substr(s.teams, o.position, 1) = 'B') AS with_boosts,
                   count(*) FILTER (WHERE substr(s.teams, o.position, 1) = 'A') AS without
              FROM search_queries s
              JOIN search_outcomes o ON o.search_id = s.id
             WHERE s.teams IS NOT NULL AND s.searched_at > now() - make_interval(days => %(days)s)
               AND o.clicked_at IS NOT NULL AND o.position <= length(s.teams)
          GROUP BY s.id
        )
        SELECT count(*)::integer, (count(*) FILTER (WHERE with_boosts > without))::integer,
               (count(*) FILTER (WHERE with_boosts < without))::integer
          FROM clicked
        """,
        {"days": days},
    ).fetchone()
    return Wins(*row) if row else Wins(0, 0, 0)
