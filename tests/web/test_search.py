"""Search and catalogue over HTTP, on a small shop with the real model."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bench.odd_queries import odd_query, problem
from boot.services import Services
from clients.model_files import ensure_files
from shop.search.catalogue.catalog import catalog
from shop.search.suggesting.suggest import suggest
from shop.search.vectors.embed import embed
from tests.shop.search.made import fill, one_value, products

Headers = dict[str, str]


@pytest.fixture(name="shop")
def _shop(services: Services) -> Services:
    ensure_files(Path(services.settings.model_dir))
    fill(services.db, services.encoder)
    return services


@pytest.fixture(name="service")
def _service(signed_in: Callable[..., Headers]) -> Headers:
    return signed_in("svc_product", "service")


def found(client: FlaskClient, query: str, **headers: str) -> Any:
    response = client.get(f"/v1/search?{query}", headers=headers)
    assert response.status_code == 200, response.text
    return response.get_json()


@pytest.mark.usefixtures("shop")
def test_a_trial_by_people_of_the_shop_is_in_no_figure(
    client: FlaskClient, services: Services, signed_in: Callable[..., Headers]
) -> None:
    support = signed_in("usr_7", "support")
    assert client.get("/v1/search?q=red+sofa&counted=false").status_code == 403
    tried = client.get("/v1/search?q=red+sofa&counted=false&limit=1", headers=support).get_json()
    later = f"/v1/search?q=red+sofa&counted=false&limit=1&cursor={tried['next_cursor']}"
    assert client.get(later, headers=support).get_json()["total"] == tried["total"]
    found(client, "q=red+sofa")
    assert one_value(services.db, "SELECT count(*) FROM search_queries") == 1


@pytest.mark.usefixtures("shop")
def test_anyone_may_search_and_gets_one_list(client: FlaskClient) -> None:
    answer = found(client, "q=red+sofa&limit=2")
    assert set(answer) == {
        "search_id", "query", "total", "total_is_exact", "facets", "data", "next_cursor", "took_ms", "cached",
    }  # fmt: skip
    assert answer["query"] == {
        "text": "red sofa",
        "interpreted": {
            "category": [{"value": "home > furniture > sofas", "words": "sofa", "hard": False}],
            "colour": [{"value": "red", "words": "red", "hard": False}],
        },
    }
    first = answer["data"][0]
    assert first["name"].startswith("Red sofa")
    assert first["matched"] == ["semantic", "lexical"]
    assert (first["currency"], type(first["price"]), type(first["in_stock"])) == ("eur", int, bool)
    assert sum(value["count"] for value in answer["facets"]["category"]) == answer["total"]
    assert answer["facets"]["price"]["currency"] == "eur"


def test_a_slip_is_put_right_told_and_undone(client: FlaskClient, shop: Services) -> None:
    suggest(shop.db)
    assert found(client, "q=red+sofda")["query"]["corrected"] == "red sofa"
    assert "corrected" not in found(client, "q=red+sofda&correct=false")["query"]


@pytest.mark.usefixtures("shop")
def test_pages_follow_the_cursor_to_the_end(client: FlaskClient) -> None:
    page = found(client, "q=red&limit=5")
    ids, search_id = [], page["search_id"]
    while True:
        ids += [product["id"] for product in page["data"]]
        assert page["search_id"] == search_id
        if page["next_cursor"] is None:
            break
        page = found(client, f"q=red&limit=5&cursor={page['next_cursor']}")
    assert len(ids) == len(set(ids)) == page["total"]


@pytest.mark.usefixtures("shop")
def test_filters_narrow_and_sorts_order(client: FlaskClient) -> None:
    answer = found(client, "q=red&brand=HYDRA&brand=Scharf&price_min=2000&price_max=5000&in_stock=true&sort=price_desc")
    prices = [product["price"] for product in answer["data"]]
    assert prices == sorted(prices, reverse=True) != []
    assert all(2000 <= price <= 5000 for price in prices)
    assert {product["brand"] for product in answer["data"]} <= {"Hydra", "Scharf"}
    assert all(product["in_stock"] for product in answer["data"])


@pytest.mark.parametrize(
    "query",
    [
        "", "q=", "q=+", "q=a&limit=0", "q=a&limit=101", "q=a&sort=best", "q=a&mode=magic", "q=a&price_min=-1",
        "q=a&price_min=5&price_max=4", "q=a&rating_min=6", "q=a&colour=red", "q=a&cursor=nonsense", "q=a&q=b",
        "q=" + "a" * 501, "q=a%00b",
    ],
)  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused(client: FlaskClient, query: str) -> None:
    response = client.get(f"/v1/search?{query}")
    assert (response.status_code, response.get_json()["code"]) == (422, "invalid_request")


@pytest.mark.usefixtures("shop")
def test_a_cursor_of_another_search_is_refused(client: FlaskClient) -> None:
    cursor = found(client, "q=red&limit=1")["next_cursor"]
    response = client.get(f"/v1/search?q=blue&limit=1&cursor={cursor}")
    assert (response.status_code, response.get_json()["code"]) == (422, "invalid_request")


def test_a_search_is_logged_with_who_searched(
    shop: Services, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    visitor = found(client, "q=sofa", **{"X-Visitor-Id": "vis_7"})
    customer = found(client, "q=sofa", **signed_in("usr_7"))
    with shop.db.transaction() as tx:
        logged = dict(tx.execute("SELECT id, coalesce(visitor_id, customer_id) FROM search_queries").fetchall())
    assert logged == {visitor["search_id"]: "vis_7", customer["search_id"]: "usr_7"}


def test_without_the_model_search_goes_on_and_says_so(
    settings_with: Callable[..., Any], services: Services, tmp_path: Path
) -> None:
    from boot.services import connect
    from web.app import create_app

    fill(services.db, services.encoder)
    lame = connect(settings_with(model_dir=str(tmp_path)), name="test")
    answer = found(create_app(lame).test_client(), "q=red+sofa")
    lame.db.close()
    assert answer["degraded"] is True
    assert answer["data"][0]["name"].startswith("Red sofa")


@pytest.mark.usefixtures("shop")
def test_similar_products_come_with_a_reason(client: FlaskClient) -> None:
    answer = client.get("/v1/products/p000/similar?limit=3").get_json()
    assert [product["category"] for product in answer["data"]] == ["Home > Furniture > Sofas"] * 3
    assert all(product["reason"] for product in answer["data"])
    assert answer["next_cursor"] is None
    assert client.get("/v1/products/nobody/similar").status_code == 404


@pytest.mark.parametrize("shape", ["array", "object", "one"])
def test_products_of_a_json_body_are_taken_by_a_job(
    services: Services, client: FlaskClient, service: Headers, shape: str
) -> None:
    rows = products()[:1] if shape == "one" else products()[:3]
    body = {"array": rows, "object": {"products": rows}, "one": rows[0]}[shape]
    response = client.post("/v1/catalog/products", json=body, headers=service)
    assert response.status_code == 202, response.text
    job = response.get_json()
    assert (job["name"], job["queue"], job["state"]) == ("search.catalog", "embeddings", "staged")
    assert response.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert _apply(services, job["id"])["added"] == len(rows)


def test_of_ndjson_the_good_lines_are_taken_and_the_bad_ones_told(
    services: Services, client: FlaskClient, service: Headers
) -> None:
    lines = [json.dumps(products()[0]), "{oops", json.dumps({"id": "x", "name": "No price, no stock"})]
    response = client.post(
        "/v1/catalog/products", data="\n".join(lines), headers=service, content_type="application/x-ndjson"
    )
    assert response.status_code == 202
    report = _apply(services, response.get_json()["id"])
    assert (report["added"], report["rejected"]) == (2, 1)
    assert report["problems"] == [{"line": 2, "reason": "not JSON"}]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"price": 12.99}, "/1/price"),
        ({"price": None}, "/1/price"),
        ({"currency": "EUR"}, "/1/currency"),
        ({"stock": -1}, "/1/stock"),
        ({"name": ""}, "/1/name"),
        ({"colour": "red"}, "/1/colour"),
    ],
)
def test_one_wrong_product_refuses_a_json_body_as_a_whole(
    services: Services, client: FlaskClient, service: Headers, change: dict[str, Any], pointer: str
) -> None:
    response = client.post("/v1/catalog/products", json=[products()[0], products()[1] | change], headers=service)
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == pointer
    assert one_value(services.db, "SELECT count(*) FROM catalogue_batches") == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"products": [{"id": "x"}]}, "/products/0/name"),
        ({"id": "x"}, "/name"),
        ([{"id": "x"}], "/0/name"),
        ([], ""),
    ],
)
def test_pointers_lead_into_the_body_as_it_was_sent(
    client: FlaskClient, service: Headers, body: Any, pointer: str
) -> None:
    refused = client.post("/v1/catalog/products", json=body, headers=service).get_json()
    assert refused["errors"][0]["pointer"] == pointer


def test_a_body_that_is_no_json_or_too_many_is_refused(client: FlaskClient, service: Headers) -> None:
    def answer(data: str, content_type: str = "application/json") -> tuple[int, str]:
        response = client.post("/v1/catalog/products", data=data, headers=service, content_type=content_type)
        return response.status_code, response.get_json()["code"]

    assert answer("{") == (400, "malformed_json")
    assert answer("") == (400, "malformed_json")
    assert answer("[]") == (422, "invalid_request")
    assert answer('"text"') == (422, "invalid_request")
    assert answer(json.dumps([products()[0]] * 1001)) == (422, "invalid_request")
    assert answer("{}\n" * 1001, "application/x-ndjson") == (422, "invalid_request")
    assert answer("id,name", "text/csv") == (415, "unsupported_media_type")


def test_only_services_and_admins_change_the_catalogue(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    for headers, status in (({}, 401), (signed_in("usr_1"), 403), (signed_in("usr_2", "support"), 403)):
        assert client.post("/v1/catalog/products", json=products()[:1], headers=headers).status_code == status
        assert client.delete("/v1/catalog/products/p000", headers=headers).status_code == status


@pytest.mark.usefixtures("shop")
def test_a_deleted_product_leaves_search_at_once(client: FlaskClient, service: Headers) -> None:
    assert client.delete("/v1/catalog/products/p000", headers=service).status_code == 204
    assert "p000" not in [product["id"] for product in found(client, "q=red+sofa+small&limit=100")["data"]]
    assert client.delete("/v1/catalog/products/nobody", headers=service).status_code == 404


def test_new_products_are_found_by_words_before_they_have_vectors(
    services: Services, client: FlaskClient, service: Headers
) -> None:
    job = client.post("/v1/catalog/products", json=products(), headers=service).get_json()
    _apply(services, job["id"])
    assert found(client, "q=red+sofa")["data"][0]["matched"] == ["lexical"]
    while embed(services.db, services.encoder)["remaining"]:
        pass  # a bite ends after some seconds
    assert found(client, "q=red+sofa")["data"][0]["matched"] == ["semantic", "lexical"]


def _apply(services: Services, job_id: str) -> dict[str, Any]:
    return catalog(
        services.db, one_value(services.db, "SELECT args->>'batch_id' FROM jobs WHERE id = %(id)s", id=job_id)
    )


@pytest.mark.usefixtures("shop")
def test_odd_queries_are_answered_or_cleanly_refused(client: FlaskClient) -> None:
    draw = random.Random(7)
    for _ in range(150):
        text = odd_query(draw).encode("utf-8", "surrogatepass")
        response = client.get("/v1/search?q=" + "".join(f"%{byte:02x}" for byte in text))
        assert problem(response) is None, text[:200]


@pytest.mark.parametrize(
    "text",
    ["😀", "א" * 300, "' OR 1=1 --", "!!!", "-a -b -c", "no no no", "without", "under", "\u202e\u200b", '-"', "\u0301"],
)
@pytest.mark.usefixtures("shop")
def test_each_kind_of_odd_query_is_answered(client: FlaskClient, text: str) -> None:
    assert problem(client.get("/v1/search", query_string={"q": text})) is None


@pytest.mark.usefixtures("shop")
def test_only_admins_are_told_why(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    for headers in ({}, signed_in("usr_1"), signed_in("usr_2", "support")):
        refused = client.get("/v1/search?q=red+sofa&explain=true", headers=headers)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
    first = found(client, "q=red+sofa&explain=true", **signed_in("adm_1", "admin"))["data"][0]
    assert {"parts", "words", "similarity", "lexical_rank", "semantic_rank", "floor"} <= set(first["explanation"])
    assert "explanation" not in found(client, "q=red+sofa")["data"][0]


@pytest.mark.usefixtures("shop")
def test_what_was_understood_is_told_and_undone(client: FlaskClient) -> None:
    query = "q=red+sofa+under+15+euros"
    told = found(client, query)
    assert told["query"]["interpreted"]["price"] == {"min": None, "max": 1500, "words": "under 15 euros", "hard": True}
    assert all(product["price"] <= 1500 for product in told["data"])
    assert "price" not in found(client, f"{query}&keep=price&keep=colour")["query"]["interpreted"]
    assert "colour" not in found(client, f"{query}&keep=price&keep=colour")["query"]["interpreted"]
    assert found(client, f"{query}&interpret=false")["query"]["interpreted"] == {}
    assert client.get(f"/v1/search?{query}&keep=money").status_code == 422
