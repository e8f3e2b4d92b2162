"""Retention in ClickHouse's SQL, straight from what happened."""

from datetime import date, datetime

from shop.analytics.behaviour.steps import ORDER_FACTS
from shop.analytics.queries.columns.facts import filled, microseconds
from shop.analytics.queries.retention import Returned
from shop.ports.columns import ColumnEngine, Value


def returned(engine: ColumnEngine, zone: str, *, by: str, first: date, end: date, until: datetime) -> list[Returned]:
    """Cohorts of the weeks (Mondays) from `first` to before `end`; returns before `until`."""
    values: dict[str, Value] = {
        "zone": zone,
        "first": first.isoformat(),
        "end": end.isoformat(),
        "until": microseconds(until),
        "orders": sorted(ORDER_FACTS),
    }
    statement = filled(STATEMENT, came=CAME[by])
    return [
        Returned(date.fromisoformat(cohort), int(week), int(people))
        for cohort, week, people in engine.ask(statement, values)
    ]


CAME = {
    "visitor": """
    SELECT visitor AS who, ts FROM facts
     WHERE NOT has(JSONExtract({orders:String}, 'Array(String)'), name)""",
    # A paid order came when it was placed; its two facts have one id.
    "customer": """
    SELECT customer AS who, ts FROM facts
     WHERE name = 'order_placed' AND id IN (SELECT id FROM facts WHERE name = 'order_paid')""",
}

STATEMENT = """
WITH weeks AS (
    SELECT DISTINCT who, toMonday(toTimeZone(fromUnixTimestamp64Micro(ts), {zone:String})) AS week
      FROM ($came) AS came WHERE ts < {until:Int64}
), histories AS (
    SELECT groupArray(week) AS came, min(week) AS cohort FROM weeks GROUP BY who
)
SELECT toString(cohort) AS monday, intDiv(dateDiff('day', cohort, week), 7) AS later, toInt64(count()) AS people
  FROM histories ARRAY JOIN came AS week
 WHERE cohort >= toDate({first:String}) AND cohort < toDate({end:String})
 GROUP BY cohort, later ORDER BY cohort, later
"""
