"""Slips of the finger: one letter more, less, other, or two swapped; and the pieces by which they are recognised."""


def pieces(word: str) -> set[str]:
    """The word, and the word without each one of its letters. Words that are a slip apart share one."""
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}


def is_one_slip(first: str, second: str) -> bool:
    """Whether one letter more, less, other, or two neighbours swapped, make one of the other."""
    if len(first) > len(second):
        first, second = second, first
    if len(second) - len(first) > 1 or first == second:
        return False
    start = 0
    while start < len(first) and first[start] == second[start]:
        start += 1
    if len(first) < len(second):
        return first[start:] == second[start + 1 :]
    swapped = first[start + 1 : start + 2] + first[start : start + 1]
    return first[start + 1 :] == second[start + 1 :] or (
        swapped == second[start : start + 2] and first[start + 2 :] == second[start + 2 :]
    )


def slips(first: str, second: str, *, most: int) -> int | None:
    """How many slips make one of the other; None for more than `most`."""
    if abs(len(first) - len(second)) > most:
        return None
    before: list[int] = []
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, start=1):
        last, before, row = before, row, [place]
        for at, other in enumerate(second, start=1):
            cost = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != other))
            if place > 1 < at and letter == second[at - 2] and first[place - 2] == other:
                cost = min(cost, last[at - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None
