"""The Auth service's public keys: fetched by a job, kept in a table, read from there by every web process."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotYet
from shop.identity import queries
from shop.identity.queries import SigningKey
from shop.ports.neighbours import Users

ASK_EVERY_S = 60
"""A stranger can send as many unknown key ids as there are requests; Auth hears of them once a minute."""

FRESH_S = 4.0
"""How long after asking a fetch may still be on its way: relay and worker need a tenth of that."""

MAX_KEYS = 50
"""A rotation has two or three; a document with more is not a key set of ours."""

_CURVES = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
_PRIVATE = frozenset(("d", "k", "p", "q", "dp", "dq", "qi", "oth"))


class NoUsableKeys(NotYet):
    """Auth's answer holds no key we could check a token with; the keys we have stay."""

    code = "no_usable_keys"


def keys(db: Database, users: Users) -> dict[str, object]:
    """Replace the kept keys by those that Auth publishes now. Answers the ids kept and how many were dropped.

    An empty or unusable answer changes nothing: a broken proxy must not sign everybody out. Raises NoUsableKeys.
    """
    published = usable(users.signing_keys().get("keys"))
    if not published:
        raise NoUsableKeys("the Auth service published no key for RS256, ES256 or EdDSA")
    with db.transaction() as tx:
        for key in published:
            queries.save_key(tx, key)
        dropped = queries.drop_keys_except(tx, [key.kid for key in published])
        queries.mark_fetched(tx)
    return {"kept": [key.kid for key in published], "dropped": dropped}


def usable(published: object) -> list[SigningKey]:
    """Those members of a JWKS that may check a token's signature, without anything private that slipped in."""
    members = cast("list[object]", published) if isinstance(published, list) else []
    given = [cast("dict[str, Any]", member) for member in members[:MAX_KEYS] if isinstance(member, dict)]
    found = [SigningKey(_kid(jwk), _public(jwk)) for jwk in given if algorithm(jwk) is not None]
    if len(found) < len(members):
        structlog.get_logger().warning("signing_keys_ignored", published=len(members), usable=len(found))
    return found


def algorithm(jwk: Mapping[str, Any]) -> str | None:
    """The one algorithm a key may be used with. The key's type decides; what the token says is compared with it."""
    kind = jwk.get("kty")
    fits = "RS256" if kind == "RSA" else _CURVES.get((str(kind), str(jwk.get("crv"))))
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", fits) != fits:
        return None
    return fits


def trusted(db: Database) -> dict[str, dict[str, Any]]:
    """The kept keys by their id."""
    with db.transaction() as tx:
        return {key.kid: key.jwk for key in queries.signing_keys(tx)}


def ask_for_keys(db: Database) -> bool:
    """Stage the job, at most once a minute over all processes. False when somebody did within the last minute."""
    with db.transaction() as tx:
        if not queries.claim_fetch(tx, every_s=ASK_EVERY_S):
            return False
        outbox.stage(tx, jobs.FETCH_KEYS, unique_key=jobs.FETCH_KEYS.name)
        return True


def fetch_is_coming(db: Database) -> bool:
    """Whether a fetch was asked for a moment ago and has not come back yet."""
    with db.transaction() as tx:
        times = queries.fetches(tx)
    if times.asked_at is None or times.asked_at < datetime.now(UTC) - timedelta(seconds=FRESH_S):
        return False
    return times.fetched_at is None or times.fetched_at < times.asked_at


def ever_fetched(db: Database) -> bool:
    with db.transaction() as tx:
        return queries.fetches(tx).fetched_at is not None


def _kid(jwk: Mapping[str, Any]) -> str:
    given = jwk.get("kid")
    if isinstance(given, str) and 1 <= len(given) <= 200:
        return given
    # RFC 7638: the members a key of this type must have, in order, hashed.
    members = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}[str(jwk["kty"])]
    text = json.dumps({name: jwk.get(name) for name in members}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _public(jwk: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name not in _PRIVATE}
