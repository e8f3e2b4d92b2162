"""What analytics expects of a second engine, one that stores columns: rows by the file, answers by the statement."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shop.errors import Rejected

Value = str | int | Sequence[str]


class ColumnsUnavailable(Rejected):
    """The second engine is not installed, or it died."""

    code = "second_engine_unavailable"
    status = 503


class ColumnEngine(Protocol):
    def do(self, statement: str) -> None:
        """A statement without an answer. Raises ColumnsUnavailable."""
        ...

    def ask(self, statement: str, values: Mapping[str, Value]) -> list[list[Any]]:
        """Rows as JSON has them. A list comes as the text of a JSON array. Raises ColumnsUnavailable."""
        ...
