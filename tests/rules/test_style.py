"""The house style where a machine can check it; STYLE.md says why."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.rules.source import (
    FOLDERS,
    PRODUCT,
    ROOT,
    WRITES,
    functions,
    python_files,
    query_files,
    strings,
    tables,
    tree,
)

FILE_LINES = 300
FUNCTION_LINES = 40
QUERY_LINES = 70
"""One statement is one function, and some statements are long."""

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "base"}

# A function that is long for a reason, with the reason.
LONG_FUNCTIONS: dict[str, str] = {}

ALL_TEXT = [
    path
    for folder in (*FOLDERS, "tests", "docs", ".")
    for path in ((ROOT / folder).rglob("*") if folder != "." else ROOT.glob("*"))
    if path.suffix in {".py", ".md", ".sql", ".html", ".css", ".js", ".toml", ".txt", ".lock", ".in"}
    and "__pycache__" not in path.parts
]


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_a_file_says_its_reason_first(path: Path) -> None:
    text = ast.get_docstring(tree(path))
    assert text, "the module has no docstring"
    assert len(text.splitlines()[0]) > 15


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_no_file_is_named_for_nothing(path: Path) -> None:
    assert not set(path.with_suffix("").parts) & FORBIDDEN_NAMES


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    limit = QUERY_LINES if path in query_files() else FUNCTION_LINES
    long = [
        f"{node.name} ({lines})"
        for node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > limit and f"{path}:{node.name}" not in LONG_FUNCTIONS
    ]
    assert long == []


def test_every_table_is_written_from_one_place() -> None:
    writers: dict[str, set[str]] = {}
    for path in query_files():
        place = path.parent if path.parent.name in {"queries", "db"} else path
        for text in strings(tree(path)):
            for name in WRITES.findall(text):
                if name.lower() in tables():
                    writers.setdefault(name.lower(), set()).add(str(place))
    assert writers, "the rule found no writes at all"
    assert {table: sorted(places) for table, places in writers.items() if len(places) > 1} == {}


def test_sql_stands_only_where_it_may() -> None:
    statement = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s.*\s(FROM|VALUES|SET|AS)\s", re.DOTALL)
    elsewhere = [
        str(path)
        for path in python_files(*PRODUCT)
        if path not in query_files() and "migrations" not in path.parts
        for text in strings(tree(path))
        if statement.match(text)
    ]
    assert elsewhere == []


def test_every_query_is_asked_by_somebody() -> None:
    """A statement that nothing runs is a statement that nothing checks."""
    said = Counter(
        word
        for path in python_files(*PRODUCT)
        for word in re.findall(r"\w+", (ROOT / path).read_text(encoding="utf-8"))
    )
    unused = [
        f"{path}:{node.name}"
        for path in query_files()
        for node in functions(path)
        if not node.name.startswith("_") and said[node.name] < 2
    ]
    assert unused == []


def test_the_shop_reads_no_environment_and_no_clock_of_its_own_zone() -> None:
    careless = [
        str(path)
        for path in python_files("shop")
        if re.search(
            r"os\.environ|os\.getenv|datetime\.now\(\)|date\.today\(\)", (ROOT / path).read_text(encoding="utf-8")
        )
    ]
    assert careless == []


@pytest.mark.parametrize("path", ALL_TEXT, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_names_no_machine_and_leaves_nothing_for_later(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name != Path(__file__).name:
        assert not re.search(r"/work/|/root/|/home/\w+/|\bTODO\b|\bFIXME\b|\bXXX\b", text)
        assert not re.search(r"https?://(?:[\w.-]*\.)?(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org)", text)
