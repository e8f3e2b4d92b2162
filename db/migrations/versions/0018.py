"""Runs 0018_pre_validate.sql."""

from db.migrations.runner import run_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_file("0018_pre_validate.sql")
