"""A worker process: consumes one queue, and leaves within thirty seconds when told to, with nothing stranded."""

import importlib
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable
from functools import partial
from types import FrameType

import dramatiq
import structlog

from boot import broker as brokers
from boot import faults, logs, services, traces
from boot.settings import read_settings
from boot.waking import UNKNOWN_JOB, WakingBroker
from db import job_recovery, workers
from db.database import DatabaseUnavailable
from db.outbox import Job
from db.workers import LivingWorker
from tasks.broker import performers
from tasks.runner import Runner
from tasks.sibling import Sibling

log = structlog.get_logger()

STOP_WITHIN_MS = 20_000
"""Platforms kill 30 s after SIGTERM. Twenty for the jobs at hand leave ten for giving back what did not end."""

SIBLING_CHECK_S = 2.0

EXIT_THREAD_LOST = 70  # EX_SOFTWARE


def work(queue: str, *, threads: int, doors: str | None = None) -> None:
    """Consume `queue` until SIGTERM or SIGINT, then exit the process with code 0.

    `doors` is the module that names the functions, by default `tasks.<queue>`.
    """
    settings = read_settings()
    logs.configure(settings.log_level, process=f"worker_{queue}")
    traces.begin(settings, process=f"worker_{queue}")
    faults.begin(settings, process=f"worker_{queue}")
    stopping = _stop_on_signal()
    boot_id = uuid.uuid4().hex
    connected = services.connect(settings, name=f"worker_{queue}")
    broker = brokers.connect(settings)
    importlib.import_module(doors or f"tasks.{queue}")
    _declare(broker, queue, Runner(connected, boot_id, stopping))
    me = LivingWorker(boot_id, broker.broker_id, queue, os.getpid(), socket.gethostname()[:255], threads)
    with connected.db.transaction() as tx:
        workers.beat(tx, me)
    sibling = Sibling(me)
    worker = _start(broker, threads)
    log.info("worker started", queue=queue, threads=threads, boot_id=boot_id)
    while not stopping.wait(SIBLING_CHECK_S) and all(thread.is_alive() for thread in worker.workers):
        sibling.keep_alive()
    broker.leaving.set()
    _leave(connected, worker, sibling, boot_id)
    traces.end()
    # A time limit that strikes between two jobs ends the thread itself. A worker with fewer threads than it is
    # believed to have is better started anew; the code tells the platform that this was no farewell.
    os._exit(0 if stopping.is_set() else EXIT_THREAD_LOST)


def _stop_on_signal() -> threading.Event:
    """Platforms signal every process of the group, and some send the signal more than once: only the first counts."""
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stopping


def _declare(broker: WakingBroker, queue: str, runner: Runner) -> None:
    """Make one actor per job of this queue. A worker consumes every queue its broker knows, so it knows only one."""
    for performer in performers.values():
        if performer.job.queue == queue:
            _actor(broker, performer.job, partial(runner.run, performer))
    _actor(broker, Job(UNKNOWN_JOB, queue), runner.put_off_unknown)


def _actor(broker: WakingBroker, job: Job, perform: Callable[[str, int], None]) -> None:
    def run(job_id: str, fence: int) -> None:
        perform(job_id, fence)

    declare = dramatiq.actor(
        actor_name=job.name, queue_name=job.queue, broker=broker, time_limit=job.time_limit_s * 1000
    )
    declare(run)


def _start(broker: WakingBroker, threads: int) -> dramatiq.Worker:
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=1000)
    # With a larger prefetch, a message could wait here behind a long job while another process is idle.
    worker.queue_prefetch = threads
    broker.emit_after("process_boot")
    worker.start()
    return worker


def _leave(connected: services.Services, worker: dramatiq.Worker, sibling: Sibling, boot_id: str) -> None:
    """Let the jobs at hand end, give the rest back, and go without waiting for threads that do not listen."""
    log.info("worker stops", within_s=STOP_WITHIN_MS / 1000)
    worker.stop(timeout=STOP_WITHIN_MS)
    try:
        with connected.db.transaction() as tx:
            given_back = job_recovery.give_back(tx, boot_id)
    except DatabaseUnavailable as error:
        # The sibling outlives us and goes on trying; after it, the leases run out.
        log.warning("nothing could be given back", reason=type(error).__name__)
        return
    sibling.dismiss()
    with connected.db.transaction() as tx:
        # Not forgotten: by Redis' books we still hold the messages of what was given back, and the reaper frees them.
        workers.mark_dead(tx, boot_id)
    log.info("worker stopped", given_back=given_back)
