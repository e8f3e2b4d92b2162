"""Boxes with arrows between them as SVG, by whole numbers only: the same picture to the byte on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLUMN, ROW = 190, 86
WIDTH, HEIGHT = 150, 34
MARGIN = 24

TONES = {"open": ("#eef4ff", "#2f5fb3"), "taken": ("#e9f7ee", "#1f7a43"), "ended": ("#f4f4f4", "#6b6b6b")}
"""Fill and line; dark enough on white for a contrast of 4.5 to 1."""


TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="#555"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Box:
    """`column` and `row` count from 0; `tone` is one of TONES."""

    name: str
    column: int
    row: int
    tone: str

    @property
    def centre(self) -> tuple[int, int]:
        return MARGIN + self.column * COLUMN + WIDTH // 2, MARGIN + self.row * ROW + HEIGHT // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """`title` is what a pointer over it shows, and what a screen reader reads."""

    tail: str
    head: str
    title: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def svg(picture: Picture) -> str:
    """The picture as a file of its own, with a title for those who cannot see it."""
    width = MARGIN * 2 + max(box.column for box in picture.boxes) * COLUMN + WIDTH
    height = MARGIN * 2 + max(box.row for box in picture.boxes) * ROW + HEIGHT
    boxes = {box.name: box for box in picture.boxes}
    drawn = [_arrow(arrow, boxes[arrow.tail], boxes[arrow.head]) for arrow in picture.arrows]
    drawn += [_box(box) for box in picture.boxes]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
        '     role="img" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(picture.title)}</title>",
        TIP,
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *drawn,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _box(box: Box) -> str:
    fill, line = TONES[box.tone]
    x, y = box.centre
    return (
        f'<rect x="{x - WIDTH // 2}" y="{y - HEIGHT // 2}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{fill}"'
        f' stroke="{line}"/><text x="{x}" y="{y + 5}" text-anchor="middle" fill="#222">{escape(box.name)}</text>'
    )


def _arrow(arrow: Arrow, tail: Box, head: Box) -> str:
    """A curve that leaves room for the one that comes back: each bends to its own right."""
    (x1, y1), (x2, y2) = _edge(tail, head), _edge(head, tail)
    length = max(abs(x2 - x1), abs(y2 - y1), 1)
    bend = 14
    middle_x = (x1 + x2) // 2 - (y2 - y1) * bend // length
    middle_y = (y1 + y2) // 2 + (x2 - x1) * bend // length
    dashes = ' stroke-dasharray="5 4"' if arrow.dashed else ""
    return (
        f'<path d="M{x1} {y1} Q{middle_x} {middle_y} {x2} {y2}" fill="none" stroke="#555"{dashes}'
        f' marker-end="url(#tip)"><title>{escape(f"{arrow.tail} to {arrow.head}: {arrow.title}")}</title></path>'
    )


def _edge(box: Box, towards: Box) -> tuple[int, int]:
    """Where an arrow to the other box touches this one: at the side that faces it."""
    x, y = box.centre
    if box.row == towards.row:
        return x + (WIDTH // 2 if towards.column > box.column else -(WIDTH // 2)), y
    if box.column == towards.column:
        return x, y + (HEIGHT // 2 if towards.row > box.row else -(HEIGHT // 2))
    side = 1 if towards.column > box.column else -1
    return x + side * WIDTH // 3, y + (HEIGHT // 2 if towards.row > box.row else -(HEIGHT // 2))
