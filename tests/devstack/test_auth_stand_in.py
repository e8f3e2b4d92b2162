"""Auth as a neighbour would see it: keys, tokens, users."""

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests

from devstack.stand_ins.auth import create_app
from devstack.stand_ins.doors import Served, serving

ISSUER, AUDIENCE = "https://auth.test", "shop"


@pytest.fixture
def auth() -> Iterator[Served]:
    with serving(create_app(issuer=ISSUER, audience=AUDIENCE, service_token="s3cret")) as served:
        yield served


def token(served: Served, **wish: object) -> str:
    answer = requests.post(f"{served.url}/dev/tokens", json=wish, timeout=5)
    answer.raise_for_status()
    return answer.json()["token"]


def verify(served: Served, signed: str) -> dict:
    key = jwt.PyJWKClient(f"{served.url}/.well-known/jwks.json").get_signing_key_from_jwt(signed)
    return jwt.decode(signed, key.key, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE)


def user(served: Served, user_id: str, bearer: str | None = "s3cret") -> requests.Response:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return requests.get(f"{served.url}/users/{user_id}", headers=headers, timeout=5)


def test_a_token_verifies_against_the_published_keys_and_says_who_it_is(auth: Served):
    claims = verify(auth, token(auth, sub="usr_7", email="ada@example.com", roles=["support"], expires_in=60))
    assert claims["sub"] == "usr_7"
    assert claims["email"] == "ada@example.com"
    assert claims["roles"] == ["support"]
    assert claims["exp"] - claims["iat"] == 60


def test_the_private_half_is_never_published(auth: Served):
    [key] = requests.get(f"{auth.url}/.well-known/jwks.json", timeout=5).json()["keys"]
    assert key.keys() == {"kty", "n", "e", "kid", "use", "alg"}


def test_a_negative_lifetime_gives_a_token_that_is_over(auth: Served):
    with pytest.raises(jwt.ExpiredSignatureError):
        verify(auth, token(auth, sub="usr_7", expires_in=-30))


def test_a_token_for_another_audience_is_refused_by_a_verifier(auth: Served):
    signed = token(auth, sub="usr_7")
    key = jwt.PyJWKClient(f"{auth.url}/.well-known/jwks.json").get_signing_key_from_jwt(signed)
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(signed, key.key, algorithms=["RS256"], audience="somebody-else")


def test_old_tokens_stay_valid_when_the_key_changes(auth: Served):
    before = token(auth, sub="usr_7")
    new_kid = requests.post(f"{auth.url}/dev/keys", timeout=5).json()["kid"]
    after = token(auth, sub="usr_7")
    assert jwt.get_unverified_header(after)["kid"] == new_kid
    assert jwt.get_unverified_header(before)["kid"] != new_kid
    assert verify(auth, before)["sub"] == verify(auth, after)["sub"] == "usr_7"


def test_tokens_survive_a_restart_with_a_key_file_that_only_its_owner_can_read(tmp_path: Path):
    key_file = tmp_path / "keys" / "auth.pem"
    with serving(create_app(issuer=ISSUER, audience=AUDIENCE, key_file=key_file)) as first:
        requests.post(f"{first.url}/dev/keys", timeout=5)
        signed = token(first, sub="usr_7")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    with serving(create_app(issuer=ISSUER, audience=AUDIENCE, key_file=key_file)) as second:
        assert verify(second, signed)["sub"] == "usr_7"
        assert len(requests.get(f"{second.url}/.well-known/jwks.json", timeout=5).json()["keys"]) == 2


def test_who_has_a_token_has_an_account(auth: Served):
    token(auth, sub="usr_new", email="new@example.com")
    shown = {"id": "usr_new", "email": "new@example.com", "name": "usr_new", "active": True}
    assert user(auth, "usr_new").json() == shown


