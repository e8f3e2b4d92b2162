"""Which entries of ours a movement of the provider's balance must have, and which it makes necessary. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shop.payments.books.entries import Posting
from shop.payments.queries.settling import Known

HOUSE: Mapping[str, tuple[str, str]] = {
    "payout": ("payout", "payouts"),
    "payout_cancel": ("payout", "payouts"),
    "payout_failure": ("payout", "payouts"),
    "stripe_fee": ("fee", "stripe_fees"),
    "stripe_fx_fee": ("fee", "stripe_fees"),
    "tax_fee": ("fee", "stripe_fees"),
    "adjustment": ("adjustment", "adjustments"),
    "topup": ("topup", "bank"),
    "topup_reversal": ("topup", "bank"),
}
"""What belongs to no order and is no riddle: the provider's type → kind of entry and account. A type that is not here
is never guessed at: it stays open until a person decides.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What an entry of ours must have done to the provider's balance."""

    cause: str
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class Needed:
    """An entry that a movement makes necessary and that nothing else books; `order_id` None is the house's."""

    order_id: str | None
    kind: str
    cause: str
    lines: Sequence[Posting]
    memo: str | None


def parts(move: Known) -> list[Part] | None:
    """What must be booked for it, apart from the capture of an order; None where we do not know what it is."""
    if move.order_id is None:
        if not is_house(move):
            return None
        wanted = [Part(f"movement:{move.id}", move.currency, move.amount_minor)]
        fee = f"fee:{move.id}"
    elif move.refund_key is not None:
        wanted = _refund_parts(move)
        fee = f"fee:{move.id}"
    elif move.ours_minor is None:
        wanted = [Part(f"dispute:{move.id}", move.currency, move.amount_minor)]
        fee = f"dispute fee:{move.id}"
    else:
        wanted = _exchange_parts(move, move.ours_minor) if is_foreign(move) else []
        fee = f"fee:{move.source_ref}"
    return [part for part in [*wanted, Part(fee, move.currency, -move.fee_minor)] if part.amount]


def needed(move: Known) -> list[Needed]:
    """The entries to book for it now; empty where an order's own facts book them, or where nobody knows what it is."""
    if move.order_id is None:
        return _house_entries(move) if is_house(move) else []
    found: list[Needed] = []
    if is_foreign(move) and move.ours_minor and move.source_minor in {move.amount_minor, 0}:
        found.append(_exchanged(move, move.ours_minor if move.amount_minor > 0 else -move.ours_minor))
    if move.fee_minor and (is_foreign(move) or move.refund_key is not None) and move.ours_minor is not None:
        cause = f"fee:{move.id}" if move.refund_key is not None else f"fee:{move.source_ref}"
        found.append(_fee(move, cause, "fees"))
    return found


def is_capture(move: Known) -> bool:
    """Whether it is the money of an order of ours."""
    return move.order_id is not None and move.refund_key is None and move.ours_minor is not None


def is_house(move: Known) -> bool:
    """Money that belongs to no order. A dispute we have not heard of yet is none of it."""
    return move.type in HOUSE and move.source_kind != "dispute" and move.payment_ref is None


def is_foreign(move: Known) -> bool:
    """Whether the provider settled it in another currency than the order's."""
    return move.ours_currency is not None and move.ours_currency != move.currency


def _refund_parts(move: Known) -> list[Part]:
    word = "refund" if move.amount_minor < 0 else "refund reversed"
    cause = f"{word}:{move.order_id}:{move.refund_key}"
    # There and back again while it was pending: nothing was ever refunded, and nothing of it is booked.
    undone = move.never_booked and move.source_minor == 0
    if not is_foreign(move) or move.ours_minor is None or move.ours_currency is None:
        return [] if undone else [Part(cause, move.currency, move.amount_minor)]
    ours = move.ours_minor if move.amount_minor > 0 else -move.ours_minor
    return [*([] if undone else [Part(cause, move.ours_currency, ours)]), *_exchange_parts(move, ours)]


def _exchange_parts(move: Known, ours: int) -> list[Part]:
    cause = f"exchange:{move.id}"
    return [Part(cause, str(move.ours_currency), -ours), Part(cause, move.currency, move.amount_minor)]


def _exchanged(move: Known, ours: int) -> Needed:
    """The order's currency out of the provider's account, the account's own into it; each sums to zero by itself."""
    own = str(move.ours_currency)
    lines = [
        Posting("stripe", own, -ours),
        Posting("exchange", own, ours),
        Posting("stripe", move.currency, move.amount_minor),
        Posting("exchange", move.currency, -move.amount_minor),
    ]
    memo = f"1 {own} = {move.exchange_rate or '?'} {move.currency}"
    return Needed(move.order_id, "exchange", f"exchange:{move.id}", lines, memo)


def _house_entries(move: Known) -> list[Needed]:
    kind, account = HOUSE[move.type]
    amount = move.amount_minor
    lines = [Posting("stripe", move.currency, amount), Posting(account, move.currency, -amount)]
    memo = " ".join(filter(None, (move.type, move.source_ref, move.description)))
    found = [Needed(None, kind, f"movement:{move.id}", lines, memo[:600])] if amount else []
    return [*found, _fee(move, f"fee:{move.id}", "stripe_fees")] if move.fee_minor else found


def _fee(move: Known, cause: str, account: str) -> Needed:
    lines = [Posting(account, move.currency, move.fee_minor), Posting("stripe", move.currency, -move.fee_minor)]
    return Needed(move.order_id, "fee", cause, lines, move.description)
