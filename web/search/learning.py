"""What search learned from clicks, over HTTP: how it does, and whether it counts."""

from typing import Literal

from shop.search.learning import learning as shop
from shop.search.learning.learning import NotProven, Standing
from web.access import ADMIN
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.routes import Group

GROUP = Group("Search learning", "Whether clicks move products, and the trial that has to be won before.")

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


class LearningBody(Out):
    """`off`: boosts are kept, and move nothing. `trial`: lists with and without them take turns in one list. `on`: they
    count, which needs a trial that was won.
    """

    state: State
    since: Time
    changed_by: Maybe[str] = None
    boosts: int
    queries: int
    trial: TrialBody


@GROUP.route("GET", "/v1/search/learning", who=ADMIN, answers={200: LearningBody})
def show(call: Call) -> LearningBody:
    """How many products clicks would move for how many queries, and how the trial stands."""
    return _body(shop.standing(call.db))


@GROUP.route("PUT", "/v1/search/learning", who=ADMIN, answers={200: LearningBody}, errors=(NotProven,))
def switch(call: Call, body: LearningIn) -> LearningBody:
    """Switch off, begin a trial, or switch on. Holds from the next search on."""
    return _body(shop.switch(call.db, body.state, changed_by=call.customer_id))


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
        }
    )
