"""`backroom import-catalog`, `embed` and `search`: the catalogue from a terminal."""

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer
from rich.markup import escape
from rich.table import Table

from boot.commands.hits import print_hits, show_hits
from boot.commands.screen import bar, complain, connected, err, out
from boot.services import Services
from shop.ports.encoder import EncoderUnavailable
from shop.progress import Progress
from shop.search.answering.find import SearchRequest, find
from shop.search.catalogue.importing import ImportReport, import_products
from shop.search.catalogue.reading import BrokenFile, Row, read_csv, read_ndjson
from shop.search.queries.filters import Filters
from shop.search.understanding.understand import PARTS
from shop.search.vectors import embed as embedding
from shop.search.vectors.embed import AlreadyEmbedding

REASONS_SHOWN = 20
LINES_SHOWN = 8
"""Of one reason: enough to look at; a column that was not mapped is wrong in every line."""

WAIT_FOR_WORKER_S = 2.0

Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="FIELD=COLUMN for a CSV, as name=Title or attributes.color=Colour; repeat. "
        "Columns named as our fields need none.",
    ),
]


def import_catalog(
    file: Annotated[str, typer.Argument(help="NDJSON or CSV, gzip or not; - for standard input")],
    form: Annotated[
        Literal["auto", "ndjson", "csv"], typer.Option("--format", help="auto goes by the file's name")
    ] = "auto",
    mapping: Map = None,
    prices: Annotated[
        Literal["minor", "major"], typer.Option(help="CSV prices: minor reads 1299, major reads 12.99")
    ] = "minor",
    strict: Annotated[bool, typer.Option("--strict", help="exit code 1 when any row was bad")] = False,
) -> None:
    """Take a catalogue in: each row is checked, bad ones are listed with line and reason, the rest goes in.

    What is new or reworded is embedded by the workers afterwards; `backroom embed` does it here and now.
    """
    services = connected()
    currency = services.settings.shop_currency
    with _opened(file) as stream, bar("Importing", "rows") as progress:
        rows = _rows(stream, file, form, mapping or [], prices, currency)
        try:
            report = import_products(services.db, rows, progress, currency=currency)
        except BrokenFile as broken:
            complain(f"{broken}. What was taken in before stays; importing a whole file again does no harm.")
    _show_import(report)
    if report.read == 0:
        complain("There is no product in it.")
    if report.rejected and (strict or report.rejected == report.read):
        raise typer.Exit(1)


def embed() -> None:
    """Give every new or reworded product its vector, here and now, with progress; goes on where a kill left off."""
    services = connected()
    began, embedded, remaining, told = time.monotonic(), 0, 1, False
    with bar("Embedding", "products") as progress:
        while remaining:
            try:
                found = embedding.embed(services.db, services.catalogue_encoder, _from(embedded, progress))
            except AlreadyEmbedding:
                if not told:
                    told = True
                    err.print("A worker has the products in hand; what it leaves is done here.")
                time.sleep(WAIT_FOR_WORKER_S)
                continue
            embedded, remaining = embedded + int(str(found["embedded"])), int(str(found["remaining"]))
    seconds = time.monotonic() - began
    rate = f", {1000 * seconds / embedded:.1f} s for 1,000" if embedded else ""
    out.print(f"{embedded:,} products embedded in {seconds:.1f} s{rate}.")


def search(
    text: Annotated[str, typer.Argument(help="what to look for")],
    mode: Annotated[Literal["hybrid", "semantic", "lexical"], typer.Option()] = "hybrid",
    category: Annotated[list[str] | None, typer.Option(help="any of them; repeat")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="any of them; repeat")] = None,
    price_max: Annotated[int | None, typer.Option(help="in minor units")] = None,
    in_stock: Annotated[bool, typer.Option("--in-stock")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="tell of every hit why it is there")] = False,
    literal: Annotated[bool, typer.Option("--literal", help="interpret and correct nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the hits as JSON, one object a line")] = False,
) -> None:
    """Search as the shop does, and print the hits as a table.

    For instance: backroom search "red mug under 20 euros" --explain
    """
    services = connected()
    filters = Filters(_lower(category), _lower(brand), price_max=price_max, in_stock=in_stock)
    request = SearchRequest(
        text, filters=filters, mode=mode, limit=limit, explain=explain,
        literal=PARTS if literal else (), correct=not literal,
    )  # fmt: skip
    if mode != "lexical":
        _warm(services)
    found = find(services.db, services.encoder, request, services.knowledge)
    if as_json:
        print_hits(found)
    else:
        show_hits(found)


def _warm(services: Services) -> None:
    """Load the model before the clock of the search starts, as the web process does."""
    try:
        services.encoder.warm()
    except EncoderUnavailable:
        err.print("[yellow]the model is not there yet; searching by words alone[/]")


def _from(embedded: int, progress: Progress) -> Progress:
    """Each bite counts from zero; the bar counts all of them."""

    def listen(done: int, total: int | None) -> None:
        progress(embedded + done, None if total is None else embedded + total)

    return listen


def _lower(words: list[str] | None) -> tuple[str, ...]:
    return tuple(word.lower() for word in words or ())


@contextmanager
def _opened(file: str) -> Generator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as stream:
        yield stream


def _rows(
    stream: BinaryIO, file: str, form: str, mapping: list[str], prices: Literal["minor", "major"], currency: str
) -> Iterator[Row]:
    is_csv = form == "csv" or (form == "auto" and file.removesuffix(".gz").endswith((".csv", ".tsv")))
    if not is_csv:
        return read_ndjson(stream)
    wrong = [wish for wish in mapping if "=" not in wish]
    if wrong:
        raise typer.BadParameter(f"--map {wrong[0]}: write FIELD=COLUMN, for instance name=Title")
    columns = dict(wish.split("=", 1) for wish in mapping)
    return read_csv(stream, columns, prices=prices, currency=currency)


def _show_import(report: ImportReport) -> None:
    table = Table("rows", "added", "changed", "unchanged", "repeated", "bad")
    counts = (report.read, report.added, report.changed, report.unchanged, report.repeated, report.rejected)
    table.add_row(*(f"{count:,}" for count in counts))
    out.print(table)
    lines: dict[str, list[int]] = {}
    for line, reason in report.problems:
        lines.setdefault(reason, []).append(line)
    for reason, where in list(lines.items())[:REASONS_SHOWN]:
        err.print(f"[yellow]{_lines(where)}[/]: {escape(reason)}", soft_wrap=True)
    shown = sum(len(where) for where in list(lines.values())[:REASONS_SHOWN])
    if report.rejected > shown:
        err.print(f"… and {report.rejected - shown:,} more bad rows")


def _lines(where: list[int]) -> str:
    numbers = ", ".join(map(str, where[:LINES_SHOWN]))
    more = f" and {len(where) - LINES_SHOWN} more" if len(where) > LINES_SHOWN else ""
    return f"line{'s' if len(where) > 1 else ''} {numbers}{more}"
