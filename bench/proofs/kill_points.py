"""The kill-point matrix: every job of the money and the papers, killed at every boundary, comes to the same end."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.proofs import desk_scenarios
from bench.proofs.deaths import ACKNOWLEDGE, AFTER_CALL, AFTER_COMMIT, BEFORE_CALL, BEFORE_COMMIT, KINDS, Boundary, live
from bench.proofs.house import Customer, House
from bench.proofs.outcome import Outcome, outcome
from bench.proofs.scenarios import SCENARIOS, Scenario
from db.outbox import Job
from shop import jobs
from tasks.broker import performers
from tasks.runner import Runner

MORE = desk_scenarios
"""Importing it adds its situations to SCENARIOS."""

QUEUES = ("payments", "documents")
NOT_REACHED = "the boundary was not reached"
TRIES = 3

ELSEWHERE = frozenset({"identity.keys"})
"""Fetches public keys: there is nothing to do twice."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario as it goes when nobody dies: its boundaries and its end."""

    scenario: Scenario
    boundaries: tuple[Boundary, ...]
    end: Outcome


@dataclass(frozen=True, slots=True)
class Cell:
    """One death. `wrong` is empty when the end was the same as without it."""

    scenario: Scenario
    boundary: Boundary
    wrong: str


def jobs_to_kill() -> set[str]:
    """Every job of these queues that the shop knows."""
    known = {job.name for job in vars(jobs).values() if isinstance(job, Job) and job.queue in QUEUES}
    return known - ELSEWHERE


def plan(house: House, scenario: Scenario) -> Plan:
    """Play it undisturbed."""
    who = house.customer()
    scenario.arrange(house, who)
    life = live(house.services.settings, *_waiting(house, scenario))
    assert not life.struck
    return Plan(scenario, life.passed, _end(house, who))


def brief(found: Plan) -> list[int]:
    """For the test suite. The first situation of a job dies once at a boundary of each kind; its others once the
    outside has done what was asked, before anybody wrote it down."""
    chosen = dangerous(found)
    first = next(scenario for scenario in SCENARIOS if scenario.job == found.scenario.job)
    return chosen if found.scenario is first else [at for at in chosen if found.boundaries[at].kind == AFTER_CALL]


def dangerous(found: Plan) -> list[int]:
    """The numbers of one boundary of each kind: around the last call of the outside, and what is committed of it."""
    kinds = [boundary.kind for boundary in found.boundaries]
    call = max((at for at, kind in enumerate(kinds) if kind == AFTER_CALL), default=None)
    chosen = [_last(kinds, ACKNOWLEDGE, len(kinds))]
    if call is not None:
        chosen += [_last(kinds, BEFORE_CALL, call), call]
        chosen += [_next(kinds, BEFORE_COMMIT, call), _next(kinds, AFTER_COMMIT, call)]
    else:
        chosen += [_last(kinds, BEFORE_COMMIT, chosen[0]), _last(kinds, AFTER_COMMIT, chosen[0])]
    return sorted({at for at in chosen if at >= 0})


def cell(house: House, found: Plan, at: int) -> Cell:
    """Kill the job there, let somebody else come, and compare the ends."""
    scenario, boundary = found.scenario, found.boundaries[at]
    who = house.customer()
    scenario.arrange(house, who)
    name, job_id, fence = _waiting(house, scenario)
    life = live(house.services.settings, name, job_id, fence, die_at=at)
    if not life.struck:
        house.settle_all()
        return Cell(scenario, boundary, NOT_REACHED)
    left = house.sql("SELECT error, error_kind FROM jobs WHERE id = %s", job_id)
    wrong = [] if left == [(None, None)] else [f"the dead left a word: {left}"]
    house.bury()
    # The broker delivers the message of the dead once more: its fence is of yesterday.
    Runner(house.services, "late", threading.Event()).run(performers[name], job_id, fence)
    return Cell(scenario, boundary, "; ".join(wrong + _differences(found.end, _end(house, who))))


def cells(house: House, scenario: Scenario, *, full: bool) -> Iterator[Cell]:
    """All cells of a situation, or the brief ones."""
    first = found = plan(house, scenario)
    for at in list(range(len(first.boundaries))) if full else brief(first):
        wanted = first.boundaries[at]
        made = cell(house, found, _nearest(found, wanted, at))
        # A first sweep reads more than the next one: then the way is measured again.
        for _ in range(TRIES):
            if made.wrong == NOT_REACHED:
                found = plan(house, scenario)
                made = cell(house, found, _nearest(found, wanted, at))
        yield made


def table(every: Sequence[Cell]) -> str:
    """Jobs times boundaries, as text: how many deaths of each kind, `!` before those that ended otherwise."""
    counts = Counter((one.scenario.name, one.boundary.kind) for one in every)
    wrong = Counter((one.scenario.name, one.boundary.kind) for one in every if one.wrong)
    names = list(dict.fromkeys(one.scenario.name for one in every))
    lines = [f"{'':44}" + "".join(f"{kind:>19}" for kind in KINDS)]
    for name in names:
        shown = [_shown(counts[name, kind], wrong[name, kind]) for kind in KINDS]
        lines.append(f"{name:44}" + "".join(f"{text:>19}" for text in shown))
    bad = [f"{one.scenario.name}, {one.boundary}: {one.wrong}" for one in every if one.wrong]
    killed = {one.scenario.job.name for one in every}
    green = f"{len(every)} cells, {len(every) - len(bad)} green, {len(bad)} not"
    return "\n".join([*lines, f"{len(killed)} jobs, {len(names)} situations, {green}", *bad])


def _shown(count: int, wrong: int) -> str:
    return f"!{wrong}/{count}" if wrong else str(count or "-")


def _waiting(house: House, scenario: Scenario) -> tuple[str, str, int]:
    rows = house.sql("SELECT id, fence FROM jobs WHERE name = %s AND state = 'staged'", scenario.job.name)
    assert len(rows) == 1, f"{scenario.name}: {len(rows)} jobs wait"
    return scenario.job.name, *rows[0]


def _end(house: House, who: Customer) -> Outcome:
    house.settle_all()
    house.never_hear()
    return outcome(house, who)


def _differences(wanted: Outcome, found: Outcome) -> list[str]:
    return [f"{name}: {found[name]} instead of {wanted[name]}" for name in wanted if wanted[name] != found[name]]


def _nearest(found: Plan, boundary: Boundary, at: int) -> int:
    """The place of this kind that is nearest to where it was when the way was another."""
    same = [place for place, other in enumerate(found.boundaries) if other.kind == boundary.kind]
    return min(same, key=lambda place: abs(place - at))


def _last(kinds: Sequence[str], kind: str, before: int) -> int:
    return max((at for at, found in enumerate(kinds[:before]) if found == kind), default=-1)


def _next(kinds: Sequence[str], kind: str, after: int) -> int:
    return next((at for at, found in enumerate(kinds) if at > after and found == kind), -1)
