"""The secrets that webhooks are signed with, as settings write them: bare, or with a name before them."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_NAMED = re.compile(r"(?P<label>[A-Za-z0-9][A-Za-z0-9._-]{0,39}):(?P<value>whsec_.+)")


@dataclass(frozen=True, slots=True)
class Secret:
    """`label` may be shown to anybody; it stays the same whatever place the secret has among the others."""

    label: str
    value: str = field(repr=False)


def read_secrets(given: Sequence[str]) -> tuple[Secret, ...]:
    """`whsec_…` or `summer-2026:whsec_…`. Raises ValueError for a name that is none, or for two that are the same."""
    secrets = tuple(_secret(one) for one in given)
    if len({secret.label for secret in secrets}) < len(secrets):
        raise ValueError("two secrets have the same name, or one of them stands there twice")
    return secrets


def _secret(given: str) -> Secret:
    if named := _NAMED.fullmatch(given):
        return Secret(named["label"], named["value"])
    if ":whsec_" in given:
        raise ValueError("the name before a secret has 1 to 40 letters, digits, dots, dashes or underscores")
    # Enough to tell two secrets apart on a screen, nothing to forge a signature with.
    return Secret(f"secret {hashlib.sha256(given.encode()).hexdigest()[:8]}", given)
