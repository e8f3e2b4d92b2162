"""Bearer tokens: checked here against keys we keep, never by asking somebody during a request."""

import threading
import time
from typing import Any

import jwt
import structlog
from jwt.types import Options

from boot.services import Database
from boot.settings import Settings
from shop.errors import NotYet
from shop.identity import keys
from web.access import ROLES, Caller, Role, Unauthorized

LEEWAY_S = 10
"""Clocks of two machines kept by NTP differ by far less; a stolen token lives ten seconds longer."""

CACHE_S = 30.0
"""How long a withdrawn key may still be trusted by a process."""

UNKNOWN_PAUSE_S = 0.1
FRUITLESS_S = 1.0
MAX_TOKEN = 8192
"""Bytes. A token of ours has about 600; parsing megabytes of base64 is work for nobody."""

_PERSONAL = 320  # the longest address there can be


class KeysNotYet(NotYet):
    """The Auth service's keys have not been fetched yet (a shop that has just been started)."""

    code = "keys_not_yet"


class Tokens:
    """Checks tokens for one process. Thread-safe; opens nothing until the first token comes."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._secret = settings.auth_jwt_secret.get_secret_value()
        self._keys = _Keys(db) if settings.auth_jwks_url or not self._secret else None
        self._issuer = settings.auth_issuer or None
        self._audience = settings.auth_audience or None

    def caller(self, authorization: str | None, visitor_id: str | None) -> Caller:
        """Who asks. Raises Unauthorized for a header that is there and no good, KeysNotYet before the first fetch."""
        if authorization is None:
            return Caller(visitor_id=visitor_id)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or len(token) > MAX_TOKEN:
            raise Unauthorized("the Authorization header is not a bearer token")
        return _caller(self._claims(token.strip()), visitor_id)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if "crit" in header or "b64" in header:
                raise Unauthorized("the token asks for extensions that are not understood here")
            key, algorithm = self._key(header)
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options=Options(require=["exp", "sub"], verify_aud=self._audience is not None),
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("the token has expired") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthorized("the token is not valid here") from error

    def _key(self, header: dict[str, Any]) -> tuple[Any, str]:
        # What kind of key we hold decides the algorithm: the shared secret knows HS256 only, a public key its own.
        claimed = header.get("alg")
        if claimed == "HS256" and self._secret:
            return self._secret, "HS256"
        if self._keys is None or claimed not in {"RS256", "ES256", "EdDSA"}:
            raise Unauthorized("the token is signed in a way that is not accepted here")
        key, algorithm = self._keys.find(header.get("kid"))
        if claimed != algorithm:
            raise Unauthorized("the token's algorithm is not that of its key")
        return key, algorithm


class _Keys:
    """The kept public keys, parsed, with a short memory."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Any, str]] = {}
        self._read_at = -CACHE_S
        self._fruitless_until = 0.0

    def find(self, kid: object) -> tuple[Any, str]:
        if time.monotonic() - self._read_at > CACHE_S:
            self._read()
        if (found := self._match(kid)) is not None:
            return found
        if (found := self._after_fetch(kid)) is not None:
            return found
        if not self._known and not keys.ever_fetched(self._db):
            raise KeysNotYet("the keys that check tokens have not been fetched yet")
        raise Unauthorized("the token is signed with a key that is not known here")

    def _after_fetch(self, kid: object) -> tuple[Any, str] | None:
        # Auth may have changed its key a moment ago. Those who come while a fetch is on its way wait for it; after
        # a search that found nothing, made-up key ids are turned away without asking the database for a second.
        if time.monotonic() < self._fruitless_until:
            return None
        keys.ask_for_keys(self._db)
        while keys.fetch_is_coming(self._db):
            time.sleep(UNKNOWN_PAUSE_S)
        self._read()
        found = self._match(kid)
        if found is None:
            self._fruitless_until = time.monotonic() + FRUITLESS_S
        return found

    def _match(self, kid: object) -> tuple[Any, str] | None:
        if isinstance(kid, str):
            return self._known.get(kid)
        known = self._known
        return next(iter(known.values())) if kid is None and len(known) == 1 else None

    def _read(self) -> None:
        with self._lock:
            self._known = _parsed(keys.trusted(self._db))
            self._read_at = time.monotonic()


def _parsed(kept: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, str]]:
    parsed: dict[str, tuple[Any, str]] = {}
    for kid, jwk in kept.items():
        algorithm = keys.algorithm(jwk)
        if algorithm is None:
            continue
        try:
            parsed[kid] = (jwt.PyJWK(jwk, algorithm).key, algorithm)
        except jwt.PyJWTError as error:
            structlog.get_logger().warning("signing_key_unreadable", kid=kid, error=type(error).__name__)
    return parsed


def _caller(claims: dict[str, Any], visitor_id: str | None) -> Caller:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 200 or "\x00" in subject:
        raise Unauthorized("the token names nobody")
    email = claims.get("email")
    usable = isinstance(email, str) and len(email) <= _PERSONAL and "\x00" not in email
    return Caller(subject, email if usable else None, _roles(claims.get("roles")), visitor_id)


def _roles(claimed: object) -> frozenset[Role]:
    if claimed is None:
        return frozenset[Role](("customer",))
    named: list[object] = [claimed] if isinstance(claimed, str) else claimed if isinstance(claimed, list) else []
    roles: set[Role] = {role for role in ROLES if role in named}
    if "admin" in roles:
        roles.add("support")
    return frozenset(roles)
