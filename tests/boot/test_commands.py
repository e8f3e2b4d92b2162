"""`backroom` where something is missing: one sentence that names it, an exit code, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BACKROOM = Path(sys.executable).with_name("backroom")
NOBODY_LISTENS = 1
SETTINGS = {
    "DATABASE_URL": f"postgresql://shop:secret@127.0.0.1:{NOBODY_LISTENS}/shop",
    "REDIS_URL": f"redis://127.0.0.1:{NOBODY_LISTENS}/0",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRETS": "whsec_1",
}


@pytest.mark.parametrize("words", [["migrate"], ["search", "mug"], ["jobs", "queues"], ["verify"]])
def test_a_database_that_is_away_is_one_sentence(words: list[str], tmp_path: Path) -> None:
    done = _run(words, tmp_path, SETTINGS)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "PostgreSQL cannot be reached with DATABASE_URL" in done.stderr
    assert "Connection refused" in done.stderr
    assert "secret" not in done.stderr


def test_the_doctor_names_all_that_is_away(tmp_path: Path) -> None:
    done = _run(["doctor"], tmp_path, SETTINGS)
    assert done.returncode == 1
    assert "PostgreSQL cannot be reached with DATABASE_URL" in done.stdout
    assert "Redis cannot be reached with REDIS_URL" in done.stdout
    assert done.stderr == ""


def test_a_rule_in_brackets_is_shown_as_it_is(tmp_path: Path) -> None:
    done = _run(["doctor"], tmp_path, SETTINGS | {"INVOICE_SERIES": "inv 1"})
    assert "INVOICE_SERIES is wrong" in done.stderr
    assert "[A-Z0-9-]{1,12}" in done.stderr


def test_without_variables_and_without_a_running_shop_the_way_to_one_is_told(tmp_path: Path) -> None:
    done = _run(["search", "mug"], tmp_path, {"BACKROOM_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert "DATABASE_URL is not set" in done.stderr
    assert "make run starts one" in done.stderr


def _run(words: list[str], folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return subprocess.run(
        [BACKROOM, *words],
        cwd=folder,
        env=known | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
