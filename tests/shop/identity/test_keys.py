"""The Auth service's keys in our table."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from db.database import Database
from shop.identity import keys, queries
from shop.identity.keys import NoUsableKeys


class Publisher:
    """Stands where the client of the Auth service stands."""

    def __init__(self, *published: object) -> None:
        self.published = list(published)

    def signing_keys(self) -> Mapping[str, Any]:
        return {"keys": self.published}

    def user(self, user_id: str) -> None:
        return None


def rsa_jwk(kid: str | None = "one", **more: Any) -> dict[str, Any]:
    public = rsa.generate_private_key(65537, 2048).public_key()
    return {**json.loads(RSAAlgorithm.to_jwk(public)), **({"kid": kid} if kid else {}), **more}


def test_published_keys_are_kept_and_withdrawn_ones_forgotten(db: Database) -> None:
    old, new = rsa_jwk("old"), rsa_jwk("new")
    assert keys.keys(db, Publisher(old, new)) == {"kept": ["old", "new"], "dropped": 0}
    assert keys.keys(db, Publisher(new)) == {"kept": ["new"], "dropped": 1}
    assert list(keys.trusted(db)) == ["new"]


def test_an_empty_or_broken_key_set_changes_nothing(db: Database) -> None:
    keys.keys(db, Publisher(rsa_jwk("one")))
    for published in ([], ["nonsense"], [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]):
        with pytest.raises(NoUsableKeys):
            keys.keys(db, Publisher(*published))
    assert list(keys.trusted(db)) == ["one"]


def test_the_private_half_of_a_key_never_reaches_the_table(db: Database) -> None:
    private = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)))
    assert "d" in private
    keys.keys(db, Publisher({**private, "kid": "leaked"}))
    assert set(keys.trusted(db)["leaked"]) & {"d", "p", "q", "dp", "dq", "qi"} == set()


def test_a_key_without_id_is_named_by_its_thumbprint(db: Database) -> None:
    # The example of RFC 7638, section 3.1.
    published = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o"
        "knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu"
        "6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw"
        "apJzKnqDKgw",
        "e": "AQAB",
    }
    keys.keys(db, Publisher(published))
    assert list(keys.trusted(db)) == ["NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"]


def test_the_type_of_a_key_decides_its_algorithm() -> None:
    elliptic = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    edwards = json.loads(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key()))
    longer = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()))
    assert keys.algorithm(rsa_jwk()) == "RS256"
    assert keys.algorithm(elliptic) == "ES256"
    assert keys.algorithm(edwards) == "EdDSA"
    assert keys.algorithm(longer) is None
    assert keys.algorithm(rsa_jwk(use="enc")) is None
    assert keys.algorithm(rsa_jwk(alg="RS512")) is None
    assert keys.algorithm({"kty": "oct", "k": "AAAA"}) is None


def test_auth_is_asked_at_most_once_a_minute_whoever_wants_it(db: Database) -> None:
    assert keys.ask_for_keys(db)
    assert not keys.ask_for_keys(db)
    with db.transaction() as tx:
        staged = tx.execute("SELECT count(*) FROM jobs WHERE name = 'identity.keys'").fetchone()
        tx.execute("UPDATE signing_key_fetches SET asked_at = now() - interval '61 seconds'")
    assert staged == (1,)
    assert keys.ask_for_keys(db)


def test_a_fetch_is_coming_only_between_the_question_and_the_answer(db: Database) -> None:
    assert not keys.fetch_is_coming(db)
    assert not keys.ever_fetched(db)
    keys.ask_for_keys(db)
    assert keys.fetch_is_coming(db)
    keys.keys(db, Publisher(rsa_jwk()))
    assert not keys.fetch_is_coming(db)
    assert keys.ever_fetched(db)


def test_the_table_itself_refuses_a_secret(db: Database) -> None:
    with pytest.raises(Exception, match="check constraint"), db.transaction() as tx:
        queries.save_key(tx, queries.SigningKey("bad", {"kty": "oct", "k": "c2VjcmV0"}))
