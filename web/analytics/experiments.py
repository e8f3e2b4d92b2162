"""Experiments over HTTP: setting them up, drawing variants, reading results."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from shop.analytics.experiments import assign, experiments
from shop.analytics.experiments.experiments import (
    Experiment,
    ExperimentExists,
    NotChangeable,
    UnsoundExperiment,
)
from shop.analytics.queries.experiments import ExperimentRow
from web.access import ADMIN, ANYONE
from web.answers import Answer
from web.call import Call
from web.limiting import Limit
from web.models import MAX_MINOR, In, Maybe, Out, Text, Time
from web.paging import Page, Paged, page_of
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Experiments", "Who sees which variant.")

PER_CALLER = Limit(1200, bucket="assignments")

MetricName = Literal["conversion", "net_revenue", "orders", "units", "refunds"]
GuardrailName = Literal[
    "conversion", "net_revenue", "orders", "units", "refunds", "search_ms", "payment_failures", "refund_share"
]
Status = Literal["draft", "running", "stopped"]
Key = Annotated[StrictStr, Field(pattern="^[a-z0-9][a-z0-9_-]{0,59}$", examples=["checkout-one-page"])]
Word = Annotated[StrictStr, Field(pattern=r"^[\w.:-]{1,60}$")]
Share = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)]
Variants = Annotated[list[Word], Field(min_length=2, max_length=10, examples=[["control", "one_page"]])]
Weights = Annotated[list[Share], Field(min_length=2, max_length=10)]
Metrics = Annotated[list[MetricName], Field(min_length=1, max_length=5)]
Guardrails = Annotated[list[GuardrailName], Field(max_length=8)]
Tolerance = Annotated[StrictFloat | StrictInt, Field(gt=0, le=1)]
Days = Annotated[StrictInt, Field(ge=0, le=90)]
Cap = Annotated[StrictInt, Field(gt=0, le=MAX_MINOR)]


class AudienceBody(In):
    """Who takes part; what is not named is not asked. `device` is told from the User-Agent."""

    device: Maybe[Annotated[list[Literal["desktop", "phone", "tablet"]], Field(min_length=1, max_length=3)]] = None
    signed_in: Maybe[StrictBool] = None

    def plain(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class NamespaceBody(In):
    """Experiments of one namespace with ranges that do not meet never have a visitor in common."""

    name: Word
    start: Share
    end: Share


class NewExperiment(In):
    """`variants[0]` is the control. `weights`: equal where not given. `seed`: the key where not given.

    Orders count for `window_days` after the exposure, and a visitor is read out `settle_days` later, when refunds have
    come; with a window of 0 everybody counts at once, for as long as the phase runs. `cap_minor`: a visitor's net
    revenue counts up to here, in whole minor units of the shop's currency. `tolerance`: for the guardrails, so much
    worse than the control is still not worse.
    """

    key: Key
    name: Annotated[Text, Field(max_length=200)]
    hypothesis: Annotated[StrictStr, Field(max_length=2000)] = ""
    variants: Variants
    weights: Weights | None = None
    coverage: Share = 1.0
    audience: AudienceBody = AudienceBody()
    namespace: NamespaceBody | None = None
    seed: Word | None = None
    metrics: Metrics = Field(default_factory=lambda: ["conversion", "net_revenue"])
    guardrails: Guardrails = Field(default_factory=lambda: ["refunds"])
    tolerance: Tolerance = 0.05
    window_days: Days = 7
    settle_days: Days = 7
    cap_minor: Cap | None = None

    def values(self) -> dict[str, Any]:
        found = _values(self)
        n = len(self.variants)
        found["weights"] = self.weights or [1 / n] * n
        found["seed"] = self.seed or self.key
        return found | _namespace(self.namespace)


class ExperimentChange(In):
    """Only what is sent changes. While it runs, other weights, coverage or audience begin a new phase."""

    name: Annotated[Text, Field(max_length=200)] | None = None
    hypothesis: Annotated[StrictStr, Field(max_length=2000)] | None = None
    status: Literal["running", "stopped"] | None = None
    variants: Variants | None = None
    weights: Weights | None = None
    coverage: Share | None = None
    audience: AudienceBody | None = None
    namespace: NamespaceBody | None = None
    seed: Word | None = None
    metrics: Metrics | None = None
    guardrails: Guardrails | None = None
    tolerance: Tolerance | None = None
    window_days: Days | None = None
    settle_days: Days | None = None
    cap_minor: Cap | None = None

    def values(self) -> dict[str, Any]:
        """Raises Invalid for a null where there must be something."""
        sent = self.model_fields_set
        empty = [name for name in sorted(sent - {"namespace", "cap_minor"}) if getattr(self, name) is None]
        if empty:
            raise Invalid([Fault(f"/{name}", "must not be null") for name in empty])
        found = {name: value for name, value in _values(self).items() if name in sent}
        return found | (_namespace(self.namespace) if "namespace" in sent else {})


class PhaseBody(Out):
    phase: int
    weights: list[float]
    coverage: float
    audience: dict[str, Any]
    started_at: Time
    ended_at: Maybe[Time] = None


class NamespaceOut(Out):
    name: str
    start: float
    end: float


class ExperimentBody(Out):
    """`phase` 0: it has not run. `phases` is left out in lists."""

    id: str
    key: str
    name: str
    hypothesis: str
    status: Status
    variants: list[str]
    weights: list[float]
    coverage: float
    audience: dict[str, Any]
    namespace: Maybe[NamespaceOut] = None
    seed: str
    metrics: list[str]
    guardrails: list[str]
    tolerance: float
    window_days: int
    settle_days: int
    cap_minor: Maybe[int] = None
    phase: int
    created_by: str | None
    created_at: Time
    updated_at: Time
    phases: Maybe[list[PhaseBody]] = None


class ExperimentFilter(Paged):
    status: Status | None = None


class AssignmentAsked(In):
    """`keys`: ask only for what is about to be shown, because asking is being exposed. Without it: all that run."""

    visitor_id: Annotated[StrictStr, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    keys: Annotated[list[Key], Field(min_length=1, max_length=50)] | None = None


class AssignmentBody(Out):
    """`counted` false: not part of the experiment, show the control."""

    key: str
    variant: str
    place: int
    phase: int
    counted: bool


class Assignments(Out):
    data: list[AssignmentBody]


@GROUP.route(
    "POST",
    "/v1/experiments",
    who=ADMIN,
    answers={201: ExperimentBody},
    errors=(ExperimentExists, UnsoundExperiment),
)
def create(call: Call, body: NewExperiment) -> Answer:
    """Draft an experiment."""
    made = experiments.create(call.db, body.values(), by=call.customer_id)
    return Answer(_whole(made), 201, location=f"/v1/experiments/{made.row.key}")


@GROUP.route("GET", "/v1/experiments", who=ADMIN, answers={200: Page[ExperimentBody]})
def listed(call: Call, query: ExperimentFilter) -> Page[ExperimentBody]:
    """Experiments, newest first."""
    rows = experiments.recent(call.db, status=query.status, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_body, place=lambda row: (row.id,))


@GROUP.route("GET", "/v1/experiments/{key}", who=ADMIN, answers={200: ExperimentBody})
def show(call: Call, key: str) -> ExperimentBody:
    """One experiment with its phases."""
    return _whole(experiments.read(call.db, key))


@GROUP.route(
    "PATCH",
    "/v1/experiments/{key}",
    who=ADMIN,
    answers={200: ExperimentBody},
    errors=(NotChangeable, UnsoundExperiment),
)
def change(call: Call, key: str, body: ExperimentChange) -> ExperimentBody:
    """Change, start or stop an experiment.

    Once it has run, its variants, seed, namespace and plan (metrics, guardrails, window, cap) are settled.
    Starting a stopped one again begins a new phase.
    """
    return _whole(experiments.change(call.db, key, body.values()))


@GROUP.route("POST", "/v1/assignments", who=ANYONE, answers={200: Assignments}, limit=PER_CALLER)
def draw(call: Call, body: AssignmentAsked) -> Assignments:
    """Which variants to show to a visitor.

    The same visitor gets the same variant every time; that it was asked is noted once, and counts as having seen it.
    """
    visitor = assign.Visitor(body.visitor_id, (call.header("User-Agent") or "")[:1000], call.caller.sub is not None)
    drawn = assign.assign(call.db, visitor, body.keys)
    return Assignments(data=[AssignmentBody.model_validate(one) for one in drawn])


def _values(body: NewExperiment | ExperimentChange) -> dict[str, Any]:
    found = body.model_dump(exclude={"namespace", "audience"})
    found["audience"] = body.audience.plain() if body.audience else {}
    return found


def _namespace(namespace: NamespaceBody | None) -> dict[str, Any]:
    return {
        "namespace": namespace.name if namespace else None,
        "namespace_start": namespace.start if namespace else None,
        "namespace_end": namespace.end if namespace else None,
    }


STATUSES: dict[str, Status] = {"draft": "draft", "running": "running", "stopped": "stopped"}


def _whole(found: Experiment) -> ExperimentBody:
    return _body(found.row).model_copy(update={"phases": [PhaseBody.model_validate(one) for one in found.phases]})


def _body(row: ExperimentRow) -> ExperimentBody:
    namespace = None
    if row.namespace is not None and row.namespace_start is not None and row.namespace_end is not None:
        namespace = NamespaceOut(name=row.namespace, start=row.namespace_start, end=row.namespace_end)
    return ExperimentBody(
        id=row.id,
        key=row.key,
        name=row.name,
        hypothesis=row.hypothesis,
        status=STATUSES[row.status],
        variants=row.variants,
        weights=row.weights,
        coverage=row.coverage,
        audience=row.audience,
        namespace=namespace,
        seed=row.seed,
        metrics=row.metrics,
        guardrails=row.guardrails,
        tolerance=row.tolerance,
        window_days=row.window_days,
        settle_days=row.settle_days,
        cap_minor=row.cap_minor,
        phase=row.phase,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
