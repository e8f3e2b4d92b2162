"""Runs 0025_pre_suggest.sql."""

from db.migrations.runner import run_file

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_file("0025_pre_suggest.sql")
