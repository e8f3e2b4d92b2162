"""One order's history out of all the tables that know something of it."""

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.rows import Moment


def moments(tx: Tx, order_id: str) -> list[Moment]:
    """Deliveries, attempts, facts with the step each caused, ledger entries, effects with their jobs, and mails.

    By time, causes first.
    """
    cursor = tx.cursor(row_factory=class_row(Moment))
    return cursor.execute(
        """
        SELECT at, kind, what, detail
          FROM (SELECT received_at AS at, 1 AS rank, 'delivery' AS kind, coalesce(type, 'unknown') AS what,
                       jsonb_build_object('event', event_id, 'source', source, 'state', state, 'reason', reason,
                                          'secret', secret_label, 'repeats', repeats, 'attempts', attempts) AS detail
                  FROM webhook_deliveries WHERE order_id = %(id)s
                UNION ALL
                SELECT coalesce(asked_at, created_at), 2, 'attempt', operation,
                       jsonb_build_object('attempt', id, 'generation', generation, 'tries', tries, 'outcome', outcome,
                                          'refund', refund_id, 'error', error_code, 'answered_at', answered_at,
                                          'unknown_since', unknown_since, 'look_at', look_at)
                  FROM provider_attempts WHERE order_id = %(id)s
                UNION ALL
                SELECT recorded_at, 3, 'fact', transactions.kind,
                       jsonb_build_object('seq', seq, 'source', source, 'actor', actor, 'subject', subject,
                                          'amount', amount_minor, 'currency', currency, 'status', data -> 'status',
                                          'decline', data #>> '{decline,code}', 'moved',
                                          CASE WHEN before IS NOT NULL THEN jsonb_build_array(before, after) END,
                                          'data', data - ARRAY['decline', 'card'])
                  FROM transactions LEFT JOIN order_moves USING (order_id, seq)
                 WHERE order_id = %(id)s
                UNION ALL
                SELECT booked_at, 4, 'ledger', ledger_entries.kind,
                       jsonb_build_object('entry', ledger_entries.id, 'cause', cause, 'currency',
                                          (SELECT min(currency) FROM ledger_lines WHERE entry_id = ledger_entries.id),
                                          'lines',
                                          (SELECT jsonb_object_agg(account, amount_minor) FROM ledger_lines
                                            WHERE entry_id = ledger_entries.id))
                  FROM ledger_entries WHERE order_id = %(id)s
                UNION ALL
                SELECT claimed_at, 5, 'effect', effects.kind,
                       jsonb_build_object('generation', generation, 'done_at', done_at, 'job', job_id, 'state', state,
                                          'attempts', attempts, 'error', error_code, 'finished_at', finished_at)
                  FROM effects LEFT JOIN jobs ON jobs.id = effects.job_id
                 WHERE order_id = %(id)s
                UNION ALL
                -- About the order itself, its refunds, its invoices and its disputes.
                SELECT coalesce(mails.sent_at, mails.created_at), 6, 'mail', mails.kind,
                       jsonb_build_object('mail', mails.id, 'state', mails.state, 'attempts', mails.attempts,
                                          'error', mails.last_error, 'smtp_code', mails.smtp_code, 'smtp_answer',
                                          mails.smtp_answer)
                  FROM mails
                 WHERE subject_id IN (SELECT %(id)s
                                      UNION ALL SELECT id FROM refunds WHERE order_id = %(id)s
                                      UNION ALL SELECT id FROM disputes WHERE order_id = %(id)s
                                      UNION ALL SELECT generation FROM effects
                                                 WHERE order_id = %(id)s AND kind = 'mail_dispute_due'
                                      UNION ALL SELECT id FROM invoices WHERE order_id = %(id)s)
               ) AS history
      ORDER BY at, rank
        """,
        {"id": order_id},
    ).fetchall()
