"""SQL of funnels: one statement, put together from fixed pieces; every value of a funnel is a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.behaviour.steps import Funnel
from shop.analytics.queries.chains import NUMBERS, chains, each, order, told_apart
from shop.analytics.queries.facts import FACTS, KEYS, UNITS, Source, asked_facts, condition
from shop.errors import Rejected

Row = TypeVar("Row")

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
    """How many got as far as each step, of all (`whole`) or of one `segment`; `other`: the small ones together.

    `mature` ones had their whole window. `median_s`, `p90_s`: seconds from the entry, each unit with its quickest way.
    """

    whole: bool
    other: bool
    segment: str | None
    units: list[int]
    mature: list[int]
    median_s: list[float | None]
    p90_s: list[float | None]


@dataclass(frozen=True, slots=True)
class Earned:
    """Orders that those who went all the way paid between entry and window's end; `net` in whole minor units, without
    tax, after what went back until now."""

    whole: bool
    other: bool
    segment: str | None
    currency: str
    orders: int
    net: int


@dataclass(frozen=True, slots=True)
class Walker:
    """One unit: its visitor or customer, its last entry, and how many steps it reached."""

    unit: str
    entered_at: datetime
    steps: int


def reached(tx: Tx, funnel: Funnel, *, now: datetime, timeout_ms: int, source: Source = "events") -> list[Reached]:
    """Nothing when nobody entered. Raises TooMuchWork."""
    statement, values = compiled(funnel, now=now, source=source)
    return within_time(tx, statement, values, Reached, timeout_ms=timeout_ms)


def earned(tx: Tx, funnel: Funnel, *, now: datetime, timeout_ms: int, source: Source = "events") -> list[Earned]:
    """By segment and currency. An order counts once, however many ways led to it. Raises TooMuchWork."""
    head, values = _entered(funnel, now=now, source=source, every_entry=True)
    buyer = sql.SQL("orders.customer_id" if funnel.unit == "customer" else "hashtextextended(orders.visitor_id, 0)")
    last = sql.SQL("took{}").format(sql.SQL(NUMBERS[len(funnel.steps)]))
    return within_time(
        tx,
        head + EARNED.format(labelled=LABELLED, buyer=buyer, reached_last=last),
        values,
        Earned,
        timeout_ms=timeout_ms,
    )


def walkers(
    tx: Tx, funnel: Funnel, *, now: datetime, timeout_ms: int, least: int, most: int, after: Walker | None, limit: int
) -> list[Walker]:
    """Units that reached `least` to `most` steps, the newest entry first. Raises TooMuchWork."""
    head, values = _entered(funnel, now=now, source="events", every_entry=True, named=True)
    place = (after.entered_at, after.unit) if after else (None, None)
    values |= {"least": least, "most": most, "before": place[0], "after": place[1], "limit": limit}
    times = each(",", range(2, len(funnel.steps) + 1), sql.SQL("took{k}"))
    tail = WALKERS.format(times=times)
    return within_time(tx, head + tail, values, Walker, timeout_ms=timeout_ms)


def within_time(
    tx: Tx, statement: sql.SQL | sql.Composed, values: Mapping[str, Any], row: type, *, timeout_ms: int
) -> list[Any]:
    """With an end, room to sort in memory, and no compiling of a plan that runs once. Raises TooMuchWork."""
    try:
        with tx.transaction():
            tx.execute(
                """
                SELECT set_config('statement_timeout', %(timeout)s, true), set_config('work_mem', '64MB', true),
                       set_config('jit', 'off', true)
                """,
                {"timeout": f"{timeout_ms}ms"},
            )
            return tx.cursor(row_factory=class_row(row)).execute(statement, values).fetchall()
    except psycopg.errors.QueryCanceled as error:
        raise TooMuchWork("that takes too long; ask for a shorter range or narrower steps") from error


def compiled(funnel: Funnel, *, now: datetime, source: Source) -> tuple[sql.Composed, dict[str, Any]]:
    """The statement, and its values by name."""
    head, values = _entered(funnel, now=now, source=source, every_entry=funnel.attribution == "last")
    steps = range(2, len(funnel.steps) + 1)
    columns = {
        "labelled": LABELLED,
        "units": each(",", steps, sql.SQL("count(took{k})::int")),
        "mature": each(",", steps, sql.SQL("(count(took{k}) FILTER (WHERE mature))::int")),
        "median": each(",", steps, sql.SQL("percentile_cont(0.5) WITHIN GROUP (ORDER BY took{k})")),
        "p90": each(",", steps, sql.SQL("percentile_cont(0.9) WITHIN GROUP (ORDER BY took{k})")),
    }
    tail = (COUNTED_APART if funnel.breakdown else COUNTED).format(**columns)
    return head + tail, values


def _entered(
    funnel: Funnel, *, now: datetime, source: Source, every_entry: bool, named: bool = False
) -> tuple[sql.Composed, dict[str, Any]]:
    """Up to the units that entered: first and last entry, seconds to each step. `named`: with the visitor's own id."""
    values = asked_facts(funnel.names, source) | {
        "start": funnel.start,
        "end": funnel.end,
        "until": funnel.end + funnel.window,
        "window": funnel.window,
        "now": now,
        "segments": SEGMENTS,
        "last": LAST,
    }
    steps = range(1, len(funnel.steps) + 1)
    parts = {
        "facts": FACTS[source],
        "units": UNITS[funnel.unit],
        "keys": KEYS[funnel.unit],
        "marks": _marks(funnel, values),
        "also": _also(funnel, named=named),
        "place": _place(funnel),
        "known": _known(funnel),
        "chains": chains(funnel, values, every_entry=every_entry),
        "who": sql.SQL("NULL" if not named else "unit" if funnel.unit == "customer" else "min(who)"),
        "segment": SEGMENT[funnel.attribution].format(by=order(funnel)) if funnel.breakdown else sql.SQL("NULL::text"),
        "times": each(",", steps[1:], sql.SQL("extract(epoch FROM min(took{k}))::float8 AS took{k}")),
    }
    return ENTERED.format(**parts), values


