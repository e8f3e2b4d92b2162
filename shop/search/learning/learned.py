"""Lists with what was learned from clicks: the boosts themselves, and both lists taking turns in one."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.database import Tx
from shop.search.answering.asked import SearchRequest
from shop.search.answering.rank import Ranked, score_of
from shop.search.queries import boosts as queries

HALF_LIFE_DAYS = 30
"""What was clicked in spring says little in autumn: of clicks while boosts are made, and of boosts until they are made
again. What is not clicked any more comes back to nothing by itself."""

DRAFTED = 10
"""Places at which both lists take turns: those that a search's log keeps."""


@dataclass(frozen=True, slots=True)
class Learned:
    """`counts`: clicks had a say in the order. `teams`: in a trial, whose each of the first places is."""

    ranked: Sequence[Ranked]
    counts: bool = False
    teams: str = ""


def with_learned(tx: Tx, query: str, ranked: Sequence[Ranked], request: SearchRequest) -> Learned:
    """The list as it is, unless learning is on or on trial and there are boosts of this query."""
    if request.sort != "relevance" or len(ranked) < 2:
        return Learned(ranked)
    state, boosts = queries.counting(tx, query, half_life=HALF_LIFE_DAYS)
    if state == "on":
        return Learned(boosted(ranked, boosts), counts=True)
    if state == "trial" and request.after is None:
        order, teams = draft(ranked, boosted(ranked, boosts))
        return Learned(order, teams=teams)
    return Learned(ranked)


def boosted(ranked: Sequence[Ranked], boosts: Mapping[str, float]) -> list[Ranked]:
    """What the shop pinned stays where it is."""
    head = [one for one in ranked if one.pinned]
    rest = [_with(one, boosts.get(one.candidate.card.id, 0.0)) for one in ranked if not one.pinned]
    return [*head, *sorted(rest, key=lambda one: (-one.score, one.candidate.card.id))]


def draft(plain: Sequence[Ranked], other: Sequence[Ranked]) -> tuple[list[Ranked], str]:
    """The first ten places taken in turns by both lists, and whose each is: `A` plain, `B` other, `-` pinned. Then the
    rest as it is. The same list and no teams where both begin alike.

    Team draft interleaving (Radlinski, Kurup, Joachims, 2008): a coin says who begins each round of two, so that
    neither has the better places.
    """
    if [_id(one) for one in plain[:DRAFTED]] == [_id(one) for one in other[:DRAFTED]]:
        return list(plain), ""
    order = [one for one in plain if one.pinned][:DRAFTED]
    teams = "-" * len(order)
    taken = {_id(one) for one in order}
    lists = {"A": plain, "B": other}
    while len(order) < min(DRAFTED, len(plain)):
        for team in secrets.choice(("AB", "BA")):
            if len(order) < min(DRAFTED, len(plain)):
                one = next(one for one in lists[team] if _id(one) not in taken)
                order, teams = [*order, one], teams + team
                taken.add(_id(one))
    return [*order, *(one for one in plain if _id(one) not in taken)], teams


def _with(one: Ranked, boost: float) -> Ranked:
    if not boost:
        return one
    parts = one.parts._replace(learned=boost)
    return one._replace(parts=parts, score=score_of(parts))


def _id(one: Ranked) -> str:
    return one.candidate.card.id
