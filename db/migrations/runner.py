"""Brings a database to the newest schema: Alembic keeps the order, the words are in the SQL files."""

from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

FOLDER = Path(__file__).parent


def migrate(database_url: str) -> list[str]:
    """Apply what is missing and answer the names of the revisions applied, oldest first.

    Safe to call from two deploys at once: the second waits for the first on an advisory lock (see env.py).
    """
    before = current(database_url)
    command.upgrade(_config(database_url), "head")
    return _between(database_url, before)


def current(database_url: str) -> str | None:
    """The revision the database is at, None for an empty one."""
    engine = create_engine(_sqlalchemy_url(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision this code was written for."""
    head = ScriptDirectory.from_config(_config("postgresql://")).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


def run_file(name: str) -> None:
    """Run one SQL file unchanged: no bind parameters are looked for, so `:word` and `%` mean themselves."""
    statement = (FOLDER / name).read_text(encoding="utf-8")
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statement)


def run_file_alone(name: str) -> None:
    """Run a file that must not be in a transaction (CREATE INDEX CONCURRENTLY), one statement after the other.

    Each statement ends with a semicolon at the end of a line. Whatever was done before a failure stays, so the file
    must be safe to begin again.
    """
    statements = (FOLDER / name).read_text(encoding="utf-8").split(";\n")
    with op.get_context().autocommit_block():
        connection = op.get_bind().execution_options(no_parameters=True)
        for statement in statements:
            if statement.strip():
                connection.exec_driver_sql(statement)


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["url"] = _sqlalchemy_url(database_url)
    return config


def _sqlalchemy_url(database_url: str) -> str:
    # Platforms hand out postgres:// or postgresql://; SQLAlchemy wants the driver named.
    return "postgresql+psycopg://" + database_url.split("://", 1)[1]


def _between(database_url: str, before: str | None) -> list[str]:
    script = ScriptDirectory.from_config(_config(database_url))
    applied = [revision.revision for revision in script.iterate_revisions("head", before or "base")]
    return applied[::-1]
