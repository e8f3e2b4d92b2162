"""What of an order can still be refunded, in pieces and in money, and holding some of it."""

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.rows import LineLeft


def lines_left(tx: Tx, order_id: str) -> list[LineLeft]:
    """Each line with what is refunded of it, or about to be, in pieces and in money."""
    cursor = tx.cursor(row_factory=class_row(LineLeft))
    return cursor.execute(
        """
        SELECT l.id, l.quantity,
               l.total_minor + CASE WHEN o.tax_included THEN 0 ELSE coalesce(l.tax_minor, 0) END AS gross_minor,
               coalesce(g.pieces, 0)::integer AS refunded_pieces, coalesce(g.minor, 0)::bigint AS refunded_minor
          FROM order_lines l
          JOIN orders o ON o.id = l.order_id
          LEFT JOIN (SELECT r.line_id, sum(r.quantity) AS pieces, sum(r.amount_minor) AS minor
                       FROM refund_lines r
                       JOIN refunds ON refunds.id = r.refund_id
                      WHERE refunds.order_id = %(order_id)s AND refunds.status NOT IN ('failed', 'declined')
                   GROUP BY r.line_id) g ON g.line_id = l.id
         WHERE l.order_id = %(order_id)s
      ORDER BY l.position
        """,
        {"order_id": order_id},
    ).fetchall()


def shipping_left(tx: Tx, order_id: str) -> int:
    """How much of the shipping, with its tax, is neither refunded nor about to be: the total without the lines."""
    row = tx.execute(
        """
        SELECT o.total_minor - o.subtotal_minor
               - CASE WHEN o.tax_included THEN 0
                      ELSE coalesce((SELECT sum(tax_minor) FROM order_lines WHERE order_id = o.id), 0) END
               - coalesce((SELECT sum(shipping_minor) FROM refunds
                            WHERE order_id = o.id AND status NOT IN ('failed', 'declined')), 0)
          FROM orders o
         WHERE o.id = %(order_id)s
        """,
        {"order_id": order_id},
    ).fetchone()
    return max(int(row[0]), 0) if row else 0


def pieces_returned_before(tx: Tx, order_id: str, refund_id: str) -> dict[str, int]:
    """Pieces that earlier refunds of the order put back on the shelf, also those whose money came back afterwards."""
    rows = tx.execute(
        """
        SELECT r.line_id, sum(r.quantity)::integer
          FROM effects mine
          JOIN effects earlier ON earlier.order_id = mine.order_id AND earlier.kind = 'restock'
                              AND (earlier.claimed_at, earlier.generation) < (mine.claimed_at, mine.generation)
          JOIN refund_lines r ON r.refund_id = earlier.generation
         WHERE mine.order_id = %(order_id)s AND mine.kind = 'restock' AND mine.generation = %(refund_id)s
      GROUP BY r.line_id
        """,
        {"order_id": order_id, "refund_id": refund_id},
    ).fetchall()
    return dict(rows)


def hold(tx: Tx, order_id: str, *, amount: int, expected: int | None) -> bool:
    """Reserve by adding to what is reserved. False if another remainder is left than expected.

    Compared and added in one statement: two at once wait for each other here even if neither has locked the row before.
    """
    held = tx.execute(
        """
        UPDATE orders SET amount_reserved_for_refund = amount_reserved_for_refund + %(amount)s, updated_at = now()
         WHERE id = %(id)s
           AND (%(expected)s::bigint IS NULL
                OR amount_captured - amount_refunded - amount_reserved_for_refund = %(expected)s)
        """,
        {"id": order_id, "amount": amount, "expected": expected},
    )
    return held.rowcount == 1


def given_alone(tx: Tx, order_id: str, actor: str) -> int:
    """What this person has had refunded of the order without anybody else's yes."""
    row = tx.execute(
        """
        SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds
         WHERE order_id = %(order_id)s AND requested_by = %(actor)s AND approved_by IS NULL
           AND status IN ('pending', 'succeeded')
        """,
        {"order_id": order_id, "actor": actor},
    ).fetchone()
    assert row is not None
    return row[0]
