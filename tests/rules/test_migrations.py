"""Migrations are numbered without gaps, say when they run, and lead every database to one schema."""

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest
from alembic import command

from db.migrations import runner
from devstack.embedded.databases import create_database, drop_database
from devstack.embedded.state import Urls
from tests.rules.source import ROOT

FOLDER = ROOT / "db" / "migrations"
FILES = sorted(path.name for path in FOLDER.glob("*.sql"))
NAME = re.compile(r"^(\d{4})_(pre|post)_[a-z0-9_]+\.sql$")

# Everything a schema consists of, as text that can be compared: columns, constraints, indexes, triggers, functions.
SCHEMA = """
    SELECT 'column', c.table_name, c.column_name, c.data_type || ' ' || c.is_nullable || ' '
           || coalesce(c.column_default, '') FROM information_schema.columns c WHERE table_schema = 'public'
 UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
 UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
 UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
 UNION ALL
    SELECT 'function', '', p.proname, md5(p.prosrc) FROM pg_proc p
      LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
     WHERE p.pronamespace = 'public'::regnamespace AND d.objid IS NULL
"""


def test_numbers_have_no_gap_and_names_say_pre_or_post() -> None:
    matches = [NAME.match(name) for name in FILES]
    assert all(matches)
    assert [int(match.group(1)) for match in matches if match] == list(range(1, len(FILES) + 1))


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_its_revision_and_every_revision_its_file(name: str) -> None:
    revision = FOLDER / "versions" / f"{name[:4]}.py"
    assert f'"{name}"' in revision.read_text(encoding="utf-8")


def test_there_is_no_revision_without_a_file() -> None:
    revisions = {path.stem for path in (FOLDER / "versions").glob("[0-9]*.py")}
    assert revisions == {name[:4] for name in FILES}


def test_a_fresh_database_and_one_upgraded_step_by_step_have_the_same_schema(servers: Urls) -> None:
    fresh, stepped = (_schema(servers, steps) for steps in (False, True))
    assert len(fresh) > 100
    assert fresh == stepped


def test_two_deploys_at_once_do_not_hinder_each_other(servers: Urls) -> None:
    name = "backroom_two_deploys"
    url = create_database(servers.database_url, name)
    try:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            list(pool.map(runner.migrate, [url, url]))
        assert runner.current(url) == runner.newest()
    finally:
        drop_database(servers.database_url, name)


def test_migrating_twice_changes_nothing(servers: Urls, template: str, database_url: str) -> None:
    assert runner.migrate(database_url) == []
    assert runner.current(database_url) == runner.newest()


def _schema(servers: Urls, step_by_step: bool) -> set[tuple[str, ...]]:
    name = f"backroom_schema_{step_by_step}".lower()
    drop_database(servers.database_url, name)
    url = create_database(servers.database_url, name)
    try:
        if step_by_step:
            for _ in FILES:
                command.upgrade(runner._config(url), "+1")
        else:
            runner.migrate(url)
        with psycopg.connect(url) as connection:
            return set(connection.execute(SCHEMA).fetchall())
    finally:
        drop_database(servers.database_url, name)


def test_the_folder_holds_nothing_else() -> None:
    kinds = {path.suffix for path in FOLDER.iterdir() if path.is_file()}
    assert kinds <= {".sql", ".py"}
    assert Path(FOLDER / "env.py").exists()
