"""One product made from a shelf: chosen, named, described, priced, stocked and rated."""

from random import Random
from typing import Any

from devstack.seed.assortment import Kind, Leaf
from devstack.seed.prices import set_price
from devstack.seed.wording import Choice, weight_text, write_description, write_name

CURRENCY = "eur"
# Even the poorest shelf has some hundred thousand combinations: this many misses in a row mean the shelf is too small.
TRIES = 500
SOLD_OUT, NEARLY_GONE = 0.07, 0.22  # shares of the shelf: 7 % sold out, another 15 % with five or fewer
WITHDRAWN = 0.01  # products the shop no longer offers but still lists, as real catalogues have them
UNRATED = 0.08


def make_product(leaf: Leaf, dice: Random, taken: set[str]) -> dict[str, Any]:
    """Return a catalogue product without id and image; its name is added to `taken`.

    Raises ValueError when the shelf has no unused name left.
    """
    for _try in range(TRIES):
        choice = _choose(leaf, dice)
        name = write_name(choice, dice)
        if name not in taken and _sounds_right(choice):
            taken.add(name)
            return _product(leaf, choice, name, dice)
    raise ValueError(f"{leaf.path} has no unused names left: add lines, features or sizes to its shelf")


def _choose(leaf: Leaf, dice: Random) -> Choice:
    kind = dice.choice(leaf.kinds)
    return Choice(
        brand=dice.choice(leaf.brands),
        line=dice.choice(leaf.lines),
        kind=kind,
        size=dice.choice(kind.sizes),
        feature=dice.choice(kind.features),
        material=dice.choice(kind.materials),
        color=dice.choice(leaf.colors) if leaf.colors else None,
    )


def _sounds_right(choice: Choice) -> bool:
    """Keep out doublets such as a wireless wireless charger or terracotta in terracotta."""
    words = [*choice.kind.name.split(), *choice.feature.name.split(), *choice.material.name.split()]
    words += choice.color.split() if choice.color else []
    return len({word.lower() for word in words}) == len(words)


def _product(leaf: Leaf, choice: Choice, name: str, dice: Random) -> dict[str, Any]:
    rating, rating_count = _rate(choice.brand, dice)
    return {
        "name": name,
        "description": write_description(choice, dice),
        "category": leaf.path,
        "brand": choice.brand,
        "price": _price(choice, dice),
        "currency": CURRENCY,
        "stock": _stock(dice),
        "attributes": _attributes(choice),
        "rating": rating,
        "rating_count": rating_count,
        "active": dice.random() >= WITHDRAWN,
    }


def _price(choice: Choice, dice: Random) -> int:
    kind = choice.kind
    standing = (_standing(choice.brand) + _place(choice, kind)) / 2
    factor = choice.feature.price * choice.material.price
    return set_price(kind.lowest, kind.highest, standing=standing, factor=factor, dice=dice)


def _place(choice: Choice, kind: Kind) -> float:
    """Where the size stands among its kind's by weight, from 0 to 1: bigger costs more."""
    weights = sorted(size.weight_g for size in kind.sizes)
    return weights.index(choice.size.weight_g) / max(1, len(weights) - 1)


def _attributes(choice: Choice) -> dict[str, str]:
    attributes = {
        "color": choice.color,
        "material": choice.material.name,
        "size": choice.size.name,
        "feature": choice.feature.name,
        "weight": weight_text(choice.size.weight_g),
        "dimensions": choice.size.dims,
        **choice.size.extras,
    }
    return {name: value for name, value in attributes.items() if value}


def _stock(dice: Random) -> int:
    fate = dice.random()
    if fate < SOLD_OUT:
        return 0
    if fate < NEARLY_GONE:
        return dice.randint(1, 5)
    return min(400, 6 + round(dice.lognormvariate(3.3, 0.8)))


def _rate(brand: str, dice: Random) -> tuple[float | None, int]:
    if dice.random() < UNRATED:
        return None, 0
    rating = dice.gauss(3.8 + 0.7 * _standing(brand), 0.28)
    return round(min(4.9, max(2.3, rating)), 1), 1 + int(dice.lognormvariate(3.4, 1.3))


def _standing(brand: str) -> float:
    """How fine a brand is, 0 to 1: the same in every department, so that ratings and prices agree."""
    return Random(f"brand {brand}").random()
