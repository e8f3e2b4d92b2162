"""Charts as SVG text: six shapes, one hand. No library, so a page, a mail and a PDF show the same drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

INK = "#17212b"
QUIET = "#6b7480"
LINE = "#d5dbe1"
ACCENT = "#0b5563"
PALE = "#a9c8ce"
FACE = "Inter, Noto Sans, Liberation Sans, DejaVu Sans, sans-serif"

SIZE = 6.4
"""Text of axes in points: the smallest that prints well."""


WIDEST = 56
"""Points of a column; a chart of two days should not look like two walls."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`label` stands below (columns) or left (rows); `note` is the value as people read it."""

    label: str
    value: float
    note: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Whisker:
    """A value with its interval; without `low` and `high` only the value is drawn. `strong`: it leaves out zero."""

    label: str
    value: float
    low: float | None
    high: float | None
    note: str = ""
    strong: bool = False


def columns(bars: Sequence[Bar], *, title: str, width: int = 480, height: int = 120, axis: Sequence[str] = ()) -> str:
    """Columns over time, negative ones below the line. `axis` are the words at zero and at the top."""
    top, bottom, left = 14, 16, 4
    highest = max((bar.value for bar in bars), default=0) or 0
    lowest = min((bar.value for bar in bars), default=0) or 0
    highest, lowest = max(highest, 0), min(lowest, 0)
    scale = (height - top - bottom) / ((highest - lowest) or 1)
    zero = top + highest * scale
    step = (width - left) / max(len(bars), 1)
    parts = [_line(0, top, width, top, LINE), _line(0, zero, width, zero, INK)]
    if axis:
        parts.append(_text(width, top - 4, axis[-1], anchor="end", fill=QUIET))
    for place, bar in enumerate(bars):
        x = left + place * step
        tall = abs(bar.value) * scale
        y = zero - tall if bar.value >= 0 else zero
        wide = min(step * 0.72, WIDEST)
        parts.append(_box(x + (step - wide) / 2, y, wide, tall, ACCENT if bar.strong else PALE, bar))
        if bar.label:
            middle = x + step / 2
            # The last label would run out of the picture.
            anchor = "end" if place == len(bars) - 1 and len(bars) > 1 else "middle"
            at = x + step * 0.86 if anchor == "end" else middle
            parts.append(_text(at, height - 4, bar.label, anchor=anchor, fill=INK if bar.strong else QUIET))
    return _picture(width, height, title, parts)


def rows(bars: Sequence[Bar], *, title: str, width: int = 480, label_width: int = 110, row_height: int = 17) -> str:
    """Bars from the left, longest is full width; each with its words before and its value behind."""
    longest = max((bar.value for bar in bars), default=0) or 1
    room = width - label_width - 96
    parts: list[str] = []
    for place, bar in enumerate(bars):
        y = place * row_height
        long = max(bar.value / longest * room, 0.8 if bar.value else 0)
        parts.append(_text(0, y + 11, bar.label, size=SIZE + 0.6, fill=INK))
        parts.append(_box(label_width, y + 3.2, room, row_height - 7, "#eef4f5", None))
        parts.append(_box(label_width, y + 3.2, long, row_height - 7, ACCENT if bar.strong else PALE, bar))
        parts.append(_text(width, y + 11, bar.note, anchor="end", size=SIZE + 0.6, fill=INK))
    return _picture(width, max(len(bars), 1) * row_height, title, parts)


