"""Runs 0028_pre_said_at.sql."""

from db.migrations.runner import run_file

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run_file("0028_pre_said_at.sql")
