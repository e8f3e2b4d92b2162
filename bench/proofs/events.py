"""Not one event is lost or counted twice, whoever dies: the drain at every boundary, then everybody, at random."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.proofs import drain_once
from bench.proofs.drain_house import PROGRAMS, ROOT, House
from clients import event_stream
from db.database import Database, DatabaseUnavailable
from db.migrations.runner import migrate
from devstack.embedded.servers import EmbeddedServers
from shop.analytics.events.accept import Batch, NowhereToKeep, Sender, accept
from shop.analytics.events.conservation import ledger
from shop.analytics.events.ingest import ingest
from shop.analytics.events.recount import recount
from shop.ports.events import EventStream

PEOPLE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MACHINE = "Googlebot/2.1"
A_BATCH = 25
DOUBLED = 0.2
LATE = 0.1
BOUNDARIES_AT_MOST = 60
AWAY_S = 3.0
STRIKE_WITHIN_S = 30.0
FEED_EVERY_S = 0.01
SETTLE_WITHIN_S = 120.0
"""What a dead drain had taken is given to another after 30 s; the rest is room for a slow machine."""


@dataclass
class Counted:
    """What was sent and what became of it."""

    sent: int = 0
    batches: int = 0
    doubled: int = 0
    refused: int = 0
    kills: int = 0
    struck: int = 0
    away: int = 0
    stored: int = 0
    lost: int = 0
    twice: int = 0
    account: dict[str, int] = field(default_factory=dict[str, int])
    balanced: bool = False
    rollups_off: int = 0

    @property
    def sound(self) -> bool:
        return bool(self.stored) and self.balanced and not (self.lost or self.twice or self.rollups_off)

    def __str__(self) -> str:
        account = ", ".join(f"{n} {name}" for name, n in self.account.items())
        return (
            f"{self.sent} events in {self.batches} batches, {self.doubled} sent twice, {self.refused} times told to "
            f"come again; {self.kills} SIGKILLs of the drain, {self.struck} while it held batches; servers away "
            f"{self.away} times\n{self.stored} stored, {self.lost} lost, {self.twice} counted twice; "
            f"{self.rollups_off} days whose rollups differ; account "
            f"{'balanced' if self.balanced else 'NOT BALANCED'}: {account}"
        )


def prove_boundaries(database_url: str, redis_url: str) -> Counted:
    """A drain dies by SIGKILL at its first boundary, the next one at its second, and so on until one lives."""
    counted, dice = Counted(), random.Random(1)
    db, stream = Database(database_url, name="proof"), event_stream.connect(redis_url, abandoned_after_ms=0)
    ids: set[str] = set()
    for die_at in range(1, BOUNDARIES_AT_MOST):
        for lot in _some_batches(dice, 6, counted, ids):
            accept(db, stream, lot)
        command = [sys.executable, "-m", drain_once.__name__, database_url, redis_url, str(die_at)]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        stream.leave()  # what two seconds do for somebody who has died
        if code == 0:
            break
        if code != drain_once.DIED:
            raise RuntimeError(f"the drain ended with {code}")
        counted.kills += 1
        counted.struck += stream.waiting().batches > 0
    ingest(db, stream)
    _look(db, stream, ids, counted)
    db.close()
    return counted


def prove(events: int, kills: int, seed: int) -> Counted:
    """Servers, a control process and the worker of events as in production; kills -9, Redis and PostgreSQL away."""
    servers = EmbeddedServers(Path(tempfile.mkdtemp(prefix="backroom-events-")))
    urls = servers.start()
    house = House(servers, urls)
    try:
        migrate(urls.database_url)
        for name in PROGRAMS:
            house.start(name)
        return _drive(house, events, kills, random.Random(seed))
    finally:
        house.stop()
        shutil.rmtree(servers.home, ignore_errors=True)
        shutil.rmtree(servers.root, ignore_errors=True)


def _drive(house: House, events: int, kills: int, dice: random.Random) -> Counted:
    counted = Counted()
    ids: set[str] = set()
    db, stream = Database(house.urls.database_url, name="proof"), event_stream.connect(house.urls.redis_url)
    turns: list[Callable[[Callable[[], None]], None]] = [lambda feed: _kill(house, counted, feed)] * kills
    turns += [lambda _: _redis_away(house, counted), lambda _: _postgres_away(house, counted)]
    dice.shuffle(turns)
    rounds = len(turns)
    for turn in turns:
        lots = _some_batches(dice, -(-events // rounds // A_BATCH), counted, ids)
        strike_at = dice.randrange(len(lots))
        for n, lot in enumerate(lots):
            if n == strike_at:
                turn(lambda again=lot: _send(db, stream, again, counted, house))
            _send(db, stream, lot, counted, house)
    _settle(db, stream, house)
    _look(db, stream, ids, counted)
    db.close()
    return counted


def _kill(house: House, counted: Counted, feed: Callable[[], None]) -> None:
    """While it holds batches that no dead one left behind; `feed` sends one again, so that there is one to take."""
    before, ends = house.held(), time.monotonic() + STRIKE_WITHIN_S
    while (missed := house.held() <= before) and time.monotonic() < ends:
        feed()
        time.sleep(FEED_EVERY_S)
        counted.doubled += 1
        counted.batches += 1
    counted.kills += 1
    counted.struck += not missed
    house.kill_worker()


def _redis_away(house: House, counted: Counted) -> None:
    """It answers nobody for some seconds. Killing it would lose what it had not written: up to a second."""
    process = house.servers.redis
    assert process is not None, "Redis was started"
    assert process.process.pid is not None, "and runs"
    os.kill(process.process.pid, signal.SIGSTOP)
    counted.away += 1
    _later(lambda pid=process.process.pid: os.kill(pid, signal.SIGCONT))


def _postgres_away(house: House, counted: Counted) -> None:
    process = house.servers.postgres
    assert process is not None, "PostgreSQL was started"
    assert process.process.pid is not None, "and runs"
    os.kill(process.process.pid, signal.SIGKILL)
    counted.away += 1
    _later(house.servers.revive)


_AFTERWARDS: list[tuple[float, Callable[[], object]]] = []


def _later(do: Callable[[], object]) -> None:
    # Servers die with the thread that started them, so it is this thread that brings them back, between two batches.
    _AFTERWARDS.append((time.monotonic() + AWAY_S, do))


def _what_is_due(*, at_once: bool = False) -> None:
    for entry in list(_AFTERWARDS):
        if at_once or time.monotonic() >= entry[0]:
            _AFTERWARDS.remove(entry)
            entry[1]()


def _send(db: Database, stream: EventStream, lot: Batch, counted: Counted, house: House) -> None:
    """As a page does: until it is told that it was kept, with the same ids."""
    while True:
        _what_is_due()
        house.look_after()
        try:
            accept(db, stream, lot)
        except NowhereToKeep:
            counted.refused += 1
            time.sleep(0.2)
        else:
            return


def _settle(db: Database, stream: EventStream, house: House) -> None:
    _what_is_due(at_once=True)
    ends = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < ends:
        house.look_after()
        try:
            with db.transaction() as tx:
                row = tx.execute("SELECT count(*) FROM event_inbox").fetchone()
            if stream.length() == 0 and row == (0,):
                return
        except DatabaseUnavailable:
            pass
        time.sleep(0.2)


def _look(db: Database, stream: EventStream, ids: set[str], counted: Counted) -> None:
    end = datetime.now(UTC) + timedelta(minutes=1)
    found = ledger(db, stream, start=end - timedelta(hours=6), end=end)
    with db.transaction() as tx:
        stored = [str(row[0]) for row in tx.execute("SELECT event_id FROM events").fetchall()]
        hours = tx.execute("SELECT coalesce(sum(events), 0)::int FROM event_hours").fetchone()
    counted.sent, counted.stored = len(ids), len(stored)
    counted.lost = len(ids - set(stored))
    counted.twice = abs((hours or (0,))[0] - len(ids)) + len(stored) - len(set(stored))
    counted.account = {
        "received": found.received,
        "stored": found.sums.stored,
        "duplicate": found.sums.duplicate,
        "rejected": found.sums.rejected,
        "quarantined": found.sums.quarantined,
        "in flight": found.in_flight.events,
        "unaccounted": found.unaccounted or 0,
    }
    counted.balanced = found.balanced and found.sums.stored == len(ids) and not found.in_flight.events
    counted.rollups_off = recount(db, whole=True)["differing"]


def _some_batches(dice: random.Random, count: int, counted: Counted, ids: set[str]) -> Sequence[Batch]:
    """Shuffled, some twice, some events late."""
    now = datetime.now(UTC)
    lots = [_batch(dice, now) for _ in range(max(1, count))]
    ids.update(event["id"] for lot in lots for event in lot.events)
    again = [lot for lot in lots if dice.random() < DOUBLED]
    counted.batches += len(lots) + len(again)
    counted.doubled += len(again)
    return dice.sample(lots + again, len(lots) + len(again))


def _batch(dice: random.Random, now: datetime) -> Batch:
    agent = MACHINE if dice.random() < DOUBLED else PEOPLE
    return Batch([_event(dice, now) for _ in range(A_BATCH)], {}, now, now, Sender("web", None, agent))


def _event(dice: random.Random, now: datetime) -> dict[str, Any]:
    at = now - timedelta(hours=dice.uniform(0, 140)) if dice.random() < LATE else now
    number = int(at.timestamp() * 1000) << 80 | 7 << 76 | dice.getrandbits(76)
    return {
        "id": str(uuid.UUID(int=number & ~(3 << 62) | 2 << 62)),
        "name": dice.choice(("page_view", "product_view", "cart_add")),
        "ts": at.isoformat(),
        "visitor_id": f"v{dice.randrange(500)}",
        "product_id": f"p{dice.randrange(50)}",
    }
