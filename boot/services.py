"""One frozen object with everything a request or a job may need; the only place that chooses a client."""

from dataclasses import dataclass

from boot.settings import Settings
from db.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """Built once per process. Building it opens no connection and loads no model: each part does so at first use."""

    settings: Settings
    db: Database


def connect(settings: Settings, *, name: str = "backroom") -> Services:
    """`name` is shown by PostgreSQL as the application of each connection."""
    return Services(
        settings=settings,
        db=Database(settings.database_url.get_secret_value(), size=settings.database_pool, name=name),
    )
