"""The picture of an order's states, drawn from the graph that the code obeys: Mermaid, SVG, and tables of words."""

from collections.abc import Iterable

from shop.drawing import Arrow, Box, Picture, svg
from shop.payments.orders.moves import CALLED_OFF, FINAL, FORCED, MOVES, STATUSES, SWEPT, TAKEN, Move

PLACES = {
    "placing": (0, 1),
    "rejected": (0, 4),
    "awaiting_payment": (1, 1),
    "processing": (2, 0),
    "requires_action": (3, 1),
    "payment_failed": (2, 2),
    "expired": (2, 4),
    "authorized": (4, 0),
    "canceled": (4, 4),
    "capturing": (5, 0),
    "paid": (6, 0),
    "partially_refunded": (6, 2),
    "refunded": (6, 4),
}
"""Column and row of each state: paying goes to the right, ending downwards."""

INTRODUCTION = """# The states of an order

Written by `backroom states` from `shop/payments/orders/moves.py`; a test fails when it is out of date. A fact that
would take an order along no arrow is refused, and the news waits for a person. Several arrows can be taken at once,
because facts may be learnt late.

![The states of an order](images/states.svg)
"""


def page() -> str:
    """docs/states.md as a whole."""
    parts = (INTRODUCTION, _mermaid(), _moves_table(), _forced_table(), _ways_out())
    return "\n".join(parts)


def picture() -> str:
    """docs/images/states.svg as a whole. Each arrow's facts stand in its title, which a pointer over it shows."""
    boxes = [Box(status, *PLACES[status], _tone(status)) for status in STATUSES]
    arrows = [Arrow(move.before, move.after, ", ".join(move.causes)) for move in MOVES]
    forced = [Arrow(move.before, move.after, "correction.made", dashed=True) for move in FORCED]
    return svg(Picture("The states of an order", boxes, arrows + forced))


def _tone(status: str) -> str:
    if status in CALLED_OFF:
        return "ended"
    return "taken" if status in TAKEN else "open"


def _mermaid() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> placing: order.opened"]
    lines += [f"    {move.before} --> {move.after}: {_causes(move)}" for move in MOVES]
    lines += [f"    {move.before} --> {move.after}: {_causes(move)} (a person)" for move in FORCED]
    lines += [f"    {status} --> [*]" for status in STATUSES if status in FINAL]
    return "\n".join([*lines, "```", ""])


def _causes(move: Move) -> str:
    # A colon would end Mermaid's label.
    return " or ".join(move.causes).replace(":", "")


def _moves_table() -> str:
    rows = [f"| `{move.before}` | `{move.after}` | {_words(move)} |" for move in MOVES]
    return _table("## What takes an order from one state to the next", ("from", "to", "facts"), rows)


def _forced_table() -> str:
    rows = [f"| `{move.before}` | `{move.after}` | {_words(move)} |" for move in FORCED]
    return _table("## What only a person may do", ("from", "to", "fact"), rows)


def _ways_out() -> str:
    rows = [f"| `{status}` | {sentence} |" for status, sentence in SWEPT.items()]
    title = "## Who takes an order on when nobody and no news does"
    end = (
        f"Final, or at rest with the money taken: {', '.join(f'`{name}`' for name in STATUSES if name not in SWEPT)}.\n"
    )
    return _table(title, ("state", "by what"), rows) + "\n" + end


def _words(move: Move) -> str:
    return ", ".join(f"`{cause}`" for cause in move.causes)


def _table(title: str, heads: Iterable[str], rows: list[str]) -> str:
    heads = tuple(heads)
    return "\n".join([title, "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *rows, ""])
