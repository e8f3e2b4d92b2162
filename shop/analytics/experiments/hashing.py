"""Who gets which variant: a pure function of seed and visitor, the same in every process and every language.

It is GrowthBook's hash, version 2, as the specification for authors of its SDKs describes it (docs.growthbook.io,
"Build your own SDK"): FNV-1a of 32 bits, taken twice, because taken once it lets experiments that start alike depend
on one another. Namespaces use version 1, as there. So an app with one of those SDKs comes to the same variants.
"""

from collections.abc import Sequence
from dataclasses import dataclass

OFFSET = 0x811C9DC5
PRIME = 0x01000193

Range = tuple[float, float]
"""From (included) to (excluded), of the numbers from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str
    start: float
    end: float


def fnv1a32(text: str) -> int:
    """Over the UTF-16 code units, as JavaScript sees a text; for plain ids these are its bytes."""
    found = OFFSET
    units = text.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(units), 2):
        found = (found ^ int.from_bytes(units[at : at + 2], "little")) * PRIME & 0xFFFFFFFF
    return found


def share(seed: str, unit: str) -> float:
    """A number from 0 to 0.9999 that belongs to the unit under this seed."""
    return fnv1a32(str(fnv1a32(seed + unit))) % 10_000 / 10_000


def ranges(weights: Sequence[float], coverage: float) -> list[Range]:
    """One a variant. Less coverage shortens each from its end, so that widening it moves nobody to another variant."""
    found: list[Range] = []
    begin = 0.0
    for weight in weights:
        found.append((begin, begin + coverage * weight))
        begin += weight
    return found


def chosen(number: float, among: Sequence[Range]) -> int | None:
    """The variant in whose range the number lies, None where coverage leaves a gap."""
    return next((at for at, (start, end) in enumerate(among) if start <= number < end), None)


def within(namespace: Namespace, unit: str) -> bool:
    number = fnv1a32(unit + "__" + namespace.name) % 1_000 / 1_000
    return namespace.start <= number < namespace.end


def variant_of(
    unit: str, *, seed: str, weights: Sequence[float], coverage: float, namespace: Namespace | None
) -> int | None:
    """The variant by its place, or None: not in the experiment."""
    if namespace is not None and not within(namespace, unit):
        return None
    return chosen(share(seed, unit), ranges(weights, coverage))
