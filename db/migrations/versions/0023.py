"""Runs 0023_pre_alerts.sql."""

from db.migrations.runner import run_file

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_file("0023_pre_alerts.sql")
