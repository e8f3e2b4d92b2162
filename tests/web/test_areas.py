"""One process may serve one area, as three services do, or all of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from boot.services import Services
from boot.setting_kinds import Area
from boot.settings import Settings
from web.app import create_app
from web.areas import AREAS, EVERYWHERE, GROUPS


def test_every_group_belongs_to_one_area_or_to_all() -> None:
    placed = [*EVERYWHERE, *(group for groups in AREAS.values() for group in groups)]
    assert len(placed) == len({group.name for group in placed})
    assert {group.name for group in placed} == {group.name for group in GROUPS}


@pytest.mark.parametrize(
    ("area", "answers", "is_missing"),
    [
        ("payments", "/v1/orders", ("/v1/search", "/v1/trending")),
        ("search", "/v1/search/suggest", ("/v1/orders", "/v1/trending")),
        ("analytics", "/v1/trending", ("/v1/orders", "/v1/search")),
    ],
)
def test_a_process_of_one_area_knows_no_route_of_another(
    services: Services, settings_with: Callable[..., Settings], area: Area, answers: str, is_missing: tuple[str, ...]
) -> None:
    client = create_app(replace(services, settings=settings_with(areas=area))).test_client()
    assert client.get(answers).status_code != 404
    assert [client.get(path).status_code for path in is_missing] == [404, 404]
    assert client.get("/admin").status_code == 404
    assert client.get("/health/live").status_code == 200
    assert answers in client.get("/openapi.json").get_json()["paths"]


def test_the_admin_pages_bring_all_routes_with_them(services: Services, settings_with: Callable[..., Settings]) -> None:
    client = create_app(replace(services, settings=settings_with(areas="admin"))).test_client()
    assert client.get("/admin").status_code == 303
    assert {client.get(path).status_code for path in ("/v1/orders", "/v1/trending")} <= {200, 401, 503}
