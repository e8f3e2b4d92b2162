"""Movements of the provider's balance that are not this shop's, on an account that it shares."""

from collections.abc import Sequence
from datetime import datetime

from db.database import Tx


def note_foreign(tx: Tx, movement_ids: Sequence[str]) -> None:
    tx.execute(
        """
        UPDATE provider_movements SET foreign_at = now()
         WHERE id = ANY(%(ids)s) AND matched_at IS NULL AND foreign_at IS NULL
        """,
        {"ids": list(movement_ids)},
    )


def note_given_back(tx: Tx, *, before: datetime) -> None:
    """Money that fitted no order and went back to its payer: made before a time, it is none of ours for good."""
    tx.execute(
        """
        UPDATE provider_movements SET foreign_at = now()
          FROM orphan_returns
         WHERE orphan_returns.payment_ref = provider_movements.payment_ref AND outcome = 'succeeded'
           AND matched_at IS NULL AND foreign_at IS NULL AND made_at < %(before)s
           AND NOT EXISTS (SELECT 1 FROM payments WHERE charge_id = source_ref)
        """,
        {"before": before},
    )


def claim_back(tx: Tx) -> None:
    """Those that something of ours belongs to by now (an adopted payment, a correction) are open again."""
    tx.execute(
        """
        UPDATE provider_movements SET foreign_at = NULL
         WHERE id IN (SELECT id FROM foreign_movements WHERE claimed) AND foreign_at IS NOT NULL
        """
    )


def sums(tx: Tx) -> list[tuple[str, int, int]]:
    """`(currency, number, net)` of all of them; those that are claimed by now are compared one by one again."""
    return tx.execute(
        """
        SELECT currency, count(*)::int, sum(net_minor)::bigint
          FROM foreign_movements
         WHERE NOT claimed
      GROUP BY currency
      ORDER BY currency
        """
    ).fetchall()