def test_users_are_for_callers_with_the_service_token(auth: Served):
    requests.put(f"{auth.url}/users/usr_1", json={"email": "a@example.com", "name": "Ada"}, timeout=5)
    assert user(auth, "usr_1").json()["name"] == "Ada"
    for bearer in ("", "wrong", "s3cre", "ünïcode"):
        headers = {"Authorization": f"Bearer {bearer}".encode()}
        refused = requests.get(f"{auth.url}/users/usr_1", headers=headers, timeout=5)
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["code"] == "unauthorized"
    assert user(auth, "usr_2").status_code == 404


def test_a_change_keeps_what_it_does_not_name(auth: Served):
    requests.put(f"{auth.url}/users/usr_1", json={"email": "a@example.com", "name": "Ada"}, timeout=5)
    requests.put(f"{auth.url}/users/usr_1", json={"active": False}, timeout=5)
    assert user(auth, "usr_1").json() == {"id": "usr_1", "email": "a@example.com", "name": "Ada", "active": False}


@pytest.mark.parametrize(
    "wish", [{}, {"sub": ""}, {"sub": "u", "roles": "admin"}, {"sub": "u", "expires_in": True}, {"sub": "u", "x": 1}]
)
def test_a_wish_that_makes_no_sense_is_refused(auth: Served, wish: dict):
    assert requests.post(f"{auth.url}/dev/tokens", json=wish, timeout=5).status_code == 422


def test_requests_are_remembered_with_their_id_but_without_the_token(auth: Served):
    headers = {"Authorization": "Bearer s3cret", "X-Request-Id": "req-9"}
    requests.get(f"{auth.url}/users/usr_1", headers=headers, timeout=5)
    [asked] = requests.get(f"{auth.url}/standin/requests", timeout=5).json()["data"]
    assert asked["headers"]["x-request-id"] == "req-9"
    assert "s3cret" not in str(asked)


def test_a_planned_fault_speaks_the_dialect_of_the_service(auth: Served):
    fault = {"match": "GET /users/*", "kind": "status", "status": 503}
    requests.post(f"{auth.url}/standin/faults", json=fault, timeout=5)
    assert user(auth, "usr_1").json()["code"] == "injected"
    assert user(auth, "usr_1").status_code == 404


def test_it_runs_as_a_process_of_its_own_and_stops_when_asked(tmp_path: Path):
    command = [sys.executable, "-m", "devstack.stand_ins.auth", "--port", "0", "--key-file", str(tmp_path / "k.pem")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().removeprefix("listening on ").strip()
        assert requests.post(f"{url}/dev/tokens", json={"sub": "usr_1"}, timeout=5).json()["token"].count(".") == 2
        process.terminate()
        assert process.wait(10) == 0


def test_a_person_at_the_machine_looks_without_a_token(auth: Served):
    requests.put(f"{auth.url}/users/usr_1", json={"email": "a@example.com", "name": "Ada"}, timeout=5)
    assert requests.get(f"{auth.url}/users/usr_1", timeout=5).json()["name"] == "Ada"


def test_its_sign_in_page_posts_a_token_back_to_this_machine_and_to_nowhere_else(auth: Served) -> None:
    asked = {"return_to": "http://127.0.0.1:8000/admin/sign-in", "state": '"><b>', "next": "/admin/jobs"}
    page = requests.get(f"{auth.url}/sign-in", params=asked, timeout=5)
    assert page.status_code == 200
    assert 'action="http://127.0.0.1:8000/admin/sign-in"' in page.text
    assert "<b>" not in page.text
    tokens = re.findall(r'name="token" value="([^"]+)"', page.text)
    roles = [verify(auth, signed)["roles"] for signed in tokens]
    assert roles == [["admin"], ["support"], ["customer"]]
    for elsewhere in (
        "https://evil.example/",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "",
    ):
        refused = requests.get(f"{auth.url}/sign-in", params={"return_to": elsewhere}, timeout=5)
        assert refused.status_code == 400, elsewhere
