"""The Auth service: who a customer is, and the keys that verify what it signed."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from clients.neighbours import READ_TIMEOUT_S, Json, Neighbour, shaped
from shop.ports.neighbours import User

LONGEST_EMAIL = 320
"""What RFC 5321 allows: 64 before the sign, 255 behind it."""

KEYS_PATH = "/.well-known/jwks.json"


class AuthService:
    """Implements `shop.ports.neighbours.Users`."""

    def __init__(self, service: Neighbour, keys: Neighbour, keys_path: str) -> None:
        self._service = service
        self._keys = keys
        self._keys_path = keys_path

    def user(self, user_id: str) -> User | None:
        status, told = self._service.ask("GET", f"/users/{quote(user_id, safe='')}", expected=(404, 410))
        return None if status in {404, 410} else _user(told)

    def signing_keys(self) -> Mapping[str, Any]:
        _, told = self._keys.ask("GET", self._keys_path)
        shaped("auth", told, "keys", list)
        return told


def connect(url: str, token: str, *, keys_url: str = "", read_timeout_s: float = READ_TIMEOUT_S) -> AuthService:
    """`keys_url` is the whole address of the key set where it is not the usual one. Opens nothing."""
    service = Neighbour("auth", url, token, read_timeout_s=read_timeout_s)
    if not keys_url:
        return AuthService(service, service, KEYS_PATH)
    parts = urlsplit(keys_url)
    # The keys are public and may be on another host: that one is not shown our token.
    keys = Neighbour("auth keys", f"{parts.scheme}://{parts.netloc}", "", read_timeout_s=read_timeout_s)
    return AuthService(service, keys, f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _email(told: object) -> str | None:
    """An address that mail can be sent to, else None: an order without one is better than none."""
    if isinstance(told, str) and len(told) <= LONGEST_EMAIL and told.isprintable() and "@" in told:
        return told
    return None


def _user(told: Json) -> User:
    return User(
        id=shaped("auth", told, "id", str),
        email=_email(told.get("email")),
        name=told.get("name"),
        active=told.get("active") is not False,
    )
