"""Stock that is spoken for: reservations that hold, run out, are committed or released; and returns."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from devstack.stand_ins.problems import ProblemError
from devstack.stand_ins.products.catalogue import Catalogue

HELD, COMMITTED, RELEASED, EXPIRED = "held", "committed", "released", "expired"

Lines = dict[str, int]  # product id: quantity


@dataclass(frozen=True)
class Reservation:
    """Stock held for one buyer until `expires_at`."""

    id: str
    state: str
    expires_at: datetime
    lines: Lines
    created_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "state": self.state,
            "expires_at": _text(self.expires_at),
            "lines": lines_as_json(self.lines),
            "created_at": _text(self.created_at),
        }


class Warehouse:
    """Every change is all or nothing and idempotent by its id; the catalogue's lock makes it one step."""

    def __init__(self, catalogue: Catalogue, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._catalogue, self._now, self._keeping = catalogue, now, catalogue.lock
        self._reservations = {name: _reservation(name, kept) for name, kept in self._keeping.rows("reservation")}
        self._returns: dict[str, Lines] = dict(self._keeping.rows("return"))
        self._expiries: list[tuple[datetime, str]] = []
        self._reserved: Counter[str] = Counter()
        for known in self._reservations.values():
            if known.state == HELD:
                self._hold(known)

    def reset(self) -> None:
        with self._keeping:
            self._reservations, self._returns, self._expiries = {}, {}, []
            self._reserved.clear()
            self._keeping.clear("reservation", "return")

    def reserve(self, reservation_id: str, expires_at: datetime, lines: Lines) -> Reservation:
        """Hold stock; the same request again gives the same reservation.

        Raises ProblemError 409: `out_of_stock` with the short lines, `reservation_differs` when the id was used
        for something else, `reservation_expired` or `reservation_released` when it is over.
        """
        with self._at_this_moment() as now:
            if known := self._reservations.get(reservation_id):
                return _same(known, expires_at, lines)
            if expires_at <= now:
                raise ProblemError(422, "invalid_request", "expires_at must lie in the future")
            if short := self._short_lines(lines):
                raise ProblemError(409, "out_of_stock", "not enough stock", lines=short)
            made = Reservation(reservation_id, HELD, expires_at, lines, now)
            self._hold(made)
            return self._keep(made)

    def commit(self, reservation_id: str) -> Reservation:
        """Take the goods off the stock for good. Raises ProblemError 404, or 409 when the hold is over."""
        with self._at_this_moment():
            known = self._reservations.get(reservation_id)
            if known is None:
                raise ProblemError(404, "reservation_not_found", f"no reservation {reservation_id}")
            if known.state in (RELEASED, EXPIRED):
                raise _over(known)
            if known.state == HELD:
                self._close(known, COMMITTED)
                self._change_stock(known.lines, -1)
            return self._reservations[reservation_id]

    def release(self, reservation_id: str) -> None:
        """Let the stock go; again, or for an id never seen, it does no more than bar a late request with it.

        Raises ProblemError 409 `reservation_committed`: those goods come back by a stock return.
        """
        with self._at_this_moment() as now:
            known = self._reservations.get(reservation_id)
            if known is None:
                known = self._keep(Reservation(reservation_id, RELEASED, now, {}, now))
            if known.state == COMMITTED:
                raise ProblemError(409, "reservation_committed", "these goods have left the stock")
            if known.state == HELD:
                self._close(known, RELEASED)

    def take_back(self, return_id: str, lines: Lines) -> bool:
        """Add returned goods to the stock, once an id; return whether this was the first time.

        Raises ProblemError 404 `product_not_found`, 409 `stock_return_differs`.
        """
        with self._at_this_moment():
            if return_id in self._returns:
                if self._returns[return_id] != lines:
                    raise ProblemError(409, "stock_return_differs", "this id was used for other lines")
                return False
            for product_id in lines:
                if self._catalogue.find(product_id) is None:
                    raise ProblemError(404, "product_not_found", f"no product {product_id}")
            self._returns[return_id] = lines
            self._keeping.put("return", return_id, lines)
            self._change_stock(lines, +1)
            return True

    def reserved(self, product_id: str) -> int:
        """Return how many of a product are held at this moment."""
        with self._at_this_moment():
            return self._reserved[product_id]

    def find(self, reservation_id: str) -> Reservation | None:
        with self._at_this_moment():
            return self._reservations.get(reservation_id)

    def newest_first(self) -> list[Reservation]:
        with self._at_this_moment():
            return list(reversed(self._reservations.values()))

    def _at_this_moment(self) -> "_Moment":
        return _Moment(self._catalogue, self._now, self._expire)

    def _expire(self, now: datetime) -> None:
        while self._expiries and self._expiries[0][0] <= now:
            _expires_at, reservation_id = heapq.heappop(self._expiries)
            known = self._reservations[reservation_id]
            if known.state == HELD:
                self._close(known, EXPIRED)

    def _short_lines(self, lines: Lines) -> list[dict[str, Any]]:
        wanted = [(product_id, quantity, self._available(product_id)) for product_id, quantity in lines.items()]
        return [
            {"product_id": product_id, "wanted": quantity, "available": available}
            for product_id, quantity, available in wanted
            if quantity > available
        ]

    def _available(self, product_id: str) -> int:
        product = self._catalogue.find(product_id)
        if product is None or not product.active:
            return 0
        return max(0, product.stock - self._reserved[product_id])

    def _hold(self, reservation: Reservation) -> None:
        self._reserved.update(reservation.lines)
        heapq.heappush(self._expiries, (reservation.expires_at, reservation.id))

    def _keep(self, reservation: Reservation) -> Reservation:
        self._reservations[reservation.id] = reservation
        times = {"expires_at": _text(reservation.expires_at), "created_at": _text(reservation.created_at)}
        self._keeping.put(
            "reservation", reservation.id, {**times, "state": reservation.state, "lines": reservation.lines}
        )
        return reservation

    def _close(self, reservation: Reservation, state: str) -> None:
        self._keep(replace(reservation, state=state))
        self._reserved.subtract(reservation.lines)

    def _change_stock(self, lines: Lines, sign: int) -> None:
        for product_id, quantity in lines.items():
            if product := self._catalogue.find(product_id):
                # Somebody may have set the stock lower by hand meanwhile: it never shows less than none.
                self._catalogue.put(replace(product, stock=max(0, product.stock + sign * quantity)))


class _Moment:
    """The lock, and inside it a look at the clock: what has run out by now is gone before anything else."""

    def __init__(self, catalogue: Catalogue, now: Callable[[], datetime], expire: Callable[[datetime], None]) -> None:
        self._catalogue, self._now, self._expire = catalogue, now, expire

    def __enter__(self) -> datetime:
        self._catalogue.lock.acquire()
        now = self._now()
        self._expire(now)
        return now

    def __exit__(self, *_error: object) -> None:
        self._catalogue.lock.release()


def lines_as_json(lines: Lines) -> list[dict[str, Any]]:
    """Return lines as the service writes them."""
    return [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines.items()]


def _same(known: Reservation, expires_at: datetime, lines: Lines) -> Reservation:
    if known.state == RELEASED and not known.lines:
        raise _over(known)
    if (known.expires_at, known.lines) != (expires_at, lines):
        raise ProblemError(409, "reservation_differs", "this id was used for another reservation")
    if known.state in (RELEASED, EXPIRED):
        raise _over(known)
    return known


def _over(reservation: Reservation) -> ProblemError:
    return ProblemError(409, f"reservation_{reservation.state}", f"the reservation is {reservation.state}")


def _reservation(reservation_id: str, kept: dict[str, Any]) -> Reservation:
    expires_at, created_at = (datetime.fromisoformat(kept[name]) for name in ("expires_at", "created_at"))
    return Reservation(reservation_id, kept["state"], expires_at, kept["lines"], created_at)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
