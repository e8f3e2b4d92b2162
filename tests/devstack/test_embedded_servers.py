"""The embedded servers keep what they were given, refuse strangers, and survive every way a start can end."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.embedded import AlreadyRunning, EmbeddedServers, ServerFailed, Urls
from devstack.embedded.__main__ import EXIT_ALREADY_RUNNING, EXIT_NOT_RUNNING
from devstack.embedded.databases import create_database, drop_database, temporary_servers, with_database

REPOSITORY = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0
ONCE = Retry(NoBackoff(), 0)


@pytest.fixture
def folder() -> Generator[Path]:
    """Outside pytest's own folders, which are closed to the account that root's servers run as."""
    path = Path(tempfile.mkdtemp(prefix="backroom-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def urls() -> Generator[Urls]:
    with temporary_servers() as made:
        yield made


def test_data_survives_a_stop_and_a_start_on_the_same_addresses(folder: Path) -> None:
    with EmbeddedServers(folder) as first:
        _write(first, "kept")
    with EmbeddedServers(folder) as second:
        assert second == first
        assert _read(second) == ("kept", "kept")


def test_stopping_leaves_no_process_behind(folder: Path) -> None:
    servers = EmbeddedServers(folder)
    servers.start()
    pids = _pids(servers)
    servers.stop()
    assert [pid for pid in pids if _lives(pid)] == []


def test_a_second_start_is_refused_and_names_the_first(folder: Path) -> None:
    with EmbeddedServers(folder), pytest.raises(AlreadyRunning) as refused:
        EmbeddedServers(folder).start()
    assert refused.value.pid == os.getpid()
    assert f"kill {os.getpid()}" in str(refused.value)


def test_a_refused_second_start_does_not_disturb_the_first(folder: Path) -> None:
    with EmbeddedServers(folder) as running:
        second = EmbeddedServers(folder)
        with pytest.raises(AlreadyRunning):
            second.start()
        second.stop()
        _write(running, "undisturbed")
        assert _read(running) == ("undisturbed", "undisturbed")


def test_the_command_says_that_the_servers_run_already(folder: Path) -> None:
    with EmbeddedServers(folder):
        answer = _command("run", folder)
    assert answer.returncode == EXIT_ALREADY_RUNNING
    assert f"process {os.getpid()}" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_command_prints_the_addresses_of_running_servers(folder: Path) -> None:
    with EmbeddedServers(folder) as running:
        answer = _command("env", folder)
    assert answer.stdout.splitlines() == [
        f"export DATABASE_URL='{running.database_url}'",
        f"export REDIS_URL='{running.redis_url}'",
    ]


def test_the_command_prints_no_addresses_when_nothing_runs(folder: Path) -> None:
    with EmbeddedServers(folder):
        pass
    answer = _command("env", folder)
    assert (answer.returncode, answer.stdout) == (EXIT_NOT_RUNNING, "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_after_kill_9_of_the_parent_the_servers_end_by_themselves(folder: Path) -> None:
    parent = _start_parent(folder)
    pids = _server_pids(folder)
    parent.kill()
    parent.wait()
    _wait_until(lambda: not any(_lives(pid) for pid in pids))


def test_after_kill_9_of_the_parent_the_next_start_works_at_once_and_has_the_data(folder: Path) -> None:
    parent = _start_parent(folder)
    _write(_urls_from(_command("env", folder).stdout), "before the crash")
    time.sleep(1.1)  # Redis writes its file to the disk once a second
    parent.kill()
    parent.wait()
    with EmbeddedServers(folder) as again:
        assert _read(again) == ("before the crash", "before the crash")


def test_after_kill_9_of_everything_the_next_start_recovers(folder: Path) -> None:
    parent = _start_parent(folder)
    _write(_urls_from(_command("env", folder).stdout), "before the crash")
    time.sleep(1.1)
    for pid in [parent.pid, *_server_pids(folder)]:
        os.kill(pid, signal.SIGKILL)
    parent.wait()
    with EmbeddedServers(folder) as again:
        assert _read(again) == ("before the crash", "before the crash")


def test_sigterm_stops_the_command_and_its_servers_cleanly(folder: Path) -> None:
    parent = _start_parent(folder)
    pids = _server_pids(folder)
    parent.terminate()
    assert parent.wait(20) == 0
    assert not any(_lives(pid) for pid in pids)
    assert "database system is shut down" in (folder / "logs" / "postgres.log").read_text()


def test_a_stale_pid_file_that_names_a_living_stranger_blocks_nothing(folder: Path) -> None:
    servers = EmbeddedServers(folder)
    with servers:
        pass
    stranger = os.getpid()
    (servers.home / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger}\n")
    (servers.home / "postgres" / "lock").write_text(str(stranger))
    with EmbeddedServers(folder) as again:
        _write(again, "works")
    assert _lives(stranger)


def test_a_data_folder_that_was_cut_short_is_made_again(folder: Path) -> None:
    (folder / "postgres" / "unfinished").mkdir(parents=True)
    (folder / "postgres" / "unfinished" / "PG_VERSION").write_text("18\n")
    with EmbeddedServers(folder) as urls:
        _write(urls, "works")


def test_a_port_taken_meanwhile_is_replaced_by_another(folder: Path) -> None:
    with EmbeddedServers(folder) as first:
        taken = psycopg.conninfo.conninfo_to_dict(first.database_url)["port"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(str(taken))))
        other.listen()
        with EmbeddedServers(folder) as second:
            assert second.database_url != first.database_url
            assert second.redis_url == first.redis_url
            _write(second, "works")


def test_a_killed_server_is_revived_with_its_data_on_the_same_address(folder: Path) -> None:
    servers = EmbeddedServers(folder)
    with servers as urls:
        _write(urls, "kept")
        time.sleep(1.1)
        for pid in _pids(servers):
            os.kill(pid, signal.SIGKILL)
        _wait_until(lambda: not any(_lives(pid) for pid in _pids(servers)))
        assert servers.revive() == ["PostgreSQL", "Redis"]
        assert _read(urls) == ("kept", "kept")
        assert servers.revive() == []


def test_both_servers_refuse_a_wrong_password(urls: Urls) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(urls.database_url, password="wrong")
    with pytest.raises(redis.AuthenticationError, match="invalid username-password"):
        redis.Redis(port=_redis_port(urls), password="wrong", retry=ONCE).ping()


def test_both_servers_refuse_no_password(urls: Urls) -> None:
    database = psycopg.conninfo.conninfo_to_dict(urls.database_url)
    database.pop("password")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(psycopg.conninfo.make_conninfo(**database), passfile="/nonexistent")
    with pytest.raises(redis.AuthenticationError, match="already authenticated"):
        redis.Redis(port=_redis_port(urls), retry=ONCE).ping()


def test_redis_never_evicts_and_appends_every_second(folder: Path) -> None:
    with (
        EmbeddedServers(folder) as urls,
        redis.Redis.from_url(urls.redis_url, decode_responses=True) as client,
    ):
        names = ("maxmemory-policy", "appendonly", "appendfsync", "bind", "save")
        assert [client.config_get(name)[name] for name in names] == [
            "noeviction",
            "yes",
            "everysec",
            "127.0.0.1",
            "",
        ]


def test_postgresql_is_durable_local_and_carries_the_vector_extension(folder: Path) -> None:
    with EmbeddedServers(folder) as urls, psycopg.connect(urls.database_url) as connection:
        names = ["fsync", "listen_addresses", "unix_socket_directories", "max_connections", "data_checksums"]
        values = [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
        assert values == [("on",), ("127.0.0.1",), ("",), ("120",), ("on",)]
        connection.execute("CREATE EXTENSION vector")
        distance = connection.execute("SELECT '[1,0]'::vector <=> '[0,1]'::vector").fetchone()
        assert distance == (1.0,)


def test_no_password_can_be_read_from_a_process_list_or_by_other_users(folder: Path) -> None:
    servers = EmbeddedServers(folder)
    with servers as urls:
        password = str(psycopg.conninfo.conninfo_to_dict(urls.database_url)["password"])
        commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert password not in commands
        assert urls.redis_url.split(":")[2].split("@")[0] not in commands
    assert stat.S_IMODE((folder / "servers.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((servers.home / "postgres").stat().st_mode) == 0o700
    assert stat.S_IMODE((servers.home / "redis").stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 in {0, 0o011}


def test_a_lost_password_file_is_told_and_not_a_riddle(folder: Path) -> None:
    with EmbeddedServers(folder):
        pass
    (folder / "servers.json").unlink()
    with pytest.raises(ServerFailed, match=r"another password than servers\.json"):
        EmbeddedServers(folder).start()


def test_servers_are_refused_to_a_thread_that_would_take_them_along_when_it_ends(folder: Path) -> None:
    told: list[Exception] = []

    def start() -> None:
        try:
            EmbeddedServers(folder).start()
        except ServerFailed as error:
            told.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(told[0])


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user's servers run as that user")
def test_no_server_runs_with_the_rights_of_root(folder: Path) -> None:
    servers = EmbeddedServers(folder)
    with servers:
        assert all(Path(f"/proc/{pid}").stat().st_uid != 0 for pid in _pids(servers))


@pytest.mark.skipif(not AS_ROOT, reason="only root keeps folders that its own servers cannot enter")
def test_root_may_keep_the_project_in_a_folder_closed_to_everybody_else(folder: Path) -> None:
    folder.chmod(0o700)
    servers = EmbeddedServers(folder / "inner")
    try:
        with servers as urls:
            _write(urls, "kept")
        assert servers.home != servers.root
        with EmbeddedServers(folder / "inner") as again:
            assert _read(again) == ("kept", "kept")
    finally:
        shutil.rmtree(servers.home)


def test_a_copy_of_a_template_database_has_its_tables_and_goes_even_while_used(urls: Urls) -> None:
    template = create_database(urls.database_url, "template_of_test")
    with psycopg.connect(template, autocommit=True) as connection:
        connection.execute("CREATE TABLE shelf (name text)")
    copy = create_database(urls.database_url, "copy_of_test", template="template_of_test")
    user = psycopg.connect(copy, autocommit=True)
    assert user.execute("SELECT count(*) FROM shelf").fetchone() == (0,)
    drop_database(urls.database_url, "copy_of_test")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(copy)


def test_another_database_of_the_same_server_keeps_the_rest_of_the_address() -> None:
    assert with_database("redis://:p%40ss@127.0.0.1:6379/0", "7") == "redis://:p%40ss@127.0.0.1:6379/7"


def _write(urls: Urls, text: str) -> None:
    with psycopg.connect(urls.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])
    with redis.Redis.from_url(urls.redis_url) as client:
        client.set("note", text)


def _read(urls: Urls) -> tuple[str, str]:
    with psycopg.connect(urls.database_url) as connection:
        row = connection.execute("SELECT text FROM note").fetchone()
    with redis.Redis.from_url(urls.redis_url, decode_responses=True) as client:
        return row[0] if row else "", str(client.get("note"))


def _redis_port(urls: Urls) -> int:
    return urlsplit(urls.redis_url).port or 0


def _start_parent(folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "devstack.embedded", "run", "--root", str(folder)]
    parent = subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline().startswith("export DATABASE_URL=")
    return parent


def _command(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "devstack.embedded", name, "--root", str(folder)]
    return subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False)


def _urls_from(exports: str) -> Urls:
    return Urls(*[line.split("'")[1] for line in exports.splitlines()])


def _pids(servers: EmbeddedServers) -> list[int]:
    assert servers.postgres
    assert servers.redis
    pids = [servers.postgres.process.pid, servers.redis.process.pid]
    return [pid for pid in pids if pid is not None]


def _server_pids(folder: Path) -> list[int]:
    return [int((folder / name / "lock").read_text()) for name in ("postgres", "redis")]


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _wait_until(condition: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
