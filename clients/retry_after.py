"""What a Retry-After header asks of us, as far as it is reasonable."""

LONGEST_S = 3600.0
"""Whoever wants to be left alone for longer is asked again after an hour: orders wait here."""


def wished_wait_s(header: str) -> float | None:
    """Seconds; None for no header, a date, or nonsense."""
    # Not every sign that Python calls a digit is one that it can read.
    if not (header.isascii() and header.isdigit()):
        return None
    return min(float(header[:9]), LONGEST_S)
