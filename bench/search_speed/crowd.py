"""Many at once: how many searches a second the web process answers, new ones and kept ones."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bench.search_speed.interleaved import Asking
from bench.search_speed.processor import Programs

CLIENTS = 8
"""Connections that ask one query after the other: four for each of two web processes, so that these never wait."""


def measure(port: int, queries: Sequence[str], programs: Programs) -> dict[str, dict[str, Any]]:
    """The same queries twice: nobody has asked them before, then all of them are kept."""
    return {"new": _together(port, queries, programs), "kept": _together(port, queries, programs)}


def _together(port: int, queries: Sequence[str], programs: Programs) -> dict[str, Any]:
    remaining, took, kept = iter(queries), list[float](), list[bool]()
    lock = threading.Lock()
    failures: list[BaseException] = []
    clients = [
        threading.Thread(target=_client, args=(port, remaining, lock, took, kept, failures)) for _ in range(CLIENTS)
    ]
    programs.look()
    before, began = programs.seconds(), time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = time.monotonic() - began
    programs.look()  # a pool may have opened more connections
    web, postgres = (now - then for now, then in zip(programs.seconds(), before, strict=True))
    if failures:
        raise failures[0]
    p50, p95, p99 = np.percentile(took, [50, 95, 99]).tolist()
    return {
        "queries": len(took),
        "clients": CLIENTS,
        "per_second": round(len(took) / seconds, 1),
        "p50_ms": round(1000 * p50, 1),
        "p95_ms": round(1000 * p95, 1),
        "p99_ms": round(1000 * p99, 1),
        "kept_share": round(sum(kept) / len(kept), 3),
        "processor_ms": {"web": round(1000 * web / len(took), 2), "postgres": round(1000 * postgres / len(took), 2)},
    }


def _client(
    port: int,
    queries: Iterator[str],
    lock: threading.Lock,
    took: list[float],
    kept: list[bool],
    failures: list[BaseException],
) -> None:
    asking = Asking(port)
    try:
        while True:
            with lock:
                query = next(queries, None)
            if query is None:
                return
            began = time.perf_counter()
            told = asking.ask(query)
            took.append(time.perf_counter() - began)
            kept.append(bool(told["cached"]))
    except BaseException as error:  # noqa: BLE001 - told by the thread that waits
        failures.append(error)
    finally:
        asking.close()
