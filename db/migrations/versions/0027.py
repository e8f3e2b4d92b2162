"""Runs 0027_pre_guardrails.sql."""

from db.migrations.runner import run_file

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_file("0027_pre_guardrails.sql")
