"""The objects of the account in memory, each kind in the order of its making, and their ids."""

import hashlib
from collections import Counter
from typing import Any

from devstack.stand_ins.stripe.errors import no_such
from devstack.stand_ins.stripe.wire import Json

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 24


class Store:
    """Objects in wire form by kind and id, and what the wire never shows beside them. Not thread-safe by itself."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._made: Counter[str] = Counter()
        self._kinds: dict[str, dict[str, Json]] = {}
        self._hidden: dict[str, Json] = {}

    def new_id(self, prefix: str, length: int = ID_LENGTH) -> str:
        """Return the next id of this prefix. The same seed gives the same ids; a reset never gives one again."""
        self._made[prefix] += 1
        digest = hashlib.sha256(f"{self._seed}/{prefix}/{self._made[prefix]}".encode()).digest()
        number = int.from_bytes(digest, "big")
        return f"{prefix}_" + "".join(ALPHABET[number // 62**place % 62] for place in range(length))

    def put(self, made: Json) -> Json:
        self._kinds.setdefault(made["object"], {})[made["id"]] = made
        return made

    def find(self, kind: str, wanted: str) -> Json | None:
        return self._kinds.get(kind, {}).get(wanted)

    def get(self, kind: str, wanted: str, *, param: str = "id", status: int = 404) -> Json:
        """Return the object, or refuse with resource_missing."""
        found = self.find(kind, wanted)
        if found is None:
            raise no_such(kind, wanted, param=param, status=status)
        return found

    def all(self, kind: str) -> list[Json]:
        """Return the objects of a kind, oldest first."""
        return list(self._kinds.get(kind, {}).values())

    def remove(self, kind: str, wanted: str) -> None:
        self._kinds.get(kind, {}).pop(wanted, None)

    def hidden(self, of: Json) -> dict[str, Any]:
        """Return what the stand-in remembers of an object without ever sending it."""
        return self._hidden.setdefault(of["id"], {})

    def kinds(self) -> list[str]:
        return sorted(kind for kind, objects in self._kinds.items() if objects)

    def clear(self) -> None:
        self._kinds, self._hidden = {}, {}
