"""docs/settings.md: every setting with its default and what it does, drawn from the settings themselves."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from boot.settings import Settings

CHAPTERS = {
    "database_url": "Where things are",
    "auth_jwks_url": "Who may call",
    "stripe_secret_key": "Stripe",
    "capture": "Orders",
    "tax_rate_percent": "Tax",
    "refund_approval_from_minor": "Refunds",
    "shop_name": "The shop",
    "smtp_url": "Mail",
    "model_dir": "Search",
    "log_level": "Running",
}
"""Each chapter by the setting it begins with."""

HEAD = """\
# Settings

Environment variables, read once when a process starts; an empty one counts as not set. A wrong one, or a needed one
that is missing, stops the start with a sentence that names it. `backroom env` prints what the local shop was started
with. Written by `backroom settings --write docs` from `boot/settings.py`; a test fails when it is out of date.
"""

TAIL = """
## Read by others

| variable | default | what |
|---|---|---|
| `WEB_CONCURRENCY` | `2` | Web processes behind one port; the [Procfile](../Procfile) hands it to granian. |
| `PROMETHEUS_MULTIPROC_DIR` | a folder of its own | Where the web processes add up their figures for `/metrics`. |
"""


def page() -> str:
    """docs/settings.md as a whole."""
    return HEAD + "".join(_lines()) + TAIL


def _lines() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if name in CHAPTERS:
            yield f"\n## {CHAPTERS[name]}\n\n| variable | default | what |\n|---|---|---|\n"
        yield f"| `{name.upper()}` | {_default(field)} | {_in_one_line(field)}{_bounds(field)} |\n"


def _in_one_line(field: FieldInfo) -> str:
    """A line break would end the table."""
    return " ".join((field.description or "").split())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value: Any = field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "–" if value in (None, "", ()) else f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return f" One of {', '.join(f'`{choice}`' for choice in get_args(field.annotation))}."
    least = next((rule.ge for rule in field.metadata if hasattr(rule, "ge")), None)
    most = next((rule.le for rule in field.metadata if hasattr(rule, "le")), None)
    if least is None:
        return ""
    return f" {least} or more." if most is None else f" From {least} to {most}."
