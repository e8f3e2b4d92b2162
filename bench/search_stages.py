"""Where the time of one search goes: on the wall, in this process, in PostgreSQL's; by statement and in the encoder."""

import inspect
import os
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from db.database import Database, Tx
from shop.ports.encoder import Encoder, Vectors


@dataclass(slots=True)
class Times:
    """Of one thing, a number per run, in milliseconds."""

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    server: list[float] = field(default_factory=list[float])

    def told(self) -> dict[str, Any]:
        return {
            name: dict(zip(("p50", "p95", "p99"), np.percentile(values, [50, 95, 99]).round(2).tolist(), strict=True))
            for name, values in (("wall", self.wall), ("cpu", self.cpu), ("server", self.server))
        }


class ServerClock:
    """Processor time of PostgreSQL's processes behind these connections, as Linux counts it, in nanoseconds."""

    def __init__(self, session: Tx, db: Database) -> None:
        with db.transaction() as tx:
            files = [Path(f"/proc/{one.info.backend_pid}/schedstat") for one in (session, tx)]
        # Read some hundred times a search: kept open, a reading costs two microseconds.
        self._files = [os.open(file, os.O_RDONLY) for file in files if file.exists()]

    def ms(self) -> float:
        return sum(int(os.pread(file, 64, 0).split()[0]) for file in self._files) / 1e6

    def close(self) -> None:
        for file in self._files:
            os.close(file)


class Stages:
    """Where a search's time goes: by statement, and what the encoder took."""

    def __init__(self, db: Database, server: ServerClock) -> None:
        self._server = server
        self._spent: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self._times: defaultdict[str, int] = defaultdict(int)
        self._watch(db)

    def _watch(self, db: Database) -> None:
        """From now on the cursors of the pool's connection tell."""
        stages = self

        class Telling(psycopg.Cursor[Any]):
            def execute(self, *args: Any, **keywords: Any) -> "Telling":
                with stages.timed(_asker()):
                    return super().execute(*args, **keywords)

            def fetchall(self) -> list[Any]:
                with stages.timed(_asker(), counts=False):
                    return super().fetchall()

        with db.transaction() as tx:
            tx.cursor_factory = Telling

    @contextmanager
    def timed(self, name: str, *, counts: bool = True) -> Generator[None]:
        wall, cpu, there = time.perf_counter(), time.process_time(), self._server.ms()
        try:
            yield
        finally:
            spent = self._spent[name]
            spent[0] += (time.perf_counter() - wall) * 1000
            spent[1] += (time.process_time() - cpu) * 1000
            spent[2] += self._server.ms() - there
            self._times[name] += counts

    def forget(self) -> None:
        self._spent.clear()
        self._times.clear()

    def told(self, searches: Times) -> list[dict[str, Any]]:
        """Means per search, the dearest first."""
        count = len(searches.wall)
        rest = [sum(searches.wall), sum(searches.cpu), sum(searches.server)]
        rows: list[dict[str, Any]] = []
        for name, spent in self._spent.items():
            rest = [left - taken for left, taken in zip(rest, spent, strict=True)]
            rows.append(_row(name, self._times[name], spent, count))
        return sorted([*rows, _row("python", count, rest, count)], key=lambda row: -row["wall"])


def _row(name: str, times: int, spent: Sequence[float], searches: int) -> dict[str, Any]:
    wall, cpu, server = (round(one / searches, 3) for one in spent)
    return {"stage": name, "times": round(times / searches, 2), "wall": wall, "cpu": cpu, "server": server}


class TimedEncoder:
    def __init__(self, encoder: Encoder, stages: Stages) -> None:
        self.model, self.checksum = encoder.model, encoder.checksum
        self._encoder, self._stages = encoder, stages

    def encode(self, texts: Sequence[str]) -> Vectors:
        with self._stages.timed("encoder"):
            return self._encoder.encode(texts)

    def knows(self, word: str) -> bool:
        return self._encoder.knows(word)

    def warm(self) -> None:
        self._encoder.warm()

    def sibling(self, model: str, checksum: str) -> Encoder | None:
        return self._encoder.sibling(model, checksum)


def _asker() -> str:
    """The nearest function of a queries folder that is asking now."""
    frame = inspect.currentframe()
    while frame is not None and "/queries/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame.f_code.co_name if frame is not None else "other statements"
