"""What the shop could sell: the shelves of `assortment/*.toml`, read into typed rows.

A file is one department. Each `[[leaf]]` is a category with what its products share: brands, colours, uses
("for ..."), features, materials and closing sentences. Each `[[leaf.kind]]` is a type of product with its price band
in euro cents and its sizes; its own `features` and `materials` are added to the leaf's, its own `uses` and `closings`
replace them. A feature or material with `kinds` is for those types alone, one with `price` makes the product dearer by
that factor. Sentences may hold {word}, {brand} and {line}.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHELVES = Path(__file__).parent / "assortment"
SIZE_FIELDS = frozenset({"name", "dims", "weight_g"})


@dataclass(frozen=True)
class Trait:
    """A feature or a material: its name, the sentences that explain it, its factor on the price."""

    name: str
    text: tuple[str, ...]
    price: float
    kinds: frozenset[str]


@dataclass(frozen=True)
class Size:
    """One size of a kind; `extras` are further attributes such as power or pages."""

    name: str
    dims: str | None
    weight_g: int
    extras: dict[str, str]


@dataclass(frozen=True)
class Kind:
    """A type of product; prices are in euro cents."""

    name: str
    word: str
    called: str | None
    plural: bool
    lowest: int
    highest: int
    sizes: tuple[Size, ...]
    features: tuple[Trait, ...]
    materials: tuple[Trait, ...]
    uses: tuple[str, ...]
    closings: tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """A category at the end of the tree, for instance `Home & Kitchen > Coffee > Grinders`."""

    path: str
    brands: tuple[str, ...]
    lines: tuple[str, ...]
    colors: tuple[str, ...]
    kinds: tuple[Kind, ...]


def read_assortment(shelves: Path = SHELVES) -> list[Leaf]:
    """Return every leaf category, departments taking turns so that a small shop has something of each."""
    departments = [_department(path) for path in sorted(shelves.glob("*.toml"))]
    deepest = max(len(leaves) for leaves in departments)
    return [leaves[row] for row in range(deepest) for leaves in departments if row < len(leaves)]


def _department(path: Path) -> list[Leaf]:
    shelf = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_leaf(shelf["department"], tuple(shelf["lines"]), row) for row in shelf["leaf"]]


def _leaf(department: str, lines: tuple[str, ...], row: dict[str, Any]) -> Leaf:
    return Leaf(
        path=f"{department} > {row['path']}",
        brands=tuple(row["brands"]),
        lines=lines,
        colors=tuple(row["colors"]),
        kinds=tuple(_kind(row, kind) for kind in row["kind"]),
    )


def _kind(leaf: dict[str, Any], row: dict[str, Any]) -> Kind:
    name: str = row["name"]
    lowest, highest = row["price"]
    return Kind(
        name=name,
        word=row.get("word", leaf["word"]),
        called=row.get("a"),
        plural=row.get("plural", leaf.get("plural", False)),
        lowest=lowest,
        highest=highest,
        sizes=tuple(_size(size) for size in row["sizes"]),
        features=_traits(leaf["features"] + row.get("features", []), name),
        materials=_traits(leaf["materials"] + row.get("materials", []), name),
        uses=tuple(row.get("uses", leaf["uses"])),
        closings=tuple(row.get("closings", leaf["closings"])),
    )


def _size(row: dict[str, Any]) -> Size:
    extras = {field: value for field, value in row.items() if field not in SIZE_FIELDS}
    return Size(name=row["name"], dims=row.get("dims"), weight_g=row["weight_g"], extras=extras)


def _traits(rows: list[dict[str, Any]], kind: str) -> tuple[Trait, ...]:
    traits = [
        Trait(row["name"], tuple(row["text"]), row.get("price", 1.0), frozenset(row.get("kinds", ()))) for row in rows
    ]
    return tuple(trait for trait in traits if not trait.kinds or kind in trait.kinds)
