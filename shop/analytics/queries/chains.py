"""SQL of how far a funnel's units got: each step is a running maximum over the one before. Nothing is joined.

`chains` reads `marked` and answers a row an event that matters: the unit's keys, `c1` (its time, where it is an entry),
`took2`, `took3`, … (how long after the latest possible entry it is that step).
"""

from datetime import timedelta
from typing import Any

from psycopg import sql

from shop.analytics.behaviour.steps import Funnel
from shop.analytics.queries.facts import KEYS

NUMBERS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")

TIES = 1_024
"""Events of one moment that are told apart where a step has a time of its own."""


def each(between: str, numbers: range, piece: sql.SQL) -> sql.Composed:
    """The piece for each number: `{k}`, and `{before}` for the number before."""
    parts = [piece.format(k=sql.SQL(NUMBERS[k]), before=sql.SQL(NUMBERS[k - 1])) for k in numbers]
    return (sql.SQL(", ") if between == "," else sql.SQL(" OR ")).join(parts)


def chains(funnel: Funnel, values: dict[str, Any], *, every_entry: bool) -> sql.Composed:
    """`every_entry`: keep the row of each entry; else only what the first entry and maturity are told by."""
    if funnel.mode == "any":
        return _any_order(funnel)
    inner = _entries(funnel)
    for k in range(2, len(funnel.steps) + 1):
        inner = _layer(funnel, inner, k, values)
        if funnel.mode == "ordered":
            inner = _pruned(inner, k, len(funnel.steps), every_entry=every_entry)
    took = each(",", range(2, len(funnel.steps) + 1), sql.SQL("ts - c{k} AS took{k}"))
    return sql.SQL("SELECT *, {took} FROM ({inner}) AS walked").format(took=took, inner=inner)


def order(funnel: Funnel) -> sql.SQL:
    """How events of a unit stand."""
    return sql.SQL("ts, place, id") if told_apart(funnel) else sql.SQL("ts, place")


def told_apart(funnel: Funnel) -> bool:
    """Ids only count where two events of one moment can be the same step and yet differ."""
    names = [match.name for match in funnel.matches]
    return funnel.breakdown is not None or len(set(names)) < len(names)


def _timed(funnel: Funnel) -> bool:
    """A step with a time of its own looks back so far and no further, which asks for places one can count in."""
    return funnel.mode == "ordered" and any(match.within for match in funnel.steps[1:])


def _window(funnel: Funnel) -> sql.Composed:
    by = sql.SQL("spot") if _timed(funnel) else order(funnel)
    return sql.SQL("PARTITION BY {keys} ORDER BY {by}").format(keys=KEYS[funnel.unit], by=by)


def _entries(funnel: Funnel) -> sql.Composed:
    barred = BARRED.format(over=_window(funnel)) if funnel.exclude else sql.SQL("")
    rows = SPOTS.format(keys=KEYS[funnel.unit], by=order(funnel)) if _timed(funnel) else sql.SQL("marked")
    return ENTRIES.format(barred=barred, rows=rows)


ENTRIES = sql.SQL("SELECT *, CASE WHEN m1 AND ts < %(end)s THEN ts END AS c1{barred} FROM {rows}")

BARRED = sql.SQL(", max(ts) FILTER (WHERE x) OVER ({over} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS barred")

# A microsecond has twice as many places as TIES, so that a length of time counted in places takes in no older moment.
SPOTS = sql.SQL("""(
    SELECT *, (extract(epoch FROM ts) * 1000000)::bigint * 2048 + least(nth, 1024) - 1 AS spot
      FROM (SELECT *, row_number() OVER (PARTITION BY {keys}, ts ORDER BY {by}) AS nth FROM marked) AS numbered
    ) AS spotted""")


