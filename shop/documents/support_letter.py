"""What a letter to the shop's own people is made of."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SupportLetter:
    """`facts` are rows of label and value, `advice` says what can be done now. Without `headline` it is not sent and
    `unsent_because` says why.
    """

    headline: str
    subject: str = ""
    words: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    advice: str = ""
    unsent_because: str = ""

    @property
    def values(self) -> dict[str, Any]:
        return {"headline": self.headline, "words": self.words, "facts": self.facts, "advice": self.advice}
