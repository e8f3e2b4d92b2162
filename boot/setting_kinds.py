"""The kinds of values that settings have: each checks its text and says in a sentence what it must be like."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, SecretStr

from shop.locales import LANGUAGES, known_locale
from shop.search.language.languages import STEMMERS
from shop.tax import read_rates


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
    return name


def _known_language(name: str) -> str:
    if name not in STEMMERS:
        raise ValueError(f"{name!r} has no stemmer; it must be one of {', '.join(sorted(STEMMERS))}")
    return name


def _readable_rates(text: str) -> str:
    read_rates(text)
    return text


def _country(code: str) -> str:
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        raise ValueError(f"{code!r} is not a country; it is written in two letters, like DE")
    return code.upper()


def _currency(code: str) -> str:
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise ValueError(f"{code!r} is not a currency; it is written in three letters, like eur")
    return code.lower()


def _written(name: str) -> str:
    found = known_locale(name)
    if found is None:
        raise ValueError(f"{name!r} is no language the shop can write; it writes {', '.join(LANGUAGES)} (as in de_AT)")
    return found


def _with_scheme(url: SecretStr, schemes: tuple[str, ...]) -> SecretStr:
    if url.get_secret_value().partition("://")[0] not in schemes:
        raise ValueError(f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return url


def parts(value: object) -> Any:
    """What a comma separates, without spaces; anything but text stays as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def network(text: str) -> IPv4Network | IPv6Network:
    """An address or a network; raises ValueError with how to write one."""
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        wrong = f"{text!r} is neither an address nor a network; write them like 192.0.2.7 or 192.0.2.0/24"
        raise ValueError(wrong) from error


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
        raise ValueError(f"{text!r} is not an origin; write them like https://shop.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("it must begin with http:// or https://")
    return url.rstrip("/")


PostgresUrl = Annotated[SecretStr, AfterValidator(lambda url: _with_scheme(url, ("postgres", "postgresql")))]
RedisUrl = Annotated[SecretStr, AfterValidator(lambda url: _with_scheme(url, ("redis", "rediss")))]
HttpUrl = Annotated[str, AfterValidator(_http)]
Origin = Annotated[str, AfterValidator(_origin)]
Rates = Annotated[str, AfterValidator(_readable_rates)]
Country = Annotated[str, AfterValidator(_country)]
Currency = Annotated[str, AfterValidator(_currency)]
Locale = Annotated[str, AfterValidator(_written)]
Stemmer = Annotated[str, AfterValidator(_known_language)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Area = Literal["payments", "search", "analytics", "admin"]
