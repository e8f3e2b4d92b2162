"""What people asked next when a search gave them nothing to click, and the synonyms suggested from that."""

from typing import Any

from psycopg.types.json import Jsonb

from db.database import Tx


def reformulations(tx: Tx, *, days: int, minutes: int, limit: int) -> list[tuple[str, str, list[int]]]:
    """A query in which nothing was clicked, the same person's next one in which something was, and the people as
    hashes; what most people did first.
    """
    return tx.execute(
        """
        WITH asked AS (
            SELECT id, normalised, searched_at, person, lead(id) OVER next AS next_id,
                   lead(normalised) OVER next AS next_query, lead(searched_at) OVER next AS next_at
              FROM (SELECT id, normalised, searched_at,
                           coalesce('c:' || customer_id, 'v:' || visitor_id) AS person
                      FROM search_queries
                     WHERE searched_at > now() - make_interval(days => %(days)s)
                       AND NOT EXISTS (SELECT 1 FROM search_objections no
                                        WHERE no.person IN (hashtextextended('v:' || visitor_id, 0),
                                                            hashtextextended('c:' || customer_id, 0)))) s
             WHERE person IS NOT NULL AND normalised <> ''
            WINDOW next AS (PARTITION BY person ORDER BY searched_at, id)
        )
        SELECT normalised, next_query, array_agg(DISTINCT hashtextextended(person, 0))
          FROM asked
         WHERE next_query <> normalised AND next_at - searched_at < make_interval(mins => %(minutes)s)
           AND NOT EXISTS (SELECT 1 FROM search_outcomes o WHERE o.search_id = asked.id)
           AND EXISTS (SELECT 1 FROM search_outcomes o
                        WHERE o.search_id = asked.next_id AND o.clicked_at IS NOT NULL)
      GROUP BY normalised, next_query
      ORDER BY count(DISTINCT person) DESC, normalised, next_query
         LIMIT %(limit)s
        """,
        {"days": days, "minutes": minutes, "limit": limit},
    ).fetchall()


def is_decided(tx: Tx, *, equal: str, one_way: str) -> bool:
    """Whether a person has these terms active or dismissed, or put them there, in either way."""
    row = tx.execute(
        """
        SELECT EXISTS (
            SELECT 1 FROM search_synonyms
             WHERE (state <> 'suggested' OR source = 'admin')
               AND ((kind = 'equal' AND folded = %(equal)s) OR (kind = 'one_way' AND folded = %(one_way)s)))
        """,
        {"equal": equal, "one_way": one_way},
    ).fetchone()
    return bool(row and row[0])


def suggest_synonyms(
    tx: Tx, *, synonyms_id: str, kind: str, terms: list[str], folded: str, evidence: dict[str, Any]
) -> bool:
    """New ones, or the same with newer evidence. What a person decided about is left as it is."""
    saved = tx.execute(
        """
        INSERT INTO search_synonyms AS known (id, kind, terms, folded, state, source, evidence)
        VALUES (%(id)s, %(kind)s, %(terms)s, %(folded)s, 'suggested', 'learned', %(evidence)s)
            ON CONFLICT (kind, folded) DO UPDATE SET evidence = EXCLUDED.evidence, updated_at = now()
         WHERE known.state = 'suggested' AND known.source = 'learned'
        """,
        {"id": synonyms_id, "kind": kind, "terms": terms, "folded": folded, "evidence": Jsonb(evidence)},
    )
    return saved.rowcount == 1


def withdraw(tx: Tx, *, one_ways: list[str]) -> None:
    """Suggestions nobody has decided about, for better ones."""
    tx.execute(
        """
        DELETE FROM search_synonyms
         WHERE kind = 'one_way' AND folded = ANY(%(one_ways)s) AND state = 'suggested' AND source = 'learned'
        """,
        {"one_ways": one_ways},
    )
