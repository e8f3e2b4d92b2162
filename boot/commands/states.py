"""`backroom states`: the states of an order, as documentation and picture drawn from the code."""

from pathlib import Path
from typing import Annotated

import typer

from boot.commands.screen import out
from shop.payments.orders import diagram


def states(
    write: Annotated[
        Path | None, typer.Option(help="Write states.md and images/states.svg into this folder, as in --write docs.")
    ] = None,
) -> None:
    """Show the states of an order, what takes it from one to the next, and who does when nobody does.

    Example: backroom states --write docs
    """
    if write is None:
        out.print(diagram.page(), markup=False, highlight=False, soft_wrap=True)
        return
    (write / "images").mkdir(parents=True, exist_ok=True)
    (write / "states.md").write_text(diagram.page(), encoding="utf-8")
    (write / "images" / "states.svg").write_text(diagram.picture(), encoding="utf-8")
    out.print(f"{write / 'states.md'} and {write / 'images' / 'states.svg'} are written")
