"""Runs 0014_pre_orders.sql."""

from db.migrations.runner import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_file("0014_pre_orders.sql")
