"""Jobs are found where their names say, and everything that must exist for one exists."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from db.outbox import Job
from scheduler.timetable import TIMETABLE, Entry
from shop import jobs
from tasks.broker import Performer, performers
from tests.rules.source import ROOT, python_files

JOBS = [value for value in vars(jobs).values() if isinstance(value, Job)]
PLUMBING = {"__init__", "__main__", "broker", "runner", "sibling", "worker"}
DOOR_FILES = {path.stem for path in python_files("tasks")} - PLUMBING


def doors() -> dict[str, Performer]:
    for queue in jobs.QUEUES:
        importlib.import_module(f"tasks.{queue}")
    return {name: performer for name, performer in performers.items() if performer.job.queue in jobs.QUEUES}


def test_there_are_jobs_to_check() -> None:
    assert len(JOBS) > 10


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_has_one_door_in_the_file_named_like_its_queue(job: Job) -> None:
    door = doors()[job.name].door
    assert door.__module__ == f"tasks.{job.queue}"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_runs_the_function_its_name_says(job: Job) -> None:
    area, _, verb = job.name.partition(".")
    files = [
        path.relative_to(ROOT) for path in (ROOT / "shop" / area).rglob(f"{verb}.py") if "queries" not in path.parts
    ]
    assert len(files) == 1, f"there must be one {verb}.py below shop/{area}"
    module = importlib.import_module(".".join(files[0].with_suffix("").parts))
    assert inspect.isfunction(getattr(module, verb)), f"{files[0]} has no function {verb}"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_door_is_short(job: Job) -> None:
    source = inspect.getsource(doors()[job.name].door)
    assert len(source.splitlines()) <= 20, "a door names the services and calls one function"


def test_every_door_belongs_to_a_job_of_the_list() -> None:
    assert set(doors()) == {job.name for job in JOBS}


def test_queues_door_files_and_worker_lines_are_the_same_set() -> None:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    workers = re.findall(r"^worker_(\w+): python -m tasks (\w+)", procfile, re.MULTILINE)
    assert all(name == queue for name, queue in workers)
    assert {queue for _, queue in workers} == set(jobs.QUEUES) == DOOR_FILES


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
def test_what_the_clock_gives_is_what_the_door_takes(entry: Entry) -> None:
    parameters = list(inspect.signature(doors()[entry.job.name].door).parameters.values())[2:]
    needed = {parameter.name for parameter in parameters if parameter.default is parameter.empty}
    assert needed <= ({"day"} if entry.dated else set())


def test_only_the_relay_sends() -> None:
    senders = [
        str(path)
        for path in python_files("web", "tasks", "scheduler", "boot", "clients", "shop", "db")
        if re.search(r"\.publish\(|\.enqueue\(|\.send_with_options\(", (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert senders == [str(Path("scheduler/relay.py"))]