def spark(values: Sequence[float], *, title: str, width: int = 90, height: int = 20) -> str:
    """A line without axes, for a place within text."""
    if len(values) < 2:
        return _picture(width, height, title, [])
    highest, lowest = max(values), min(values)
    scale = (height - 4) / ((highest - lowest) or 1)
    step = (width - 4) / (len(values) - 1)
    points = [(2 + place * step, height - 2 - (value - lowest) * scale) for place, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    last = points[-1]
    parts = [
        f'<polyline points="{path}" fill="none" stroke="{ACCENT}" stroke-width="1.2" stroke-linejoin="round"/>',
        f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="1.8" fill="{ACCENT}"/>',
    ]
    return _picture(width, height, title, parts)


def lines(
    values: Sequence[float],
    before: Sequence[float] = (),
    *,
    labels: Sequence[str],
    title: str,
    top: str = "",
    width: int = 760,
    height: int = 190,
) -> str:
    """A line over time, with what was `before` as a dashed one behind it. `labels` stand below, one for each value;
    empty ones are left out. `top` are the words of the highest value."""
    above, below, left = 14, 18, 4
    everything = [*values, *before]
    highest, lowest = max(everything, default=0), min(0.0, *everything, 0.0)
    scale = (height - above - below) / ((highest - lowest) or 1)
    step = (width - 2 * left) / max(max(len(values), len(before)) - 1, 1)

    def place(at: int, value: float) -> tuple[float, float]:
        return left + at * step, above + (highest - value) * scale

    zero = place(0, 0.0)[1]
    parts = [_line(0, above, width, above, LINE), _line(0, zero, width, zero, INK)]
    if top:
        parts.append(_text(width, above - 4, top, anchor="end", fill=QUIET))
    if len(before) > 1:
        parts.append(_path([place(at, value) for at, value in enumerate(before)], QUIET, dashed=True))
    if len(values) > 1:
        parts.append(_path([place(at, value) for at, value in enumerate(values)], ACCENT))
    parts += [_dot(*place(at, value), ACCENT, 2.0) for at, value in enumerate(values) if len(values) < 40]
    last = len(values) - 1
    for at, label in enumerate(labels):
        if label:
            anchor = "end" if at == last and last else "start" if at == 0 else "middle"
            parts.append(_text(place(at, 0)[0], height - 5, label, anchor=anchor, fill=QUIET))
    return _picture(width, height, title, parts)


def balance(
    bars: Sequence[Bar],
    *,
    title: str,
    ends: tuple[float, float],
    width: int = 320,
    label_width: int = 62,
    row_height: int = 15,
) -> str:
    """Bars to the right of a line, negative ones to its left. `ends` are the lowest and the highest value there can be,
    so that several drawings can be compared."""
    lowest, highest = min(ends[0], 0.0), max(ends[1], 0.0)
    scale = (width - label_width - 44) / ((highest - lowest) or 1)
    zero = label_width - lowest * scale
    parts: list[str] = []
    for place, bar in enumerate(bars):
        y, end = place * row_height, zero + min(max(bar.value, lowest), highest) * scale
        fill = ACCENT if bar.value >= 0 else QUIET
        parts.append(_text(0, y + 10, bar.label, size=SIZE + 0.6, fill=INK))
        parts.append(_box(min(zero, end), y + 3, max(abs(end - zero), 0.8), row_height - 6, fill, bar))
        parts.append(_text(width, y + 10, bar.note, anchor="end", size=SIZE + 0.6, fill=INK))
    parts.append(_line(zero, 0, zero, max(len(bars), 1) * row_height, INK))
    return _picture(width, max(len(bars), 1) * row_height, title, parts)


def whiskers(
    rows_: Sequence[Whisker], *, title: str, ends: tuple[str, str] = ("", ""), width: int = 560, label_width: int = 110
) -> str:
    """Values with their intervals around a line at zero, one a row. `ends` are the words at the left and right end."""
    row_height, head = 22, 14
    reach = (
        max((abs(end) for row in rows_ for end in (row.low, row.high, row.value) if end is not None), default=0) or 1
    )
    height, room = head + max(len(rows_), 1) * row_height, width - label_width - 130
    zero, scale = label_width + room / 2, room / 2 / reach
    parts = [
        _line(zero, head - 4, zero, height, INK),
        _text(label_width, head - 6, ends[0]),
        _text(label_width + room, head - 6, ends[1], anchor="end"),
    ]
    for place, row in enumerate(rows_):
        y, stroke = head + place * row_height + row_height / 2, ACCENT if row.strong else QUIET
        parts.append(_text(0, y + 2.5, row.label, size=SIZE + 0.6, fill=INK))
        if row.low is not None and row.high is not None:
            left, right = zero + row.low * scale, zero + row.high * scale
            parts += [_line(left, y, right, y, stroke, 1.6), _line(left, y - 4, left, y + 4, stroke, 1.2)]
            parts.append(_line(right, y - 4, right, y + 4, stroke, 1.2))
        parts.append(_dot(zero + row.value * scale, y, stroke, 3.2))
        parts.append(_text(width, y + 2.5, row.note, anchor="end", size=SIZE + 0.6, fill=INK))
    return _picture(width, height, title, parts)


def _picture(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}pt" height="{height}pt"'
        f' role="img" aria-label={quoteattr(title)} font-family="{FACE}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _box(x: float, y: float, width: float, height: float, fill: str, bar: Bar | None) -> str:
    told = "" if bar is None else f"<title>{escape(f'{bar.label} {bar.note}'.strip())}</title>"
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}">{told}</rect>'


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, thick: float = 0.6) -> str:
    return f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{stroke}" stroke-width="{thick}"/>'


def _path(points: Sequence[tuple[float, float]], stroke: str, *, dashed: bool = False) -> str:
    at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<polyline points="{at}" fill="none" stroke="{stroke}" stroke-width="1.4" stroke-linejoin="round"{dashes}/>'


def _dot(x: float, y: float, fill: str, radius: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: float = SIZE, fill: str = QUIET) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'
    )