# OFFSET 0 keeps the planner from dragging all columns of a fact through the sort.
ENTERED = sql.SQL("""
WITH facts AS ({facts}
), units AS ({units}
), marked AS (
    SELECT *, {place} AS place
      FROM (SELECT {keys}, ts, {marks}{also} FROM units) AS matched
     WHERE {known}
    OFFSET 0
), chains AS ({chains}
), entered AS (
    SELECT {keys}, {who} AS who, min(c1) AS first_entry, max(c1) AS last_entry,
           bool_and(c1 + %(window)s <= %(now)s) AS mature, {segment} AS segment, {times}
      FROM chains
  GROUP BY {keys}
    HAVING count(c1) > 0
)""")

SEGMENT = {
    "first": sql.SQL("(array_agg(segment ORDER BY {by}) FILTER (WHERE c1 IS NOT NULL))[1]"),
    "last": sql.SQL("(array_agg(segment ORDER BY {by}) FILTER (WHERE c1 IS NOT NULL))[count(c1)]"),
}


def _marks(funnel: Funnel, values: dict[str, Any]) -> sql.Composed:
    """Which steps an event is, and whether it ends what was begun; then it is no step."""
    marks: list[sql.Composable] = []
    person = sql.SQL("")
    if funnel.exclude:
        barred = condition(funnel.exclude, "x", values)
        marks.append(sql.SQL("{} AS x").format(barred))
        person = sql.SQL("NOT {} AND ").format(barred)
    for k, match in enumerate(funnel.steps, start=1):
        hit = condition([match], f"m{k}", values)
        marks.append(sql.SQL("{}{} AS m{}").format(person, hit, sql.SQL(NUMBERS[k])))
    return sql.SQL(", ").join(marks)


def _also(funnel: Funnel, *, named: bool) -> sql.Composed:
    columns = [sql.SQL(", id")] if told_apart(funnel) else []
    columns += [sql.SQL(", {} AS segment").format(sql.Identifier(funnel.breakdown))] if funnel.breakdown else []
    columns += [sql.SQL(", who")] if named else []
    return sql.SQL("").join(columns)


