"""A report as CSV: one figure a row, so that a spreadsheet can filter and a program can read it."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

HEAD = ("section", "item", "measure", "currency", "value")

SECTIONS = (
    "report",
    "money",
    "trade",
    "restated",
    "reconciliation",
    "tracking",
    "funnel",
    "products",
    "search",
    "channels",
    "customers",
    "experiments",
    "operations",
)
"""In the order of the paper."""

Row = tuple[str, str, str, str, str]

_NAMES = ("day", "key", "name", "query", "channel", "number", "product_id", "method", "variant")
"""What a row of a table is called by, first that it has."""


def sheet(figures: Mapping[str, Any], sha256: str) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs to see that it is. Amounts stay whole minor units."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEAD)
    writer.writerow(("report", "", "sha256", "", sha256))
    for section in SECTIONS:
        if section in figures:
            writer.writerows(_harmless(row) for row in _rows(section, "", figures[section], ""))
    return out.getvalue().encode("utf-8-sig")


def _rows(section: str, item: str, value: object, currency: str) -> Iterator[Row]:
    """Mappings become measures, tables become items named by what they are about."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, object], value)
        currency = str(fields.get("currency") or currency)
        for name, inner in fields.items():
            if isinstance(inner, Mapping | list):
                yield from _rows(section, f"{item}/{name}".strip("/"), cast(object, inner), currency)
            elif name != "currency":
                yield section, item, name, currency, _cell(inner)
    elif isinstance(value, list):
        for place, row in enumerate(cast(Sequence[object], value), start=1):
            yield from _rows(section, f"{item}/{_name(row, place)}".strip("/"), row, currency)


def _name(row: object, place: int) -> str:
    if isinstance(row, Mapping):
        fields = cast(Mapping[str, object], row)
        for name in _NAMES:
            if fields.get(name):
                return str(fields[name])
    return str(place)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _harmless(row: Row) -> Row:
    """A product called `=HYPERLINK(…)` must not become a formula in somebody's spreadsheet."""
    section, item, measure, currency, value = row
    return section, _text(item), measure, currency, _text(value)


def _text(cell: str) -> str:
    is_number = cell.lstrip("-").isdigit()
    return f"'{cell}" if cell and cell[0] in "=+-@\t\r" and not is_number else cell
