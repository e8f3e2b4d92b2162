"""Runs 0020_pre_experiment_plans.sql."""

from db.migrations.runner import run_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_file("0020_pre_experiment_plans.sql")
