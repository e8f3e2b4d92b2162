"""What the second engine is given, and how its questions begin. `$name` in a statement is one of our fixed pieces."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from string import Template

from shop.analytics.behaviour.steps import LONGEST_VISIT, PROPS, Match, Unit
from shop.ports.columns import ColumnEngine, Value

Table = tuple[str, str]
"""A table's name, and the statement that makes it."""

TABLES: Sequence[Table] = (
    (
        "facts",
        """
        CREATE TABLE facts (
            visitor Nullable(Int64), customer Nullable(String), ts Int64, id String, name LowCardinality(String),
            product_id Nullable(String), path Nullable(String), channel Nullable(String), campaign Nullable(String),
            country Nullable(String), device Nullable(String), referrer_host Nullable(String),
            search_id Nullable(String), currency Nullable(String), props Nullable(String))
        ENGINE = MergeTree ORDER BY (name, ts)
        """,
    ),
    ("visits", "CREATE TABLE visits (visitor Int64, began Int64, ended Int64) ENGINE = MergeTree ORDER BY visitor"),
    ("owners", "CREATE TABLE owners (visitor Int64, customer String) ENGINE = MergeTree ORDER BY visitor"),
)


def fill(engine: ColumnEngine, table: str, file: Path) -> None:
    """Rows of a file as `copies.copied` gives them; its name is ours, never a person's. Raises ColumnsUnavailable."""
    engine.do(filled("INSERT INTO $table SELECT * FROM file('$file', 'TabSeparated')", table=table, file=str(file)))


def filled(statement: str, **pieces: str) -> str:
    """Raises KeyError for a piece that is missing."""
    return Template(statement).substitute(pieces)


UNITS: Mapping[Unit, str] = {
    "visitor": "SELECT *, assumeNotNull(visitor) AS unit FROM facts WHERE visitor IS NOT NULL",
    "customer": """
    SELECT facts.*, coalesce(facts.customer, nullIf(owners.customer, '')) AS unit
      FROM facts LEFT JOIN owners ON owners.visitor = facts.visitor
     WHERE unit IS NOT NULL""",
    "session": """
    SELECT facts.*, (visits.visitor, visits.began) AS unit
      FROM (SELECT * FROM facts WHERE visitor IS NOT NULL) AS facts
 ASOF JOIN visits ON visits.visitor = facts.visitor AND visits.began <= facts.ts
     WHERE facts.ts <= visits.ended + 1800000000""",
}

MICROSECOND = 1_000_000
LOOK_BACK = int(LONGEST_VISIT.total_seconds()) * MICROSECOND


def microseconds(at: datetime) -> int:
    return int(at.timestamp()) * MICROSECOND + at.microsecond


def condition(matches: Sequence[Match], prefix: str, values: dict[str, Value]) -> str:
    """True (1) where one of the matches holds. Puts their values in `values`, under names that begin with `prefix`."""
    either = ["0"]
    for i, match in enumerate(matches):
        values[f"{prefix}_{i}"] = match.name
        every = [f"name = {{{prefix}_{i}:String}}"]
        for j, (field, wanted) in enumerate(match.where.items()):
            at = f"{prefix}_{i}_{j}"
            values[f"{at}_values"] = list(wanted)
            column = field
            if field.startswith(PROPS):
                values[f"{at}_key"] = field.removeprefix(PROPS)
                column = _property(f"{{{at}_key:String}}")
            every.append(f"has(JSONExtract({{{at}_values:String}}, 'Array(String)'), ifNull({column}, ''))")
            every.append(f"{column} IS NOT NULL")
        either.append(f"({' AND '.join(every)})")
    return f"({' OR '.join(either)})"


def _property(key: str) -> str:
    """As PostgreSQL's ->> has it: a text without its quotes, anything else as it is written, null as nothing."""
    kind = f"JSONType(ifNull(props, ''), {key})"
    text, other = (f"{how}(ifNull(props, ''), {key})" for how in ("JSONExtractString", "JSONExtractRaw"))
    return f"multiIf({kind} = 'String', {text}, {kind} = 'Null', NULL, {other})"
