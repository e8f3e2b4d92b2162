"""Runs 0017_pre_sessions.sql."""

from db.migrations.runner import run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_file("0017_pre_sessions.sql")
