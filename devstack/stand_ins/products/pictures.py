"""A picture for every product: drawn as SVG from its name and colour, so that the shop works offline."""

from hashlib import sha256
from html import escape

from devstack.stand_ins.products.catalogue import Product

LETTERS_IN_A_LINE, LINES = 22, 4
# The shelf's colour words, as far as they are not plain enough for a stylesheet; unknown ones get a hue of their own.
SWATCHES = {
    "black": "#222", "white": "#fafafa", "cream": "#f3e9d2", "silver": "#c0c4c8", "green": "#3f7d4e",
    "grey": "#8c9096", "copper": "#b87333", "blue": "#3a6ea5", "navy": "#1f2f55", "red": "#b5342d",
    "sand": "#d8c3a0", "sage": "#9caf88", "terracotta": "#c5694a", "brown": "#6b4a35", "brass": "#b5a642",
    "olive": "#7a7b3c", "mustard": "#d4a52a", "charcoal": "#3a3d42", "graphite": "#474a51", "rust": "#a8502f",
    "oak": "#c8a26b", "walnut": "#6f4e37", "orange": "#d9782d", "yellow": "#d8e03a", "pink": "#e4a3b0",
    "rose": "#dba6a8", "lavender": "#b9a7d6", "stone": "#b7b1a5", "natural": "#e2cfa9", "ivory": "#f6f0dc",
}  # fmt: skip


def draw(product: Product) -> str:
    """Return an SVG of 400 by 400: a swatch of the product's colour, its brand, its name."""
    hue = int.from_bytes(sha256(product.category.encode()).digest()[:2], "big") % 360
    rows = "".join(
        f'<text x="200" y="{266 + 27 * place}" font-size="20">{escape(row)}</text>'
        for place, row in enumerate(_rows(product.name))
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400" '
        f'role="img" aria-label="{escape(product.name)}">'
        f'<rect width="400" height="400" fill="hsl({hue} 40% 93%)"/>'
        f'<rect x="130" y="50" width="140" height="140" rx="28" fill="{_swatch(product)}" '
        f'stroke="hsl({hue} 30% 45%)" stroke-width="3"/>'
        f'<g font-family="system-ui, sans-serif" text-anchor="middle" fill="hsl({hue} 35% 22%)">'
        f'<text x="200" y="228" font-size="15" letter-spacing="2">{escape((product.brand or "").upper())}</text>'
        f"{rows}</g></svg>"
    )


def _rows(name: str) -> list[str]:
    rows = [""]
    for word in name.split():
        if rows[-1] and len(rows[-1]) + 1 + len(word) > LETTERS_IN_A_LINE:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}".strip()
    return rows[:LINES]


def _swatch(product: Product) -> str:
    color = str((product.attributes or {}).get("color", ""))
    for word in color.lower().split():
        if word in SWATCHES:
            return SWATCHES[word]
    hue = int.from_bytes(sha256((color or product.id).encode()).digest()[:2], "big") % 360
    return f"hsl({hue} 45% 60%)"
