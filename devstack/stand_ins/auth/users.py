"""Who has an account at Auth: kept in memory, checked as they come in."""

import threading
from dataclasses import asdict, dataclass, replace
from typing import Any

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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[str, User] = {}
        self._loaded: dict[str, User] = {}

    def find(self, user_id: str) -> User | None:
        with self._lock:
            return self._users.get(user_id)

    def put(self, user_id: str, given: dict[str, Any]) -> User:
        """Create or change a user; fields left out keep their value. Raises ProblemError 422."""
        with self._lock:
            known = self._users.get(user_id, User(user_id, f"{user_id}@example.com", user_id))
            self._users[user_id] = _changed(known, given)
            return self._users[user_id]

    def load(self, users: list[User]) -> None:
        with self._lock:
            self._loaded |= {user.id: user for user in users}
            self._users |= self._loaded

    def reset(self) -> None:
        with self._lock:
            self._users = dict(self._loaded)


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
