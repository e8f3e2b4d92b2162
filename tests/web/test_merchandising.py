"""Synonyms and pins over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from clients.model_files import ensure_files
from tests.shop.search.made import fill

Headers = dict[str, str]


@pytest.fixture(name="shop")
def _shop(services: Services) -> Services:
    ensure_files(Path(services.settings.model_dir))
    fill(services.db, services.encoder)
    return services


def found(client: FlaskClient, query: str) -> Any:
    response = client.get(f"/v1/search?{query}")
    assert response.status_code == 200, response.text
    return response.get_json()


@pytest.mark.usefixtures("shop")
def test_an_admin_keeps_synonyms(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    admin = signed_in("adm_1", "admin")
    assert found(client, "q=canteen&mode=lexical")["total"] == 0
    saved = client.put("/v1/search/synonyms", json={"terms": ["water bottle", "canteen"]}, headers=admin)
    assert saved.status_code == 200, saved.text
    body = saved.get_json()
    assert (body["kind"], body["state"], body["source"]) == ("equal", "active", "admin")
    assert found(client, "q=canteen&mode=lexical")["total"] == 12
    assert [one["id"] for one in client.get("/v1/search/synonyms", headers=admin).get_json()["data"]] == [body["id"]]
    assert client.get("/v1/search/synonyms?state=suggested", headers=admin).get_json()["data"] == []
    assert client.delete(f"/v1/search/synonyms?id={body['id']}", headers=admin).status_code == 204
    assert client.delete(f"/v1/search/synonyms?id={body['id']}", headers=admin).status_code == 404
    assert found(client, "q=canteen&mode=lexical")["total"] == 0


@pytest.mark.usefixtures("shop")
def test_an_admin_pins_products(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    admin = signed_in("adm_1", "admin")
    body = {"query": "Red Sofa", "product_ids": ["p030"], "from": "2026-01-01T00:00:00Z"}
    saved = client.put("/v1/search/pins", json=body, headers=admin)
    assert saved.status_code == 200, saved.text
    assert (saved.get_json()["from"], "until" in saved.get_json()) == ("2026-01-01T00:00:00.000Z", False)
    first, second = found(client, "q=red+sofa")["data"][:2]
    assert (first["id"], first["pinned"], "pinned" in second) == ("p030", True, False)
    assert len(client.get("/v1/search/pins?query=RED+sofa", headers=admin).get_json()["data"]) == 1
    assert client.delete("/v1/search/pins", headers=admin).status_code == 422
    assert client.delete("/v1/search/pins?query=red+sofa", headers=admin).status_code == 204
    assert "pinned" not in found(client, "q=red+sofa")["data"][0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("synonyms", {"terms": ["one"]}),
        ("synonyms", {"terms": ["sofa", "the"]}),
        ("synonyms", {"terms": ["sofa", "couch"], "kind": "maybe"}),
        ("synonyms", {"terms": ["sofa", "a\0b"]}),
        ("pins", {"query": "red", "product_ids": []}),
        ("pins", {"query": "red", "product_ids": ["nobody"]}),
        ("pins", {"query": " ", "product_ids": ["p001"]}),
        (
            "pins",
            {"query": "red", "product_ids": ["p001"], "from": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        ),
    ],
)
@pytest.mark.usefixtures("shop")
def test_merchandising_that_makes_no_sense_is_refused(
    client: FlaskClient, signed_in: Callable[..., Headers], path: str, body: dict[str, Any]
) -> None:
    assert client.put(f"/v1/search/{path}", json=body, headers=signed_in("adm_1", "admin")).status_code == 422


def test_merchandising_is_for_admins(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    for path in ("synonyms", "pins"):
        assert client.get(f"/v1/search/{path}").status_code == 401
        assert client.get(f"/v1/search/{path}", headers=signed_in("usr_2", "support")).status_code == 403
