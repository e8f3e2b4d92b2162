"""Runs 0004_pre_documents.sql."""

from db.migrations.runner import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_file("0004_pre_documents.sql")
