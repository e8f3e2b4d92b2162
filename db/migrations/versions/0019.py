"""Runs 0019_pre_indexes.sql."""

from db.migrations.runner import run_file_alone

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_file_alone("0019_pre_indexes.sql")
