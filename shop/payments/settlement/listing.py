"""A list of differences that stays short however many there are: what is beyond it is counted and summed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shop.payments.queries.reconciling import Difference

LISTED_MAX = 1000
"""Differences of a kind that a comparison lists; where there are more, something general is wrong."""

BEYOND = "each of them is explained; they are too many to be listed"

Sums = dict[tuple[str, str, bool], tuple[int, int]]


@dataclass(slots=True)
class Listing:
    """`beyond`: `(kind, currency, whether explained)` → how many are not in the list, and their sum."""

    most: int = LISTED_MAX
    listed: list[Difference] = field(default_factory=list[Difference])
    numbers: Counter[str] = field(default_factory=Counter[str])
    beyond: Sums = field(default_factory=Sums)

    def add(self, found: Iterable[Difference]) -> None:
        for difference in found:
            self.numbers[difference.kind] += 1
            if self.numbers[difference.kind] <= self.most:
                self.listed.append(difference)
                continue
            key = difference.kind, difference.currency or "", difference.explanation is not None
            number, amount = self.beyond.get(key, (0, 0))
            self.beyond[key] = number + 1, amount + (difference.amount_minor or 0)

    def lines(self) -> list[Difference]:
        """The list, and one line for each sum of what is beyond it. No money is left out."""
        return [*self.listed, *(self._line(*key) for key in sorted(self.beyond))]

    def _line(self, kind: str, currency: str, explained: bool) -> Difference:
        number, amount = self.beyond[kind, currency, explained]
        together = f", {amount} {currency} together" if currency else ""
        return Difference(
            kind="more",
            order_id=None,
            object_id=f"{kind} {currency}".strip(),
            ours=None,
            theirs=f"{number} more of {kind}{together}",
            explanation=BEYOND if explained else None,
            amount_minor=amount if currency else None,
            currency=currency or None,
        )
