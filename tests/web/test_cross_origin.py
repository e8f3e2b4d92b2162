"""Pages of the shop's own site may call the API from a browser; pages of other sites learn nothing."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from boot.services import connect
from boot.settings import Settings
from web.app import create_app

SHOP = "https://shop.example.com"


@pytest.fixture(name="open_to_the_shop")
def _open_to_the_shop(settings_with: Callable[..., Settings]) -> FlaskClient:
    return create_app(connect(settings_with(cors_origins=f"{SHOP}/, http://localhost:3000"))).test_client()


def asked(client: FlaskClient, path: str, origin: str, method: str = "POST") -> dict[str, str]:
    """The answer's headers to the question a browser asks first."""
    wish = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,prefer",
    }
    answer = client.options(path, headers=wish)
    # A browser takes only a success for a yes, whatever the headers say.
    assert answer.status_code == 200
    return dict(answer.headers)


def test_the_shops_page_may_place_an_order(open_to_the_shop: FlaskClient) -> None:
    answer = asked(open_to_the_shop, "/v1/orders", SHOP)
    assert answer["Access-Control-Allow-Origin"] == SHOP
    assert "POST" in answer["Access-Control-Allow-Methods"]
    allowed = {name.strip().lower() for name in answer["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "idempotency-key", "prefer"} <= allowed
    assert "Access-Control-Allow-Credentials" not in answer


def test_its_page_may_read_when_to_come_back(open_to_the_shop: FlaskClient) -> None:
    answer = open_to_the_shop.get("/v1/orders", headers={"Origin": SHOP})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.com.evil.example", "null"])
def test_a_foreign_page_is_told_nothing(open_to_the_shop: FlaskClient, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in asked(open_to_the_shop, "/v1/orders", origin)


@pytest.mark.parametrize("path", ["/v1/webhooks/stripe", "/health/ready", "/openapi.json"])
def test_what_no_page_calls_is_not_opened(open_to_the_shop: FlaskClient, path: str) -> None:
    assert "Access-Control-Allow-Origin" not in asked(open_to_the_shop, path, SHOP)


def test_a_shop_that_names_no_site_answers_no_such_question(client: FlaskClient) -> None:
    answer = client.options("/v1/orders", headers={"Origin": SHOP, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 405
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("wrong", ["*", "shop.example.com", "https://shop.example.com/path", "ftp://shop.example.com"])
def test_what_is_no_origin_is_refused_at_the_start(settings_with: Callable[..., Settings], wrong: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        settings_with(cors_origins=wrong)
