"""Runs 0013_pre_documents.sql."""

from db.migrations.runner import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_file("0013_pre_documents.sql")
