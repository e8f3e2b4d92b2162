"""`backroom settings`: every setting, as documentation drawn from the code."""

from pathlib import Path
from typing import Annotated

import typer

from boot import settings_page
from boot.commands.screen import out


def settings(
    write: Annotated[Path | None, typer.Option(help="Write settings.md into this folder, as in --write docs.")] = None,
) -> None:
    """Show every setting with its default, its limits and what it does.

    Example: backroom settings --write docs
    """
    if write is None:
        out.print(settings_page.page(), markup=False, highlight=False)
        return
    write.mkdir(parents=True, exist_ok=True)
    (write / "settings.md").write_text(settings_page.page(), encoding="utf-8")
    out.print(f"{write / 'settings.md'} is written")
