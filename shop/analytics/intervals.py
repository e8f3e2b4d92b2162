"""How sure a share is: intervals for proportions."""

from math import sqrt

Z95 = 1.959963984540054
"""The normal quantile of 97.5 %: two-sided 95 % intervals."""


def wilson(hits: int, tries: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of `hits` out of `tries`: honest for few tries and for shares near 0 and 1, where the
    usual textbook interval is not. (0, 1) when nothing was tried. E. B. Wilson, JASA 22 (1927), 209-212.
    """
    if tries == 0:
        return 0.0, 1.0
    share, z2 = hits / tries, z * z
    middle = (share + z2 / (2 * tries)) / (1 + z2 / tries)
    half = z / (1 + z2 / tries) * sqrt(share * (1 - share) / tries + z2 / (4 * tries * tries))
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == tries else middle + half)
