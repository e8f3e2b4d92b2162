"""Runs 0010_pre_deliveries.sql."""

from db.migrations.runner import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_file("0010_pre_deliveries.sql")
