"""Limits on what one customer may try: goods set aside without paying, and cards tried one after the other."""

from dataclasses import dataclass

from db.database import Tx
from shop.errors import Rejected
from shop.payments.queries import guarding

OPEN_ORDERS = 20
"""Unpaid orders a customer may have at once: each holds goods back from others for an hour. A family shopping for
Christmas has three; whoever has twenty is emptying the shelves.
"""

DECLINES_AN_HOUR = 10
"""Refused tries of one customer, over all orders. A person has four cards and mistypes each once; card testers, for
whom a shop is a way to find out which stolen numbers work, need hundreds.
"""

DECLINES_OF_ORDER = 10
"""After so many an order is called off, because a browser that has its secret can try on without asking us."""


class TooManyOpenOrders(Rejected):
    """The customer has many unpaid orders already: pay or cancel one of them, or wait until they expire."""

    code = "too_many_open_orders"


class TooManyDeclines(Rejected):
    """Too many cards were refused in the last hour. It can be tried again later."""

    code = "too_many_declines"
    status = 429


@dataclass(frozen=True, slots=True)
class Guards:
    """How many of each; 0 counts nothing."""

    open_orders: int = OPEN_ORDERS
    declines_an_hour: int = DECLINES_AN_HOUR

    def check_new_order(self, tx: Tx, customer_id: str) -> None:
        """Raise TooManyOpenOrders or TooManyDeclines. Two at once of one customer are counted one after the other."""
        self.check_try(tx, customer_id)
        if not self.open_orders:
            return
        guarding.lock_customer(tx, customer_id)
        if guarding.open_orders(tx, customer_id, limit=self.open_orders) >= self.open_orders:
            raise TooManyOpenOrders(f"there are {self.open_orders} unpaid orders: pay or cancel one of them first")

    def check_try(self, tx: Tx, customer_id: str) -> None:
        """Raise TooManyDeclines where another card should not be tried now."""
        if self.declines_an_hour and guarding.declines(tx, customer_id) >= self.declines_an_hour:
            raise TooManyDeclines("too many cards were declined; try again in an hour")
