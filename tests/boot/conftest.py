"""The command `backroom` as people start it: a process of its own, with the variables of a shop."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BACKROOM = Path(sys.executable).with_name("backroom")

GIVE_UP_AFTER_S = 100

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(name="variables")
def _variables(database_url: str, redis_url: str) -> dict[str, str]:
    """Of an empty shop; a file of tests may have a shop of its own. Wide enough that no table is cut."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "STRIPE_SECRET_KEY": "sk_test_1",
        "STRIPE_WEBHOOK_SECRETS": "whsec_1",
        "COLUMNS": "220",
    }


@pytest.fixture(name="run")
def _run(variables: dict[str, str], tmp_path: Path) -> Run:
    """`run("orders", "--json", SHOP_NAME="…")`: words and further variables; `given` is what it reads."""

    def run(*words: str, given: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BACKROOM, *words],
            cwd=tmp_path,
            env=os.environ | variables | more,
            input=given,
            capture_output=True,
            text=True,
            timeout=GIVE_UP_AFTER_S,
            check=False,
        )

    return run
