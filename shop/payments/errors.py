"""The refusals of this area, each with its word of the HTTP contract."""

from shop.errors import NotFound, Rejected


class OrderNotFound(NotFound):
    """There is no such order, or it belongs to somebody else."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no order {order_id}")


class WrongState(Rejected):
    """The order is in a state in which this cannot be asked."""

    code = "wrong_state"

    def __init__(self, order_id: str, status: str, wish: str) -> None:
        super().__init__(f"order {order_id} is {status} and cannot be {wish}")


class AlreadyCaptured(Rejected):
    """The money is taken (or being taken): only a refund gives it back."""

    code = "already_captured"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id} is captured already: only a refund gives money back now")


class PaymentInProgress(Rejected):
    """The last try to pay is not decided yet."""

    code = "payment_in_progress"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id}: the last try to pay is still being decided")


class CaptureTooLarge(Rejected):
    """More than was authorised."""

    code = "capture_too_large"
    status = 422


class NotPayable(Rejected):
    """The amount has a fraction that no card can be charged in this currency (a tenth of a cent, half a króna)."""

    code = "amount_not_payable"
    status = 422


class UnknownLine(Rejected):
    """A refund names a line that the order does not have."""

    code = "invalid_request"
    status = 422

    def __init__(self, order_id: str, line_id: str) -> None:
        super().__init__(f"order {order_id} has no line {line_id}")


class RefundableChanged(Rejected):
    """The caller saw another remainder than there is: somebody refunded in the meantime."""

    code = "refundable_changed"

    def __init__(self, order_id: str, expected: int | None, refundable: int) -> None:
        super().__init__(f"order {order_id}: {refundable} is refundable, not {expected}")


class RefundTooLarge(Rejected):
    """More than is left to refund, in money or in pieces of a line."""

    code = "refund_too_large"
    status = 422


class NothingToRefund(Rejected):
    """A refund of nothing: whatever it is, nothing is left of it."""

    code = "refund_too_large"
    status = 422


class DisputeOpen(Rejected):
    """The bank has taken the money back already, or may: a refund now would pay twice."""

    code = "dispute_open"


class OwnRequest(Rejected):
    """Who asked for a refund cannot be who approves it."""

    code = "own_request"
    status = 403


class DisputeClosed(Rejected):
    """The bank does not wait for an answer: it has one, or has decided."""

    code = "dispute_closed"


class EvidenceTooLate(Rejected):
    """The last day for an answer is over."""

    code = "evidence_too_late"


class EvidenceOnItsWay(Rejected):
    """An answer is being sent: a bank reads one."""

    code = "evidence_on_its_way"


class NoSuchSpan(Rejected):
    """There is nothing to compare in that time: it ends before it begins, or lies where the shop never was."""

    code = "invalid_request"
    status = 422


class NotResolvable(Rejected):
    """This difference cannot be decided in that way."""

    code = "not_resolvable"


class AlreadyResolved(Rejected):
    """Somebody decided about this difference before."""

    code = "already_resolved"

    def __init__(self, reconciliation_id: str, position: int) -> None:
        super().__init__(f"difference {position} of {reconciliation_id} is resolved already; the next comparison tells")


class Unplaceable(Rejected):
    """The order cannot become one; `rejection_code` is the word for it, `detail` what to tell the customer."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.rejection_code = code
        self.detail = detail


class IllegalMove(Rejected):
    """A fact would take the order where it cannot go: a person has to look."""

    code = "illegal_move"

    def __init__(self, order_id: str, before: str, after: str) -> None:
        super().__init__(f"order {order_id} cannot go from {before} to {after}")


class Implausible(Rejected):
    """The provider's object does not fit our order in amount, currency or name: a person has to look."""

    code = "implausible"
