"""The project's own source as the rules see it: files, their syntax trees, their functions."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("web", "tasks", "scheduler", "boot", "clients", "shop", "db")
FOLDERS = (*PRODUCT, "devstack", "bench", "monitoring", "setup")


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Python files below the folders (all of the project's without tests when none is named), relative to the root."""
    return tuple(
        path.relative_to(ROOT)
        for folder in folders or FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in path.parts
    )


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def query_files() -> tuple[Path, ...]:
    """Where SQL may stand: db/, and queries.py or queries/ of each area."""
    shop = [path for path in python_files("shop") if path.name == "queries.py" or "queries" in path.parts]
    return (*shop, *(path for path in python_files("db") if "migrations" not in path.parts))


def strings(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY|TRUNCATE)\s+(?:ONLY\s+)?([a-z_]+)\b(?!\s*\()", re.IGNORECASE
)


def tables() -> set[str]:
    """Names of all tables the migrations make."""
    made = re.compile(r"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([a-z_]+)", re.IGNORECASE)
    files = (ROOT / "db" / "migrations").glob("*.sql")
    return {name.lower() for file in files for name in made.findall(file.read_text(encoding="utf-8"))}
