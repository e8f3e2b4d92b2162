"""What the documentation names is there: files, jobs, routes, settings, commands, and the places its links lead to."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from boot.cli import app
from boot.settings import Settings
from devstack.cli import app as local_app
from shop import jobs
from tests.rules.source import FOLDERS, ROOT
from web.areas import GROUPS

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

FENCE = re.compile(r"^```.*?^```\n", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FILE = re.compile(r"[\w./-]*\w\.(?:py|md|svg)")
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?]+)")
JOB = re.compile(r"(?:payments|documents|search|analytics|identity|operations)\.[a-z]+(?:_[a-z]+)*")
SETTING = re.compile(r"[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+")
COMMAND = re.compile(r"^(?:\.venv/bin/)?backroom ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", re.MULTILINE)
MODULE = re.compile(r"python -m ((?:bench|scheduler|tasks)(?:\.\w+)*)")

OTHER_VARIABLES = {"TORCH_INDEX", "TORCH_CUDA", "STRIPE_TEST_KEY", "WEB_CONCURRENCY", "PROMETHEUS_MULTIPROC_DIR"}
OTHER_VARIABLES |= {"PIP_EXTRA_INDEX_URL", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "GRAFANA_PASSWORD"}
"""Read by the Makefile, a test, the Procfile, the metrics, pip and compose.yaml, not by the shop."""

NO_JOBS = {"search.analytics"}


def each_page(names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(names, PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page("page")
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong: list[str] = []
    for link in LINK.findall(_text(page)):
        parts = urlsplit(link)
        target = (page.parent / parts.path).resolve() if parts.path else page
        if not parts.scheme and not (target.exists() and (not parts.fragment or parts.fragment in _anchors(target))):
            wrong.append(link)
    assert wrong == []


@each_page("page")
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    assert [name for name in _words(page) if FILE.fullmatch(name) and not _is_there(name)] == []


@each_page("page")
def test_every_route_that_a_page_names_is_answered(page: Path) -> None:
    told = [found for word in _words(page) if (found := ROUTE.fullmatch(word.split(" `")[0])) and "…" not in word]
    assert [found[0] for found in told if (found[1], _bare(found[2])) not in _routes()] == []


@each_page("page")
def test_every_job_that_a_page_names_can_be_staged(page: Path) -> None:
    known = {job.name for job in vars(jobs).values() if isinstance(job, jobs.Job)} | NO_JOBS
    assert [
        word for word in _words(page) if JOB.fullmatch(word) and word not in known and not FILE.fullmatch(word)
    ] == []


@each_page("page")
def test_every_setting_that_a_page_names_is_read(page: Path) -> None:
    known = {name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    named = {word.partition("=")[0] for word in _words(page)}
    assert sorted(word for word in named if SETTING.fullmatch(word) and word not in known and not _constant(word)) == []


@each_page("page")
def test_every_command_that_a_page_names_can_be_typed(page: Path) -> None:
    typed = [found.groups() for text in (*_words(page), *_blocks(page)) for found in COMMAND.finditer(text)]
    assert [" ".join(filter(None, words)) for words in typed if not _can_be_typed(*words)] == []
    modules = [name for text in (*_words(page), *_blocks(page)) for name in MODULE.findall(text)]
    paths = [name.replace(".", "/") for name in modules]
    assert [path for path in paths if not _is_there(f"{path}.py", f"{path}/__main__.py")] == []


@pytest.mark.parametrize("kind", [FILE, ROUTE, JOB, SETTING, COMMAND], ids=lambda kind: str(kind.pattern)[:12])
def test_the_rules_above_find_what_they_are_about(kind: re.Pattern[str]) -> None:
    assert sum(kind.match(word) is not None for page in PAGES for word in _words(page)) > 20


def test_the_map_of_the_payments_names_every_file_once() -> None:
    chapter = _text(ROOT / "ARCHITECTURE.md").split("## The files of shop/payments", 1)[1].split("\n## ", 1)[0]
    named = re.findall(r"`(\w+)`", chapter)
    folder = ROOT / "shop" / "payments"
    files = [path.stem for path in folder.rglob("*.py") if path.stem != "__init__" and path.parent.name != "queries"]
    assert sorted(named) == sorted(files)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _words(page: Path) -> list[str]:
    return CODE.findall(FENCE.sub("", _text(page)))


def _blocks(page: Path) -> list[str]:
    return FENCE.findall(_text(page))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """Names of a page's headings as GitHub makes them."""
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(_text(page))
    )


@cache
def _files() -> tuple[str, ...]:
    below = (path for folder in (*FOLDERS, "tests", "docs") for path in (ROOT / folder).rglob("*") if path.is_file())
    return tuple(f"/{path.relative_to(ROOT)}" for path in (*below, *ROOT.glob("*")))


def _is_there(*names: str) -> bool:
    """Whether a file ends with one of these names: pages leave out the folder that a paragraph is about."""
    ends = tuple(f"/{name.lstrip('./')}" for name in names)
    return any(file.endswith(ends) for file in _files())


@cache
def _routes() -> frozenset[tuple[str, str]]:
    return frozenset((route.method, _bare(route.path)) for group in GROUPS for route in group.routes)


def _bare(path: str) -> str:
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


@cache
def _constant(word: str) -> bool:
    """Whether the code has a constant of this name."""
    return any(
        re.search(rf"^{word}\b", (ROOT / file[1:]).read_text(encoding="utf-8"), re.MULTILINE)
        for file in _files()
        if file.endswith(".py")
    )


def _commands() -> Iterator[tuple[str, TyperGroup | None]]:
    for typed in (app, local_app):
        command = get_command(typed)
        if isinstance(command, TyperGroup):
            yield from ((name, one if isinstance(one, TyperGroup) else None) for name, one in command.commands.items())
        else:
            yield str(command.name), None


def _can_be_typed(name: str, below: str | None) -> bool:
    known = dict(_commands())
    group = known.get(name)
    return name in known and (group is None or below is None or below in group.commands)
