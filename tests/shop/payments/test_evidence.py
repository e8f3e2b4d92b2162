"""The answer to a bank: drawn once from frozen data, sent once, whatever breaks on the way."""

import hashlib
import threading
from typing import Any

import pytest

from shop.errors import NotFound
from shop.payments.disputes.answer import NotDrawnYet, answer
from shop.payments.disputes.answering import Asked, EvidenceWish, ask_evidence, packets
from shop.payments.disputes.remind import remind
from shop.payments.errors import DisputeClosed, EvidenceOnItsWay, EvidenceTooLate
from shop.payments.queries import evidence as rows
from shop.ports.gateway import GatewayUnavailable, OutcomeUnknown
from tasks import documents as _doors  # noqa: F401 - registers the performers
from tasks.broker import performers
from tasks.runner import Runner
from tests.shop.documents import seen
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.test_disputes import decide, open_dispute, paid, the_dispute

ADDRESS = {"name": "Ada Lovelace", "line1": "12 St James's Square", "postal_code": "SW1Y 4LE", "city": "London"}


def work_off(shop: Shop, *names: str) -> None:
    """Run what is staged of these jobs, oldest first, until none is left."""
    runner = Runner(shop.services, "test", threading.Event())
    while rows_ := shop.sql(
        "SELECT id, name, fence FROM jobs WHERE state = 'staged' AND name = ANY(%s) AND run_after <= now()"
        " ORDER BY rank_at, id LIMIT 1",
        list(names),
    ):
        job_id, name, fence = rows_[0]
        runner.run(performers[name], job_id, fence)


def disputed_order(shop: Shop, reason: str = "fraudulent") -> str:
    """A paid order with its invoice and a dispute; answers our id of the dispute."""
    shop.stock("prd_1", 5)
    shop.cart("cart_1", ("prd_1", 2))
    order_id = shop.order(payment_method="pm_card_visa", shipping_address=ADDRESS)
    shop.work()
    shop.settle(order_id, "paid")
    work_off(shop, "documents.invoice")
    open_dispute(shop, order_id, reason)
    return the_dispute(shop).id


def ask(shop: Shop, dispute_id: str, **wish: Any) -> Asked:
    return ask_evidence(shop.services.db, dispute_id, EvidenceWish(**wish), actor="usr_9")


def drawn(shop: Shop, packet_id: str) -> bytes:
    work_off(shop, "documents.evidence")
    with shop.services.db.transaction() as tx:
        found = rows.drawn(tx, packet_id)
    assert found is not None
    return found.pdf


def sent_to_stripe(shop: Shop) -> list[dict[str, Any]]:
    return shop.stripe.account.store.all("file")


def test_a_packet_shows_the_whole_case_and_never_changes(shop: Shop) -> None:
    dispute_id = disputed_order(shop, "product_not_received")
    asked = ask(
        shop,
        dispute_id,
        note="The parcel was handed over at the door.",
        shipping={"carrier": "DHL", "tracking_number": "00340434", "shipped_on": "2026-11-20"},
    )
    pdf = drawn(shop, asked.packet.id)
    words = seen.text(pdf)
    (number,) = shop.sql("SELECT number FROM orders")[0]
    (invoice, sha256) = shop.sql(
        "SELECT number, sha256 FROM invoices JOIN document_files ON document_id = invoices.id"
    )[0]
    for told in (
        number, invoice, "Ada Lovelace", "12 St James's Square", "DHL", "00340434", "4242",
        "The cardholder says that the goods did not arrive.", "The parcel was handed over at the door.",
        "Product prd_1", "3-D Secure", "The bank took the payment back and asked for evidence.",
    ):  # fmt: skip
        assert told in words, told
    assert sha256.hex() in words.replace(" ", "")
    shop.sql('UPDATE orders SET shipping_address = \'{"name": "Somebody Else"}\'')
    work_off(shop, "documents.evidence")
    assert drawn(shop, asked.packet.id) == pdf
    (stored,) = shop.sql("SELECT sha256 FROM document_files WHERE document_id = %s", asked.packet.id)[0]
    assert stored == hashlib.sha256(pdf).digest()


