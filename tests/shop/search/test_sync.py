"""Following the Product service: everything once, then what changed, and on from where a pull was interrupted."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from clients import products as product_client
from db.database import Database
from devstack.stand_ins import products as stand_in
from devstack.stand_ins.doors import Served, serving
from shop.ports.neighbours import NeighbourAway, NeighbourRefused, Products
from shop.progress import unheard
from shop.search.catalogue.sync import AlreadySyncing, GoesOn, begin, sync
from tests.shop.search.made import one_value

TOKEN = "service-token"
MANY = 2500


@pytest.fixture(name="there")
def _there() -> Iterator[Served]:
    with serving(stand_in.create_app(service_token=TOKEN)) as served:
        yield served


@pytest.fixture(name="service")
def _service(there: Served) -> Products:
    return product_client.connect(there.url, TOKEN)


def put(there: Served, product_id: str, **more: Any) -> None:
    body = {"name": f"Lamp {product_id}", "price": 1299, "currency": "eur", "stock": 3, "category": "Lamps", **more}
    requests.put(f"{there.url}/products/{product_id}", json=body, timeout=5).raise_for_status()


def fault(there: Served, kind: str, **more: Any) -> None:
    body = {"match": "GET /products", "kind": kind, **more}
    requests.post(f"{there.url}/standin/faults", json=body, timeout=5).raise_for_status()


def begun(db: Database) -> str:
    job_id = begin(db)
    return one_value(db, "SELECT args ->> 'sync_id' FROM jobs WHERE id = %(id)s", id=job_id)


def count(db: Database) -> int:
    return one_value(db, "SELECT count(*) FROM products WHERE active")


def fill(there: Served) -> None:
    with requests.Session() as session:
        for number in range(MANY):
            body = {"name": f"Lamp {number}", "price": number, "currency": "eur", "stock": 1}
            session.put(f"{there.url}/products/p{number:05}", json=body, timeout=5)


def test_everything_is_pulled_and_told(db: Database, there: Served, service: Products) -> None:
    put(there, "a")
    put(there, "b", stock=0, brand="Hell")
    told = sync(db, service, sync_id=begun(db))
    assert told == {"seen": 2, "added": 2, "changed": 0, "rejected": 0, "problems": []}
    assert one_value(db, "SELECT brand FROM products WHERE id = 'b' AND NOT available") == "Hell"
    assert one_value(db, "SELECT count(*) FROM jobs WHERE name = 'search.embed'") == 1


def test_without_a_first_pull_nothing_is_pulled_by_the_clock(db: Database, there: Served, service: Products) -> None:
    put(there, "a")
    assert sync(db, service) == {}
    assert count(db) == 0


def test_prices_stock_and_departures_follow(db: Database, there: Served, service: Products) -> None:
    put(there, "a")
    put(there, "b")
    sync(db, service, sync_id=begun(db))
    put(there, "a", price=999, stock=0)
    put(there, "b", active=False)
    put(there, "c")
    told = sync(db, service)
    assert (told["added"], told["changed"]) == (1, 2)
    assert one_value(db, "SELECT price FROM products WHERE id = 'a' AND stock = 0") == 999
    assert one_value(db, "SELECT active FROM products WHERE id = 'b'") is False
    again = sync(db, service)
    assert (again["added"], again["changed"], again["rejected"]) == (0, 0, 0)


def test_a_pull_that_is_interrupted_goes_on_at_its_cursor(db: Database, there: Served, service: Products) -> None:
    fill(there)
    sync_id = begun(db)
    with pytest.raises(GoesOn):
        sync(db, service, sync_id=sync_id, bite_s=0)
    assert 1000 <= count(db) < MANY
    assert begun(db) == sync_id
    asked = len(requests.get(f"{there.url}/standin/requests", timeout=5).json()["data"])
    heard: list[int] = []
    told = sync(db, service, lambda done, total: heard.append(done), sync_id=sync_id)
    assert (told["seen"], told["added"], count(db)) == (MANY, MANY, MANY)
    assert heard == sorted(heard)
    assert heard[0] > 1000
    assert len(requests.get(f"{there.url}/standin/requests", timeout=5).json()["data"]) < asked + MANY / 100


def test_a_service_that_is_away_costs_nothing_that_was_done(db: Database, there: Served, service: Products) -> None:
    put(there, "a")
    sync_id = begun(db)
    fault(there, "status", status=503)
    with pytest.raises(NeighbourAway):
        sync(db, service, sync_id=sync_id)
    assert begun(db) == sync_id
    assert sync(db, service, sync_id=sync_id)["added"] == 1


def test_after_a_refusal_the_next_pull_begins_anew(db: Database, there: Served, service: Products) -> None:
    put(there, "a")
    sync_id = begun(db)
    fault(there, "status", status=400)
    with pytest.raises(NeighbourRefused):
        sync(db, service, sync_id=sync_id)
    assert begun(db) != sync_id


def test_a_job_that_runs_again_after_its_end_changes_nothing(db: Database, there: Served, service: Products) -> None:
    put(there, "a")
    sync_id = begun(db)
    first = sync(db, service, unheard, sync_id=sync_id)
    put(there, "b")
    assert sync(db, service, sync_id=sync_id) == first
    assert count(db) == 1


def test_two_at_once_take_turns(db: Database, service: Products) -> None:
    from shop.search.queries import syncs

    with db.session() as other:
        assert syncs.claim(other)
        with pytest.raises(AlreadySyncing):
            sync(db, service)
