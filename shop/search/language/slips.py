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
