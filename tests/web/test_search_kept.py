"""A search that was just asked, over HTTP: said to be kept, and still there while the database is away."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from clients.model_files import ensure_files
from db.database import Database
from tests.shop.search.made import fill
from web.app import create_app


@pytest.fixture(name="cut_off")
def _cut_off(services: Services) -> Iterator[FlaskClient]:
    """The same process, from where no database is to be reached."""
    away = Database("postgresql://nobody@127.0.0.1:9/nothing", size=1)
    yield create_app(replace(services, db=away)).test_client()
    away.close()


def test_a_repeated_search_is_kept_and_outlives_the_database(
    services: Services, client: FlaskClient, cut_off: FlaskClient
) -> None:
    ensure_files(Path(services.settings.model_dir))
    fill(services.db, services.encoder)
    answers = [client.get("/v1/search?q=red+sofa").get_json() for _ in range(2)]
    assert [answer["cached"] for answer in answers] == [False, True]
    assert "degraded" not in answers[1]
    away = cut_off.get("/v1/search?q=red+sofa")
    assert away.status_code == 200, away.text
    assert (away.get_json()["cached"], away.get_json()["degraded"]) == (True, True)
    for later in (answers[1], away.get_json()):
        for same in ("query", "total", "facets", "data"):
            assert later[same] == answers[0][same]
    missing = cut_off.get("/v1/search?q=blue+belt")
    assert (missing.status_code, missing.get_json()["code"]) == (503, "database_unavailable")
