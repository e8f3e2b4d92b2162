"""Days whose searches are deleted: their numbers stay, without the words of what few people asked."""

from datetime import date

from db.database import Tx


def merge_rare_queries(tx: Tx, day: date, *, people: int) -> None:
    """Queries that on no day so many different people made lose their words, and are counted together."""
    tx.execute("INSERT INTO search_texts (text) VALUES ('') ON CONFLICT (text) DO NOTHING")
    tx.execute(
        """
        WITH few AS (
            DELETE FROM search_day_queries q
             USING search_texts t
             WHERE q.day = %(day)s AND t.id = q.text_id AND t.text <> ''
               AND NOT EXISTS (SELECT 1 FROM search_day_queries known
                                WHERE known.text_id = q.text_id AND known.people >= %(people)s)
            RETURNING q.searches, q.without_result, q.unclicked, q.clicked, q.carted, q.bought, q.placed,
                      q.reciprocal_e9, q.corrected, q.cached, q.degraded
        )
        INSERT INTO search_day_queries AS kept (text_id, day, searches, without_result, unclicked, clicked, carted,
                                                bought, placed, reciprocal_e9, corrected, cached, degraded, people)
        SELECT (SELECT id FROM search_texts WHERE text = ''), %(day)s, sum(searches), sum(without_result),
               sum(unclicked), sum(clicked), sum(carted), sum(bought), sum(placed), sum(reciprocal_e9),
               sum(corrected), sum(cached), sum(degraded), 0
          FROM few
        HAVING count(*) > 0
            ON CONFLICT (text_id, day) DO UPDATE
           SET searches = kept.searches + EXCLUDED.searches,
               without_result = kept.without_result + EXCLUDED.without_result,
               unclicked = kept.unclicked + EXCLUDED.unclicked, clicked = kept.clicked + EXCLUDED.clicked,
               carted = kept.carted + EXCLUDED.carted, bought = kept.bought + EXCLUDED.bought,
               placed = kept.placed + EXCLUDED.placed, reciprocal_e9 = kept.reciprocal_e9 + EXCLUDED.reciprocal_e9,
               corrected = kept.corrected + EXCLUDED.corrected, cached = kept.cached + EXCLUDED.cached,
               degraded = kept.degraded + EXCLUDED.degraded
        """,
        {"day": day, "people": people},
    )


def merge_rare_sales(tx: Tx, day: date) -> None:
    """Of queries that the day has no longer, after these were merged."""
    tx.execute(
        """
        WITH few AS (
            DELETE FROM search_day_sales s
             WHERE s.day = %(day)s
               AND NOT EXISTS (SELECT 1 FROM search_day_queries q
                                WHERE q.text_id = s.text_id AND q.day = %(day)s)
            RETURNING currency, sold
        )
        INSERT INTO search_day_sales AS kept (day, text_id, currency, sold)
        SELECT %(day)s, (SELECT id FROM search_texts WHERE text = ''), currency, sum(sold) FROM few GROUP BY currency
            ON CONFLICT (day, text_id, currency) DO UPDATE SET sold = kept.sold + EXCLUDED.sold
        """,
        {"day": day},
    )


def close_day(tx: Tx, day: date) -> None:
    tx.execute("UPDATE search_days SET closed_at = now() WHERE day = %(day)s", {"day": day})
