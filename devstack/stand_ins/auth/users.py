"""Who has an account at Auth, checked as they come in."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.problems import ProblemError

FIELDS = frozenset({"id", "email", "name", "active"})


@dataclass(frozen=True)
class User:
    """One account, in the shape the service answers with."""

    id: str
    email: str
    name: str
    active: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Users:
    """All accounts; a bulk load is what a reset goes back to."""

    def __init__(self, keeping: Keeping) -> None:
        self._lock = keeping
        self._users = {name: User(**kept) for name, kept in keeping.rows("user")}
        self._loaded = {name: User(**kept) for name, kept in keeping.rows("loaded")}

    def find(self, user_id: str) -> User | None:
        with self._lock:
            return self._users.get(user_id)

    def put(self, user_id: str, given: dict[str, Any]) -> User:
        """Create or change a user; fields left out keep their value. Raises ProblemError 422."""
        with self._lock:
            known = self._users.get(user_id, User(user_id, f"{user_id}@example.com", user_id))
            return self._put(_changed(known, given))

    def load(self, users: list[User], *, only_missing: bool = False) -> int:
        """Put many at once, what a reset goes back to; return how many were put."""
        with self._lock:
            wanted = [user for user in users if not (only_missing and user.id in self._users)]
            for user in wanted:
                self._loaded[user.id] = user
                self._lock.put("loaded", user.id, user.as_json())
                self._put(user)
            return len(wanted)

    def reset(self) -> None:
        with self._lock:
            self._users = {}
            self._lock.clear("user")
            for user in self._loaded.values():
                self._put(user)

    def _put(self, user: User) -> User:
        self._users[user.id] = user
        self._lock.put("user", user.id, user.as_json())
        return user


def read_user(given: dict[str, Any]) -> User:
    """Return the user of one line of a bulk load; raises ProblemError 422."""
    user_id: str = given["id"]
    return _changed(User(user_id, f"{user_id}@example.com", user_id), given)


def _changed(user: User, given: dict[str, Any]) -> User:
    changes = {field: value for field, value in given.items() if field != "id"}
    if unknown := sorted(given.keys() - FIELDS):
        raise ProblemError(422, "invalid_request", f"unknown field: {unknown[0]}")
    if given.get("id", user.id) != user.id:
        raise ProblemError(422, "invalid_request", "the id in the body is not the one in the path")
    if not isinstance(changes.get("active", True), bool):
        raise ProblemError(422, "invalid_request", "active must be true or false")
    if not all(isinstance(changes.get(field, ""), str) for field in ("email", "name")):
        raise ProblemError(422, "invalid_request", "email and name must be text")
    return replace(user, **changes)
