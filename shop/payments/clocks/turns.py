"""One order after the other: whatever is wrong with one holds up no other, and is told when all had their turn."""

from collections.abc import Callable
from dataclasses import dataclass, field

from db.database import database_is_away
from shop.errors import NotYet, Rejected

NAMED = 8
"""Orders that are told of, as many as the row of a job has room for; where more fail, the reason is seldom theirs."""

LONGEST_REASON = 160
"""Characters: the rest of a long one is data."""


class OrdersFailed(Rejected):
    """Some orders could not be worked on; the message names them and says why. All others were; the next run tries
    these again.
    """

    code = "orders_failed"


@dataclass(slots=True)
class Turns:
    """The orders of one run that failed, each with its reason."""

    failed: dict[str, str] = field(default_factory=dict[str, str])

    def take(self, order_id: str, act: Callable[[], bool]) -> bool:
        """What `act` answers, False if it failed. Raises what has nothing to do with this order: the provider or the
        database is away.
        """
        try:
            return act()
        except NotYet:
            raise
        except Exception as error:
            if database_is_away(error):
                raise
            self.failed[order_id] = _reason(error)
            return False

    def end(self) -> None:
        """Raise OrdersFailed if there are any: a job that says so ends as failed, for somebody to see."""
        if not self.failed:
            return
        told = [f"{order_id}: {reason}" for order_id, reason in list(self.failed.items())[:NAMED]]
        more = f"; and {len(self.failed) - NAMED} more" if len(self.failed) > NAMED else ""
        raise OrdersFailed(f"{len(self.failed)} orders failed, all others had their turn: {'; '.join(told)}{more}")


def _reason(error: Exception) -> str:
    """The error, and where it came up: nobody sees a traceback of it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_name}, line {trace.tb_lineno})" if trace is not None else ""
    return f"{type(error).__name__}{place}: {error}"[:LONGEST_REASON]
