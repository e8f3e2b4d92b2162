"""Orders of the past by the hundred thousand: one that was really paid, written again under other names, by COPY.

Every constraint and trigger is on: the database numbers and seals the facts and entries of each copy itself, checks
that its entries sum to zero, and refuses a copy that does not fit. The PDF of an invoice and the body of a delivery are
left out: they are most of the bytes and of no order's way.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql

from db.database import Database, Tx

# In the order of their foreign keys, each with what belongs to an order.
TABLES: dict[str, sql.SQL] = {
    "orders": sql.SQL("id = %(order)s"),
    "order_lines": sql.SQL("order_id = %(order)s"),
    "order_taxes": sql.SQL("order_id = %(order)s"),
    "payments": sql.SQL("order_id = %(order)s"),
    "provider_attempts": sql.SQL("order_id = %(order)s"),
    "transactions": sql.SQL("order_id = %(order)s ORDER BY seq"),
    "order_moves": sql.SQL("order_id = %(order)s ORDER BY seq"),
    "ledger_entries": sql.SQL("order_id = %(order)s ORDER BY seq"),
    "ledger_lines": sql.SQL("entry_id IN (SELECT id FROM ledger_entries WHERE order_id = %(order)s)"),
    "booked_taxes": sql.SQL("order_id = %(order)s"),
    "effects": sql.SQL("order_id = %(order)s"),
    "webhook_deliveries": sql.SQL("order_id = %(order)s"),
    "invoices": sql.SQL("order_id = %(order)s"),
    "document_files": sql.SQL("document_id IN (SELECT id FROM invoices WHERE order_id = %(order)s)"),
    "mails": sql.SQL("subject_id = %(order)s"),
}
ID = re.compile(r"(?<![0-9A-Za-z])[a-z]{2,7}_[0-9A-Za-z]{20,40}(?![0-9A-Za-z])")
DAY = re.compile(r"(?<!\d)20\d\d-\d\d-\d\d(?=[ T]\d\d:\d\d:\d\d)")
EMPTY_PDF = b"%PDF-1.7\n"
BATCH = 500
"""Orders in one transaction: enough that commits do not count, few enough that nothing waits long."""

DAYS, A_DAY = 700, 150
"""The past is spread over about two years, the oldest first, as their numbers are."""


@dataclass(frozen=True)
class Template:
    """A paid order as COPY writes it: the rows of each table, and what in them is its own."""

    columns: dict[str, list[str]]
    rows: dict[str, list[str]]
    number: str
    invoice: tuple[str, str, int]  # number, series, year


def add_past_orders(db: Database, order_id: str, first: int, count: int) -> None:
    """Write the paid order `count` times more, as past orders number `first` and following."""
    with db.transaction() as tx:
        template = _read(tx, order_id)
    copies = {table: [_Row(row, template) for row in rows] for table, rows in template.rows.items()}
    for start in range(first, first + count, BATCH):
        numbers = range(start, min(start + BATCH, first + count))
        with db.transaction() as tx:
            for table, rows in copies.items():
                _write(tx, template.columns[table], table, rows, numbers)
            _count_invoices(tx, template, numbers[-1])


def tidy(db: Database) -> None:
    """Do at once what autovacuum would do in the next minutes."""
    with db.session() as session:
        session.execute("VACUUM (ANALYZE)")


def _read(tx: Tx, order_id: str) -> Template:
    columns = {table: _columns(tx, table) for table in TABLES}
    rows = {table: list(_rows(tx, table, columns[table], order_id)) for table in TABLES}
    found = tx.execute(
        """
        SELECT orders.number, invoices.number, invoices.series, invoices.year
          FROM orders JOIN invoices ON invoices.order_id = orders.id WHERE orders.id = %(order)s
        """,
        {"order": order_id},
    ).fetchone()
    assert found is not None, "the order has its invoice"
    return Template(columns, rows, found[0], (found[1], found[2], found[3]))


def _columns(tx: Tx, table: str) -> list[str]:
    rows = tx.execute(
        """
        SELECT column_name FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = %(table)s
           AND is_generated = 'NEVER' AND identity_generation IS DISTINCT FROM 'ALWAYS'
         ORDER BY ordinal_position
        """,
        {"table": table},
    ).fetchall()
    return [row[0] for row in rows]


def _rows(tx: Tx, table: str, columns: Sequence[str], order_id: str) -> Iterator[str]:
    query = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table), TABLES[table]
    )
    named = sql.SQL(query.as_string(tx).replace("%(order)s", sql.Literal(order_id).as_string(tx)))  # type: ignore[arg-type]
    with tx.cursor().copy(named) as copy:
        yield from b"".join(bytes(part) for part in copy).decode().splitlines()


def _write(tx: Tx, columns: Sequence[str], table: str, rows: Sequence["_Row"], numbers: range) -> None:
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with tx.cursor().copy(query) as copy:
        for number in numbers:
            for row in rows:
                copy.write(_finished(table, columns, row.of(number), number))


def _finished(table: str, columns: Sequence[str], line: str, number: int) -> str:
    """Put in place what is no mere name."""
    if table not in {"invoices", "document_files", "webhook_deliveries"}:
        return line + "\n"
    fields = dict(zip(columns, line.split("\t"), strict=True))
    if table == "invoices":
        fields |= {"year": str(_year(int(fields["year"]))), "serial": str(number + 1)}
        fields["snapshot_sha256"] = _digest(fields["snapshot"].replace("\\\\", "\\"))
    elif table == "document_files":
        fields |= {"pdf": f"\\\\x{EMPTY_PDF.hex()}", "sha256": f"\\\\x{hashlib.sha256(EMPTY_PDF).hexdigest()}"}
    else:
        fields["body"] = "{}"
    return "\t".join(fields.values()) + "\n"


def _digest(snapshot: str) -> str:
    text = json.dumps(json.loads(snapshot), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"\\\\x{hashlib.sha256(text.encode()).hexdigest()}"


def _count_invoices(tx: Tx, template: Template, last: int) -> None:
    tx.execute(
        """
        INSERT INTO document_counters (series, year, last_serial) VALUES (%(series)s, %(year)s, %(last)s)
            ON CONFLICT (series, year) DO UPDATE SET last_serial = excluded.last_serial
        """,
        {"series": template.invoice[1], "year": _year(template.invoice[2]), "last": last + 1},
    )


def _year(year: int) -> int:
    """A year of their own keeps the past invoices' numbers without a gap."""
    return year - 10


class _Row:
    """A row of the template, cut where a copy differs."""

    def __init__(self, row: str, template: Template) -> None:
        self._today = datetime.now(UTC).date()
        self._names = {template.number: self._order_number, template.invoice[0]: self._invoice_number(template)}
        own = "|".join(map(re.escape, self._names))
        self._parts = re.split(f"({ID.pattern}|{DAY.pattern}|{own})", row)

    def of(self, number: int) -> str:
        return "".join(self._copied(part, number) if place % 2 else part for place, part in enumerate(self._parts))

    def _copied(self, part: str, number: int) -> str:
        if name := self._names.get(part):
            return name(number)
        if part[0].isdigit():
            return str(self._today - timedelta(days=max(1, DAYS - number // A_DAY)))
        kind, _, body = part.partition("_")
        # Nine digits of the copy first, so that ids sort by age; the rest tells the names of one order apart.
        return f"{kind}_{number:09d}{body[9:]}"

    @staticmethod
    def _order_number(number: int) -> str:
        return f"P{number:08d}"

    @staticmethod
    def _invoice_number(template: Template) -> Callable[[int], str]:
        _number, series, year = template.invoice
        return lambda number: f"{series}-{_year(year)}-{number + 1:07d}"
