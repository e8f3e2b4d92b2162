"""The objects of the account, each kind in the order of its making, and their ids."""

import hashlib
from collections import Counter
from typing import Any

from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.stripe.errors import no_such
from devstack.stand_ins.stripe.wire import Json

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 24
OBJECTS = "object."  # before the kind of an object, so that it cannot be mistaken for anything else that is kept


class Store:
    """Objects in wire form by kind and id, and what the wire never shows beside them. Not thread-safe by itself.

    Those that `put`, `find`, `get` and `hidden` give out may be changed in place until the lock is let go.
    """

    def __init__(self, seed: str, keeping: Keeping) -> None:
        self._keeping = keeping
        self._seed = self._seed_of_this_start(seed)
        self._made: Counter[str] = Counter()
        self._kinds: dict[str, dict[str, Json]] = {}
        for kind, _kept in keeping.rows("kind"):
            self._kinds[kind] = dict(keeping.rows(OBJECTS + kind))
        self._hidden: dict[str, Json] = dict(keeping.rows("hidden"))

    def new_id(self, prefix: str, length: int = ID_LENGTH) -> str:
        """Return the next id of this prefix. The same seed gives the same ids; a reset never gives one again."""
        self._made[prefix] += 1
        digest = hashlib.sha256(f"{self._seed}/{prefix}/{self._made[prefix]}".encode()).digest()
        number = int.from_bytes(digest, "big")
        return f"{prefix}_" + "".join(ALPHABET[number // 62**place % 62] for place in range(length))

    def put(self, made: Json) -> Json:
        kind = made["object"]
        if kind not in self._kinds:
            self._kinds[kind] = {}
            self._keeping.put("kind", kind, None)
        self._kinds[kind][made["id"]] = made
        self._keeping.put(OBJECTS + kind, made["id"], made)
        return made

    def find(self, kind: str, wanted: str) -> Json | None:
        found = self._kinds.get(kind, {}).get(wanted)
        if found is not None:
            self._keeping.watch(OBJECTS + kind, wanted, found)
        return found

    def get(self, kind: str, wanted: str, *, param: str = "id", status: int = 404) -> Json:
        """Return the object, or refuse with resource_missing."""
        found = self.find(kind, wanted)
        if found is None:
            raise no_such(kind, wanted, param=param, status=status)
        return found

    def all(self, kind: str) -> list[Json]:
        """Return the objects of a kind, oldest first, to be read only."""
        return list(self._kinds.get(kind, {}).values())

    def remove(self, kind: str, wanted: str) -> None:
        self._kinds.get(kind, {}).pop(wanted, None)
        self._keeping.drop(OBJECTS + kind, wanted)

    def hidden(self, of: Json) -> dict[str, Any]:
        """Return what the stand-in remembers of an object without ever sending it."""
        known = self._hidden.get(of["id"])
        if known is None:
            known = self._hidden[of["id"]] = {}
            self._keeping.put("hidden", of["id"], known)
        self._keeping.watch("hidden", of["id"], known)
        return known

    def peek(self, wanted: str) -> Json:
        """Return what is hidden of an object, to be read only."""
        return self._hidden.get(wanted, {})

    def kinds(self) -> list[str]:
        return sorted(kind for kind, objects in self._kinds.items() if objects)

    def clear(self) -> None:
        self._keeping.clear("kind", "hidden", *(OBJECTS + kind for kind in self._kinds))
        self._kinds, self._hidden = {}, {}

    def _seed_of_this_start(self, seed: str) -> str:
        """Return the seed itself for the first start on kept state, another one for each start after it."""
        starts: int = dict(self._keeping.rows("starts")).get("count", 0)
        with self._keeping:
            self._keeping.put("starts", "count", starts + 1)
        return f"{seed}/{starts}" if starts else seed
