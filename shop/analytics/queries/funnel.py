"""SQL of funnels: one statement, put together from the fixed pieces below; every value of a funnel is a parameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.behaviour.steps import FIELDS, ORDER_FACTS, PROPS, Funnel, Match
from shop.errors import Rejected

SAMPLE = 10
"""Units named for each step they did not get beyond: enough to look into, too few to be a list of people."""

SEGMENTS = 20
"""Values of a breakdown that are told apart; the smaller ones are one row together."""

LAST = 99
"""The place of an excluded event among those of its moment."""


class TooMuchWork(Rejected):
    """The funnel would keep the database busy for too long; a shorter range or narrower steps help."""

    code = "too_much_work"
    status = 422


@dataclass(frozen=True, slots=True)
class Reached:
    """How many got as far as `step` (from 1), of all or of one `segment`; `mature` ones had their whole window.

    `median_s` and `p90_s`: seconds from the entry, each unit with its quickest way. `dropped`: the newest of those who
    got no further, as `{"unit", "entered_at"}`; only where `whole`. `other`: the segments too small to be told apart.
    """

    whole: bool
    other: bool
    segment: str | None
    step: int
    units: int
    mature: int
    median_s: float | None
    p90_s: float | None
    dropped: list[dict[str, str]] | None


def reached(tx: Tx, funnel: Funnel, *, now: datetime, timeout_ms: int) -> list[Reached]:
    """Nothing when nobody entered. Raises TooMuchWork."""
    statement, values = compiled(funnel, now=now)
    try:
        with tx.transaction():
            _prepare(tx, timeout_ms=timeout_ms)
            rows = tx.cursor(row_factory=class_row(Reached)).execute(statement, values).fetchall()
    except psycopg.errors.QueryCanceled as error:
        raise TooMuchWork("the funnel takes too long; ask for a shorter range or narrower steps") from error
    return rows


def _prepare(tx: Tx, *, timeout_ms: int) -> None:
    """For the rest of the transaction: an end, room to sort in memory, and no compiling of a plan that runs once."""
    tx.execute(
        """
        SELECT set_config('statement_timeout', %(timeout)s, true), set_config('work_mem', '64MB', true),
               set_config('jit', 'off', true)
        """,
        {"timeout": f"{timeout_ms}ms"},
    )


def compiled(funnel: Funnel, *, now: datetime) -> tuple[sql.Composed, dict[str, Any]]:
    """The statement, and its values by name."""
    asked = {match.name for match in (*funnel.steps, *funnel.exclude)}
    values: dict[str, Any] = {
        "names": sorted(asked),
        # False spares the database a second look through the events.
        "later_facts": bool(asked & (ORDER_FACTS - {"order_placed", "order_paid"})),
        "all_names": funnel.unit == "session",
        "start": funnel.start,
        "end": funnel.end,
        "window": funnel.window,
        "now": now,
        "sample": SAMPLE,
        "segments": SEGMENTS,
        "last": LAST,
    }
    parts = {
        "units": UNITS[funnel.unit],
        "segment": SEGMENT[funnel.breakdown],
        "marks": _marks(funnel, values),
        "place": _place(len(funnel.steps)),
        "any_step": _each(sql.SQL("OR "), len(funnel.steps), sql.SQL("m{k} ")),
        "chains": _any_chain(len(funnel.steps)) if funnel.mode == "any" else _chain(funnel),
        "times": _each(sql.SQL(", "), len(funnel.steps), TIME),
    }
    return STATEMENT.format(**parts), values


STATEMENT = sql.SQL("""
WITH facts AS (
    SELECT visitor_id, user_id AS customer_id, ts, event_id::text AS id, name, product_id, path, channel, campaign,
           country, device, referrer_host, search_id, currency, props
      FROM events
     WHERE ts >= %(start)s - interval '30 minutes' AND ts <= %(end)s + %(window)s
       AND bot_score < 50 AND source <> 'order' AND (%(all_names)s OR name = ANY(%(names)s))
 UNION ALL
    SELECT nullif(visitor_id, order_id), user_id, ts, event_id::text, name, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, search_id, currency, props
      FROM events
     WHERE ts >= %(start)s - interval '30 minutes' AND ts <= %(end)s + %(window)s
       AND source = 'order' AND name NOT IN ('order_placed', 'order_paid') AND name = ANY(%(names)s)
       AND %(later_facts)s
 UNION ALL
    SELECT visitor_id, customer_id, created_at, id, 'order_placed', NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, search_id, currency, NULL
      FROM orders
     WHERE created_at >= %(start)s - interval '30 minutes' AND created_at <= %(end)s + %(window)s
       AND 'order_placed' = ANY(%(names)s)
 UNION ALL
    SELECT visitor_id, customer_id, paid_at, id, 'order_paid', NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, search_id, currency, NULL
      FROM orders
     WHERE paid_at >= %(start)s - interval '30 minutes' AND paid_at <= %(end)s + %(window)s
       AND 'order_paid' = ANY(%(names)s)
), units AS (
    {units}
), marked AS (
    SELECT *, {place} AS place
      FROM (SELECT unit, who, ts, id COLLATE "C" AS id, {segment} AS segment, {marks}
              FROM units
             WHERE ts >= %(start)s AND name = ANY(%(names)s)) AS matched
     WHERE x OR {any_step}
), chains AS (
    {chains}
), entered AS (
    SELECT unit, min(who) AS who, max(entry) AS last_entry, max(entry) + %(window)s <= %(now)s AS mature,
           (array_agg(segment ORDER BY ts, place, id) FILTER (WHERE entry IS NOT NULL))[1] AS segment,
           ARRAY[{times}]::float8[] AS times
      FROM chains
  GROUP BY unit
    HAVING count(entry) > 0
), ranked AS (
    SELECT segment, row_number() OVER (ORDER BY count(*) DESC, segment) > %(segments)s AS other
      FROM entered GROUP BY segment
), counted AS (
    SELECT grouping(other) = 1 AS whole, coalesce(other, false) AS other, label AS segment, step::int AS step,
           count(seconds)::int AS units, count(seconds) FILTER (WHERE mature)::int AS mature,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_s,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds) AS p90_s
      FROM (SELECT entered.*, ranked.other, CASE WHEN ranked.other THEN NULL ELSE entered.segment END AS label
              FROM entered JOIN ranked ON ranked.segment IS NOT DISTINCT FROM entered.segment) AS labelled
