"""`backroom migrate`: bring the database to the schema this code was written for."""

from boot.commands.screen import knock, out
from boot.settings import read_settings
from db.database import Database
from db.migrations import runner


def migrate() -> None:
    """Apply the migrations that are missing. Safe while the shop runs and from two deploys at once."""
    url = read_settings().database_past_pooler
    knock(Database(url, name="migrate"))
    applied = runner.migrate(url)
    if applied:
        out.print(f"Applied {', '.join(applied)}.")
    else:
        out.print(f"The schema is up to date ({runner.newest()}).")
