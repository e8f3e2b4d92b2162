"""Bearer tokens: who is let in as whom, and every way to forge one."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from boot.settings import Settings
from db.database import Database
from shop.identity import keys
from web.access import Unauthorized
from web.tokens import KeysNotYet, Tokens

SECRET = "a secret that only the tests know, long enough for HS256"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


class Publisher:
    def __init__(self, *published: Mapping[str, Any]) -> None:
        self.published = list(published)

    def signing_keys(self) -> Mapping[str, Any]:
        return {"keys": self.published}

    def user(self, user_id: str) -> None:
        return None


def jwk(kid: str, algorithm: Any, private: Any) -> dict[str, Any]:
    return {**json.loads(algorithm.to_jwk(private.public_key())), "kid": kid}


RSA_JWK = jwk("rsa-1", RSAAlgorithm, RSA_KEY)


def claims(**changed: Any) -> dict[str, Any]:
    body = {"sub": "usr_1", "exp": int(time.time()) + 60, **changed}
    return {name: value for name, value in body.items() if value is not None}


def signed(key: Any, algorithm: str, kid: str | None = None, **changed: Any) -> str:
    return "Bearer " + jwt.encode(claims(**changed), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


@pytest.fixture(name="with_secret")
def _with_secret(db: Database, settings_with: Callable[..., Settings]) -> Tokens:
    return Tokens(db, settings_with(auth_jwt_secret=SECRET))


@pytest.fixture(name="with_keys")
def _with_keys(db: Database, settings_with: Callable[..., Settings]) -> Tokens:
    published = (RSA_JWK, jwk("ec-1", ECAlgorithm, EC_KEY), jwk("ed-1", OKPAlgorithm, ED_KEY))
    keys.keys(db, Publisher(*published))
    return Tokens(db, settings_with(auth_jwt_secret=""))


def test_a_token_says_who_its_bearer_is(with_secret: Tokens) -> None:
    caller = with_secret.caller(signed(SECRET, "HS256", email="a@example.com", roles=["support"]), "vis_1")
    assert (caller.sub, caller.email, caller.roles, caller.visitor_id) == (
        "usr_1",
        "a@example.com",
        frozenset({"support"}),
        "vis_1",
    )


@pytest.mark.parametrize(
    ("claimed", "roles"),
    [
        (None, {"customer"}),
        ([], set[str]()),
        (["admin"], {"admin", "support"}),
        (["root", "customer"], {"customer"}),
        ("service", {"service"}),
        ({"admin": True}, set[str]()),
        ([["admin"], None, 7], set[str]()),
    ],
)
def test_roles_are_read_narrowly(with_secret: Tokens, claimed: object, roles: set[str]) -> None:
    assert with_secret.caller(signed(SECRET, "HS256", roles=claimed), None).roles == roles


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "rsa-1"), (EC_KEY, "ES256", "ec-1"), (ED_KEY, "EdDSA", "ed-1")]
)
def test_every_published_kind_of_key_checks_its_tokens(with_keys: Tokens, key: Any, algorithm: str, kid: str) -> None:
    assert with_keys.caller(signed(key, algorithm, kid), None).sub == "usr_1"


def unsigned(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return "Bearer " + ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


FORGED = {
    "no algorithm": lambda: unsigned({"alg": "none"}, claims()),
    "no algorithm, capital": lambda: unsigned({"alg": "None", "kid": "rsa-1"}, claims()),
    "public key as secret": lambda: (
        "Bearer "
        + hs256_with(
            RSA_KEY.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    ),
    "another algorithm of the same key": lambda: signed(RSA_KEY, "RS512", "rsa-1"),
    "padding swapped": lambda: signed(RSA_KEY, "PS256", "rsa-1"),
    "key of another id": lambda: signed(EC_KEY, "ES256", "rsa-1"),
    "a key of their own": lambda: signed(rsa.generate_private_key(65537, 2048), "RS256", "rsa-1"),
    "a key of their own in the header": lambda: (
        "Bearer "
        + jwt.encode(
            claims(), rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "rsa-1", "jwk": RSA_JWK}
        )
    ),
    "expired": lambda: signed(RSA_KEY, "RS256", "rsa-1", exp=int(time.time()) - 60),
    "for ever": lambda: signed(RSA_KEY, "RS256", "rsa-1", exp=None),
    "not yet": lambda: signed(RSA_KEY, "RS256", "rsa-1", nbf=int(time.time()) + 600),
    "nobody": lambda: signed(RSA_KEY, "RS256", "rsa-1", sub=None),
    "empty name": lambda: signed(RSA_KEY, "RS256", "rsa-1", sub=""),
    "name with NUL": lambda: signed(RSA_KEY, "RS256", "rsa-1", sub="usr\x00_1"),
    "critical extension": lambda: (
        "Bearer " + jwt.encode(claims(), RSA_KEY, algorithm="RS256", headers={"kid": "rsa-1", "crit": ["x"], "x": 1})
    ),
    "not a token": lambda: "Bearer abc",
    "basic": lambda: "Basic dXNlcjpwYXNz",
    "empty": lambda: "Bearer ",
    "too long": lambda: "Bearer " + "a" * 9000,
    "signature cut": lambda: signed(RSA_KEY, "RS256", "rsa-1")[:-20],
}


def hs256_with(secret: bytes) -> str:
    # PyJWT itself refuses to sign with a public key; a forger's library does not.
    def encoded(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    signing = (
        encoded(json.dumps({"alg": "HS256", "kid": "rsa-1"}).encode()) + b"." + encoded(json.dumps(claims()).encode())
    )
    return (signing + b"." + encoded(hmac.new(secret, signing, hashlib.sha256).digest())).decode()


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_lets_nobody_in(with_keys: Tokens, how: str) -> None:
    with pytest.raises(Unauthorized):
        with_keys.caller(FORGED[how](), None)


def test_with_a_shared_secret_alone_no_public_key_counts(db: Database, with_secret: Tokens) -> None:
    keys.keys(db, Publisher(RSA_JWK))
    with pytest.raises(Unauthorized):
        with_secret.caller(signed(RSA_KEY, "RS256", "rsa-1"), None)


def test_with_keys_alone_no_secret_counts(with_keys: Tokens) -> None:
    with pytest.raises(Unauthorized):
        with_keys.caller(signed(SECRET, "HS256"), None)
    with pytest.raises(Unauthorized):
        with_keys.caller(unsigned({"alg": "HS256"}, claims()), None)


def test_issuer_and_audience_are_checked_when_set(db: Database, settings_with: Callable[..., Settings]) -> None:
    tokens = Tokens(db, settings_with(auth_jwt_secret=SECRET, auth_issuer="https://auth", auth_audience="backroom"))
    good = {"iss": "https://auth", "aud": "backroom"}
    assert tokens.caller(signed(SECRET, "HS256", **good), None).sub == "usr_1"
    for wrong in ({"iss": "https://evil"}, {"aud": "other"}, {"iss": None}, {"aud": None}):
        with pytest.raises(Unauthorized):
            tokens.caller(signed(SECRET, "HS256", **{**good, **wrong}), None)


def test_an_audience_is_nothing_to_us_when_none_is_set(with_secret: Tokens) -> None:
    assert with_secret.caller(signed(SECRET, "HS256", aud="somebody", iss="anybody"), None).sub == "usr_1"


def test_no_header_is_a_stranger_not_an_error(with_keys: Tokens) -> None:
    caller = with_keys.caller(None, "vis_1")
    assert (caller.sub, caller.roles, caller.visitor_id) == (None, frozenset(), "vis_1")


def test_before_the_first_fetch_the_answer_is_not_yet(db: Database, settings_with: Callable[..., Settings]) -> None:
    tokens = Tokens(db, settings_with(auth_jwt_secret=""))
    with db.transaction() as tx:  # asked long ago, so nobody has to wait for an answer that does not come
        tx.execute("INSERT INTO signing_key_fetches (asked_at) VALUES (now() - interval '30 seconds')")
    with pytest.raises(KeysNotYet):
        tokens.caller(signed(RSA_KEY, "RS256", "rsa-1"), None)


def test_a_token_of_a_new_key_waits_for_the_fetch_and_is_let_in(db: Database, with_keys: Tokens) -> None:
    assert with_keys.caller(signed(RSA_KEY, "RS256", "rsa-1"), None).sub == "usr_1"
    new = rsa.generate_private_key(65537, 2048)
    worker = threading.Timer(0.4, keys.keys, (db, Publisher(jwk("rsa-2", RSAAlgorithm, new))))
    worker.start()
    started = time.monotonic()
    assert with_keys.caller(signed(new, "RS256", "rsa-2"), None).sub == "usr_1"
    assert time.monotonic() - started < 3
    worker.join()
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM jobs WHERE name = 'identity.keys'").fetchone() == (1,)


def test_unknown_key_ids_cost_one_fetch_a_minute_and_no_waiting(db: Database, with_keys: Tokens) -> None:
    with db.transaction() as tx:
        tx.execute("UPDATE signing_key_fetches SET asked_at = now() - interval '10 seconds'")
    started = time.monotonic()
    for number in range(20):
        with pytest.raises(Unauthorized):
            with_keys.caller(signed(RSA_KEY, "RS256", f"unknown-{number}"), None)
    assert time.monotonic() - started < 1
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM jobs WHERE name = 'identity.keys'").fetchone() == (0,)
