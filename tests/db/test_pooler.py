"""PostgreSQL behind a pooler that gives each transaction whichever connection is free: a real PgBouncer."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from boot.services import connect
from boot.settings import Settings
from db import outbox
from db.database import Database, listen
from devstack.embedded.state import Urls
from shop import jobs
from shop.operations.jobs import queues

PATIENCE_S = 20


@pytest.fixture(name="pooler", scope="module")
def _pooler(servers: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PgBouncer before the test's server, one connection for each database; ends in no database."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no PgBouncer on this machine (Debian: apt-get install pgbouncer)")
    server = urlsplit(servers.database_url)
    folder = tmp_path_factory.mktemp("pgbouncer")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = host={server.hostname} port={server.port} user={server.username}"
        f" password={server.password or ''}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 1\nserver_idle_timeout = 1\n"
    )
    running = subprocess.Popen(_as_somebody([program, str(configuration)], folder), stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(port)
        yield f"postgresql://{server.username}@127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture(name="through")
def _through(pooler: str, database_url: str) -> Iterator[Database]:
    db = Database(f"{pooler}{urlsplit(database_url).path}", direct_url=database_url, statement_timeout_s=7)
    yield db
    db.close()


def test_two_who_take_turns_on_one_connection_do_not_mix_up_what_they_prepared(through: Database) -> None:
    for number in range(12):  # psycopg prepares what it has sent five times
        with through.transaction() as tx:
            assert tx.execute("SELECT %(n)s::int + 1", {"n": number}).fetchone() == (number + 1,)


def test_each_transaction_has_its_bounds_and_leaves_none_behind(through: Database, pooler: str) -> None:
    with through.transaction() as tx:
        assert tx.execute("SELECT current_setting('statement_timeout')").fetchone() == ("7s",)
        assert tx.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)
        name = tx.info.dbname
    with psycopg.connect(f"{pooler}/{name}", prepare_threshold=None, autocommit=True) as stranger:
        assert stranger.execute("SELECT current_setting('lock_timeout')").fetchone() == ("0",)


def test_a_transaction_can_still_choose_its_isolation(through: Database) -> None:
    with through.transaction() as tx:
        tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        assert tx.execute("SHOW transaction_isolation").fetchone() == ("repeatable read",)


def test_who_listens_is_woken_though_the_word_comes_through_the_pooler(through: Database) -> None:
    with through.session() as listener:
        listen(listener, "jobs")
        with through.transaction() as tx:
            outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1")
        assert [word.channel for word in listener.notifies(timeout=PATIENCE_S, stop_after=1)] == ["jobs"]


def test_a_session_keeps_a_lock_that_outlives_its_transactions(through: Database) -> None:
    with through.session() as one, through.session() as other:
        assert one.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)
        assert other.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (False,)


def test_services_are_built_over_both(pooler: str, database_url: str, settings_with: Callable[..., Settings]) -> None:
    both = settings_with(database_url=f"{pooler}{urlsplit(database_url).path}", database_direct_url=database_url)
    services = connect(both, name="test")
    assert {row.name for row in queues(services.db)} == set(jobs.QUEUES)
    assert both.database_past_pooler == database_url
    services.db.close()


def _as_somebody(words: list[str], folder: Path) -> list[str]:
    """PgBouncer refuses to run as root."""
    if os.geteuid() != 0:
        return words
    nobody = pwd.getpwnam("nobody")
    for path in [folder, *folder.iterdir()]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    for above in folder.parents:
        if above.stat().st_uid == 0 and len(above.parts) > 2:
            above.chmod(above.stat().st_mode | 0o011)
    return [words[0], "-u", "nobody", *words[1:]]


def _until_it_listens(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
