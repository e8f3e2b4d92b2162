"""`backroom import-catalog` on the files that people really have: what goes in, what is told, how it ends."""

import gzip
from functools import partial
from pathlib import Path

import pytest

from tests.boot.conftest import Run

README_CSV = "id,Title,category,Cost,Shelf\n1,Mug,Cups,12.99,A\n2,Glass,Cups,no,B\n"


@pytest.fixture(name="run")
def _run(run: Run) -> Run:
    return partial(run, "import-catalog")


def test_only_columns_with_other_names_need_a_mapping(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(README_CSV)
    done = run("shop.csv", "--map", "name=Title", "--map", "price=Cost", "--prices", "major")
    assert done.returncode == 0, done.stderr
    assert "line 3: price must be a number" in done.stderr
    assert _counts(done.stdout) == ["2", "1", "0", "0", "0", "1"]


def test_a_column_that_is_not_there_is_told_with_those_that_are(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(README_CSV)
    done = run("shop.csv", "--map", "name=Name")
    assert done.returncode == 1
    assert "no column 'Name'; it has id, Title, category, Cost, Shelf" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_wrong_in_every_line_is_told_once(run: Run) -> None:
    done = run("-", "--format", "csv", given="id,Title\n" + "1,Mug\n" * 30)
    assert done.returncode == 1
    assert "lines 2, 3, 4, 5, 6, 7, 8, 9 and 22 more: unknown field 'Title'" in done.stderr


def test_a_file_that_was_cut_off_is_told_and_a_whole_one_goes_in_afterwards(run: Run, tmp_path: Path) -> None:
    rows = "".join(f'{{"id": "{number}", "name": "Mug {number}"}}\n' for number in range(2500))
    whole = gzip.compress(rows.encode())
    (tmp_path / "cut.ndjson.gz").write_bytes(whole[: len(whole) * 3 // 4])
    (tmp_path / "whole.ndjson.gz").write_bytes(whole)
    done = run("cut.ndjson.gz")
    assert done.returncode == 1
    assert "cut off or damaged after line" in done.stderr
    assert _counts(run("whole.ndjson.gz").stdout)[0] == "2,500"


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_file_without_a_product_is_a_failure_that_scripts_see(run: Run, form: str) -> None:
    done = run("-", "--format", form)
    assert done.returncode == 1
    assert "There is no product in it." in done.stderr


def _counts(table: str) -> list[str]:
    """rows, added, changed, unchanged, repeated, bad"""
    return [cell.strip() for cell in table.splitlines()[3].split("│")[1:-1]]
