"""Where the shop takes its ids from."""

from db.ids import new_id

__all__ = ["new_id"]