def test_what_was_frozen_cannot_be_changed(shop: Shop) -> None:
    asked = ask(shop, disputed_order(shop))
    drawn(shop, asked.packet.id)
    with pytest.raises(Exception, match="final"):
        shop.sql("UPDATE evidence_snapshots SET snapshot = '{}'")
    with pytest.raises(Exception, match="final"):
        shop.sql("DELETE FROM document_files WHERE document_id = %s", asked.packet.id)


def test_a_packet_that_is_only_to_be_read_is_not_sent(shop: Shop) -> None:
    dispute_id = disputed_order(shop)
    asked = ask(shop, dispute_id, note="Signed for.", shipping={"carrier": "DHL"})
    drawn(shop, asked.packet.id)
    assert shop.sql("SELECT count(*) FROM jobs WHERE name = 'payments.answer'") == [(0,)]
    assert answer(shop.services.db, shop.services.evidence, asked.packet.id) is None
    assert sent_to_stripe(shop) == []
    assert not the_dispute(shop).evidence_submitted
    # Who then says "send it" sends what was read, not an empty packet.
    ask(shop, dispute_id, submit=True)
    assert shop.sql("SELECT note, shipping FROM evidence_packets WHERE submit") == [("Signed for.", {"carrier": "DHL"})]


def test_a_packet_is_sent_to_the_bank_and_the_dispute_says_so(shop: Shop) -> None:
    dispute_id = disputed_order(shop)
    asked = ask(shop, dispute_id, note="winning_evidence", submit=True)
    pdf = drawn(shop, asked.packet.id)
    shop.work()
    (file,) = sent_to_stripe(shop)
    assert (file["size"], file["purpose"], file["type"]) == (len(pdf), "dispute_evidence", "pdf")
    (dispute,) = shop.stripe.account.store.all("dispute")
    assert dispute["evidence"]["uncategorized_file"] == file["id"]
    assert dispute["evidence"]["customer_name"] == "Ada Lovelace"
    assert dispute["evidence"]["product_description"] == "2 × Product prd_1"
    (packet,) = packets(shop.services.db, dispute_id)
    assert (packet.outcome, packet.tries) == ("submitted", 1)
    shop.read_all_news()
    found = the_dispute(shop)
    assert (found.status, found.evidence_submitted) == ("won", True)


@pytest.mark.parametrize("match", ["POST /v1/files", "POST /v1/disputes/*"])
def test_an_answer_whose_receipt_was_lost_reaches_the_bank_once(shop: Shop, match: str) -> None:
    dispute_id = disputed_order(shop)
    asked = ask(shop, dispute_id, submit=True)
    drawn(shop, asked.packet.id)
    shop.fault(match, "timeout_after_work", seconds=0)
    with pytest.raises(OutcomeUnknown):
        answer(shop.services.db, shop.services.evidence, asked.packet.id)
    assert answer(shop.services.db, shop.services.evidence, asked.packet.id) == "submitted"
    assert answer(shop.services.db, shop.services.evidence, asked.packet.id) == "submitted"
    assert len(sent_to_stripe(shop)) == 1
    (dispute,) = shop.stripe.account.store.all("dispute")
    assert dispute["evidence_details"]["submission_count"] == 1
    assert the_dispute(shop).evidence_submitted


def test_a_worker_that_died_before_it_noted_the_answer_finds_it_by_its_id(shop: Shop) -> None:
    """Even days later, when the provider has forgotten the key: the dispute carries our packet's id."""
    dispute_id = disputed_order(shop)
    asked = ask(shop, dispute_id, submit=True)
    drawn(shop, asked.packet.id)
    assert answer(shop.services.db, shop.services.evidence, asked.packet.id) == "submitted"
    shop.sql("UPDATE evidence_packets SET outcome = NULL, answered_at = NULL")
    shop.door("clock", advance=2 * 24 * 3600)
    assert answer(shop.services.db, shop.services.evidence, asked.packet.id) == "submitted"
    (dispute,) = shop.stripe.account.store.all("dispute")
    assert dispute["evidence_details"]["submission_count"] == 1


