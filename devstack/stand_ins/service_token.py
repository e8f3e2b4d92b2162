"""The service token: who may call the routes that the real service would protect."""

import argparse
import hmac
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from flask import request

from devstack.stand_ins.problems import ProblemError

Route = TypeVar("Route", bound=Callable[..., Any])


def protected_by(token: str | None) -> Callable[[Route], Route]:
    """Return a decorator for routes that need `Authorization: Bearer <token>`; without a token all may call.

    The doors of the local stack stay open: they belong to the person at the machine, who may also look at anything
    with a bare GET. A wrong token is refused even there, so that a shop that bears the wrong one finds out.
    """

    def protect(route: Route) -> Route:
        @wraps(route)
        def guarded(*args: Any, **named: Any) -> Any:
            if token and not _carries(token) and not _only_looks():
                raise ProblemError(401, "unauthorized", "a valid service token is needed")
            return route(*args, **named)

        return guarded  # pyright: ignore[reportReturnType]

    return protect


def command_line(purpose: str, port: int) -> argparse.ArgumentParser:
    """Return a parser with what every stand-in takes: the port, the service token and where its state is kept."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--port", type=int, default=port, help=f"0 takes a free one (default {port})")
    parser.add_argument(
        "--service-token",
        default=os.environ.get("SERVICE_TOKEN"),
        help="what callers of the protected routes must bear (default: SERVICE_TOKEN; unset: nothing)",
    )
    add_state_option(parser)
    return parser


def add_state_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, help="file that keeps the state between runs (without: in memory only)")


def _only_looks() -> bool:
    return request.method == "GET" and "Authorization" not in request.headers


def _carries(token: str) -> bool:
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
