"""Reminds support of disputes that nobody has answered and that are due, and takes up answers that stand still."""

from db import outbox
from db.database import Database
from shop import jobs
from shop.payments.disputes.answering import restage
from shop.payments.queries import disputes, orders
from shop.payments.queries import facts as log

BITE = 200
"""Disputes in one run; a shop with more of them open has other worries, and the next hour takes the rest."""

QUIET_S = 900.0
"""A packet of evidence that nobody has touched for so long has lost its job."""

KINDS = {"warning_needs_response": "inquiry_due", "needs_response": "dispute_due"}
"""A question and the chargeback it became have their own days, and their own letters."""


def remind(db: Database, *, days: int) -> int:
    """Stage a letter for each dispute that is due within `days`; answers how many. Safe to repeat: each last day of a
    dispute is mentioned once.
    """
    with db.transaction() as tx:
        restage(tx, quiet_s=QUIET_S)
        due = disputes.due_soon(tx, days=days, limit=BITE)
    told = 0
    for occasion, order_id, status in due:
        with db.transaction() as tx:
            orders.lock_order(tx, order_id)
            if log.claim_effect(tx, order_id, "mail_dispute_due", occasion):
                kind = KINDS[status]
                # A mail is sent once for what it is about, and another last day is another letter.
                job = outbox.stage(
                    tx, jobs.SEND_MAIL, unique_key=f"mail:{kind}:{occasion}", kind=kind, subject_id=occasion
                )
                log.name_effect_job(tx, order_id, "mail_dispute_due", occasion, job)
                told += 1
    return told
