"""`backroom report`: make a day's report here and now, and keep its files."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from boot.commands.screen import bar, connected, out
from boot.settings import Settings
from shop.analytics.reports import report as reports
from shop.analytics.reports.report import House

FILES = ("pdf", "csv", "json")


def report(
    day: Annotated[str, typer.Argument(help="2026-11-22; without it, yesterday in the shop's time zone")] = "",
    folder: Annotated[Path, typer.Option("--out", help="where the three files go")] = Path(),
) -> None:
    """Make the nightly report of a day, mail it if it is a new version, and write its PDF, CSV and JSON."""
    services = connected()
    wanted = _day(day, services.settings)
    house = house_of(services.settings)
    with bar(f"Report of {wanted}", "steps") as progress:
        made = reports.report(services.db, services.events, house, progress, day=wanted.isoformat())
    folder.mkdir(parents=True, exist_ok=True)
    for kind in FILES:
        path = folder / f"nightly-{wanted}.{kind}"
        path.write_bytes(reports.file(services.db, str(made["report_id"]), kind))
        out.print(str(path))
    out.print(f"{made['report_id']}, version {made['version']}, SHA-256 {made['sha256']}", soft_wrap=True)


def house_of(settings: Settings) -> House:
    return House(settings.shop_name, settings.shop_address, settings.shop_tax_id, settings.zone, settings.shop_currency)


def _day(given: str, settings: Settings) -> date:
    if not given:
        return datetime.now(settings.zone).date() - timedelta(days=1)
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter(f"{given!r} is not a day; write it as 2026-11-22") from None
