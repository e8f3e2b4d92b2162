"""Runs 0026_pre_timetable.sql."""

from db.migrations.runner import run_file

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_file("0026_pre_timetable.sql")
