"""Funnels in ClickHouse's SQL: each unit's history is an array, and each step looks at all that came before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shop.analytics.behaviour.steps import Funnel
from shop.analytics.queries.columns.facts import UNITS, condition, filled, microseconds
from shop.ports.columns import ColumnEngine, Value


@dataclass(frozen=True, slots=True)
class Counted:
    """Of all (`whole`) or of one `segment`; as in the funnel of the first engine."""

    whole: bool
    segment: str | None
    units: list[int]
    mature: list[int]
    median_s: list[float | None]
    p90_s: list[float | None]


def counted(engine: ColumnEngine, funnel: Funnel, *, now: datetime) -> list[Counted]:
    """Nothing when nobody entered."""
    statement, values = compiled(funnel, now=now)
    return [_read(row) for row in engine.ask(statement, values) if int(row[2][0])]


def compiled(funnel: Funnel, *, now: datetime) -> tuple[str, dict[str, Value]]:
    values: dict[str, Value] = {
        "names": list(funnel.names),
        "start": microseconds(funnel.start),
        "end": microseconds(funnel.end),
        "window": _length(funnel.window),
        "now": microseconds(now),
    }
    n = len(funnel.steps)
    marks = [condition([match], f"m{k}", values) for k, match in enumerate(funnel.steps, start=1)]
    for k, match in enumerate(funnel.steps, start=1):
        values[f"within{k}"] = _length(match.within) if match.within else values["window"]
    statement = filled(
        STATEMENT,
        units=UNITS[funnel.unit],
        barred=condition(funnel.exclude, "x", values),
        marks=", ".join(marks),
        segment=funnel.breakdown or "CAST(NULL AS Nullable(String))",
        chains=", ".join(_any_order(n) if funnel.mode == "any" else _chains(funnel)),
        entry="arrayLastIndex" if funnel.attribution == "last" else "arrayFirstIndex",
        times=", ".join(filled(TIME, k=str(k)) for k in range(1, n + 1)),
        units_by_step=_by_step("toInt64(countIf(times[$k] IS NOT NULL))", n),
        mature=_by_step("toInt64(countIf(times[$k] IS NOT NULL AND mature))", n),
        median=_by_step("quantileExactInclusiveOrNullIf(0.5)(times[$k], times[$k] IS NOT NULL)", n),
        p90=_by_step("quantileExactInclusiveOrNullIf(0.9)(times[$k], times[$k] IS NOT NULL)", n),
        groups="GROUP BY GROUPING SETS ((), (segment))" if funnel.breakdown else "",
        whole="grouping(segment) = 1" if funnel.breakdown else "1",
        shown="segment" if funnel.breakdown else "NULL",
    )
    return statement, values


# A history's event is (ts, place, id, marks, segment, barred).
STATEMENT = """
WITH marked AS (
    SELECT unit, ts, id, if(barred, [], [$marks]) AS marks, $barred AS barred, $segment AS segment,
           if(barred, 99, indexOf(marks, 1)) AS place
      FROM ($units)
     WHERE ts >= {start:Int64} AND ts <= {end:Int64} + {window:Int64}
       AND has(JSONExtract({names:String}, 'Array(String)'), name) AND place > 0
), histories AS (
    SELECT arraySort(groupArray((ts, place, id, marks, segment, barred))) AS h, $chains
      FROM marked GROUP BY unit
), entered AS (
    SELECT h[$entry(c -> c > 0, c1)].5 AS segment, arrayMax(c1) + {window:Int64} <= {now:Int64} AS mature,
           [$times] AS times
      FROM histories WHERE arrayMax(c1) > 0
)
SELECT $whole AS whole, $shown AS label, [$units_by_step], [$mature], [$median], [$p90]
  FROM entered $groups
"""

TIME = """
    if(arrayExists(t -> t >= 0, took$k), arrayMin(arrayFilter(t -> t >= 0, took$k)) / 1e6, NULL)"""

# c: at each event the entry from which it is the step, 0 where it is not.
FIRST = "arrayMap(e -> if(e.6 = 0 AND e.4[1] = 1 AND e.1 < {end:Int64}, e.1, 0), h) AS c1"

BARRED = "arrayMap((e, i) -> arrayMax(arrayPushBack(arrayMap(b -> if(b.6, b.1, 0), arraySlice(h, 1, i - 1)), 0)), h, arrayEnumerate(h)) AS bars"  # noqa: E501

LATER = """
    arrayMap((e, i) -> if(e.6 = 0 AND e.4[$k] = 1,
        arrayMax(arrayPushBack(arrayMap((c, b) ->
            if(c >= e.1 - {window:Int64} AND b.1 >= e.1 - {within$k:Int64} AND c > bars[i], c, 0),
            arraySlice(c$before, $first, i - $first), arraySlice(h, $first, i - $first)), 0)), 0),
        h, arrayEnumerate(h)) AS c$k"""

TOOK = "arrayMap((e, c) -> if(c > 0, e.1 - c, -1), h, c$k) AS took$k"


def _chains(funnel: Funnel) -> list[str]:
    before_here = "greatest(1, i - 1)" if funnel.mode == "strict" else "1"
    steps = range(1, len(funnel.steps) + 1)
    later = [filled(LATER, k=str(k), before=str(k - 1), first=before_here) for k in steps[1:]]
    return [FIRST, BARRED, *later, *(filled(TOOK, k=str(k)) for k in steps)]


ENTRY = "arrayMap(e -> if(e.6 = 0 AND e.1 < {end:Int64}, e.1, 0), h) AS c1"

FOUND = """
    arrayMap((e, i) -> if(c1[i] = 0, [], arraySort(arrayFilter(t -> t > 0 AND t <= e.1 + {window:Int64}
            AND (arrayFirst(b -> b.6, arraySlice(h, i)).1 = 0 OR t <= arrayFirst(b -> b.6, arraySlice(h, i)).1),
        arrayMap(k -> arrayFirst(b -> b.6 = 0 AND b.4[k] = 1, arraySlice(h, i)).1, range(1, $n + 1))))),
        h, arrayEnumerate(h)) AS found"""

ANY_TOOK = "arrayMap((e, f) -> if(length(f) >= $k, f[$k] - e.1, -1), h, found) AS took$k"


def _any_order(n: int) -> list[str]:
    return [ENTRY, filled(FOUND, n=str(n)), *(filled(ANY_TOOK, k=str(k)) for k in range(1, n + 1))]


def _by_step(piece: str, n: int) -> str:
    return ", ".join(filled(piece, k=str(k)) for k in range(1, n + 1))


def _length(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _read(row: list[Any]) -> Counted:
    whole, segment, units, mature, median, p90 = row
    return Counted(bool(whole), segment, [int(n) for n in units], [int(n) for n in mature], median, p90)
