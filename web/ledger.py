"""The books over HTTP: balances, entries, the proof that nobody changed them, and comparisons with Stripe's."""

from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from shop.payments import read
from shop.payments.reconcile import Outcome, ask_reconciliation, read_reconciliation
from shop.payments.rows import Entry
from web.access import ADMIN
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Ledger", "Double entry, append-only, provable.")


class BalanceBody(Out):
    """`balance` is debit minus credit in minor units: assets and expenses are positive, revenue is negative."""

    account: str
    name: str
    kind: Literal["asset", "liability", "revenue", "expense"]
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
    """The amounts of `lines` sum to zero."""

    id: str
    order_id: str | None
    kind: str
    cause: str
    booked_at: Time
    lines: list[PostingBody]


class EntryFilter(Paged):
    order: str | None = Field(None, max_length=40)


class FaultBody(Out):
    kind: Literal["unbalanced", "entry_changed", "fact_changed", "order_differs"]
    id: str


class ProofBody(Out):
    ok: bool
    entries: int
    lines: int
    facts: int
    faults: list[FaultBody]
    checked_at: Time


class NewReconciliation(In):
    """With `dry_run` differences are only listed. Without times, the last eight days are compared."""

    dry_run: bool = False
    start: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(None, alias="to")


class DifferenceBody(Out):
    """`explanation` is null where nobody knows why."""

    kind: str
    order_id: str | None
    object_id: str | None
    ours: str | None
    theirs: str | None
    explanation: str | None


class Checked(Out):
    orders: int
    payments: int
    refunds: int


class ReconciliationBody(Out):
    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    state: Literal["running", "done"]
    dry_run: bool
    start: Time = Field(serialization_alias="from")
    end: Time = Field(serialization_alias="to")
    checked: Checked
    differences: list[DifferenceBody]
    explained: int
    unexplained: int
    created_at: Time
    finished_at: Maybe[Time] = None


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
    """Recompute every sum and every hash, of the books and of the audit log."""
    proof = read.verify(call.db)
    return ProofBody.model_validate(
        {
            "ok": not proof.faults,
            "entries": proof.entries,
            "lines": proof.lines,
            "facts": proof.facts,
            "faults": [{"kind": kind, "id": name} for kind, name in proof.faults],
            "checked_at": proof.checked_at,
        }
    )


@GROUP.route(
    "POST", "/v1/reconciliations", who=ADMIN, waits=True, answers={202: ReconciliationBody, 201: ReconciliationBody}
)
def reconcile(call: Call, body: NewReconciliation) -> Answer:
    """Compare our payments and refunds with Stripe's, and the books with both."""
    if body.start and body.end and body.start >= body.end:
        raise Invalid([Fault("/to", "must be later than from")])
    outcome = ask_reconciliation(call.db, dry_run=body.dry_run, actor=call.customer_id, start=body.start, end=body.end)
    location = f"/v1/reconciliations/{outcome.reconciliation.id}"
    return accepted(_reconciliation(outcome), location=location, settling=_settling(outcome.reconciliation.id, 201))


@GROUP.route("GET", "/v1/reconciliations/{reconciliation_id}", who=ADMIN, answers={200: ReconciliationBody}, waits=True)
def show(call: Call, reconciliation_id: str) -> Answer:
    """One comparison: what differs, what is explained, and what is not."""
    return call.settled(_settling(reconciliation_id, 200))


def _settling(reconciliation_id: str, status: int) -> Settling[Outcome]:
    location = f"/v1/reconciliations/{reconciliation_id}" if status == 201 else None
    return Settling(
        load=lambda db: read_reconciliation(db, reconciliation_id),
        settled=lambda outcome: outcome.reconciliation.state == "done",
        answer=lambda outcome: Answer(_reconciliation(outcome), status, location=location),
    )


def _entry(lines: list[Entry]) -> EntryBody:
    first = lines[0]
    return EntryBody(
        id=first.id,
        order_id=first.order_id,
        kind=first.kind,
        cause=first.cause,
        booked_at=first.booked_at,
        lines=[PostingBody(account=line.account, amount=line.amount_minor, currency=line.currency) for line in lines],
    )


def _reconciliation(outcome: Outcome) -> ReconciliationBody:
    row = outcome.reconciliation
    return ReconciliationBody.model_validate(
        {
            "id": row.id,
            "state": row.state,
            "dry_run": row.dry_run,
            "start": row.from_at,
            "end": row.to_at,
            "checked": Checked(orders=row.orders_checked, payments=row.payments_checked, refunds=row.refunds_checked),
            "differences": [DifferenceBody.model_validate(difference) for difference in outcome.differences],
            "explained": outcome.explained,
            "unexplained": outcome.unexplained,
            "created_at": row.created_at,
            "finished_at": row.finished_at,
        }
    )
