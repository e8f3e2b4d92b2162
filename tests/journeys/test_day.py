"""The day that newcomers see first, on the shop the journeys run on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import ROOT, Stack

pytestmark = pytest.mark.journey


def test_a_day_ends_with_every_order_accounted_for(stack: Stack) -> None:
    backroom = str(Path(sys.executable).parent / "backroom")
    played = subprocess.run(
        [backroom, "day", "--root", str(stack.folder), "--customers", "12"],
        cwd=ROOT,
        env=os.environ | stack.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert "Every order is accounted for" in played.stdout
    assert list((stack.folder / "reports").glob("*.pdf"))


def test_a_second_start_says_that_one_runs(stack: Stack) -> None:
    backroom = str(Path(sys.executable).parent / "backroom")
    again = subprocess.run(
        [backroom, "up", "--any-ports", "--root", str(stack.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 4
    assert str(stack.process.pid) in again.stderr
