"""Auth's routes, and the doors that give out tokens on the local stack."""

import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify

from devstack.stand_ins.auth.keys import Keyring
from devstack.stand_ins.auth.sign_in import add_sign_in
from devstack.stand_ins.auth.users import Users, read_user
from devstack.stand_ins.bulk import load_counts, ndjson_rows, only_missing
from devstack.stand_ins.doors import install_doors
from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.problems import ProblemError, install_problems, json_object, problem_body
from devstack.stand_ins.service_token import protected_by

TOKEN_LASTS_S = 3600
JWKS_MAX_AGE_S = 300  # what providers usually say; a verifier that meets a new `kid` must ask earlier


def create_app(
    *,
    issuer: str = "http://127.0.0.1:8001",
    audience: str = "backroom",
    key_file: Path | None = None,
    service_token: str | None = None,
    keeping: Keeping | None = None,
) -> Flask:
    """Return the stand-in for Auth; with `key_file` its keys, and so its tokens, survive a restart."""
    app, keys, users = Flask(__name__), Keyring(key_file), Users(keeping or Keeping())
    _add_routes(app, keys, users, service_token)
    _add_user_doors(app, users)
    _add_token_doors(app, keys, users, {"iss": issuer, "aud": audience})
    add_sign_in(app, keys, {"iss": issuer, "aud": audience})
    install_problems(app)
    install_doors(app, users.reset, problem_body)
    return app


def _add_routes(app: Flask, keys: Keyring, users: Users, service_token: str | None) -> None:
    protected = protected_by(service_token)

    @app.get("/.well-known/jwks.json")
    def published_keys() -> Response:
        answer = jsonify(keys.published())
        answer.headers["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_S}"
        return answer

    @app.get("/users/<user_id>")
    @protected
    def show_user(user_id: str) -> Response:
        if user := users.find(user_id):
            return jsonify(user.as_json())
        raise ProblemError(404, "user_not_found", f"no user {user_id}")


def _add_user_doors(app: Flask, users: Users) -> None:
    @app.put("/users/<user_id>")
    def put_user(user_id: str) -> Response:
        return jsonify(users.put(user_id, json_object()).as_json())

    @app.put("/users")
    def load_users() -> Response:
        loaded = [read_user(row) for _number, row in ndjson_rows()]
        count = users.load(loaded, only_missing=only_missing())
        return jsonify(load_counts(count, len(loaded)))


def _add_token_doors(app: Flask, keys: Keyring, users: Users, issued: dict[str, str]) -> None:
    @app.post("/dev/tokens")
    def give_token() -> Response:
        asked = _read_wish(json_object())
        user = users.find(asked["sub"])
        if user is None:  # who has a token has an account, so that GET /users/{sub} agrees with it
            user = users.put(asked["sub"], {"email": asked["email"]} if asked["email"] else {})
        now = int(time.time())
        claims = {
            "sub": user.id,
            "email": asked["email"] or user.email,
            "roles": asked["roles"],
            "iat": min(now, now + asked["expires_in"]),
            "exp": now + asked["expires_in"],
        }
        return jsonify({"token": keys.sign(claims | issued)})

    @app.post("/dev/keys")
    def rotate_keys() -> tuple[Response, int]:
        return jsonify({"kid": keys.rotate()}), 201


def _read_wish(body: dict[str, Any]) -> dict[str, Any]:
    """Check what was asked of the token door; a negative `expires_in` gives a token that is already over."""
    wish = {"email": None, "roles": ["customer"], "expires_in": TOKEN_LASTS_S, **body}
    if unknown := sorted(wish.keys() - {"sub", "email", "roles", "expires_in"}):
        raise ProblemError(422, "invalid_request", f"unknown field: {unknown[0]}")
    if not isinstance(wish.get("sub"), str) or not wish["sub"]:
        raise ProblemError(422, "invalid_request", "sub must be the id of a user")
    if wish["email"] is not None and not isinstance(wish["email"], str):
        raise ProblemError(422, "invalid_request", "email must be text")
    if not isinstance(wish["roles"], list) or not all(isinstance(role, str) for role in wish["roles"]):
        raise ProblemError(422, "invalid_request", "roles must be a list of names")
    if not isinstance(wish["expires_in"], int) or isinstance(wish["expires_in"], bool):
        raise ProblemError(422, "invalid_request", "expires_in must be whole seconds")
    return wish
