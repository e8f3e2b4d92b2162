"""What was shown and clicked, the boosts made from it, and how lists with boosts do against those without."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
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
class Teaching:
    """What teaches: searches of `days` until then, of queries made `least` times by `people` or more. Who searches more
    than `most` times a day is a machine.
    """

    days: int
    until: datetime
    least: int
    people: int
    most: int


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
    tx: Tx, teaching: Teaching, *, half_life: int, places: int, itersize: int
) -> Iterator[tuple[str, str, int, float, float]]:
    """Of queries made often enough by enough people: query, product, place from 0, how often it was shown there and how
    often clicked, each time counting half every `half_life` days.

    Each person teaches once a query and day, by the search they clicked in, however often they repeat it; machines, who
    said no to personalisation, and searches of nobody known teach nothing.
    """
    with tx.cursor(name="shown") as cursor:
        cursor.itersize = itersize
        cursor.execute(
            """
            WITH logged AS (
                SELECT id, coalesce(corrected, normalised) AS query, first_products, searched_at,
                       hashtextextended(coalesce('c:' || customer_id, 'v:' || visitor_id), 0) AS person,
                       count(*) OVER (PARTITION BY coalesce('c:' || customer_id, 'v:' || visitor_id),
                                                   searched_at::date) AS that_day,
                       EXISTS (SELECT 1 FROM search_outcomes o
                                WHERE o.search_id = s.id AND o.clicked_at IS NOT NULL) AS used
                  FROM search_queries s
                 WHERE searched_at > %(until)s - make_interval(days => %(days)s) AND searched_at <= %(until)s
                   AND sort = 'relevance' AND total > 0 AND (customer_id IS NOT NULL OR visitor_id IS NOT NULL)
                   AND NOT EXISTS (SELECT 1 FROM search_objections no
                                    WHERE no.person IN (hashtextextended('v:' || visitor_id, 0),
                                                        hashtextextended('c:' || customer_id, 0)))
            ), asked AS (
                SELECT DISTINCT ON (person, query, searched_at::date) id, query, person, first_products,
                       0.5 ^ (extract(epoch FROM %(until)s - searched_at) / 86400 / %(half_life)s)::float8 AS weight
                  FROM logged
                 WHERE that_day <= %(most)s
              ORDER BY person, query, searched_at::date, used DESC, searched_at DESC, id
            ), often AS (
                SELECT query FROM asked GROUP BY query
                HAVING count(*) >= %(least)s AND count(DISTINCT person) >= %(people)s
            )
            SELECT asked.query, listed.product_id, listed.place::integer - 1, sum(asked.weight),
                   coalesce(sum(asked.weight) FILTER (WHERE o.clicked_at IS NOT NULL AND o.teaches), 0)
              FROM asked
              JOIN often ON often.query = asked.query
             CROSS JOIN LATERAL unnest(asked.first_products) WITH ORDINALITY AS listed(product_id, place)
              LEFT JOIN search_outcomes o ON o.search_id = asked.id AND o.product_id = listed.product_id
             WHERE listed.place <= %(places)s
          GROUP BY asked.query, listed.product_id, listed.place
          ORDER BY asked.query, listed.product_id, listed.place
            """,
            {**asdict(teaching), "half_life": half_life, "places": places},
        )
        yield from cursor


def clicks(tx: Tx, *, since: datetime, until: datetime) -> list[tuple[str, str, int, int]]:
    """Query, product, place from 1 and how many people clicked it there; who may not teach is left out."""
    return tx.execute(
        """
        SELECT coalesce(s.corrected, s.normalised), o.product_id, coalesce(o.position, 1000),
               count(DISTINCT coalesce('c:' || s.customer_id, 'v:' || s.visitor_id))::integer
          FROM search_outcomes o
          JOIN search_queries s ON s.id = o.search_id
         WHERE o.searched_at > %(since)s AND o.searched_at <= %(until)s AND o.clicked_at IS NOT NULL AND o.teaches
           AND (s.customer_id IS NOT NULL OR s.visitor_id IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM search_objections no
                            WHERE no.person IN (hashtextextended('v:' || s.visitor_id, 0),
                                                hashtextextended('c:' || s.customer_id, 0)))
      GROUP BY 1, 2, 3
        """,
        {"since": since, "until": until},
    ).fetchall()


def clickers(tx: Tx, teaching: Teaching) -> dict[tuple[str, str], int]:
    """How many people clicked a product for a query, where they are enough."""
    rows = tx.execute(
        """
        SELECT coalesce(s.corrected, s.normalised), o.product_id,
               count(DISTINCT coalesce('c:' || s.customer_id, 'v:' || s.visitor_id))::integer
          FROM search_outcomes o
          JOIN search_queries s ON s.id = o.search_id
         WHERE o.searched_at > %(until)s - make_interval(days => %(days)s) AND o.searched_at <= %(until)s
           AND o.clicked_at IS NOT NULL AND o.teaches
           AND NOT EXISTS (SELECT 1 FROM search_objections no
                            WHERE no.person IN (hashtextextended('v:' || s.visitor_id, 0),
                                                hashtextextended('c:' || s.customer_id, 0)))
      GROUP BY 1, 2
        HAVING count(DISTINCT coalesce('c:' || s.customer_id, 'v:' || s.visitor_id)) >= %(people)s
        """,
        asdict(teaching),
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


def counting(tx: Tx, query: str, *, half_life: int) -> tuple[State, dict[str, float]]:
    """The boosts of a query, unless learning is off. Those that are not made anew fade by themselves."""
    rows = tx.execute(
        """
        SELECT l.state, b.product_id,
               b.boost * 0.5 ^ (greatest(extract(epoch FROM now() - b.built_at), 0) / 86400 / %(half_life)s)::float8
          FROM search_learning l
          JOIN search_boosts b ON b.query = %(query)s
         WHERE l.state <> 'off'
        """,
        {"query": query, "half_life": half_life},
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
    """Of the searches in which both lists took turns, within days, and in which something was clicked. Those of one
    person for the same words on the same day are one.
    """
    row = tx.execute(
        """
        WITH clicked AS (
            SELECT count(*) FILTER (WHERE substr(s.teams, o.position, 1) = 'B') AS with_boosts,
                   count(*) FILTER (WHERE substr(s.teams, o.position, 1) = 'A') AS without
              FROM search_queries s
              JOIN search_outcomes o ON o.search_id = s.id
             WHERE s.teams IS NOT NULL AND s.searched_at > now() - make_interval(days => %(days)s)
               AND o.clicked_at IS NOT NULL AND o.teaches AND o.position <= length(s.teams)
          GROUP BY coalesce('c:' || s.customer_id, 'v:' || s.visitor_id, s.id), s.normalised, s.searched_at::date
        )
        SELECT count(*)::integer, (count(*) FILTER (WHERE with_boosts > without))::integer,
               (count(*) FILTER (WHERE with_boosts < without))::integer
          FROM clicked
        """,
        {"days": days},
    ).fetchone()
    return Wins(*row) if row else Wins(0, 0, 0)
