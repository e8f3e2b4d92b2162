"""The books over HTTP: balances, entries, and the proof that nobody changed them."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import Field

from shop.payments import read
from shop.payments.books import digests
from shop.payments.books.digests import Digest
from shop.payments.books.entries import Entry
from shop.payments.books.proof import prove_recent
from shop.payments.books.verify import KeptProof, ask_proof, newest_proofs, read_proof
from web.access import ADMIN
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Ledger", "Double entry, append-only, provable.")

FaultKind = Literal[
    "unbalanced",
    "entry_changed",
    "fact_changed",
    "house_fact_changed",
    "order_differs",
    "digest_broken",
    "digest_differs",
    "balance_differs",
]


class BalanceBody(Out):
    """`balance` is debit minus credit in minor units: assets and expenses are positive, revenue is negative. Accounts
    of the kind `memo` hold promises, not money, and sum to nothing.
    """

    account: str
    name: str
    kind: Literal["asset", "liability", "revenue", "expense", "memo"]
    currency: str
    balance: int


class Balances(Out):
    data: list[BalanceBody]
    next_cursor: None = None


class PostingBody(Out):
    account: str
    amount: int
    currency: str


class EntryBody(Out):
    """The amounts of `lines` sum to zero in each currency. `memo` says what the cause does not: a rate, a reason."""

    id: str
    order_id: str | None
    kind: str
    cause: str
    memo: Maybe[str] = None
    booked_at: Time
    lines: list[PostingBody]


class EntryFilter(Paged):
    order: str | None = Field(None, max_length=40)


class FaultBody(Out):
    """`id` is the first bad row of its chain, or the order, or the day."""

    kind: FaultKind
    id: str


class ProofBody(Out):
    """What was checked: everything written since `since` (null: ever), the seals of all days, the newest day's rows.

    `complete` is false when more was written since than a request may check: `POST /v1/ledger/proofs` checks it all.
    """

    ok: bool
    entries: int
    lines: int
    facts: int
    digests: int
    head: str | None
    since: Time | None
    complete: bool
    faults: list[FaultBody]
    checked_at: Time


class KeptProofBody(Out):
    """A check of everything. `head` is the newest day's digest: who keeps it can prove later what was there before."""

    id: str
    state: Literal["running", "done"]
    ok: bool | None
    entries: int
    lines: int
    facts: int
    digests: int
    head: str | None
    faults: list[FaultBody]
    created_at: Time
    finished_at: Maybe[Time] = None


class KeptProofs(Out):
    data: list[KeptProofBody]
    next_cursor: None = None


class DigestBody(Out):
    """One day (UTC), sealed: a digest of every row written that day and of the day before's digest."""

    day: date
    facts: int
    entries: int
    digest: str
    sealed_at: Time
    sound: bool


@GROUP.route("GET", "/v1/ledger/accounts", who=ADMIN, answers={200: Balances})
def accounts(call: Call) -> Balances:
    """What each account holds."""
    return Balances(
        data=[
            BalanceBody.model_validate(
                {
                    "account": balance.code,
                    "name": balance.name,
                    "kind": balance.kind,
                    "currency": balance.currency,
                    "balance": balance.balance_minor,
                }
            )
            for balance in read.balances(call.db)
        ]
    )


@GROUP.route("GET", "/v1/ledger/entries", who=ADMIN, answers={200: Page[EntryBody]})
def entries(call: Call, query: EntryFilter) -> Page[EntryBody]:
    """Entries, newest first; with `order` those of one order."""
    found = read.entries(call.db, order_id=query.order, before_id=query.after_id(), limit=query.limit + 1)
    return page_of(found, query.limit, body=_entry, place=lambda lines: (lines[0].id,))


@GROUP.route("GET", "/v1/ledger/verify", who=ADMIN, answers={200: ProofBody})
def verify(call: Call) -> ProofBody:
    """Recompute sums and hashes of the books and of the audit log: of what no sealed day holds yet, and of the seals.

    Bounded, however large the shop is; the nightly job and `POST /v1/ledger/proofs` recompute everything.
    """
    proof = prove_recent(call.db)
    return ProofBody.model_validate(
        {
            "ok": not proof.faults,
            "entries": proof.entries,
            "lines": proof.lines,
            "facts": proof.facts,
            "digests": proof.digests,
            "head": proof.head,
            "since": proof.since,
            "complete": proof.complete,
            "faults": _faults(proof.faults),
            "checked_at": proof.checked_at,
        }
    )


@GROUP.route("POST", "/v1/ledger/proofs", who=ADMIN, waits=True, answers={202: KeptProofBody, 201: KeptProofBody})
def prove(call: Call) -> Answer:
    """Check everything there is: a job, minutes in a large shop."""
    proof = ask_proof(call.db, actor=call.customer_id)
    return accepted(_proof(proof), location=f"/v1/ledger/proofs/{proof.id}", settling=_settling(proof.id, 201))


@GROUP.route("GET", "/v1/ledger/proofs/{proof_id}", who=ADMIN, waits=True, answers={200: KeptProofBody})
def show_proof(call: Call, proof_id: str) -> Answer:
    """One check, with the faults it found."""
    return call.settled(_settling(proof_id, 200))


@GROUP.route("GET", "/v1/ledger/proofs", who=ADMIN, answers={200: KeptProofs})
def proofs(call: Call) -> KeptProofs:
    """The newest checks, the nightly ones among them."""
    return KeptProofs(data=[_proof(proof) for proof in newest_proofs(call.db, limit=30)])


@GROUP.route("GET", "/v1/ledger/digests", who=ADMIN, answers={200: Page[DigestBody]})
def sealed_days(call: Call, query: Paged) -> Page[DigestBody]:
    """The daily seals, newest first."""
    after = query.after_id()
    rows = digests.sealed(call.db, before=date.fromisoformat(after) if after else None, limit=query.limit + 1)
    return page_of(rows, query.limit, body=_digest, place=lambda row: (row.day.isoformat(),))


def _settling(proof_id: str, status: int) -> Settling[KeptProof]:
    location = f"/v1/ledger/proofs/{proof_id}" if status == 201 else None
    return Settling(
        load=lambda db: read_proof(db, proof_id),
        settled=lambda proof: proof.state == "done",
        answer=lambda proof: Answer(_proof(proof), status, location=location),
    )


def _entry(lines: list[Entry]) -> EntryBody:
    first = lines[0]
    return EntryBody(
        id=first.id,
        order_id=first.order_id,
        kind=first.kind,
        cause=first.cause,
        memo=first.memo,
        booked_at=first.booked_at,
        lines=[PostingBody(account=line.account, amount=line.amount_minor, currency=line.currency) for line in lines],
    )


def _faults(found: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    return [{"kind": kind, "id": name} for kind, name in found]


def _proof(proof: KeptProof) -> KeptProofBody:
    return KeptProofBody.model_validate(
        {
            "id": proof.id,
            "state": proof.state,
            "ok": not proof.faults if proof.state == "done" else None,
            "entries": proof.entries,
            "lines": proof.lines,
            "facts": proof.facts,
            "digests": proof.digests,
            "head": proof.head,
            "faults": _faults(proof.faults),
            "created_at": proof.created_at,
            "finished_at": proof.finished_at,
        }
    )


def _digest(row: Digest) -> DigestBody:
    return DigestBody(
        day=row.day,
        facts=row.facts,
        entries=row.entries,
        digest=row.digest.hex(),
        sealed_at=row.sealed_at,
        sound=row.sound,
    )
