"""How new the catalogue and the merchandising are: numbers that every change raises in its own transaction."""

from typing import Literal

from db.database import Tx

Name = Literal["catalogue", "merchandising"]


def bump(tx: Tx, name: Name) -> None:
    tx.execute(
        "UPDATE search_versions SET version = version + 1, changed_at = now() WHERE name = %(name)s", {"name": name}
    )


def versions(tx: Tx) -> tuple[int, int]:
    """Of the catalogue, of the merchandising."""
    rows = dict(tx.execute("SELECT name, version FROM search_versions").fetchall())
    return rows["catalogue"], rows["merchandising"]
