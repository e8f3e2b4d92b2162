"""Runs 0011_pre_reconciliation.sql."""

from db.migrations.runner import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_file("0011_pre_reconciliation.sql")
