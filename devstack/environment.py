"""What the programs of the local stack find in their environment, and the secrets that stay the same between runs."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.addresses import Ports
from devstack.embedded import Urls
from devstack.embedded.lock import is_held
from devstack.embedded.state import write_private

FOLDER = Path(__file__).resolve().parent.parent
SELLER = {
    "SHOP_STREET": "Marktstrasse 1",
    "SHOP_POSTAL_CODE": "10115",
    "SHOP_CITY": "Berlin",
    "SHOP_COUNTRY": "DE",
    "SHOP_TAX_ID": "DE123456789",
    "SHOP_EMAIL": "hello@example.com",
}
"""A seller as complete as a real one, so that invoices carry their twin for machines; a number that is nobody's."""

SECRETS_FILE = "secrets.json"
RUNNING_FILE = "up.json"
AUDIENCE = "backroom"
STOREFRONT_ORIGINS = "http://127.0.0.1:8020,http://localhost:8020"
"""Where a storefront in the making runs, as people type it: its pages may call the API."""


def environment_for(urls: Urls, ports: Ports, root: Path) -> dict[str, str]:
    """The variables that boot.settings reads. All neighbours are stand-ins: no real account is ever touched."""
    return {
        "DATABASE_URL": urls.database_url,
        "REDIS_URL": urls.redis_url,
        "PORT": str(ports.web),
        "PUBLIC_URL": ports.url("web"),
        "AUTH_URL": ports.url("auth"),
        "AUTH_JWKS_URL": f"{ports.url('auth')}/.well-known/jwks.json",
        "AUTH_ISSUER": ports.url("auth"),
        "AUTH_AUDIENCE": AUDIENCE,
        "ADMIN_SIGN_IN_URL": f"{ports.url('auth')}/sign-in",
        "PRODUCT_URL": ports.url("products"),
        "CART_URL": ports.url("carts"),
        "STRIPE_BASE_URL": ports.url("stripe"),
        "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "MAIL_FROM": "shop@example.com",
        "CORS_ORIGINS": STOREFRONT_ORIGINS,
        **{name: os.environ.get(name) or word for name, word in SELLER.items()},
        "MAILBOX_URL": ports.url("mail"),
        "BACKROOM_DIR": str(root),
        "PROMETHEUS_MULTIPROC_DIR": str(root / "metrics"),
        **_secrets(root),
        **_named_by_the_person(),
    }


def whole(ours: Mapping[str, str]) -> dict[str, str]:
    """`ours` over the person's own environment, with the programs of this virtual environment found first."""
    return {**os.environ, **ours, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"}


def command() -> str:
    """How a person in this folder writes `backroom`; its place is on nobody's PATH."""
    return shown(Path(sys.executable).with_name("backroom"))


def shown(path: Path) -> str:
    """The path as a person in the current folder writes it: short where it can be."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def given_servers(environment: Mapping[str, str]) -> Urls | None:
    """The servers a person named; None for the embedded ones. Raises ValueError when only one of the two is named."""
    names = ("DATABASE_URL", "REDIS_URL")
    urls = [environment.get(name, "") for name in names]
    if all(urls):
        return Urls(*urls)
    if any(urls):
        has, lacks = names if urls[0] else reversed(names)
        raise ValueError(f"{has} is set but {lacks} is not. Set both to use servers of yours, or neither.")
    return None


def remember_running(root: Path, ours: Mapping[str, str], pids: Mapping[str, int | None]) -> None:
    """For other commands in other terminals: what runs, and how to reach it."""
    write_private(root / RUNNING_FILE, json.dumps({"environment": dict(ours), "pids": dict(pids)}, indent=2))


def running(root: Path) -> dict[str, str]:
    """The variables of the stack that runs from `root`, empty when none was remembered."""
    try:
        return json.loads((root / RUNNING_FILE).read_text())["environment"]
    except FileNotFoundError:
        return {}


def of_the_running_stack() -> dict[str, str]:
    """The variables of the stack that runs from this checkout's usual folder, so that commands need no `eval`."""
    root = Path(os.environ.get("BACKROOM_DIR", FOLDER / ".backroom"))
    return running(root) if is_held(root / "up.lock") else {}


def forget_running(root: Path) -> None:
    (root / RUNNING_FILE).unlink(missing_ok=True)


def _named_by_the_person() -> dict[str, str]:
    """Who signs deliveries of their own, or tries a rotation, names the secrets; the first is the stand-in's."""
    given = os.environ.get("STRIPE_WEBHOOK_SECRETS", "")
    return {"STRIPE_WEBHOOK_SECRETS": given} if any(part.strip() for part in given.split(",")) else {}


def _secrets(root: Path) -> dict[str, str]:
    """Made once: an order of yesterday must still be payable, and a stored delivery verifiable, today."""
    path = root / SECRETS_FILE
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(16)}",
        "SERVICE_TOKEN": secrets.token_urlsafe(24),
        **known,
    }
    if made != known:
        write_private(path, json.dumps(made, indent=2))
    return made
