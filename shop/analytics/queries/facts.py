"""SQL that questions about behaviour begin with: what happened, and to whom. Fixed pieces; every value is a parameter.

A question's `names`, `start` (of what is read), `until` and `later_facts` are parameters of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from psycopg import sql

from shop.analytics.behaviour.steps import FIELDS, LONGEST_VISIT, ORDER_FACTS, PROPS, Match, Unit

Source = Literal["events", "steps"]
"""`steps` is the slim table; it says the same for what it has."""


def asked_facts(names: Sequence[str], source: Source) -> dict[str, Any]:
    """The parameters that say which facts are read."""
    return {
        "names": list(names),
        # False spares the database a second look through the events.
        "later_facts": source == "events" and bool(set(names) & (ORDER_FACTS - {"order_placed", "order_paid"})),
        "longest_visit": LONGEST_VISIT,
    }


# Placing and paying are read from the orders themselves, so that they are never late.
ORDERS = sql.SQL("""
 UNION ALL
    SELECT hashtextextended(visitor_id, 0), customer_id, created_at, md5(id)::uuid, 'order_placed',
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, search_id, currency, NULL, visitor_id
      FROM orders
     WHERE created_at >= %(start)s AND created_at <= %(until)s AND 'order_placed' = ANY(%(names)s)
 UNION ALL
    SELECT hashtextextended(visitor_id, 0), customer_id, paid_at, md5(id)::uuid, 'order_paid',
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, search_id, currency, NULL, visitor_id
      FROM orders
     WHERE paid_at >= %(start)s AND paid_at <= %(until)s AND 'order_paid' = ANY(%(names)s)
""")

FACTS: Mapping[Source, sql.Composed] = {
    "events": sql.SQL("""
    SELECT hashtextextended(visitor_id, 0) AS visitor, user_id AS customer, ts, event_id AS id, name,
           product_id, path, channel, campaign, country, device, referrer_host, search_id, currency, props,
           visitor_id AS who
      FROM events
     WHERE ts >= %(start)s AND ts <= %(until)s
       AND bot_score < 50 AND source <> 'order' AND name = ANY(%(names)s)
 UNION ALL
    SELECT hashtextextended(nullif(visitor_id, order_id), 0), user_id, ts, event_id, name,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, search_id, currency, props, nullif(visitor_id, order_id)
      FROM events
     WHERE ts >= %(start)s AND ts <= %(until)s
       AND source = 'order' AND name NOT IN ('order_placed', 'order_paid') AND name = ANY(%(names)s)
       AND %(later_facts)s""")
    + ORDERS,
    "steps": sql.SQL("""
    SELECT visitor, customer_id AS customer, ts, event_id AS id, name,
           product_id, NULL::text AS path, channel, campaign, country, device, referrer_host, NULL::text AS search_id,
           NULL::text AS currency, NULL::jsonb AS props, NULL::text AS who
      FROM steps
     WHERE ts >= %(start)s AND ts <= %(until)s AND name NOT IN ('order_placed', 'order_paid')
       AND name = ANY(%(names)s)""")
    + ORDERS,
}

UNITS: Mapping[Unit, sql.SQL] = {
    "visitor": sql.SQL("SELECT visitor AS unit, facts.* FROM facts WHERE visitor IS NOT NULL"),
    "customer": sql.SQL("""
    SELECT coalesce(customer, owner.user_id) AS unit, facts.*
      FROM facts
 LEFT JOIN (SELECT hashtextextended(visitor_id, 0) AS visitor, user_id FROM visitor_owners) AS owner USING (visitor)
     WHERE coalesce(customer, owner.user_id) IS NOT NULL"""),
    # Beginnings of visits are sorted in between, so that no fact has to look for its visit.
    "session": sql.SQL("""
    SELECT visitor AS unit, both_kinds.*
      FROM (SELECT *, max(begun) OVER up_to_here AS visit, max(ended) OVER up_to_here AS lasted
              FROM (SELECT *, NULL::timestamptz AS begun, NULL::timestamptz AS ended, true AS done FROM facts
                     WHERE visitor IS NOT NULL
                 UNION ALL
                    SELECT hashtextextended(visitor_id, 0), NULL, started_at, id, NULL, NULL, NULL, NULL, NULL, NULL,
                           NULL, NULL, NULL, NULL, NULL, NULL, started_at, ended_at, false
                      FROM sessions
                     WHERE started_at >= %(start)s - %(longest_visit)s AND started_at <= %(until)s) AS sorted
            WINDOW up_to_here AS (PARTITION BY visitor ORDER BY ts, done ROWS UNBOUNDED PRECEDING)) AS both_kinds
     WHERE done AND ts <= lasted + interval '30 minutes'"""),
}

KEYS: Mapping[Unit, sql.SQL] = {
    "visitor": sql.SQL("unit"),
    "customer": sql.SQL("unit"),
    "session": sql.SQL("unit, visit"),
}


def condition(matches: Sequence[Match], prefix: str, values: dict[str, Any]) -> sql.Composed:
    """True where one of the matches holds. Puts their values in `values`, under names that begin with `prefix`."""
    either: list[sql.Composable] = [sql.SQL("false")]
    for i, match in enumerate(matches):
        values[f"{prefix}_{i}"] = match.name
        every: list[sql.Composable] = [sql.SQL("name = {}").format(sql.Placeholder(f"{prefix}_{i}"))]
        for j, (field, wanted) in enumerate(match.where.items()):
            at = f"{prefix}_{i}_{j}"
            values[f"{at}_values"] = list(wanted)
            found = sql.SQL("coalesce({} = ANY({}), false)")
            every.append(found.format(_field(field, at, values), sql.Placeholder(f"{at}_values")))
        either.append(sql.SQL("({})").format(sql.SQL(" AND ").join(every)))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(either))


def _field(field: str, at: str, values: dict[str, Any]) -> sql.Composable:
    if field.startswith(PROPS):
        values[f"{at}_key"] = field.removeprefix(PROPS)
        return sql.SQL("props ->> {}").format(sql.Placeholder(f"{at}_key"))
    if field not in FIELDS:
        raise ValueError(f"no field {field!r}")
    return sql.Identifier(field)
