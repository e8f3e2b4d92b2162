"""What goes with what, what was worked out ahead for people, and what everybody likes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Best first; `support` people or orders had the product at all."""

    product_id: str
    neighbour_ids: list[str]
    scores: list[float]
    support: int


@dataclass(frozen=True, slots=True)
class Ahead:
    product_ids: list[str]
    scores: list[float]
    reasons: list[str]
    made_at: datetime


def save(tx: Tx, relation: str, rows: Sequence[Neighbours], *, built_at: datetime) -> None:
    tx.cursor().executemany(
        """
        INSERT INTO item_neighbours (relation, product_id, neighbour_ids, scores, support, built_at)
        VALUES (%(relation)s, %(product_id)s, %(neighbour_ids)s, %(scores)s, %(support)s, %(built_at)s)
            ON CONFLICT (relation, product_id) DO UPDATE
           SET neighbour_ids = EXCLUDED.neighbour_ids, scores = EXCLUDED.scores, support = EXCLUDED.support,
               built_at = EXCLUDED.built_at
        """,
        [
            {
                "relation": relation,
                "product_id": row.product_id,
                "neighbour_ids": row.neighbour_ids,
                "scores": row.scores,
                "support": row.support,
                "built_at": built_at,
            }
            for row in rows
        ],
    )


def drop_older(tx: Tx, relation: str, *, built_at: datetime) -> None:
    tx.execute(
        "DELETE FROM item_neighbours WHERE relation = %(relation)s AND built_at < %(built_at)s",
        {"relation": relation, "built_at": built_at},
    )


def of(tx: Tx, relation: str, product_ids: Sequence[str]) -> dict[str, Neighbours]:
    cur = tx.cursor(row_factory=class_row(Neighbours))
    rows = cur.execute(
        """
        SELECT product_id, neighbour_ids, scores, support FROM item_neighbours
         WHERE relation = %(relation)s AND product_id = ANY(%(product_ids)s)
        """,
        {"relation": relation, "product_ids": list(product_ids)},
    ).fetchall()
    return {row.product_id: row for row in rows}


def popular(tx: Tx, *, limit: int) -> list[str]:
    """Trending this week, then warmest this week, then the newest, of what can be bought."""
    rows = tx.execute(
        """
        WITH listed AS (
            (SELECT product_id, 1 AS tier, rank::float8 AS place FROM trending WHERE span = '7d' AND category = '')
             UNION ALL
            (SELECT product_id, 2, -log_heat FROM product_heat WHERE span = '7d' ORDER BY log_heat DESC LIMIT %(limit)s)
             UNION ALL
            (SELECT id, 3, -n FROM products WHERE active AND available ORDER BY n DESC LIMIT %(limit)s)
        )
        SELECT p.id
          FROM (SELECT DISTINCT ON (product_id) product_id, tier, place FROM listed
              ORDER BY product_id, tier, place) best
          JOIN products p ON p.id = best.product_id
         WHERE p.active AND p.available
      ORDER BY best.tier, best.place, p.id
         LIMIT %(limit)s
        """,
        {"limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def save_ahead(
    tx: Tx, person: str, *, product_ids: Sequence[str], scores: Sequence[float], reasons: Sequence[str]
) -> None:
    tx.execute(
        """
        INSERT INTO user_recommendations (person, product_ids, scores, reasons)
        VALUES (%(person)s, %(product_ids)s, %(scores)s, %(reasons)s)
            ON CONFLICT (person) DO UPDATE
           SET product_ids = EXCLUDED.product_ids, scores = EXCLUDED.scores, reasons = EXCLUDED.reasons, made_at = now()
        """,
        {"person": person, "product_ids": list(product_ids), "scores": list(scores), "reasons": list(reasons)},
    )


def ahead(tx: Tx, person: str, *, minutes: int) -> Ahead | None:
    """What was worked out for this person in the last minutes."""
    cur = tx.cursor(row_factory=class_row(Ahead))
    return cur.execute(
        """
        SELECT product_ids, scores, reasons, made_at FROM user_recommendations
         WHERE person = %(person)s AND made_at > now() - make_interval(mins => %(minutes)s)
        """,
        {"person": person, "minutes": minutes},
    ).fetchone()


def forget_ahead(tx: Tx, *, hours: int) -> None:
    tx.execute(
        "DELETE FROM user_recommendations WHERE made_at < now() - make_interval(hours => %(hours)s)", {"hours": hours}
    )
