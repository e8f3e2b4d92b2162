"""Runs 0006_pre_analytics.sql."""

from db.migrations.runner import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_file("0006_pre_analytics.sql")
