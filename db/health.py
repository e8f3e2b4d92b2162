"""What the doctor and the readiness check want to know of the database."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Facts:
    """`pgvector` is the installed version, None when the extension is missing."""

    version: str
    max_connections: int
    pgvector: str | None
    clock: datetime


def facts(tx: Tx) -> Facts:
    row = (
        tx.cursor(row_factory=class_row(Facts))
        .execute(
            """
            SELECT current_setting('server_version') AS version,
                   current_setting('max_connections')::int AS max_connections,
                   (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector,
                   clock_timestamp() AS clock
            """
        )
        .fetchone()
    )
    assert row is not None, "a SELECT without FROM has one row"
    return row
