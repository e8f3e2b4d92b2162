"""Runs 0024_pre_search_days.sql."""

from db.migrations.runner import run_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_file("0024_pre_search_days.sql")
