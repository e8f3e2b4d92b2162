"""Runs one proof as large as wanted and prints what it counted: `python -m bench.proofs kill`.

Each is part of the test suite in a small size (tests/shop/payments, tests/shop/analytics). Exit code 1 when something
was found wrong.
"""

import argparse
import logging
import os
import sys
import time
from contextlib import ExitStack

import structlog

from bench.proofs import (
    alerts,
    convergence,
    engines,
    events,
    experiments,
    kill_points,
    races,
    samples,
    shopping,
    stories,
)
from bench.proofs.house import building
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, servers_for_tests


def main() -> int:
    given = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    started = time.monotonic()
    ok = given.run(given)
    print(f"{'as it should be' if ok else 'WRONG'}, {time.monotonic() - started:.0f} s")
    return 0 if ok else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.proofs", description=__doc__)
    proofs = parser.add_subparsers(required=True, metavar="PROOF")
    kill = proofs.add_parser("kill", help="every job, killed at every boundary")
    kill.add_argument("--job", default="", help="only situations whose name contains this")
    kill.add_argument("--brief", action="store_true", help="one cell of each kind, as the test suite has it")
    kill.set_defaults(run=_kill)
    converge = proofs.add_parser("convergence", help="facts of real runs, permuted, doubled, lost and swept again")
    converge.add_argument("--runs", type=int, default=5000, help="permutations that are folded (default 5000)")
    converge.add_argument("--rows", type=int, default=500, help="permutations that go into rows (default 500)")
    converge.add_argument("--seed", type=int, default=20261123)
    converge.set_defaults(run=_converge)
    walk = proofs.add_parser("model", help="a shop driven at random, compared with a model of ten lines")
    walk.add_argument("--runs", type=int, default=200, help="shops (default 200)")
    walk.add_argument("--steps", type=int, default=40, help="steps in each (default 40)")
    walk.add_argument("--shrink", action="store_true", help="look for the fewest steps that go wrong (minutes)")
    walk.set_defaults(run=_walk)
    keep = proofs.add_parser("samples", help="write samples of new job messages and webhooks into tests/samples")
    keep.set_defaults(run=_keep)
    run = proofs.add_parser("races", help="two at once, at the very moment that matters")
    run.add_argument("--rounds", type=int, default=10, help="of each (default 10)")
    run.set_defaults(run=_race)
    trial = proofs.add_parser("experiments", help="false winners where nothing differs; a split of 51 to 49")
    trial.add_argument("--runs", type=int, default=200, help="experiments without an effect (default 200)")
    trial.set_defaults(run=_try_experiments)
    agree = proofs.add_parser("engines", help="PostgreSQL, ClickHouse and a naive judge asked the same questions")
    agree.add_argument("--histories", type=int, default=5000, help="visitors' histories (default 5000)")
    agree.add_argument("--seed", type=int, default=20261123)
    agree.set_defaults(run=_agree)
    alarm = proofs.add_parser("alerts", help="false alarms where nothing happens; planted faults that are found")
    alarm.add_argument("--weeks", type=int, default=52, help="weeks of each kind of shop (default 52)")
    alarm.set_defaults(run=_alarm)
    ingested = proofs.add_parser(
        "ingest", help="events while the drain, Redis and PostgreSQL die: none lost or doubled"
    )
    ingested.add_argument("--events", type=int, default=60_000, help="events (default 60000)")
    ingested.add_argument("--kills", type=int, default=8, help="SIGKILLs of the drain's worker (default 8)")
    ingested.add_argument("--seed", type=int, default=20261123)
    ingested.set_defaults(run=_ingest)
    return parser.parse_args()


def _kill(given: argparse.Namespace) -> bool:
    wanted = [scenario for scenario in kill_points.SCENARIOS if given.job in scenario.name]
    cells: list[kill_points.Cell] = []
    with building() as build:
        for scenario in wanted:
            cells += kill_points.cells(build(), scenario, full=not given.brief)
            print(f"{scenario.name}: {len(cells)} cells so far", file=sys.stderr, flush=True)
    print(kill_points.table(cells))
    return not any(found.wrong for found in cells)


def _converge(given: argparse.Namespace) -> bool:
    with building() as build:
        house = build()
        house.queues = ("payments",)
        histories = stories.record(house)
        print(f"{len(histories)} real runs with {sum(len(history.facts) for history in histories)} facts")
        print(f"fold: {convergence.prove_fold(histories, given.runs)}")
        print(f"rows: {convergence.prove_database(house, histories, given.rows, seed=given.seed)}")
    return True


def _agree(given: argparse.Namespace) -> bool:
    python = engines.interpreter()
    if python is None:
        print("chDB is not installed (pip install chdb): ClickHouse is not asked")
    with servers_for_tests() as urls, ExitStack() as open_ones:
        url = create_database(urls.database_url, f"engines_{os.getpid()}")
        migrate(url)
        db = Database(url, name="proof")
        columns = open_ones.enter_context(engines.engine(python)) if python else None
        told = engines.prove(db, columns, given.histories, seed=given.seed)
        db.close()
    print(told)
    return not told.wrong


def _alarm(given: argparse.Namespace) -> bool:
    counted = alerts.prove(given.weeks)
    print(counted)
    return counted.sound


def _ingest(given: argparse.Namespace) -> bool:
    counted = events.prove(given.events, given.kills, given.seed)
    print(counted)
    return counted.sound


def _try_experiments(given: argparse.Namespace) -> bool:
    counted = experiments.prove(given.runs)
    print(counted)
    return counted.sound


def _walk(given: argparse.Namespace) -> bool:
    with building() as build:
        house = build()
        house.queues = ("payments",)
        print(shopping.prove(lambda: house, runs=given.runs, steps=given.steps, shrink=given.shrink))
    return True


def _keep(_given: argparse.Namespace) -> bool:
    with building() as build:
        written = samples.record(build)
    print(f"{len(written)} new samples: {', '.join(written)}")
    return True


def _race(given: argparse.Namespace) -> bool:
    with building() as build:
        house = build()
        house.queues = ("payments",)
        for name, run in races.RACES.items():
            for _ in range(given.rounds):
                run(house, house.customer())
                house.never_hear()
                house.sql("DELETE FROM jobs")
            print(f"{name}: {given.rounds} times, one winner each", flush=True)
    return True


sys.exit(main())
