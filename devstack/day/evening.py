"""After the customers: goods come back, the day is counted, reported, mailed, and compared with Stripe's books."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

from devstack.day.api import WAIT_S, Api, Json
from devstack.day.customers import Visit
from devstack.day.town import Town

TRENDING_WITHIN_S = 90.0
"""The clock refreshes it every minute."""

SETTLE_WITHIN_S = 90.0

REFUNDED = ("refunded", "partially_refunded")


@dataclass(frozen=True)
class Books:
    """What the evening found. `unexplained` counts differences between our rows and Stripe's that nothing explains."""

    refunds: int
    invoices: int
    credit_notes: int
    mails: int
    trending: list[str]
    received: int
    stored: int
    duplicates: int
    lost: int
    differences: int
    unexplained: int
    ledger_balanced: bool
    dead_jobs: int
    report_id: str
    report_files: list[Path]


def refund(support: Api, story: Visit, *, parts: int = 1) -> None:
    """A colleague in support refunds the order, or one of `parts`, saying how much is believed to be refundable."""
    path = f"/v1/orders/{story.order_id}"
    refundable = support.get(path)["refundable"]
    story.refunded = refundable // parts
    body = {"reason": "requested_by_customer", "expected_refundable": refundable, "amount": story.refunded}
    support.post(f"{path}/refunds", body, wait=WAIT_S, expect=(200, 201, 202))
    wanted = "refunded" if parts == 1 else "partially_refunded"
    story.status = support.until(path, lambda order: order["status"] == wanted, seconds=SETTLE_WITHIN_S)["status"]


def count_documents(town: Town, support: Api, visits: list[Visit]) -> tuple[int, int, int]:
    """Wait until every paid order has its invoice, every refund its credit note, and both their mail."""
    refunded = [story for story in visits if story.status in REFUNDED]
    paid = [story for story in visits if story.status == "paid"] + refunded
    invoices = credit_notes = mails = 0
    for story in paid:
        wanted = 2 if story in refunded else 1
        found: Json = support.until(
            f"/v1/orders/{story.order_id}/documents",
            lambda documents, wanted=wanted: len(documents["data"]) >= wanted,
            seconds=SETTLE_WITHIN_S,
        )
        kinds = [document["kind"] for document in found["data"]]
        invoices += kinds.count("invoice")
        credit_notes += kinds.count("credit_note")
        letters = town.mailbox().until(
            f"/messages?to={quote(story.email)}",
            lambda box, story=story, wanted=wanted: _letters(box, story) >= wanted,
            seconds=SETTLE_WITHIN_S,
        )
        mails += _letters(letters, story)
    return invoices, credit_notes, mails


def wait_for_trending(anyone: Api) -> list[str]:
    """Names of the products that trend now."""
    found = anyone.until(
        "/v1/trending?window=1h", lambda answer: bool(answer["data"]), seconds=TRENDING_WITHIN_S, every=2
    )
    return [row["name"] for row in found["data"][:3]]


def report(support: Api, day: date, folder: Path) -> tuple[str, list[Path]]:
    """Ask for the nightly report of the day, and keep its three files."""
    made = support.post("/v1/reports", {"kind": "nightly", "day": day.isoformat()}, wait=WAIT_S, expect=(200, 201, 202))
    report_id = made["id"]
    support.until(f"/v1/reports/{report_id}", lambda row: row["state"] == "done", seconds=SETTLE_WITHIN_S)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"nightly-{day}.{kind}" for kind in ("pdf", "csv", "json")]
    for path in files:
        path.write_bytes(support.raw(f"/v1/reports/{report_id}{path.suffix}"))
    return report_id, files


def reconcile(admin: Api) -> Json:
    """Compare our rows with Stripe's, changing nothing."""
    asked = admin.post("/v1/reconciliations", {"dry_run": True}, wait=WAIT_S, expect=(200, 201, 202))
    return admin.until(
        f"/v1/reconciliations/{asked['id']}", lambda run: run["state"] == "done", seconds=SETTLE_WITHIN_S
    )


def _letters(box: Json, story: Visit) -> int:
    return sum(story.order_number in letter["subject"] for letter in box["data"])
