"""The doors of the queue `embeddings`: each job does its work when its row says so, and tells what it did."""

import threading
from pathlib import Path
from typing import Any

import pytest

from boot.services import Services
from clients.model_files import ensure_files
from db import outbox
from db.outbox import Job
from shop import jobs
from shop.progress import Interrupted
from shop.search.answering.find import SearchRequest, find
from shop.search.catalogue.catalog import receive_products
from shop.search.suggesting.complete import complete
from tasks import embeddings
from tasks.broker import Run, performers
from tests.shop.search.made import one_value, products


@pytest.fixture(name="run")
def _run(services: Services) -> Run:
    ensure_files(Path(services.settings.model_dir))
    with services.db.transaction() as tx:
        job_id = outbox.stage(tx, Job("probe.run", queue="probe"))
    return Run(services, job_id, fence=1, attempt=1, max_attempts=5, stopping=threading.Event())


@pytest.mark.parametrize(
    "job",
    [
        jobs.IMPORT_PRODUCTS,
        jobs.SYNC_PRODUCTS,
        jobs.EMBED_PRODUCTS,
        jobs.REFRESH_SUGGESTIONS,
        jobs.RECOMMEND_PRODUCTS,
        jobs.REWEIGH_PRODUCTS,
    ],
)
def test_each_job_of_search_has_its_door(job: Job) -> None:
    assert performers[job.name].door.__module__ == embeddings.__name__


def test_a_batch_is_imported_embedded_and_found(services: Services, run: Run) -> None:
    job_id = receive_products(services.db, products())
    assert _perform(services, run, job_id)["added"] == 60
    embedding = one_value(services.db, "SELECT id FROM jobs WHERE name = 'search.embed'")
    result = _perform(services, run, embedding)
    assert (result["embedded"], result["remaining"]) == (60, 0)
    assert result["seconds_per_1000"] > 0
    assert embeddings.reweigh_products(services, run) == {"products": 0}
    answer = find(services.db, services.encoder, SearchRequest(text="something to drink from on a hike"))
    assert answer.hits[0].product.category == "Sports > Bottles"


def test_timed_jobs_find_their_work(services: Services, run: Run) -> None:
    _perform(services, run, receive_products(services.db, products()))
    assert embeddings.refresh_suggestions(services, run) == {"queries": 0, "products": 60, "remaining": 0}
    assert complete(services.db, "headph", limit=1)[0].text == "Headphones"
    assert embeddings.recommend_products(services, run) == {
        "interests": 0,
        "together": 0,
        "also": 0,
        "again": 0,
        "people": 0,
    }
    assert embeddings.sync_products(services, run) == {}


def test_a_worker_that_stops_keeps_what_is_embedded(services: Services, run: Run) -> None:
    _perform(services, run, receive_products(services.db, products()))
    run.stopping.set()
    with pytest.raises(Interrupted):
        embeddings.embed_products(services, run)
    assert one_value(services.db, "SELECT count(*) FROM product_embeddings") == 60


def _perform(services: Services, run: Run, job_id: str) -> dict[str, Any]:
    with services.db.transaction() as tx:
        row = tx.execute("SELECT name, args FROM jobs WHERE id = %(id)s", {"id": job_id}).fetchone()
    assert row is not None
    result = performers[row[0]].door(services, run, **row[1])
    assert result is not None
    return result
