"""Whether this process can serve: which part answers, and which does not."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import structlog

import db.migrations
from db.database import Database
from shop.operations import queries
from shop.ports.limits import Limits

Part = Literal["ok", "down", "behind"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """`usable` is False only when PostgreSQL cannot be worked with: without Redis a shop still takes money."""

    postgresql: Part
    migrations: Part
    redis: Part

    @property
    def usable(self) -> bool:
        return self.postgresql == "ok" and self.migrations == "ok"

    @property
    def whole(self) -> bool:
        return self.usable and self.redis == "ok"


def readiness(database: Database, limits: Limits) -> Readiness:
    """Ask each part once, now."""
    redis: Part = "ok" if limits.alive() else "down"
    try:
        with database.transaction() as tx:
            revision = queries.schema_revision(tx)
    except queries.DatabaseUnavailable as error:
        structlog.get_logger().error("not_ready", part="postgresql", error=type(error).__name__)
        return Readiness("down", "down", redis)
    # A newer schema is fine: migrations are made so that the old code runs on while a deploy is under way.
    return Readiness("ok", "ok" if revision is not None and revision >= expected_revision() else "behind", redis)


@cache
def expected_revision() -> str:
    """The newest migration this code was written for. Read from file names: Alembic costs 20 MB."""
    versions = Path(db.migrations.__path__[0]) / "versions"
    return max(path.stem for path in versions.glob("[0-9]*.py"))
