"""chDB: ClickHouse within a process of its own, which is spawned, never forked: a fork of it hangs for ever.

An optional extra (`pip install backroom[columns]`, 530 MB). Nothing of it is imported here, only in `columns_process`.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shop.ports.columns import ColumnsUnavailable, Value


class Chdb:
    """One process, one folder of data. Close it, or use it as a context."""

    def __init__(self, folder: Path, *, python: str = sys.executable) -> None:
        """`python`: the interpreter that has chdb, where it is not this one's. Raises ColumnsUnavailable."""
        self._process = subprocess.Popen(
            [python, "-P", str(Path(__file__).with_name("columns_process.py")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = str(self._answer()[0][0])

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, statement: str) -> None:
        self._say(statement, {})

    def ask(self, statement: str, values: Mapping[str, Value]) -> list[list[Any]]:
        return self._say(statement, {name: _written(value) for name, value in values.items()})

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _say(self, statement: str, values: Mapping[str, str]) -> list[list[Any]]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([statement, values]) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise ColumnsUnavailable("the second engine has died") from error
        return self._answer()

    def _answer(self) -> list[list[Any]]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ColumnsUnavailable("the second engine does not start: pip install 'backroom[columns]'")
        answer = json.loads(line)
        if isinstance(answer, str):
            raise ColumnsUnavailable(answer)
        return answer


def _written(value: Value) -> str:
    """A parameter as ClickHouse reads one: the escapes of its tab-separated format."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
