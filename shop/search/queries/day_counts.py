"""Counting the searches of one day, and comparing what was counted with the searches themselves."""

from datetime import date
from typing import Any

from db.database import Tx
from shop.search.queries.days import Span


def clear(tx: Tx, day: date) -> None:
    """A day that is no longer counted: it is read from its rows."""
    tx.execute("DELETE FROM search_days WHERE day = %(day)s AND closed_at IS NULL", {"day": day})


def begin_day(tx: Tx, day: date, *, zone: str) -> None:
    """Without what was counted of it before."""
    clear(tx, day)
    tx.execute("INSERT INTO search_days (day, zone) VALUES (%(day)s, %(zone)s)", {"day": day, "zone": zone})


def count_queries(tx: Tx, span: Span) -> int:
    """Answers how many searches there are."""
    row = tx.execute(
        """
        WITH found AS MATERIALIZED (
            SELECT query, searches, without_result, unclicked, clicked, carted, bought, placed, reciprocal_e9,
                   corrected, cached, degraded, people
              FROM search_counts(%(days)s, %(starts)s, %(ends)s)
        ), named AS (
            INSERT INTO search_texts (text)
            SELECT query FROM found
             WHERE NOT EXISTS (SELECT 1 FROM search_texts WHERE text = found.query COLLATE "C")
            RETURNING id, text
        ), texts AS (
            SELECT id, text FROM named
             UNION ALL
            SELECT t.id, t.text FROM search_texts t JOIN found ON t.text = found.query COLLATE "C"
        ), kept AS (
            INSERT INTO search_day_queries (text_id, day, searches, without_result, unclicked, clicked, carted, bought,
                                            placed, reciprocal_e9, corrected, cached, degraded, people)
            SELECT texts.id, %(day)s, f.searches, f.without_result, f.unclicked, f.clicked, f.carted, f.bought,
                   f.placed, f.reciprocal_e9, f.corrected, f.cached, f.degraded, f.people
              FROM found f
              JOIN texts ON texts.text = f.query COLLATE "C"
            RETURNING searches
        )
        SELECT coalesce(sum(searches), 0)::integer FROM kept
        """,
        _values(span),
    ).fetchone()
    return row[0] if row else 0


def total_up(tx: Tx, day: date) -> None:
    """After its queries."""
    tx.execute(
        """
        UPDATE search_days d
           SET searches = s.searches, without_result = s.without_result, unclicked = s.unclicked,
               clicked = s.clicked, carted = s.carted, bought = s.bought, placed = s.placed,
               reciprocal_e9 = s.reciprocal_e9, corrected = s.corrected, cached = s.cached, degraded = s.degraded
          FROM (SELECT sum(searches) AS searches, sum(without_result) AS without_result, sum(unclicked) AS unclicked,
                       sum(clicked) AS clicked, sum(carted) AS carted, sum(bought) AS bought, sum(placed) AS placed,
                       sum(reciprocal_e9) AS reciprocal_e9, sum(corrected) AS corrected, sum(cached) AS cached,
                       sum(degraded) AS degraded
                  FROM search_day_queries WHERE day = %(day)s HAVING count(*) > 0) s
         WHERE d.day = %(day)s
        """,
        {"day": day},
    )


def count_sales(tx: Tx, span: Span) -> None:
    """After its queries."""
    tx.execute(
        """
        INSERT INTO search_day_sales (day, text_id, currency, sold)
        SELECT s.day, t.id, s.currency, s.sold
          FROM search_sales(%(days)s, %(starts)s, %(ends)s) s
          JOIN search_texts t ON t.text = s.query COLLATE "C"
        """,
        _values(span),
    )


def count_times(tx: Tx, span: Span) -> None:
    tx.execute(
        """
        INSERT INTO search_day_times (day, bucket, searches)
        SELECT day, bucket, searches FROM search_times(%(days)s, %(starts)s, %(ends)s)
        """,
        _values(span),
    )


def differing(tx: Tx, span: Span) -> int:
    """How many numbers of a counted day are others than its rows give."""
    row = tx.execute(
        """
        WITH kept AS (
            SELECT t.text, q.searches, q.without_result, q.unclicked, q.clicked, q.carted, q.bought, q.placed,
                   q.reciprocal_e9, q.corrected, q.cached, q.degraded, q.people
              FROM search_day_queries q JOIN search_texts t ON t.id = q.text_id WHERE q.day = %(day)s
        ), now AS (
            SELECT query, searches, without_result, unclicked, clicked, carted, bought, placed, reciprocal_e9,
                   corrected, cached, degraded, people
              FROM search_counts(%(days)s, %(starts)s, %(ends)s)
        ), total AS (
            SELECT searches, without_result, unclicked, clicked, carted, bought, placed, reciprocal_e9, corrected,
                   cached, degraded
              FROM search_days WHERE day = %(day)s
        ), total_now AS (
            SELECT coalesce(sum(searches), 0), coalesce(sum(without_result), 0), coalesce(sum(unclicked), 0),
                   coalesce(sum(clicked), 0), coalesce(sum(carted), 0), coalesce(sum(bought), 0),
                   coalesce(sum(placed), 0), coalesce(sum(reciprocal_e9), 0), coalesce(sum(corrected), 0),
                   coalesce(sum(cached), 0), coalesce(sum(degraded), 0)
              FROM now
        ), sold AS (
            SELECT t.text, s.currency, s.sold FROM search_day_sales s JOIN search_texts t ON t.id = s.text_id
             WHERE s.day = %(day)s
        ), sold_now AS (
            SELECT query, currency, sold FROM search_sales(%(days)s, %(starts)s, %(ends)s)
        ), took AS (
            SELECT bucket, searches FROM search_day_times WHERE day = %(day)s
        ), took_now AS (
            SELECT bucket, searches FROM search_times(%(days)s, %(starts)s, %(ends)s)
        )
        SELECT (SELECT count(*) FROM ((TABLE kept EXCEPT TABLE now) UNION ALL (TABLE now EXCEPT TABLE kept)) one)
             + (SELECT count(*) FROM (TABLE total EXCEPT TABLE total_now) one)
             + (SELECT count(*) FROM ((TABLE sold EXCEPT TABLE sold_now) UNION ALL
                                      (TABLE sold_now EXCEPT TABLE sold)) one)
             + (SELECT count(*) FROM ((TABLE took EXCEPT TABLE took_now) UNION ALL
                                      (TABLE took_now EXCEPT TABLE took)) one)
        """,
        _values(span),
    ).fetchone()
    return row[0] if row else 0


def _values(span: Span) -> dict[str, Any]:
    return {"day": span.day, "days": [span.day], "starts": [span.start], "ends": [span.end]}
