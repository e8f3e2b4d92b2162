"""What clicks say about products once the places they were shown at are taken out of them."""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 100
"""Of expectation and maximisation. Where what is liked is nearly always shown last, the second digit stands by then."""

PRIOR = 10.0
"""As if each product had been seen by so many more who clicked it as often as all: the rare ones stay in the middle."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fit(pairs: Ints, places: Ints, shown: Floats, clicked: Floats) -> tuple[Floats, Floats]:
    """A click is a product that is looked at and found attractive: how attractive each pair is, and how likely each
    place is to be looked at (the first: 1), from how often a pair was shown and clicked at a place.

    The position-based click model (Craswell et al., 2008), fitted by expectation and maximisation, with places that
    fall (isotonic regression).
    """
    # A second of imports that only those pay who learn: the command line reads this file too.
    from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415

    seen = 1.0 / (1.0 + np.arange(int(places.max(initial=0)) + 1))
    usual = clicked.sum() / max(float((shown * seen[places]).sum()), 1e-9)
    attraction = np.full(int(pairs.max(initial=-1)) + 1, min(usual, 0.99))
    missed = shown - clicked
    weight = np.bincount(pairs, shown) + PRIOR
    looks_at = np.maximum(np.bincount(places, shown), 1e-9)
    falling = IsotonicRegression(increasing=False)
    for _ in range(ROUNDS):
        likes, looks = attraction[pairs], seen[places]
        nothing = np.maximum(1.0 - likes * looks, 1e-9)
        liked = clicked + missed * likes * (1.0 - looks) / nothing
        looked = clicked + missed * looks * (1.0 - likes) / nothing
        usual = liked.sum() / shown.sum()
        attraction = (np.bincount(pairs, liked) + PRIOR * usual) / weight
        seen = np.bincount(places, looked) / looks_at
        # Nobody looks at a place more than at those before it; with few clicks chance says otherwise.
        seen = falling.fit_transform(np.arange(len(seen)), seen, sample_weight=looks_at)
        # Twice as often seen and half as attractive is the same: the first place is always seen.
        first = max(float(seen[0]), 1e-9)
        seen, attraction = np.minimum(seen / first, 1.0), np.minimum(attraction * first, 0.999)
    return attraction.astype(np.float64), seen.astype(np.float64)
