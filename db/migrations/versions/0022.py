"""Runs 0022_pre_steps.sql."""

from db.migrations.runner import run_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_file("0022_pre_steps.sql")
