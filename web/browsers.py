"""The family of a browser, from what it says of itself: enough to see whose pages lose events, and no more."""

import re

# In this order: each of the later ones is also named by those before it.
_FAMILIES = (
    ("edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("opera", re.compile(r"OPR/|Opera")),
    ("samsung", re.compile(r"SamsungBrowser/")),
    ("firefox", re.compile(r"Firefox/|FxiOS/")),
    ("chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("safari", re.compile(r"Safari/")),
)


def family(user_agent: str) -> str | None:
    """`firefox` and the like, `other` for what is none of them, None where nothing was said."""
    if not user_agent.strip():
        return None
    return next((name for name, sign in _FAMILIES if sign.search(user_agent)), "other")
