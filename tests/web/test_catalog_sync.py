"""Asking over HTTP for a pull of the Product service."""

from collections.abc import Callable

from flask.testing import FlaskClient

Headers = dict[str, str]


def test_an_admin_asks_for_everything_and_gets_a_job(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    response = client.post("/v1/catalog/sync", headers=signed_in("usr_1", "admin"))
    job = response.get_json()
    assert (response.status_code, job["name"], job["state"]) == (202, "search.sync", "staged")
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    again = client.post("/v1/catalog/sync", headers=signed_in("usr_2", "admin")).get_json()
    assert again["id"] == job["id"]


def test_nobody_else_may_ask(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    for headers, status in (({}, 401), (signed_in("usr_1"), 403), (signed_in("usr_2", "support"), 403)):
        assert client.post("/v1/catalog/sync", headers=headers).status_code == status
