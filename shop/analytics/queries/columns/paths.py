"""Ways through visits in ClickHouse's SQL: each visit is an array, folded as a whole."""

from typing import Any

from shop.analytics.behaviour.ways import STATIONS, Paths
from shop.analytics.queries.columns.facts import LOOK_BACK, UNITS, condition, filled, microseconds
from shop.analytics.queries.paths import Went
from shop.ports.columns import ColumnEngine, Value


def went(engine: ColumnEngine, asked: Paths) -> list[Went]:
    """The strongest first."""
    first, end = microseconds(asked.start), microseconds(asked.end)
    values: dict[str, Value] = {
        "names": STATIONS,
        "start": first - LOOK_BACK,
        "until": end + LOOK_BACK,
        "first": first,
        "end": end,
        "length": asked.length,
        "top": asked.top,
    }
    page = "name = 'page_view'" if asked.nodes == "pages" else "0"
    after = "arraySlice(stations, place + 1, {length:Int64})"
    before = "arraySlice(arrayReverse(arraySlice(stations, 1, place - 1)), 1, {length:Int64})"
    statement = filled(
        STATEMENT,
        units=UNITS["session"],
        page=page,
        anchor=condition([asked.anchor], "anchor", values),
        way=after if asked.direction == "after" else before,
    )
    return [_read(row) for row in engine.ask(statement, values)]


# A visit's event is (ts, id, paid, label, anchor); an event begins a station where its label is not the one before.
STATEMENT = """
WITH visits_of_events AS (
    SELECT unit, arraySort(groupArray((ts, id, name = 'order_paid', label, anchor))) AS events
      FROM (SELECT unit, ts, id, name, if($page, ifNull(path, 'page_view'), toString(name)) AS label,
                   $anchor AND ts >= {first:Int64} AND ts < {end:Int64} AS anchor
              FROM ($units)
             WHERE ts >= {start:Int64} AND ts <= {until:Int64}
               AND has(JSONExtract({names:String}, 'Array(String)'), name))
  GROUP BY unit
), folded AS (
    SELECT arrayMap((e, i) -> toUInt8(i = 1 OR e.4 != events[i - 1].4), events, arrayEnumerate(events)) AS fresh,
           arrayMap(e -> e.4, arrayFilter((e, f) -> f, events, fresh)) AS stations,
           arraySum(arraySlice(fresh, 1, arrayFirstIndex(e -> e.5, events))) AS place
      FROM visits_of_events WHERE arrayExists(e -> e.5, events)
), ways AS (
    SELECT $way AS labels FROM folded
), counted AS (
    SELECT 0 AS at, labels, count() AS visits FROM ways GROUP BY labels
 UNION ALL
    SELECT station.1 AS at, [station.2] AS labels, count() AS visits
      FROM ways ARRAY JOIN arrayZip(arrayEnumerate(ways.labels), ways.labels) AS station GROUP BY at, labels
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY at ORDER BY visits DESC, labels) > {top:Int64} AS other FROM counted
)
SELECT at, other, if(other, [], labels) AS shown, toInt64(sum(visits)) AS sums
  FROM ranked GROUP BY at, other, shown
 ORDER BY at, other, sums DESC, shown
"""


def _read(row: list[Any]) -> Went:
    place, other, labels, visits = row
    return Went(int(place) or None, bool(other), labels, int(visits))
