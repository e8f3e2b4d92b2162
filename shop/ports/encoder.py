"""What search needs from a language model: the same texts, always the same unit vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shop.errors import NotYet

DIMENSIONS = 384

Vectors = NDArray[np.float32]
"""One row of DIMENSIONS numbers for each text, of length one: their inner product is their cosine."""


class EncoderUnavailable(NotYet):
    """There is no usable model here (yet): not exported, damaged, or not the one that was promised."""

    code = "encoder_unavailable"


class Encoder(Protocol):
    """Opens nothing until it is first used."""

    @property
    def model(self) -> str:
        """The model's name, of letters, digits, points and dashes, at most 60."""
        ...

    @property
    def checksum(self) -> str:
        """sha256 of the model's weights, in hex. Vectors of two encoders may be compared with each other when name and
        checksum are the same, and never otherwise.
        """
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Texts beyond 64 tokens are cut. Raises EncoderUnavailable."""
        ...

    def knows(self, word: str) -> bool:
        """Whether the model has this word (lower case) as a whole: then it is a word, whoever sells it or not.

        Raises EncoderUnavailable.
        """
        ...

    def sibling(self, model: str, checksum: str) -> "Encoder | None":
        """The encoder of another model whose files are still (or already) here; None when they are not."""
        ...

    def warm(self) -> None:
        """Load the model now instead of in the first request. Raises EncoderUnavailable."""
        ...