CROSS JOIN LATERAL unnest(times) WITH ORDINALITY AS gone (seconds, step)
  GROUP BY GROUPING SETS ((step), (step, other, label))
), lost AS (
    SELECT step, jsonb_agg(jsonb_build_object('unit', who, 'entered_at', last_entry) ORDER BY nth) AS dropped
      FROM (SELECT who, last_entry, num_nonnulls(VARIADIC times) AS step,
                   row_number() OVER (PARTITION BY num_nonnulls(VARIADIC times) ORDER BY last_entry DESC, unit) AS nth
              FROM entered WHERE num_nonnulls(VARIADIC times) < cardinality(times)) AS sorted
     WHERE nth <= %(sample)s
  GROUP BY step
)
SELECT whole, other, segment, counted.step, units, mature, median_s, p90_s,
       CASE WHEN whole THEN lost.dropped END AS dropped
  FROM counted LEFT JOIN lost ON lost.step = counted.step
 ORDER BY whole DESC, other, max(units) OVER (PARTITION BY whole, other, segment) DESC, segment, counted.step
""")

UNITS = {
    "visitor": sql.SQL("SELECT visitor_id AS unit, visitor_id AS who, * FROM facts WHERE visitor_id IS NOT NULL"),
    "customer": sql.SQL("SELECT customer_id AS unit, customer_id AS who, * FROM facts WHERE customer_id IS NOT NULL"),
    # Half an hour of silence ends a visit.
    "session": sql.SQL("""
    SELECT visitor_id || ' ' || count(*) FILTER (WHERE begins)
                                OVER (PARTITION BY visitor_id ORDER BY ts, id) AS unit, visitor_id AS who, *
      FROM (SELECT *, coalesce(ts - lag(ts) OVER (PARTITION BY visitor_id ORDER BY ts, id)
                               > interval '30 minutes', false) AS begins
              FROM facts WHERE visitor_id IS NOT NULL) AS silences"""),
}

SEGMENT: Mapping[str | None, sql.SQL] = {
    None: sql.SQL("NULL::text"),
    "channel": sql.SQL("channel"),
    "campaign": sql.SQL("campaign"),
    "country": sql.SQL("country"),
    "device": sql.SQL("device"),
    "referrer_host": sql.SQL("referrer_host"),
}

TIME = sql.SQL("extract(epoch FROM min(took{k}))")


def _marks(funnel: Funnel, values: dict[str, Any]) -> sql.Composed:
    barred = _condition(funnel.exclude, "x", values)
    marks = [sql.SQL("{} AS x").format(barred)]
    for k, match in enumerate(funnel.steps, start=1):
        hit = _condition([match], f"m{k}", values)
        marks.append(sql.SQL("NOT {} AND {} AS {}").format(barred, hit, sql.Identifier(f"m{k}")))
    return sql.SQL(", ").join(marks)


def _condition(matches: Sequence[Match], prefix: str, values: dict[str, Any]) -> sql.Composed:
    """True where one of the matches holds. Puts their values in `values`, under names that begin with `prefix`."""
    either: list[sql.Composable] = [sql.SQL("false")]
    for i, match in enumerate(matches):
        values[f"{prefix}_{i}"] = match.name
        every: list[sql.Composable] = [sql.SQL("name = {}").format(sql.Placeholder(f"{prefix}_{i}"))]
        for j, (field, wanted) in enumerate(match.where.items()):
            at = f"{prefix}_{i}_{j}"
            values[f"{at}_values"] = list(wanted)
            every.append(sql.SQL("{} = ANY({})").format(_field(field, at, values), sql.Placeholder(f"{at}_values")))
        either.append(sql.SQL("({})").format(sql.SQL(" AND ").join(every)))
    return sql.SQL("coalesce({}, false)").format(sql.SQL(" OR ").join(either))


def _field(field: str, at: str, values: dict[str, Any]) -> sql.Composable:
    if field.startswith(PROPS):
        values[f"{at}_key"] = field.removeprefix(PROPS)
        return sql.SQL("props ->> {}").format(sql.Placeholder(f"{at}_key"))
    if field not in FIELDS:
        raise ValueError(f"no field {field!r}")
    return sql.Identifier(field)


def _place(steps: int) -> sql.Composed:
    cases = _each(sql.SQL(" "), steps, sql.SQL("WHEN m{k} THEN {k}"))
    return sql.SQL("CASE WHEN x THEN %(last)s::int {} END").format(cases)


def _each(between: sql.SQL, steps: int, piece: sql.SQL) -> sql.Composed:
    return between.join(
        [piece.format(k=sql.SQL(NUMBERS[k]), before=sql.SQL(NUMBERS[k - 1])) for k in range(1, steps + 1)]
    )


NUMBERS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")

ENTRIES = sql.SQL("""
    SELECT *, interval '0' AS took1, CASE WHEN m1 AND ts < %(end)s THEN ts END AS c1,
           max(ts) FILTER (WHERE x) OVER (PARTITION BY unit ORDER BY ts, place, id
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS barred
      FROM marked""")

# c{k}: the latest entry from which this event is step k; of all ways here it is the one with most time left.
LAYER = sql.SQL("""
    SELECT *, ts - c{k} AS took{k}
      FROM (SELECT *, CASE WHEN m{k} AND s{k} >= ts - %(window)s AND (barred IS NULL OR s{k} > barred)
                           THEN s{k} END AS c{k}
              FROM (SELECT *, {carried} AS s{k} FROM ({inner}) AS layer{before}) AS carried{k}) AS judged{k}""")

CARRIED = {
    "ordered": sql.SQL(
        "max(c{before}) OVER (PARTITION BY unit ORDER BY ts, place, id"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    ),
    "strict": sql.SQL("lag(c{before}) OVER (PARTITION BY unit ORDER BY ts, place, id)"),
}


def _chain(funnel: Funnel) -> sql.Composed:
    inner: sql.Composable = ENTRIES
    for k in range(2, len(funnel.steps) + 1):
        numbers = {"k": sql.SQL(NUMBERS[k]), "before": sql.SQL(NUMBERS[k - 1])}
        inner = LAYER.format(inner=inner, carried=CARRIED[funnel.mode].format(**numbers), **numbers)
    return sql.SQL("SELECT *, c1 AS entry FROM ({}) AS walked").format(inner)


# Read backwards, "the next one from here" is a running minimum, which costs one pass.
ANY_CHAIN = sql.SQL("""
    SELECT *, {took}
      FROM (SELECT *, CASE WHEN NOT x AND ts < %(end)s THEN ts END AS entry,
                   ARRAY(SELECT at FROM unnest(ARRAY[{next}]) AS at
                          WHERE at <= least(ts + %(window)s, bar) ORDER BY at) AS found
              FROM (SELECT *, min(ts) FILTER (WHERE x) OVER ahead AS bar, {look}
                      FROM marked
                    WINDOW ahead AS (PARTITION BY unit ORDER BY ts DESC, place DESC, id DESC
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS looked) AS found""")


def _any_chain(steps: int) -> sql.Composed:
    comma = sql.SQL(", ")
    return ANY_CHAIN.format(
        took=_each(comma, steps, sql.SQL("CASE WHEN entry IS NOT NULL THEN found[{k}] - ts END AS took{k}")),
        next=_each(comma, steps, sql.SQL("n{k}")),
        look=_each(comma, steps, sql.SQL("min(ts) FILTER (WHERE m{k}) OVER ahead AS n{k}")),
    )
