"""Runs 0021_pre_events.sql."""

from db.migrations.runner import run_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_file("0021_pre_events.sql")