def _place(funnel: Funnel) -> sql.Composed:
    cases = [
        sql.SQL("WHEN m{k} THEN {k}::smallint").format(k=sql.SQL(NUMBERS[k + 1])) for k in range(len(funnel.steps))
    ]
    barred = [sql.SQL("WHEN x THEN %(last)s::smallint")] if funnel.exclude else []
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join([*barred, *cases]))


def _known(funnel: Funnel) -> sql.Composable:
    """Facts are read by their names; only a `where` leaves some of them out again."""
    if not any(match.where for match in funnel.matches):
        return sql.SQL("true")
    hits = each("OR", range(1, len(funnel.steps) + 1), sql.SQL("m{k}"))
    return sql.SQL("x OR {}").format(hits) if funnel.exclude else hits


# {units}, {mature}, …: of step 2 and those behind it; step 1 is the entry itself.
COUNTED = sql.SQL("""
SELECT true AS whole, false AS other, NULL AS segment, ARRAY[count(*)::int, {units}] AS units,
       ARRAY[(count(*) FILTER (WHERE mature))::int, {mature}] AS mature,
       ARRAY[0, {median}]::float8[] AS median_s, ARRAY[0, {p90}]::float8[] AS p90_s
  FROM entered
HAVING count(*) > 0""")

LABELLED = sql.SQL(""", ranked AS (
    SELECT segment, row_number() OVER (ORDER BY count(*) DESC, segment) > %(segments)s AS other
      FROM entered GROUP BY segment
), labelled AS (
    SELECT entered.*, ranked.other, CASE WHEN ranked.other THEN NULL ELSE entered.segment END AS label
      FROM entered JOIN ranked ON ranked.segment IS NOT DISTINCT FROM entered.segment
)""")

COUNTED_APART = sql.SQL("""{labelled}
SELECT grouping(other) = 1 AS whole, coalesce(other, false) AS other, label AS segment,
       ARRAY[count(*)::int, {units}] AS units, ARRAY[(count(*) FILTER (WHERE mature))::int, {mature}] AS mature,
       ARRAY[0, {median}]::float8[] AS median_s, ARRAY[0, {p90}]::float8[] AS p90_s
  FROM labelled
 GROUP BY GROUPING SETS ((), (other, label))
HAVING count(*) > 0
 ORDER BY whole DESC, other, count(*) DESC, label""")

# Income stands in the ledger with a minus.
EARNED = sql.SQL("""{labelled}, bought AS (
    SELECT DISTINCT other, label, orders.id, orders.currency, worth.net
      FROM labelled
      JOIN orders ON {buyer} = labelled.unit AND paid_at >= first_entry AND paid_at <= last_entry + %(window)s
CROSS JOIN LATERAL (SELECT coalesce(-sum(lines.amount_minor), 0)::bigint AS net
                      FROM ledger_entries AS entry JOIN ledger_lines AS lines ON lines.entry_id = entry.id
                     WHERE entry.order_id = orders.id AND lines.currency = orders.currency
                       AND lines.account IN ('sales', 'shipping', 'refunds')) AS worth
     WHERE {reached_last} IS NOT NULL AND orders.paid_at >= %(start)s AND orders.paid_at <= %(until)s
)
SELECT true AS whole, false AS other, NULL AS segment, currency, count(*)::int AS orders, sum(net)::bigint AS net
  FROM (SELECT DISTINCT id, currency, net FROM bought) AS once GROUP BY currency
 UNION ALL
SELECT false, other, label, currency, count(*)::int, sum(net)::bigint FROM bought GROUP BY other, label, currency
 ORDER BY currency""")

WALKERS = sql.SQL("""
SELECT unit, entered_at, steps
  FROM (SELECT who AS unit, last_entry AS entered_at, 1 + num_nonnulls({times}) AS steps
          FROM entered WHERE who IS NOT NULL) AS walked
 WHERE steps BETWEEN %(least)s AND %(most)s
   AND (%(before)s::timestamptz IS NULL OR (entered_at, unit) < (%(before)s, %(after)s::text))
 ORDER BY entered_at DESC, unit DESC
 LIMIT %(limit)s""")
