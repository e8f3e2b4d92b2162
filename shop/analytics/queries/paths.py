"""SQL of ways through visits: stations in their order, repeats folded, counted from an anchor on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from db.database import Tx
from shop.analytics.behaviour.steps import LONGEST_VISIT
from shop.analytics.behaviour.ways import Paths
from shop.analytics.queries.facts import FACTS, UNITS, asked_facts, condition
from shop.analytics.queries.funnel import within_time


@dataclass(frozen=True, slots=True)
class Went:
    """`place` None: `labels` are a whole way; else the one station in that place. `other`: all the weaker ones."""

    place: int | None
    other: bool
    labels: list[str]
    visits: int


def went(tx: Tx, asked: Paths, *, names: Sequence[str], timeout_ms: int) -> list[Went]:
    """The strongest first. Raises TooMuchWork."""
    statement, values = compiled(asked, names=names)
    return within_time(tx, statement, values, Went, timeout_ms=timeout_ms)


def compiled(asked: Paths, *, names: Sequence[str]) -> tuple[sql.Composed, dict[str, Any]]:
    sign = 1 if asked.direction == "after" else -1
    values: dict[str, Any] = asked_facts(names, "events") | {
        # What is read: an anchor's visit may have begun before the range, and go on behind it.
        "start": asked.start - LONGEST_VISIT,
        "until": asked.end + LONGEST_VISIT,
        "first": asked.start,
        "end": asked.end,
        "pages": asked.nodes == "pages",
        "sign": sign,
        "length": asked.length,
        "top": asked.top,
    }
    anchor = condition([asked.anchor], "anchor", values)
    return STATEMENT.format(facts=FACTS["events"], units=UNITS["session"], anchor=anchor), values


# An order's two facts have one id: where it was paid at once, it was placed first.
STATEMENT = sql.SQL("""
WITH facts AS ({facts}
), units AS ({units}
), events_of_visits AS (
    SELECT unit, visit, ts, id, name = 'order_paid' AS paid,
           CASE WHEN %(pages)s AND name = 'page_view' THEN coalesce(path, name) ELSE name END AS label,
           {anchor} AND ts >= %(first)s AND ts < %(end)s AS anchor
      FROM units
    OFFSET 0
), compared AS (
    SELECT *, label IS DISTINCT FROM lag(label) OVER (PARTITION BY unit, visit ORDER BY ts, id, paid) AS fresh
      FROM events_of_visits
), numbered AS (
    SELECT unit, visit, label, anchor, fresh,
           count(*) FILTER (WHERE fresh) OVER (PARTITION BY unit, visit ORDER BY ts, id, paid
                                               ROWS UNBOUNDED PRECEDING) AS nth
      FROM compared
), measured AS (
    SELECT unit, visit, label, fresh,
           %(sign)s::int * (nth - min(nth) FILTER (WHERE anchor) OVER (PARTITION BY unit, visit)) AS place
      FROM numbered
), ways AS (
    SELECT coalesce(array_agg(label ORDER BY place) FILTER (WHERE place BETWEEN 1 AND %(length)s), '{{}}') AS labels
      FROM measured WHERE fresh AND place IS NOT NULL GROUP BY unit, visit
), counted AS (
    SELECT NULL::int AS place, labels, count(*) AS visits FROM ways GROUP BY labels
 UNION ALL
    SELECT place::int, ARRAY[label], count(*)
      FROM ways CROSS JOIN LATERAL unnest(labels) WITH ORDINALITY AS station (label, place)
  GROUP BY place, label
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY place ORDER BY visits DESC, labels COLLATE "C") > %(top)s AS other
      FROM counted
)
SELECT place, other, shown AS labels, sum(visits)::int AS visits
  FROM (SELECT *, CASE WHEN other THEN '{{}}' ELSE labels END AS shown FROM ranked) AS named
 GROUP BY place, other, shown
 ORDER BY place NULLS FIRST, other, sum(visits) DESC, shown COLLATE "C"
""")
