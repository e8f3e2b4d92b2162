"""Where it is measured: servers that are kept or thrown away, a filled database on them, the web process over it."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from rich.console import Console

from bench.search_speed.catalogue import Originals
from bench.search_speed.filling import Filled, Told, fill
from db.database import Database
from db.migrations.runner import migrate
from devstack import programs
from devstack.addresses import choose_ports
from devstack.embedded import EmbeddedServers, Urls
from devstack.embedded.databases import create_database, drop_database, temporary_servers, with_database
from devstack.environment import FOLDER, environment_for, given_servers, whole
from devstack.processes import Supervisor
from shop.ports.encoder import Encoder

STATEMENT_S = 600
"""Comparing with a million vectors one by one takes longer than any statement of the shop may."""

READY_WITHIN_S = 120.0


@dataclass(frozen=True)
class Place:
    """A filled database, the Redis beside it, and how many products there are."""

    database_url: str
    redis_url: str
    size: int


@dataclass(frozen=True)
class Web:
    """The web process of the Procfile, over one database."""

    port: int
    pid: int


@contextmanager
def servers(keep: Path | None) -> Generator[Urls]:
    """Those of the folder, else those of DATABASE_URL and REDIS_URL, else a pair that leaves nothing behind."""
    given = given_servers(os.environ)
    if keep is not None:
        with EmbeddedServers(keep / "servers") as urls:
            yield urls
    elif given is not None:
        yield given
    else:
        with temporary_servers(durable=True) as urls:
            yield urls


@contextmanager
def shop_of(
    size: int, urls: Urls, keep: Path | None, originals: Callable[[], Originals], encoder: Encoder, tell: Told
) -> Generator[tuple[str, Filled]]:
    """The address of a database with `size` products, and what filling it took, then or when it was kept.

    Nobody asks for `originals` where the database was kept.
    """
    name = f"speed_{size}" if keep else f"speed_{size}_{os.getpid()}"
    note = keep / f"{name}.json" if keep else None
    url = with_database(urls.database_url, name)
    if note is not None and note.exists():
        migrate(url)
        yield url, Filled(**json.loads(note.read_text()))
        return
    drop_database(urls.database_url, name)  # one whose filling was cut short
    create_database(urls.database_url, name)
    try:
        migrate(url)
        db = Database(url, name="bench", statement_timeout_s=STATEMENT_S)
        filled = fill(db, encoder, originals(), size, tell)
        db.close()
        if note is not None:
            note.write_text(json.dumps(filled.as_dict()))
        yield url, filled
    finally:
        if keep is None:
            drop_database(urls.database_url, name)


@contextmanager
def web_over(database_url: str, redis_url: str, model_dir: Path) -> Generator[Web]:
    """The Procfile's web line, with limits that count nothing, ready and its model loaded."""
    with TemporaryDirectory(prefix="backroom-speed-") as folder:
        root = Path(folder)
        (root / "metrics").mkdir()
        ports = choose_ports(anywhere=True)
        environment = environment_for(Urls(database_url, redis_url), ports, root)
        environment |= {"RATE_LIMIT_SCALE": "0", "MODEL_DIR": str(model_dir.resolve()), "LOG_LEVEL": "WARNING"}
        [program] = [one for one in programs.own_programs(FOLDER) if one.name == "web"]
        supervisor = Supervisor(
            [program],
            folder=FOLDER,
            environment=whole(environment),
            logs=root / "logs",
            console=Console(stderr=True),
            show=False,
        )
        with supervisor:
            supervisor.wait_ready({"web": programs.checks_of_own(ports)["web"]}, READY_WITHIN_S)
            _until_whole(ports.url("web"))
            pid = supervisor.pid("web")
            assert pid is not None, "it has just answered"
            yield Web(ports.web, pid)


def postgres_pid(database_url: str) -> int | None:
    """The head of PostgreSQL's processes; None where it runs on another machine."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        status = Path(f"/proc/{row[0] if row else 0}/stat")
        return int(status.read_text().rsplit(")", 1)[1].split()[1]) if status.exists() else None


def _until_whole(url: str) -> None:
    """Until the workers have loaded the model: before, words alone answer."""
    deadline = time.monotonic() + READY_WITHIN_S
    good = 0
    while good < 8 and time.monotonic() < deadline:  # more often than there are workers
        try:
            with urllib.request.urlopen(f"{url}/v1/search?q=warm+up+{good}&limit=1", timeout=30) as answer:
                good = 0 if json.load(answer).get("degraded") else good + 1
        except urllib.error.URLError:
            good = 0
        time.sleep(0.05)
    if good < 8:
        raise SystemExit("the web process answers from words alone: are the model's files below --model-dir?")
