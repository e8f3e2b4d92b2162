"""Why a movement of the provider's balance that nothing of ours is booked for is no riddle."""

from collections.abc import Sequence

from db.database import Tx


def still_pending(tx: Tx, movement_ids: Sequence[str]) -> list[str]:
    """Movements of refunds that the customer's bank has not decided about: the provider books them at once, we then."""
    rows = tx.execute(
        """
        SELECT provider_movements.id FROM provider_movements JOIN refunds ON provider_refund_id = source_ref
         WHERE provider_movements.id = ANY(%(ids)s) AND status = 'pending'
        """,
        {"ids": list(movement_ids)},
    ).fetchall()
    return [row[0] for row in rows]


def given_back(tx: Tx, movement_ids: Sequence[str]) -> dict[str, str]:
    """Movements of payments that fitted no order and whose money went back to the payer, with who decided that."""
    rows = tx.execute(
        """
        SELECT provider_movements.id,
               left('belongs to no order and was given back by ' || requested_by || ': ' || reason, 300)
          FROM provider_movements
          JOIN orphan_returns ON orphan_returns.payment_ref = provider_movements.payment_ref AND outcome = 'succeeded'
         WHERE provider_movements.id = ANY(%(ids)s)
        """,
        {"ids": list(movement_ids)},
    ).fetchall()
    return dict(rows)