def _layer(funnel: Funnel, inner: sql.Composed, k: int, values: dict[str, Any]) -> sql.Composed:
    piece = STRICTLY if funnel.mode == "strict" else EARLIER
    if within := funnel.steps[k - 1].within:
        piece = STRICTLY_WITHIN if funnel.mode == "strict" else WITHIN
        microseconds = within // timedelta(microseconds=1)
        values[f"within{k}"] = within if funnel.mode == "strict" else microseconds * 2 * TIES + TIES - 1
    numbers = {"k": sql.SQL(NUMBERS[k]), "before": sql.SQL(NUMBERS[k - 1])}
    return LAYER.format(
        inner=inner,
        carried=piece.format(over=_window(funnel), within=sql.Placeholder(f"within{k}"), **numbers),
        unbarred=UNBARRED.format(**numbers) if funnel.exclude else sql.SQL(""),
        **numbers,
    )


# c{k}: the latest entry from which this event is step k; of all ways here it is the one with most time left.
LAYER = sql.SQL("""
    SELECT *, CASE WHEN m{k} AND s{k} >= ts - %(window)s{unbarred} THEN s{k} END AS c{k}
      FROM (SELECT *, {carried} AS s{k} FROM ({inner}) AS layer{before}) AS carried{k}""")

UNBARRED = sql.SQL(" AND (barred IS NULL OR s{k} > barred)")

EARLIER = sql.SQL("max(c{before}) OVER ({over} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)")
WITHIN = sql.SQL("max(c{before}) OVER ({over} RANGE BETWEEN {within}::bigint PRECEDING AND 1::bigint PRECEDING)")
STRICTLY = sql.SQL("lag(c{before}) OVER ({over})")
STRICTLY_WITHIN = sql.SQL("CASE WHEN ts - lag(ts) OVER ({over}) <= {within} THEN lag(c{before}) OVER ({over}) END")


def _pruned(inner: sql.Composed, k: int, n: int, *, every_entry: bool) -> sql.Composed:
    """Most events are entries, and of these all but the first tell the later steps nothing more."""
    return PRUNED.format(
        inner=inner,
        entries=sql.SQL("true") if every_entry else sql.SQL("s2 IS NULL OR c1 + %(window)s > %(now)s"),
        reached=each("OR", range(2, k + 1), sql.SQL("c{k} IS NOT NULL")),
        to_come=each("OR", range(k + 1, n + 1), sql.SQL("m{k}")) if k < n else sql.SQL("false"),
    )


PRUNED = sql.SQL("""
    SELECT * FROM ({inner}) AS judged WHERE {to_come} OR {reached} OR (c1 IS NOT NULL AND ({entries}))""")


def _any_order(funnel: Funnel) -> sql.Composed:
    steps = range(1, len(funnel.steps) + 1)
    return ANY_ORDER.format(
        keys=KEYS[funnel.unit],
        by=sql.SQL("ts DESC, place DESC, id DESC" if told_apart(funnel) else "ts DESC, place DESC"),
        took=each(",", steps[1:], sql.SQL("CASE WHEN c1 IS NOT NULL THEN found[{k}] - ts END AS took{k}")),
        person=sql.SQL("NOT x AND ") if funnel.exclude else sql.SQL(""),
        bar=sql.SQL("least(ts + %(window)s, min(ts) FILTER (WHERE x) OVER ahead)")
        if funnel.exclude
        else sql.SQL("ts + %(window)s"),
        next=each(",", steps, sql.SQL("n{k}")),
        look=each(",", steps, sql.SQL("min(ts) FILTER (WHERE m{k}) OVER ahead AS n{k}")),
    )


# Read backwards, "the next one from here" is a running minimum, which costs one pass.
ANY_ORDER = sql.SQL("""
    SELECT *, {took}
      FROM (SELECT *, CASE WHEN {person}ts < %(end)s THEN ts END AS c1,
                   ARRAY(SELECT at FROM unnest(ARRAY[{next}]) AS at WHERE at <= bar ORDER BY at) AS found
              FROM (SELECT *, {bar} AS bar, {look}
                      FROM marked
                    WINDOW ahead AS (PARTITION BY {keys} ORDER BY {by}
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS looked) AS timed""")
