"""The words of a product: its name, and a description of three or four sentences made of its own facts."""

from dataclasses import dataclass
from random import Random

from devstack.seed.assortment import Kind, Size, Trait

GRAMS_IN_A_KILO = 1000
# Words that keep their capital inside a sentence; abbreviations keep theirs anyway.
PROPER = frozenset({"French", "Bluetooth"})

OPENINGS = (
    "{A_kind} for {use}.",
    "The {line} is {a_kind}, made for {use}.",
    "{brand} designed the {line} with {use} in mind.",
    "Looking for {a_kind} for {use}? The {line} was made for that.",
    "Good for {use}, the {line} does its job without fuss.",
    "{A_kind} from {brand}, meant for {use}.",
    "Customers buy the {line} for {use}, and then keep it for everything else.",
    "Part of the {line} range by {brand}, {this} {word} {is_are} meant for {use}.",
    "Ask for {a_kind} for {use}, and this is what we put on the counter.",
    "The idea behind the {line}: {a_kind} for {use}, and nothing more.",
)
MEASURES = (
    "{It} {measures} {dims} and {weighs} {weight}.",
    "The {size} version {measures} {dims} and {weighs} {weight}.",
    "The {word} {measures} {dims} in all; the scales say {weight}.",
    "Dimensions are {dims}, the weight is {weight}.",
    "Plan for {dims} and {weight}.",
    "With {dims} and a weight of {weight}, {it} {is_are} easy to place.",
    "Measured by us: {dims}, {weight}.",
)
WEIGHTS = (
    "In size {size} {it} {weighs} {weight}.",
    "Size {size} comes to {weight} on the scales.",
    "The {word} in size {size} {weighs} about {weight}.",
    "Weight in size {size}: {weight}.",
)
# Which sentences follow the opening, which always says what the product is for.
SHAPES = (
    ("feature", "material", "measure"),
    ("material", "feature", "measure"),
    ("material", "measure", "closing"),
    ("feature", "material_measure"),
    ("material", "measure"),
)
NAMES = (
    "{brand} {line} {feature} {kind}, {color_size}",
    "{brand} {line} {material} {kind}, {size_color}",
    "{brand} {feature} {material} {kind} {line}, {size}",
    "{brand} {line} {feature} {kind} in {color_or_material}, {size}",
)


@dataclass(frozen=True)
class Choice:
    """What was chosen for one product."""

    brand: str
    line: str
    kind: Kind
    size: Size
    feature: Trait
    material: Trait
    color: str | None


def write_name(choice: Choice, dice: Random) -> str:
    """Return a name such as `Brannoch Tern Quiet Burr Coffee Grinder, Cream, 250 g`."""
    color, size = choice.color, choice.size.name
    return dice.choice(NAMES).format(
        brand=choice.brand,
        line=choice.line,
        kind=choice.kind.name,
        feature=choice.feature.name,
        material=choice.material.name,
        size=size,
        color_size=f"{color}, {size}" if color else size,
        size_color=f"{size}, {color}" if color else size,
        color_or_material=color or choice.material.name,
    )


def write_description(choice: Choice, dice: Random) -> str:
    """Return three or four sentences that name use, material and measures."""
    slots = _slots(choice, dice)
    sentences = [dice.choice(OPENINGS)]
    for part in dice.choice(SHAPES):
        sentences += _sentences(part, choice, dice)
    return " ".join(sentence.format_map(slots) for sentence in sentences)


def weight_text(weight_g: int) -> str:
    """Return grams as people read them: `420 g`, `1.9 kg`."""
    if weight_g < GRAMS_IN_A_KILO:
        return f"{weight_g} g"
    return f"{weight_g / GRAMS_IN_A_KILO:.2f}".rstrip("0").rstrip(".") + " kg"


def _sentences(part: str, choice: Choice, dice: Random) -> list[str]:
    measures = MEASURES if choice.size.dims else WEIGHTS
    if part == "material_measure":
        return [dice.choice(choice.material.text), dice.choice(measures)]
    pools = {
        "feature": choice.feature.text,
        "material": choice.material.text,
        "measure": measures,
        "closing": choice.kind.closings,
    }
    return [dice.choice(pools[part])]


def _slots(choice: Choice, dice: Random) -> dict[str, str]:
    kind, plural = choice.kind, choice.kind.plural
    a_kind = kind.called or with_article(kind.name)
    return {
        "brand": choice.brand,
        "line": choice.line,
        "word": kind.word,
        "use": dice.choice(kind.uses),
        "a_kind": a_kind,
        "A_kind": a_kind[0].upper() + a_kind[1:],
        "size": choice.size.name,
        "dims": choice.size.dims or "",
        "weight": weight_text(choice.size.weight_g),
        "it": "they" if plural else "it",
        "It": "They" if plural else "It",
        "this": "these" if plural else "this",
        "is_are": "are" if plural else "is",
        "measures": "measure" if plural else "measures",
        "weighs": "weigh" if plural else "weighs",
    }


def with_article(name: str) -> str:
    """Return the name as it stands inside a sentence: `an optical mouse`, `a USB-C wall charger`."""
    inside = " ".join(_inside_a_sentence(word) for word in name.split())
    return f"{'an' if inside[0] in 'aeio' else 'a'} {inside}"


def _inside_a_sentence(word: str) -> str:
    keeps_capital = word in PROPER or (len(word) > 1 and word[1].isupper())
    return word if keeps_capital else word.lower()
