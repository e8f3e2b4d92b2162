"""One order while somebody watches it: its state now, then each change, until it is paid or called off."""

from collections.abc import Iterable
from datetime import datetime

from shop.payments import read
from shop.payments.orders.moves import CALLED_OFF, TAKEN
from web.call import Call
from web.payments.order_body import OrderBody, order_body
from web.streams import Event


class OrderSource:
    """A light query a look; the whole order is read only after something was written to it.

    It ends with the payment's story, because seats are few: what is refunded later is seen by reading the order again.
    """

    def __init__(self, call: Call, order_id: str) -> None:
        self.ended = False
        self._call = call
        self._order_id = order_id
        self._looked_at: datetime | None = None
        self._shown: OrderBody | None = None

    def news(self) -> Iterable[Event]:
        changed_at = read.changed_at(self._call.db, self._order_id)
        if changed_at == self._looked_at:
            return []
        self._looked_at = changed_at
        body = order_body(self._call, read.order_view(self._call.db, self._order_id))
        self.ended = is_over(body)
        # Facts that change nothing anybody sees are written as well.
        if self._shown is not None and body == self._shown.model_copy(update={"updated_at": body.updated_at}):
            return []
        self._shown = body
        return [Event("order", body, id=mark(body))]


def is_over(order: OrderBody) -> bool:
    return order.status in CALLED_OFF | TAKEN


def mark(order: OrderBody) -> str:
    """What a browser that comes back says it has seen."""
    return f"{order.status}.{order.amount_refunded}.{int(order.disputed)}"
