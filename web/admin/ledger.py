"""The ledger: what each account holds, the entries behind it, and the proof that nobody changed them."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Ledger", "/ledger", "Money", role="admin")

KINDS = ("asset", "liability", "revenue", "expense", "memo")


@SECTION.page("/ledger")
def ledger(visit: Visit) -> Response:
    """What each account holds, and the newest proofs."""
    accounts = visit.api.get("/v1/ledger/accounts")["data"]
    return visit.show(
        "ledger.html",
        title="Ledger",
        accounts=[(kind, [one for one in accounts if one["kind"] == kind]) for kind in KINDS],
        proofs=visit.api.get("/v1/ledger/proofs")["data"],
    )


@SECTION.page("/ledger/entries")
def entries(visit: Visit) -> Response:
    """Entries, newest first; with `order` those of one order."""
    page = visit.api.get("/v1/ledger/entries", order=visit.asked("order"), cursor=visit.asked("cursor"), limit=50)
    return visit.show("entries.html", title="Entries", page=page)


@SECTION.page("/ledger/verify")
def verify(visit: Visit) -> Response:
    """Recompute what no sealed day holds yet, now."""
    return visit.show("verified.html", title="Checked now", proof=visit.api.get("/v1/ledger/verify"), bounded=True)


@SECTION.page("/ledger/proofs/<proof_id>")
def proof(visit: Visit, proof_id: str) -> Response:
    """One check of everything."""
    found = visit.api.get(at("/v1/ledger/proofs/{}", proof_id))
    return visit.show("verified.html", title="Proof", proof=found, bounded=False)


@SECTION.page("/ledger/digests")
def digests(visit: Visit) -> Response:
    """The daily seals."""
    page = visit.api.get("/v1/ledger/digests", cursor=visit.asked("cursor"), limit=50)
    return visit.show("digests.html", title="Seals", page=page)


@SECTION.action("/ledger/proofs", again=ledger)
def prove(visit: Visit) -> Done:
    """Check everything there is."""
    made = visit.api.send("POST", "/v1/ledger/proofs")
    words = "Everything was checked." if made["state"] == "done" else "The check runs; this page shows when it is done."
    return Done(at("/admin/ledger/proofs/{}", made["id"]), words)
