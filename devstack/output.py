"""What the programs print: every line to its log file, and to the terminal with its program's name when asked."""

import os
import selectors
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")
LOG_KEPT_BYTES = 10_000_000  # older lines go to NAME.log.1 at the next start
LINES_REMEMBERED = 20
LONGEST_LINE = 64_000  # a program that never ends its line must not fill the memory


@dataclass
class _Source:
    name: str
    colour: str
    log: IO[bytes]
    last: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_REMEMBERED))
    rest: bytes = b""


class Output:
    """One thread reads all pipes; `add` gives a program's pipe, `show` says whether the terminal gets the lines."""

    def __init__(self, logs: Path, console: Console, *, show: bool, width: int = 12) -> None:
        self._logs = logs
        self._console = console
        self._width = width
        self.show = show
        self._sources: dict[str, _Source] = {}
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._closing = False
        self._thread = threading.Thread(target=self._read_all, name="output", daemon=True)
        self._thread.start()

    def add(self, name: str, pipe: IO[bytes]) -> None:
        """Read `pipe` from now on; a restarted program keeps its log and colour."""
        with self._lock:
            if name not in self._sources:
                colour = COLOURS[len(self._sources) % len(COLOURS)]
                self._sources[name] = _Source(name, colour, _open_log(self._logs / f"{name}.log"))
            self._selector.register(pipe, selectors.EVENT_READ, (self._sources[name], pipe))
        os.write(self._wake_write, b".")

    def last_lines(self, name: str) -> list[str]:
        return list(self._sources[name].last) if name in self._sources else []

    def close(self) -> None:
        """Read what is left in the pipes, then let go."""
        self._closing = True
        os.write(self._wake_write, b".")
        self._thread.join(5)
        for source in self._sources.values():
            source.log.close()
        os.close(self._wake_write)

    def _read_all(self) -> None:
        while True:
            ready = self._selector.select(0 if self._closing else None)
            for key, _ in ready:
                if key.data is None:
                    os.read(self._wake_read, 1000)
                else:
                    self._read(*key.data)
            if self._closing and not any(key.data for key, _ in ready):
                break
        self._selector.close()
        os.close(self._wake_read)

    def _read(self, source: _Source, pipe: IO[bytes]) -> None:
        piece = os.read(pipe.fileno(), 65536)
        if not piece:
            self._selector.unregister(pipe)
            pipe.close()
        whole = source.rest + piece
        lines = whole.split(b"\n")
        source.rest = lines.pop()
        if source.rest and (not piece or len(source.rest) > LONGEST_LINE):
            lines.append(source.rest)
            source.rest = b""
        for line in lines:
            self._print(source, line)
        source.log.flush()

    def _print(self, source: _Source, line: bytes) -> None:
        source.log.write(line + b"\n")
        text = line.decode(errors="replace").rstrip("\r")
        source.last.append(text)
        if self.show:
            name = Text(f"{source.name:<{self._width}} │ ", style=source.colour)
            self._console.print(name + Text.from_ansi(text), soft_wrap=True, highlight=False)


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")
