"""Comparisons with Stripe over HTTP: what differs, what people decide about it, and the payouts to the bank."""

from typing import Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from shop.operations import jobs
from shop.payments.errors import AlreadyResolved, NotResolvable
from shop.payments.queries.payouts import Payout
from shop.payments.queries.reconciling import Reconciliation
from shop.payments.settlement.payouts import paid_out
from shop.payments.settlement.reconcile import Outcome, ask_reconciliation, newest, read_reconciliation
from shop.payments.settlement.resolve import Wish, accept, ask_resolution
from web.access import ADMIN
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.operations.jobs import JobBody, job_body
from web.paging import Page, Paged, page_of
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Reconciliation", "Our books beside Stripe's: what differs, and what people decide about it.")


class NewReconciliation(In):
    """With `dry_run` differences are only listed. Without times, the last eight days are compared."""

    dry_run: bool = False
    start: AwareDatetime | None = Field(None, alias="from")
    end: AwareDatetime | None = Field(None, alias="to")


class DifferenceBody(Out):
    """`explanation` is null where nobody knows why. `amount` is what it makes Stripe's balance greater than ours.

    Kinds: `status`, `amount`, `captured`, `refunded`, `fee`, `disputes` and `books` of a payment; `missing_here` and
    `missing_there`; `order`, where order, payments and books disagree; `movement_differs`, `movement_foreign` (no
    order of ours) and `movement_unknown` (a type we do not know) of Stripe's balance; `movement_changed`;
    `entry_alone`, ours without theirs; `payout` and `payout_sum`; `balance`, what is left over. `foreign` is the sum of
    what is not this shop's, `more` that of what is beyond a thousand of a kind.
    """

    number: int
    kind: str
    order_id: str | None
    object_id: str | None
    ours: str | None
    theirs: str | None
    explanation: str | None
    amount: int | None
    currency: str | None


class Checked(Out):
    orders: int
    payments: int
    refunds: int


class MovedBody(Out):
    """Stripe's movements of one type in one currency; `matched` of them have all their entries in our books."""

    type: str
    currency: str
    number: int
    matched: int
    amount: int
    fee: int
    net: int


class EquationBody(Out):
    """`ours` + `explained` + `unexplained` = `theirs` = `available` + `pending`, in minor units.

    `unexplained` is always there and should be zero; `not_listed` is the part of it that no single difference says,
    listed as the difference `balance`.
    """

    currency: str
    ours: int
    explained: int
    unexplained: int
    not_listed: int
    theirs: int
    available: int
    pending: int


