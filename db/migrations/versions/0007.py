"""Runs 0007_pre_suggest_recommend.sql."""

from db.migrations.runner import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_file("0007_pre_suggest_recommend.sql")
