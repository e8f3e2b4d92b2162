"""Keeps one sample of each job message and each webhook as they travel now: `python -m bench.proofs samples`.

What is there is never written again: a sample is what an older version left in a queue, and stays readable.
"""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.proofs.house import House
from bench.proofs.kill_points import SCENARIOS
from bench.proofs.scenarios import save_card
from bench.proofs.stories import STORIES, hear_all
from boot.broker import connect as connect_broker
from boot.waking import Outgoing
from clients.stripe.gateway import EVENT_TYPES
from db.outbox import Job
from shop import jobs
from shop.payments.cards import methods
from tasks import analytics, documents, embeddings, payments
from tasks.broker import performers

DOORS = (analytics, documents, embeddings, payments)
"""Importing them registers what they perform."""

FOLDER = Path(__file__).parents[2] / "tests" / "samples"

EXAMPLES = {
    "day": "2026-11-22",
    "batch_id": "imp_01m84samplesamplesamplesamp",
    "sync_id": "syn_01m84samplesamplesamplesamp",
}
"""Arguments of jobs that no situation of the proofs stages, by name; ids of other kinds look like these."""

DAYS_TO_A_PAYOUT_S = 10 * 24 * 3600


def all_jobs() -> list[Job]:
    return [value for value in vars(jobs).values() if isinstance(value, Job)]


def record(open_house: Callable[[], House], folder: Path = FOLDER) -> list[str]:
    """Write what is missing; answers the names of the new files."""
    missing = [job for job in all_jobs() if not (folder / "jobs" / f"{job.name}.json").exists()]
    written = [_write(folder / "jobs" / f"{job.name}.json", _job(open_house, job)) for job in missing]
    types = [kind for kind in EVENT_TYPES if not (folder / "webhooks" / f"{kind}.json").exists()]
    if types:
        events = _events(open_house())
        found = [kind for kind in types if kind in events]
        written += [_write(folder / "webhooks" / f"{kind}.json", events[kind]) for kind in found]
    return written


def _write(path: Path, sample: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sample, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path.name


def _job(open_house: Callable[[], House], job: Job) -> dict[str, Any]:
    house = open_house()
    scenario = next((one for one in SCENARIOS if one.job == job), None)
    if scenario is None:
        args = _examples(job)
    else:
        scenario.arrange(house, house.customer())
        ((args,),) = house.sql("SELECT args FROM jobs WHERE name = %s AND state = 'staged'", job.name)
    broker = connect_broker(house.services.settings)
    sent = Outgoing("sample", job.queue, job.name, "job_01m84samplesamplesamplesamp", 1)
    broker.publish([sent])
    body: Any = broker.client.hget(f"{broker.namespace}:{job.queue}.msgs", sent.message_id)
    broker.client.flushdb()
    return {"name": job.name, "queue": job.queue, "args": args, "message": json.loads(body)}


def _examples(job: Job) -> dict[str, Any]:
    taken = list(inspect.signature(performers[job.name].door).parameters.values())[2:]
    return {one.name: EXAMPLES.get(one.name, "req_01m84samplesamplesamplesamp") for one in taken}


def _events(house: House) -> dict[str, Any]:
    """One event of each type, from every story, a card that is saved and let go, and a payout."""
    house.queues = ("payments",)
    for play in STORIES.values():
        play(house, house.customer())
        hear_all(house)
    who = house.customer()
    save_card(house, who)
    hear_all(house)
    for card in methods.saved(house.services.db, who.id):
        methods.remove(house.services.db, card.id)
    house.door("clock", advance=DAYS_TO_A_PAYOUT_S)
    hear_all(house)
    with house.stripe.account.lock:
        events = [dict(event) for event in house.stripe.account.store.all("event")]
    return {event["type"]: event for event in events}