def test_a_failure_the_provider_keeps_under_the_key_is_asked_again_under_another(shop: Shop) -> None:
    asked = ask(shop, disputed_order(shop), submit=True)
    drawn(shop, asked.packet.id)
    shop.fault("POST /v1/files", "status", status=500)
    outcomes: list[str | None] = []
    for _ in range(4):
        try:
            outcomes.append(answer(shop.services.db, shop.services.evidence, asked.packet.id))
        except (OutcomeUnknown, GatewayUnavailable):
            outcomes.append("again")
    assert outcomes[-1] == "submitted"
    assert len(sent_to_stripe(shop)) == 1


def test_an_answer_the_provider_turns_down_is_shown_with_its_reason(shop: Shop) -> None:
    dispute_id = disputed_order(shop)
    asked = ask(shop, dispute_id, submit=True)
    drawn(shop, asked.packet.id)
    shop.fault("POST /v1/disputes/*", "status", status=400)
    assert answer(shop.services.db, shop.services.evidence, asked.packet.id) == "refused"
    (packet,) = packets(shop.services.db, dispute_id)
    assert packet.outcome == "refused"
    assert packet.error_code
    assert ask(shop, dispute_id, submit=True).packet.version == 2


def test_a_bank_gets_one_answer(shop: Shop) -> None:
    dispute_id = disputed_order(shop)
    asked = ask(shop, dispute_id, submit=True)
    with pytest.raises(NotDrawnYet):
        answer(shop.services.db, shop.services.evidence, asked.packet.id)
    with pytest.raises(EvidenceOnItsWay):
        ask(shop, dispute_id, submit=True)
    drawn(shop, asked.packet.id)
    shop.work()
    with pytest.raises(DisputeClosed):
        ask(shop, dispute_id, submit=True)
    assert ask(shop, dispute_id).packet.version == 2


def test_nobody_answers_what_is_decided_too_late_or_unknown(shop: Shop) -> None:
    with pytest.raises(NotFound):
        ask(shop, "dsp_unknown")
    order_id = paid(shop)
    provider_id = open_dispute(shop, order_id)
    dispute_id = the_dispute(shop).id
    shop.sql("UPDATE disputes SET evidence_due_at = now() - interval '1 minute'")
    with pytest.raises(EvidenceTooLate):
        ask(shop, dispute_id, submit=True)
    decide(shop, provider_id, "lost")
    with pytest.raises(DisputeClosed):
        ask(shop, dispute_id, submit=True)


def test_a_packet_whose_jobs_are_lost_is_taken_up_again(shop: Shop) -> None:
    asked = ask(shop, disputed_order(shop), submit=True)
    shop.sql("DELETE FROM jobs WHERE name = 'documents.evidence'")
    shop.sql("UPDATE evidence_packets SET created_at = now() - interval '1 hour'")
    remind(shop.services.db, days=3)
    drawn(shop, asked.packet.id)
    shop.sql("DELETE FROM jobs WHERE name = 'payments.answer'")
    remind(shop.services.db, days=3)
    shop.work()
    assert packets(shop.services.db, asked.packet.dispute_id)[0].outcome == "submitted"


def test_three_d_secure_and_checks_are_told_as_the_bank_knows_them(shop: Shop) -> None:
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id, "pm_card_authenticationRequired")
    intent = shop.intent(order_id)
    shop.door(f"3ds/{intent}", outcome="succeed")
    shop.read_all_news()
    shop.settle(order_id, "paid")
    checks = shop.services.evidence.card_checks(intent)
    assert checks.three_d_secure == "authenticated"
    open_dispute(shop, order_id)
    asked = ask(shop, the_dispute(shop).id)
    words = seen.text(drawn(shop, asked.packet.id))
    assert "The cardholder authenticated the payment with 3-D Secure." in words