class ReconciliationBody(Out):
    """`explained` and `unexplained` count differences; `movements` and `equation` are empty until it is done."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    state: Literal["running", "done"]
    dry_run: bool
    start: Time = Field(serialization_alias="from")
    end: Time = Field(serialization_alias="to")
    differences: list[DifferenceBody]
    explained: int
    unexplained: int
    checked: Checked
    movements: list[MovedBody]
    equation: list[EquationBody]
    created_at: Time
    finished_at: Maybe[Time] = None


class ReconciliationLine(Out):
    """One of the list; the differences are in the resource itself."""

    id: str
    state: Literal["running", "done"]
    dry_run: bool
    requested_by: Maybe[str] = None
    equation: list[EquationBody]
    created_at: Time
    finished_at: Maybe[Time] = None


class Decision(In):
    """`accept`: it is so, and money is booked to the account `corrections`. `take_over`: a job looks at the payment
    and takes its state over as facts. `force`: the same, and the order may take a step that only a person may.
    """

    action: Literal["accept", "take_over", "force"]
    reason: str = Field(min_length=3, max_length=300)


class PayoutBody(Out):
    """`composed` is what the movements it pays out add up to; null until they were read."""

    id: str
    provider_id: str
    status: str
    amount: int
    currency: str
    composed: int | None
    automatic: bool
    failure_code: Maybe[str] = None
    arrival_at: Time
    made_at: Time


class PayoutFilter(Paged):
    status: str | None = Field(None, max_length=40)


@GROUP.route(
    "POST", "/v1/reconciliations", who=ADMIN, waits=True, answers={202: ReconciliationBody, 201: ReconciliationBody}
)
def reconcile(call: Call, body: NewReconciliation) -> Answer:
    """Compare our payments, refunds, disputes, fees and payouts with Stripe's, and the books with Stripe's balance."""
    if body.start and body.end and body.start >= body.end:
        raise Invalid([Fault("/to", "must be later than from")])
    outcome = ask_reconciliation(call.db, dry_run=body.dry_run, actor=call.customer_id, start=body.start, end=body.end)
    location = f"/v1/reconciliations/{outcome.reconciliation.id}"
    return accepted(_reconciliation(outcome), location=location, settling=_settling(outcome.reconciliation.id, 201))


@GROUP.route("GET", "/v1/reconciliations", who=ADMIN, answers={200: Page[ReconciliationLine]})
def listed(call: Call, query: Paged) -> Page[ReconciliationLine]:
    """Comparisons, newest first."""
    rows = newest(call.db, before_id=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_line, place=lambda row: (row.id,))


@GROUP.route("GET", "/v1/reconciliations/{reconciliation_id}", who=ADMIN, answers={200: ReconciliationBody}, waits=True)
def show(call: Call, reconciliation_id: str) -> Answer:
    """One comparison: what differs, what is explained, and what is not."""
    return call.settled(_settling(reconciliation_id, 200))


@GROUP.route(
    "POST",
    "/v1/reconciliations/{reconciliation_id}/differences/{number}/resolve",
    who=ADMIN,
    waits=True,
    answers={200: (ReconciliationBody, JobBody), 202: JobBody},
    errors=(AlreadyResolved, NotResolvable),
)
def resolve(call: Call, reconciliation_id: str, number: str, body: Decision) -> Answer:
    """Decide about one difference. Nothing is overwritten: the decision is a fact, money is a correcting entry.

    The next comparison knows it. `accept` answers at once with the comparison; the others are a job.
    """
    if not number.isdecimal() or len(number) > 6:
        raise Invalid([Fault("/number", "is the number of a difference")])
    wish = Wish(reconciliation_id, int(number), body.action, body.reason, str(call.customer_id))
    if body.action == "accept":
        return Answer(_reconciliation(accept(call.db, wish)))
    job_id = ask_resolution(call.db, wish)
    return accepted(
        job_body(jobs.read(call.db, job_id)),
        location=f"/v1/jobs/{job_id}",
        settling=Settling(
            load=lambda db: jobs.read(db, job_id),
            settled=lambda job: job.state in jobs.FINAL,
            answer=lambda job: Answer(job_body(job), 200, location=f"/v1/jobs/{job_id}"),
        ),
    )


@GROUP.route("GET", "/v1/payouts", who=ADMIN, answers={200: Page[PayoutBody]})
def payouts(call: Call, query: PayoutFilter) -> Page[PayoutBody]:
    """Transfers from Stripe to our bank, newest first."""
    rows = paid_out(call.db, status=query.status, before_id=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_payout, place=lambda row: (row.id,))


def _settling(reconciliation_id: str, status: int) -> Settling[Outcome]:
    location = f"/v1/reconciliations/{reconciliation_id}" if status == 201 else None
    return Settling(
        load=lambda db: read_reconciliation(db, reconciliation_id),
        settled=lambda outcome: outcome.reconciliation.state == "done",
        answer=lambda outcome: Answer(_reconciliation(outcome), status, location=location),
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
            "differences": [
                {
                    "number": found.position,
                    "kind": found.kind,
                    "order_id": found.order_id,
                    "object_id": found.object_id,
                    "ours": found.ours,
                    "theirs": found.theirs,
                    "explanation": found.explanation,
                    "amount": found.amount_minor,
                    "currency": found.currency,
                }
                for found in outcome.differences
            ],
            "explained": outcome.explained,
            "unexplained": outcome.unexplained,
            "checked": {
                "orders": row.orders_checked,
                "payments": row.payments_checked,
                "refunds": row.refunds_checked,
            },
            "movements": [_moved(moved) for moved in row.totals.get("movements", ())],
            "equation": row.totals.get("equation", []),
            "created_at": row.created_at,
            "finished_at": row.finished_at,
        }
    )


def _moved(moved: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in moved.items() if name != "open"}
    return {**kept, "matched": moved["number"] - moved["open"]}


def _line(row: Reconciliation) -> ReconciliationLine:
    return ReconciliationLine.model_validate(
        {
            "id": row.id,
            "state": row.state,
            "dry_run": row.dry_run,
            "requested_by": row.requested_by,
            "equation": row.totals.get("equation", []),
            "created_at": row.created_at,
            "finished_at": row.finished_at,
        }
    )


def _payout(row: Payout) -> PayoutBody:
    return PayoutBody(
        id=row.id,
        provider_id=row.provider_payout_id,
        status=row.status,
        amount=row.amount_minor,
        currency=row.currency,
        composed=row.composed_minor,
        automatic=row.automatic,
        failure_code=row.failure_code,
        arrival_at=row.arrival_at,
        made_at=row.made_at,
    )
