"""Keeps a stand-in's state in a file, so that what it promised yesterday still holds after a restart or a crash."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LAYOUT, SET_LAYOUT = 1, "PRAGMA user_version = 1"  # of the file; another one is refused rather than misread
TAKEN_WITHIN_S = 2.0  # the process before this one may still be ending
TABLE = """
CREATE TABLE IF NOT EXISTS kept (
    place INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (kind, name)
)
"""
READ = "SELECT name, value FROM kept WHERE kind = :kind ORDER BY place"
# A value that changes keeps its place: rows come back in the order in which they were first put.
WRITE = """
INSERT INTO kept (kind, name, value) VALUES (:kind, :name, :value)
ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value
"""
DROP = "DELETE FROM kept WHERE kind = :kind AND name = :name"
CLEAR = "DELETE FROM kept WHERE kind = :kind"

Row = tuple[str, str]  # kind and name
GONE = object()


class StateError(Exception):
    """The file cannot be used; the text says why and what to do."""


class Keeping:
    """A stand-in's lock. What is put, dropped or changed while it is held is on disk once it has been let go.

    It is written in one transaction, so that a process killed at any moment leaves all of a change or nothing of it;
    an answer that somebody got is of a change on disk. Without a path nothing is kept. Raises StateError.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._cleared: set[str] = set()
        self._new: dict[Row, Any] = {}
        self._watched: dict[Row, tuple[Any, str]] = {}
        self._file = None if path is None else _open(path)

    def rows(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Return name and value of all that is kept of a kind, in the order of their first coming."""
        if self._file is not None:
            for name, value in self._file.execute(READ, {"kind": kind}).fetchall():
                yield name, json.loads(value)

    def put(self, kind: str, name: str, value: Any) -> None:
        """Keep a value (JSON) as it will be when the lock is let go."""
        if self._file is not None:
            self._new[kind, name] = value

    def watch(self, kind: str, name: str, value: Any) -> None:
        """Keep a value that is kept already, should it be changed in place before the lock is let go."""
        row = (kind, name)
        if self._file is not None and row not in self._new and row not in self._watched:
            self._watched[row] = (value, _text(value))

    def drop(self, kind: str, name: str) -> None:
        self._watched.pop((kind, name), None)
        self.put(kind, name, GONE)

    def clear(self, *kinds: str) -> None:
        """Drop all values of these kinds."""
        if self._file is not None:
            self._cleared.update(kinds)
            self._new = {row: value for row, value in self._new.items() if row[0] not in kinds}
            self._watched = {row: value for row, value in self._watched.items() if row[0] not in kinds}

    def close(self) -> None:
        """Let the file go; from here on nothing is kept."""
        with self:
            self._write()
            if self._file is not None:
                self._file.close()
                self._file = None

    def acquire(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def release(self) -> None:
        try:
            if self._depth == 1:
                self._write()
        finally:
            self._depth -= 1
            self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_error: object) -> None:
        self.release()

    def _write(self) -> None:
        if self._file is None:
            return
        changed = {row: value for row, (value, before) in self._watched.items() if _text(value) != before}
        self._new = changed | self._new
        self._watched = {}
        if not self._new and not self._cleared:
            return
        gone = [_named(row) for row, value in self._new.items() if value is GONE]
        kept = [{**_named(row), "value": _text(value)} for row, value in self._new.items() if value is not GONE]
        with self._file:  # a transaction; where it fails, all of it is tried again with the next change
            self._file.execute("BEGIN")
            self._file.executemany(CLEAR, [{"kind": kind} for kind in self._cleared])
            self._file.executemany(DROP, gone)
            self._file.executemany(WRITE, kept)
        self._new, self._cleared = {}, set()


def open_or_exit(path: Path | None) -> Keeping:
    """Open the file of a program's `--state`; ends the program with a sentence where that cannot be."""
    try:
        return Keeping(path)
    except StateError as unusable:
        raise SystemExit(str(unusable)) from unusable


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # private from its first byte on: it holds secrets
    try:
        file = sqlite3.connect(path, TAKEN_WITHIN_S, isolation_level=None, check_same_thread=False)
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        # A killed process loses nothing; where the machine itself dies, the last moments may be missing, as a whole.
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        (layout,) = file.execute("PRAGMA user_version").fetchone()
        if layout not in {0, LAYOUT}:
            raise StateError(f"{path} was written by another version (layout {layout}). Move it away to start afresh.")
        file.execute(TABLE)
        file.execute(SET_LAYOUT)
    except sqlite3.OperationalError as taken:
        raise StateError(f"{path} cannot be opened ({taken}): does another process use it?") from taken
    except sqlite3.DatabaseError as broken:
        raise StateError(f"{path} is no state that can be read ({broken}). Move it away to start afresh.") from broken
    return file


def _named(row: Row) -> dict[str, str]:
    return {"kind": row[0], "name": row[1]}


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
