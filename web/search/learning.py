"""What search learned from clicks, over HTTP: how it does, whether it counts, and logged queries run again."""

from typing import Annotated, Literal

from pydantic import Field

from shop.errors import NotFound
from shop.search.learning import learning as shop
from shop.search.learning import replaying
from shop.search.learning.learning import NotProven, Standing
from shop.search.queries.replays import Replay
from web.access import ADMIN
from web.answers import Answer, accepted
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Search learning", "Whether clicks move products, and what has to be proven before.")

State = Literal["off", "trial", "on"]


class LearningIn(In):
    state: State


class TrialBody(Out):
    """Searches of four weeks in which both lists took turns and something was clicked. `won` and `lost` by the list
    with boosts; `share` of the decided ones it won, between `low` and `high` with 95% confidence.
    """

    searches: int
    won: int
    lost: int
    share: float | None
    low: float | None
    high: float | None
    proven: bool


class ReplayIn(In):
    """`learned`: boosts of clicks. `synonyms`: those that are suggested, all or those named. `log`: what was answered
    when it was asked, and what is answered now.
    """

    candidate: Literal["learned", "synonyms", "log"] = "learned"
    synonym_ids: list[Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]] = Field(
        default_factory=list[str], max_length=100
    )
    days: int = Field(replaying.DAYS, ge=1, le=365)
    queries: int = Field(replaying.MOST_QUERIES, ge=1, le=5000)


class SummaryBody(Out):
    """Of queries. `overlap`: of their first ten, how many are the same, on average. `newly_empty`: found something
    before, and nothing now. NDCG at 10 over the `judged` ones; `difference` with its 95% between `low` and `high`.
    `won` and `lost`: differ by more than .005. `moved_out`: clicked or judged products that left the first ten.
    """

    queries: int
    changed: int
    overlap: float | None
    newly_empty: int
    newly_found: int
    judged: int
    judged_by_people: int
    won: int
    lost: int
    moved_out: int
    ndcg_before: float | None
    ndcg_after: float | None
    difference: float | None
    low: float | None
    high: float | None


class ReplayBody(Out):
    """`done` of `queries` are run; `queries` is null before they are chosen. `passed`: at least ten queries are judged,
    none is newly empty, and not more than .005 of NDCG is lost on average.
    """

    id: str
    candidate: str
    days: int
    created_at: Time
    asked_by: Maybe[str] = None
    queries: int | None
    done: int
    ended_at: Maybe[Time] = None
    passed: bool | None
    summary: SummaryBody | None


class MovedBody(Out):
    """Places from 1; null behind the tenth."""

    product_id: str
    before: int | None
    after: int | None


class ReplayedBody(Out):
    """`judged_by`: `people` by the shop's own judgments, `clicks` by those of the last seven days, without the merit of
    their places.
    """

    query: str
    overlap: float
    judged_by: Literal["people", "clicks"] | None
    ndcg_before: float | None
    ndcg_after: float | None
    first_before: list[str]
    first_after: list[str]
    moved: list[MovedBody]


class ReplayWithQueries(ReplayBody):
    """`data`: newly empty ones first, then the largest losses, then the largest changes."""

    data: list[ReplayedBody]


class ReplayQuery(In):
    limit: int = Field(20, ge=1, le=100)


class LearningBody(Out):
    """`off`: boosts are kept, and move nothing. `trial`: lists with and without them take turns in one list. `on`: they
    count, which needs a trial that was won and a replay of the last week that was passed.
    """

    state: State
    since: Time
    changed_by: Maybe[str] = None
    boosts: int
    queries: int
    trial: TrialBody
    replay: ReplayBody | None


@GROUP.route("GET", "/v1/search/learning", who=ADMIN, answers={200: LearningBody})
def show(call: Call) -> LearningBody:
    """How many products clicks would move for how many queries, and how the trial stands."""
    return _body(shop.standing(call.db))


@GROUP.route("PUT", "/v1/search/learning", who=ADMIN, answers={200: LearningBody}, errors=(NotProven,))
def switch(call: Call, body: LearningIn) -> LearningBody:
    """Switch off, begin a trial, or switch on. Holds from the next search on."""
    return _body(shop.switch(call.db, body.state, changed_by=call.customer_id))


@GROUP.route("POST", "/v1/search/replays", who=ADMIN, answers={202: ReplayBody})
def begin_replay(call: Call, body: ReplayIn) -> Answer:
    """Run logged queries again, without and with what may be switched on, and see what would change.

    Queries that three people made, without filters, and all that the shop has judged. Nothing that shoppers see
    changes.
    """
    replay_id, _ = replaying.ask(
        call.db,
        body.candidate,
        asked_by=call.customer_id,
        synonym_ids=body.synonym_ids,
        days=body.days,
        most=body.queries,
    )
    found, _ = replaying.replay_of(call.db, replay_id, limit=0)
    return accepted(_replay(found), location=f"/v1/search/replays/{replay_id}")


@GROUP.route("GET", "/v1/search/replays", who=ADMIN, answers={200: Page[ReplayBody]})
def list_replays(call: Call, query: Paged) -> Page[ReplayBody]:
    """Newest first; kept for 90 days."""
    rows = replaying.listed(call.db, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_replay, place=lambda row: (row.id,))


@GROUP.route("GET", "/v1/search/replays/{replay_id}", who=ADMIN, answers={200: ReplayWithQueries}, errors=(NotFound,))
def show_replay(call: Call, replay_id: str, query: ReplayQuery) -> ReplayWithQueries:
    """How far it is, what it says, and the queries to look at first."""
    found, results = replaying.replay_of(call.db, replay_id, limit=query.limit)
    data = [ReplayedBody.model_validate(one) for one in results]
    return ReplayWithQueries(**vars(_replay(found)), data=data)


def _replay(found: Replay) -> ReplayBody:
    return ReplayBody.model_validate(
        {
            "id": found.id,
            "candidate": found.candidate,
            "days": found.days,
            "created_at": found.created_at,
            "asked_by": found.asked_by,
            "queries": found.queries,
            "done": found.done,
            "ended_at": found.ended_at,
            "passed": found.passed,
            "summary": found.summary,
        }
    )


def _body(found: Standing) -> LearningBody:
    wins = found.wins
    trial = TrialBody(
        searches=wins.searches,
        won=wins.won,
        lost=wins.lost,
        share=found.share,
        low=found.low,
        high=found.high,
        proven=found.proven,
    )
    learning = found.learning
    return LearningBody.model_validate(
        {
            "state": learning.state,
            "since": learning.since,
            "changed_by": learning.changed_by,
            "boosts": learning.boosts,
            "queries": learning.queries,
            "trial": trial,
            "replay": found.replay and _replay(found.replay),
        }
    )
