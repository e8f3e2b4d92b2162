"""Reads product rows from a file or a pipe, one at a time: NDJSON (gzip or not) and CSV with the shop's own columns."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import BinaryIO, Literal

from shop.money import decimals
from shop.search.catalogue.product import FIELDS, BadRow

Row = tuple[int, Mapping[str, object] | BadRow]
"""A line's number, from 1, with what stands in it or why that cannot be read."""

LONGEST_LINE = 1 << 20
"""A product is a few kilobytes. A line of a megabyte is a broken file, and must not fill the memory."""

LONGEST_HEAD = 8192
LONGEST_LIST = 200
DELIMITERS = ",;\t|"

GZIP = b"\x1f\x8b"
UNREADABLE = (EOFError, gzip.BadGzipFile, zlib.error)


class BrokenFile(BadRow):
    """The file as a whole cannot be read, or not further; the text says why or from where on."""


def read_ndjson(stream: BinaryIO) -> Generator[Row]:
    """One JSON object a line; empty lines are passed over. gzip is told by its first bytes.

    Raises BrokenFile when a gzip file is cut off or damaged, after the rows that could be read.
    """
    return _told_where_it_breaks(_ndjson(stream))


def _ndjson(stream: BinaryIO) -> Generator[Row]:
    for number, line in enumerate(_lines(_unzipped(stream)), start=1):
        if isinstance(line, BadRow):
            yield number, line
        elif line.strip():
            yield number, _object(line)


def read_csv(
    stream: BinaryIO, mapping: Mapping[str, str], *, prices: Literal["minor", "major"] = "minor", currency: str = "eur"
) -> Generator[Row]:
    """`mapping`: our field → their column; `attributes.colour` puts a column below attributes.

    Columns named as our fields need no mapping; beside one, columns that neither it nor we name are left out.
    Columns may be parted by comma, semicolon, tab or bar: whichever the head has most of.
    prices: `major` reads 12.99 as 1299 (of `currency`, or of the row's own currency).
    Raises BrokenFile at once when a mapped column is not in the head of the file, and as read_ndjson does.
    """
    return _told_where_it_breaks(_csv(stream, mapping, prices, currency))


def _csv(
    stream: BinaryIO, mapping: Mapping[str, str], prices: Literal["minor", "major"], currency: str
) -> Generator[Row]:
    csv.field_size_limit(LONGEST_LINE)
    plain = _unzipped(stream)
    head = plain.peek(LONGEST_HEAD).split(b"\n", 1)[0].decode("utf-8", "replace")
    text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
    rows = csv.DictReader(text, delimiter=max(DELIMITERS, key=head.count))
    columns = _columns(rows.fieldnames or (), mapping)
    while True:
        try:
            record = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield rows.line_num, BadRow(f"not CSV: {error}")
            continue
        yield rows.line_num, _mapped(record, columns, prices, currency)


def _columns(head: Sequence[str], mapping: Mapping[str, str]) -> Mapping[str, str]:
    missing = sorted(set(mapping.values()) - set(head))
    if missing:
        raise BrokenFile(f"the file has no column {missing[0]!r}; it has {', '.join(head)[:LONGEST_LIST]}")
    taken = set(mapping.values())
    ours = {name: name for name in head if name not in taken and (not mapping or _is_ours(name))}
    return ours | dict(mapping)


def _is_ours(name: str) -> bool:
    return name in FIELDS or name.startswith("attributes.")


def _told_where_it_breaks(rows: Iterator[Row]) -> Generator[Row]:
    number = 0
    try:
        for number, row in rows:
            yield number, row
    except UNREADABLE:
        raise BrokenFile(f"the file is cut off or damaged after line {number}") from None


def _unzipped(stream: BinaryIO) -> io.BufferedReader:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # pyright: ignore[reportArgumentType]
    if buffered.peek(2)[:2] == GZIP:
        return io.BufferedReader(gzip.GzipFile(fileobj=buffered))  # pyright: ignore[reportReturnType]
    return buffered


def _lines(stream: BinaryIO) -> Iterator[bytes | BadRow]:
    while line := stream.readline(LONGEST_LINE):
        if line.endswith(b"\n") or len(line) < LONGEST_LINE:
            yield line
            continue
        while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield BadRow(f"the line is longer than {LONGEST_LINE} bytes")


def _object(line: bytes) -> Mapping[str, object] | BadRow:
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return BadRow("not UTF-8")
    except (ValueError, RecursionError):
        return BadRow("not JSON")
    return found if isinstance(found, dict) else BadRow("not a JSON object")


def _mapped(
    record: Mapping[str, str | None], columns: Mapping[str, str], prices: str, currency: str
) -> Mapping[str, object] | BadRow:
    row: dict[str, object] = {}
    attributes: dict[str, object] = {}
    for name, column in columns.items():
        value = record.get(column)
        if value is None or value == "":
            continue
        if name.startswith("attributes."):
            attributes[name.removeprefix("attributes.")] = value
        else:
            row[name] = value
    if isinstance(given := row.get("attributes"), str):
        try:
            row["attributes"] = json.loads(given)
        except ValueError:
            return BadRow("attributes are not JSON")
    if attributes:
        row["attributes"] = attributes
    return _in_minor(row, currency) if prices == "major" and "price" in row else row


def _in_minor(row: dict[str, object], currency: str) -> Mapping[str, object] | BadRow:
    try:
        price = Decimal(str(row["price"]).strip())
    except InvalidOperation:
        return BadRow("price must be a number as 12.99")
    return row | {"price": str(price.scaleb(decimals(str(row.get("currency") or currency).lower())))}
