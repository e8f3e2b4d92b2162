"""What a request tells about who sent it: a person or a machine, on what, and where from."""

import re
from urllib.parse import urlsplit

PEOPLE_BELOW = 50
"""Rows with this bot score or more are kept, but count for nothing that speaks of people."""

_BOTS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|phantomjs|puppeteer|playwright|selenium|lighthouse|preview|"
    r"facebookexternalhit|scrapy|monitor|uptime",
    re.IGNORECASE,
)
_LIBRARIES = re.compile(
    r"curl/|wget/|python-|java/|go-http-client|okhttp|axios|node-fetch|undici|libwww|guzzle", re.IGNORECASE
)
_FORWARDED = 30
"""A shop's app or server sends what people did with an HTTP library, often without naming an agent. That is no proof
of a machine, only the lack of one of a browser."""
_MOBILE = re.compile(r"mobile|android|iphone|ipod", re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet|kindle|playbook", re.IGNORECASE)

_SEARCH = ("google.", "bing.", "duckduckgo.", "ecosia.", "yahoo.", "yandex.", "baidu.", "qwant.", "startpage.")
_SOCIAL = ("facebook.", "instagram.", "pinterest.", "tiktok.", "reddit.", "linkedin.", "youtube.", "t.co", "x.com")


def bot_score(user_agent: str) -> tuple[int, str | None]:
    """0 (a person as far as one can tell) to 100, and why."""
    if not user_agent.strip():
        return _FORWARDED, "no_agent"
    if _BOTS.search(user_agent):
        return 100, "agent"
    return (_FORWARDED, "library") if _LIBRARIES.search(user_agent) else (0, None)


def device(user_agent: str) -> str | None:
    if not user_agent.strip():
        return None
    if _TABLET.search(user_agent):
        return "tablet"
    return "phone" if _MOBILE.search(user_agent) else "desktop"


def plain_path(path: str | None) -> str | None:
    """Without query and fragment: that is where mail addresses and tokens hide."""
    return re.split(r"[?#]", path, maxsplit=1)[0] if path else None


def referrer_host(referrer: str | None) -> str | None:
    """The host alone; None when there is none to be found."""
    if not referrer:
        return None
    try:
        host = urlsplit(referrer if "//" in referrer else f"//{referrer}").hostname
    except ValueError:
        return None
    return host[:255] if host else None


def channel(campaign: str | None, host: str | None) -> str:
    if campaign:
        return "campaign"
    if host is None:
        return "direct"
    if any(f".{host}".find(f".{engine}") >= 0 for engine in _SEARCH):
        return "search"
    if any(f".{host}".find(f".{network}") >= 0 for network in _SOCIAL):
        return "social"
    return "referral"
