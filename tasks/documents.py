"""The queue `documents`: drawing and mailing, slow and never urgent for the money."""

from typing import Any

from boot.house import seller
from boot.services import Services
from shop import jobs
from shop.documents.credit import credit
from shop.documents.debit import debit
from shop.documents.evidence import Shopkeeper, evidence
from shop.documents.invoice import invoice
from shop.documents.letters import Desk
from shop.documents.mail import mail
from tasks.broker import Run, performs


@performs(jobs.ISSUE_INVOICE)
def issue_invoice(services: Services, _run: Run, *, order_id: str) -> dict[str, Any]:
    return {"number": invoice(services.db, seller(services.settings), order_id)}


@performs(jobs.ISSUE_CREDIT_NOTE)
def issue_credit_note(services: Services, _run: Run, *, refund_id: str) -> dict[str, Any]:
    return {"number": credit(services.db, seller(services.settings), refund_id)}


@performs(jobs.ISSUE_DEBIT_NOTE)
def issue_debit_note(services: Services, _run: Run, *, refund_id: str) -> dict[str, Any]:
    return {"number": debit(services.db, seller(services.settings), refund_id)}


@performs(jobs.DRAW_EVIDENCE)
def draw_evidence(services: Services, _run: Run, *, packet_id: str) -> dict[str, Any]:
    shop = Shopkeeper(seller(services.settings), services.settings.shop_terms)
    return {"outcome": evidence(services.db, services.evidence, shop, packet_id)}


@performs(jobs.SEND_MAIL)
def send_mail(services: Services, run: Run, *, kind: str, subject_id: str) -> dict[str, Any]:
    """`kind` is one of shop.documents.letters.WRITERS; `subject_id` an order, a refund or a report."""
    desk = Desk(
        seller(services.settings),
        report_to=services.settings.report_to,
        support_to=services.settings.support_to,
        checkout_url=services.settings.checkout_return_url,
    )
    outcome = mail(services.db, services.mailer, desk, kind=kind, subject_id=subject_id, last=run.last_attempt)
    return {"outcome": outcome}
