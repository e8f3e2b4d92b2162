"""How much memory each line of the Procfile needs: asked of a local stack that is running.

    python -m bench.memory PID        PID is that of `backroom up`

PSS shares a page among the processes that map it, so the sums add up to what a machine of its own would need; USS is
what no other process has. Run it after `backroom day`: a process that has done nothing yet needs less.
"""

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

from devstack.processes import read_procfile
from devstack.programs import RELEASE

MB = 2**20


class Used(NamedTuple):
    line: str
    processes: int
    rss_mb: float
    pss_mb: float


def main() -> None:
    print(f"{'line':<20}{'processes':>10}{'RSS MB':>8}{'PSS MB':>8}")
    for used in measure(int(sys.argv[1])):
        print(f"{used.line:<20}{used.processes:>10}{used.rss_mb:>8.0f}{used.pss_mb:>8.0f}")


def measure(pid: int) -> list[Used]:
    """One row for each line of the Procfile, its children included."""
    running = psutil.Process(pid).children(recursive=True)
    return [
        _used(program.name, [one for one in running if _runs(one, program.command)])
        for program in read_procfile(Path("Procfile"))
        if program.name != RELEASE
    ]


def _runs(process: psutil.Process, command: str) -> bool:
    """By the words of the line that are no variables; a shell before it would be counted twice, so it is left out."""
    words = {word for word in shlex.split(command.removeprefix("exec ")) if "$" not in word and "{" not in word}
    typed = process.cmdline()
    return process.name() not in {"sh", "bash"} and words <= {
        Path(word).name if "/" in word else word for word in typed
    }


def _used(line: str, heads: list[psutil.Process]) -> Used:
    found = {one.pid: one for head in heads for one in (head, *head.children(recursive=True))}
    memory = [one.memory_full_info() for one in found.values()]
    return Used(line, len(found), sum(one.rss for one in memory) / MB, sum(one.pss for one in memory) / MB)


if __name__ == "__main__":
    main()
