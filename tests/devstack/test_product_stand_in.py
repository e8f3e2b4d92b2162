"""Product as a neighbour would see it: pages that miss nothing, stock that is never sold twice."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests

from devstack.seed import generate_shop
from devstack.seed.load import as_ndjson
from devstack.stand_ins.doors import Served, serving
from devstack.stand_ins.products import create_app

LATER = "2099-01-01T00:00:00Z"


class Client:
    """What a caller does, in short words."""

    def __init__(self, served: Served) -> None:
        self.url = served.url
        self.headers = {"Authorization": "Bearer s3cret"}

    def ask(self, verb: str, path: str, **given: object) -> requests.Response:
        return requests.request(verb, self.url + path, headers=self.headers, timeout=10, **given)  # type: ignore[arg-type]

    def put(self, product_id: str, **fields: object) -> dict:
        answer = self.ask("PUT", f"/products/{product_id}", json={"name": "Mug", "price": 990, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, product_id: str) -> dict:
        return self.ask("GET", f"/products/{product_id}").json()

    def reserve(self, reservation_id: str, expires_at: str = LATER, **quantities: int) -> requests.Response:
        lines = [{"product_id": name, "quantity": count} for name, count in quantities.items()]
        body = {"id": reservation_id, "expires_at": expires_at, "lines": lines}
        return self.ask("POST", "/reservations", json=body)

    def commit(self, reservation_id: str) -> requests.Response:
        return self.ask("POST", f"/reservations/{reservation_id}/commit")

    def release(self, reservation_id: str) -> requests.Response:
        return self.ask("DELETE", f"/reservations/{reservation_id}")

    def take_back(self, return_id: str, **quantities: int) -> requests.Response:
        lines = [{"product_id": name, "quantity": count} for name, count in quantities.items()]
        return self.ask("POST", "/stock-returns", json={"id": return_id, "lines": lines})

    def stock(self, product_id: str) -> tuple[int, int]:
        shown = self.get(product_id)
        return shown["stock"], shown["reserved"]


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(create_app(service_token="s3cret")) as served:
        yield served


@pytest.fixture
def shop(served: Served) -> Client:
    return Client(served)


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_reservation_holds_stock_and_a_commit_takes_it(shop: Client):
    shop.put("mug", stock=5)
    made = shop.reserve("res_1", mug=2)
    assert made.status_code == 201
    assert made.json()["state"] == "held"
    assert shop.stock("mug") == (5, 2)
    assert shop.commit("res_1").json()["state"] == "committed"
    assert shop.stock("mug") == (3, 0)


def test_asking_the_same_again_changes_nothing_and_answers_the_same(shop: Client):
    shop.put("mug", stock=5)
    assert shop.reserve("res_1", mug=2).json() == shop.reserve("res_1", mug=2).json()
    assert shop.stock("mug") == (5, 2)
    assert shop.commit("res_1").json() == shop.commit("res_1").json()
    assert shop.stock("mug") == (3, 0)
    assert shop.reserve("res_1", mug=2).json()["state"] == "committed"
    assert shop.stock("mug") == (3, 0)


def test_an_id_stands_for_one_reservation_only(shop: Client):
    shop.put("mug", stock=5)
    shop.reserve("res_1", mug=2)
    for other in (shop.reserve("res_1", mug=1), shop.reserve("res_1", "2098-01-01T00:00:00Z", mug=2)):
        assert (other.status_code, other.json()["code"]) == (409, "reservation_differs")
    assert shop.stock("mug") == (5, 2)


def test_one_short_line_reserves_nothing_and_all_short_lines_are_named(shop: Client):
    shop.put("mug", stock=5)
    shop.put("cup", stock=1)
    shop.put("old", stock=9, active=False)
    refused = shop.reserve("res_1", mug=5, cup=2, old=1, ghost=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_stock")
    assert refused.json()["lines"] == [
        {"product_id": "cup", "wanted": 2, "available": 1},
        {"product_id": "ghost", "wanted": 1, "available": 0},
        {"product_id": "old", "wanted": 1, "available": 0},
    ]
    assert shop.stock("mug") == (5, 0)
    shop.put("cup", stock=2)
    assert shop.reserve("res_1", mug=5, cup=2).status_code == 201


def test_of_twenty_buyers_of_the_last_one_exactly_one_gets_it(shop: Client):
    shop.put("mug", stock=1)
    with ThreadPoolExecutor(20) as buyers:
        answers = list(buyers.map(lambda buyer: shop.reserve(f"res_{buyer}", mug=1), range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert shop.stock("mug") == (1, 1)


def test_twenty_copies_of_one_request_hold_and_take_the_goods_once(shop: Client):
    shop.put("mug", stock=10)
    with ThreadPoolExecutor(20) as copies:
        made = list(copies.map(lambda _copy: shop.reserve("res_1", mug=3).status_code, range(20)))
        taken = list(copies.map(lambda _copy: shop.commit("res_1").status_code, range(20)))
    assert (set(made), set(taken)) == ({201}, {200})
    assert shop.stock("mug") == (7, 0)


def test_a_reservation_runs_out_by_itself_and_cannot_be_committed_then(shop: Client):
    shop.put("mug", stock=1)
    expires_at = soon(0.4)
    assert shop.reserve("res_1", expires_at, mug=1).status_code == 201
    assert shop.reserve("res_2", mug=1).status_code == 409
    time.sleep(0.5)
    assert shop.stock("mug") == (1, 0)
    assert shop.commit("res_1").json()["code"] == "reservation_expired"
    assert shop.reserve("res_1", expires_at, mug=1).json()["code"] == "reservation_expired"
    assert shop.reserve("res_2", mug=1).status_code == 201


def test_released_stock_is_free_again_and_a_second_release_is_harmless(shop: Client):
    shop.put("mug", stock=1)
    shop.reserve("res_1", mug=1)
    assert [shop.release("res_1").status_code, shop.release("res_1").status_code] == [204, 204]
    assert shop.stock("mug") == (1, 0)
    assert shop.commit("res_1").json()["code"] == "reservation_released"


def test_a_release_that_overtakes_its_reservation_bars_it(shop: Client):
    shop.put("mug", stock=1)
    assert shop.release("res_1").status_code == 204
    late = shop.reserve("res_1", mug=1)
    assert (late.status_code, late.json()["code"]) == (409, "reservation_released")
    assert shop.stock("mug") == (1, 0)


def test_committed_goods_come_back_only_by_a_return_and_only_once(shop: Client):
    shop.put("mug", stock=5)
    shop.reserve("res_1", mug=2)
    shop.commit("res_1")
    assert shop.release("res_1").json()["code"] == "reservation_committed"
    assert [shop.take_back("ret_1", mug=2).status_code for _ in range(3)] == [201, 201, 201]
    assert shop.stock("mug") == (5, 0)
    assert shop.take_back("ret_1", mug=1).json()["code"] == "stock_return_differs"
    assert shop.take_back("ret_2", mug=1, ghost=1).json()["code"] == "product_not_found"
    assert shop.stock("mug") == (5, 0)


def test_unknown_reservations_are_not_found(shop: Client):
    assert shop.commit("res_x").json()["code"] == "reservation_not_found"
    assert shop.ask("GET", "/reservations/res_x").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"expires_at": LATER, "lines": [{"product_id": "mug", "quantity": 1}]},
        {"id": "r", "expires_at": "tomorrow", "lines": [{"product_id": "mug", "quantity": 1}]},
        {"id": "r", "expires_at": "2099-01-01T00:00:00", "lines": [{"product_id": "mug", "quantity": 1}]},
        {"id": "r", "expires_at": "2001-01-01T00:00:00Z", "lines": [{"product_id": "mug", "quantity": 1}]},
        {"id": "r", "expires_at": LATER, "lines": []},
        {"id": "r", "expires_at": LATER, "lines": [{"product_id": "mug", "quantity": -1}]},
    ],
)
def test_a_reservation_that_makes_no_sense_is_refused(shop: Client, body: dict):
    shop.put("mug", stock=5)
    assert shop.ask("POST", "/reservations", json=body).status_code == 422
    assert shop.ask("GET", "/reservations").json()["data"] == []


def test_reservations_are_listed_newest_first(shop: Client):
    shop.put("mug", stock=5)
    shop.reserve("res_1", mug=1)
    shop.reserve("res_2", mug=2)
    shop.commit("res_1")
    listed = shop.ask("GET", "/reservations").json()["data"]
    assert [(one["id"], one["state"]) for one in listed] == [("res_2", "held"), ("res_1", "committed")]
    assert [one["id"] for one in shop.ask("GET", "/reservations?state=held").json()["data"]] == ["res_2"]


def test_the_same_product_on_two_lines_adds_up(shop: Client):
    shop.put("mug", stock=3)
    lines = [{"product_id": "mug", "quantity": 2}] * 2
    body = {"id": "res_1", "expires_at": LATER, "lines": lines}
    refused = shop.ask("POST", "/reservations", json=body).json()
    assert refused["lines"] == [{"product_id": "mug", "wanted": 4, "available": 3}]


def test_a_change_keeps_what_it_does_not_name_and_an_equal_one_moves_nothing(shop: Client):
    first = shop.put("mug", stock=3, attributes={"color": "Sand"})
    changed = shop.ask("PUT", "/products/mug", json={"stock": 0}).json()
    assert (changed["name"], changed["attributes"], changed["stock"]) == ("Mug", {"color": "Sand"}, 0)
    assert changed["updated_at"] > first["updated_at"]
    assert shop.ask("PUT", "/products/mug", json=changed).json() == changed
    for wrong in ({"price": 9.9}, {"stock": -1}, {"currency": "EUR"}, {"prize": 1}, {"rating": 7}):
        assert shop.ask("PUT", "/products/mug", json=wrong).status_code == 422
    assert shop.get("mug") == changed


def pages(shop: Client, **asked: object) -> Iterator[list[dict]]:
    cursor = None
    while True:
        page = shop.ask("GET", "/products", params={"cursor": cursor, **asked}).json()
        yield page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def test_pages_show_every_product_once_when_nothing_changes(shop: Client):
    for number in range(25):
        shop.put(f"p{number:02}")
    found = [[product["id"] for product in page] for page in pages(shop, limit=10)]
    assert [len(page) for page in found] == [10, 10, 5]
    assert [one for page in found for one in page] == [f"p{number:02}" for number in range(25)]


def test_pages_miss_nothing_while_products_change_under_the_reader(shop: Client):
    for number in range(30):
        shop.put(f"p{number:02}", stock=0)
    seen: dict[str, int] = {}
    for turn, page in enumerate(pages(shop, limit=7)):
        seen |= {product["id"]: product["stock"] for product in page}
        if turn < 3:
            shop.put(f"p{turn:02}", stock=turn + 1)  # behind the reader
            shop.put(f"p{29 - turn:02}", stock=turn + 1)  # ahead of the reader
            shop.put(f"new{turn}", stock=turn + 1)
    assert seen == {product["id"]: product["stock"] for page in pages(shop) for product in page}
    assert len(seen) == 33


def test_updated_since_gives_what_changed_from_that_moment_on(shop: Client):
    shop.put("old")
    moment = shop.put("mug", stock=1)["updated_at"]
    shop.put("cup")
    assert [[one["id"] for one in page] for page in pages(shop, updated_since=moment)] == [["mug", "cup"]]
    shop.reserve("res_1", mug=1)
    shop.commit("res_1")
    assert [[one["id"] for one in page] for page in pages(shop, updated_since=moment)] == [["cup", "mug"]]
    assert shop.ask("GET", "/products?updated_since=yesterday").status_code == 422
    assert shop.ask("GET", "/products?cursor=%21").status_code == 422
    assert shop.ask("GET", "/products?limit=0").status_code == 422


def test_many_changes_do_not_make_the_list_of_changes_grow_for_ever(shop: Client):
    app = create_app()
    with serving(app) as served:
        busy = Client(served)
        lines = [{"id": "mug", "name": "Mug", "price": 1, "stock": number} for number in range(5000)]
        assert busy.ask("PUT", "/products", data=as_ndjson(lines).encode()).json() == {"loaded": 5000}
        assert [len(page) for page in pages(busy)] == [1]
        assert busy.get("mug")["stock"] == 4999


def test_a_catalogue_file_is_there_from_the_start_and_after_a_reset(tmp_path: Path):
    file = tmp_path / "shop.ndjson"
    goods = generate_shop(products=30).products
    file.write_text(as_ndjson(goods), "utf-8")
    with serving(create_app(catalog_file=file)) as served:
        shop = Client(served)
        wanted = next(product["id"] for product in goods if product["active"] and product["stock"] > 1)
        shop.reserve("res_1", **{wanted: 1})
        shop.commit("res_1")
        shop.put("extra")
        assert shop.ask("POST", "/standin/reset").status_code == 204
        assert shop.ask("GET", "/reservations").json()["data"] == []
        [page] = pages(shop)
        assert [{name: one[name] for name in goods[0]} for one in page] == goods


def test_strangers_neither_read_the_catalogue_nor_touch_the_stock(served: Served):
    stranger = Client(served)
    stranger.put("mug", stock=1)
    stranger.headers = {"Authorization": "Bearer wrong"}
    asked = [("GET", "/products"), ("POST", "/reservations"), ("POST", "/reservations/r/commit")]
    asked += [("DELETE", "/reservations/r"), ("POST", "/stock-returns"), ("GET", "/products/mug")]
    assert {stranger.ask(verb, path, json={}).status_code for verb, path in asked} == {401}


def test_a_person_at_the_machine_sees_stock_and_reserved_without_a_token(served: Served):
    person = Client(served)
    person.put("mug", stock=3)
    person.headers = {}
    shown = person.ask("GET", "/products/mug").json()
    assert (shown["stock"], shown["reserved"]) == (3, 0)
    assert person.ask("GET", "/products").status_code == 200
    assert person.ask("POST", "/reservations", json={}).status_code == 401


def test_keys_and_request_ids_of_writes_are_remembered(shop: Client):
    shop.headers |= {"Idempotency-Key": "reserve-1", "X-Request-Id": "req-1"}
    shop.put("mug", stock=1)
    shop.reserve("res_1", mug=1)
    newest = requests.get(f"{shop.url}/standin/requests", timeout=5).json()["data"][0]
    assert newest["path"] == "/reservations"
    assert newest["headers"]["idempotency-key"] == "reserve-1"
    assert newest["headers"]["x-request-id"] == "req-1"


def test_an_answer_lost_after_the_work_is_made_good_by_asking_again(shop: Client):
    shop.put("mug", stock=5)
    fault = {"match": "POST /reservations", "kind": "timeout_after_work", "seconds": 0.05}
    shop.ask("POST", "/standin/faults", json=fault)
    with pytest.raises(requests.ConnectionError):
        shop.reserve("res_1", mug=2)
    assert shop.stock("mug") == (5, 2)
    assert shop.reserve("res_1", mug=2).status_code == 201
    assert shop.stock("mug") == (5, 2)


def test_every_product_has_a_picture_that_is_safe_to_show(shop: Client):
    shop.put("mug", name='<script>alert("1")</script> & Co', brand="<b>", attributes={"color": "Sea Blue"})
    answer = requests.get(f"{shop.url}/images/mug.svg", timeout=5)
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    drawn = ET.fromstring(answer.text)
    assert {element.tag.split("}")[1] for element in drawn.iter()} == {"svg", "rect", "g", "text"}
    assert requests.get(f"{shop.url}/images/ghost.svg", timeout=5).status_code == 404


def test_it_runs_as_a_process_of_its_own_and_stops_when_asked(tmp_path: Path):
    file = tmp_path / "shop.ndjson"
    file.write_text(as_ndjson(generate_shop(products=5).products), "utf-8")
    command = [sys.executable, "-m", "devstack.stand_ins.products", "--port", "0", "--catalog", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().removeprefix("listening on ").strip()
        assert len(requests.get(f"{url}/products", timeout=5).json()["data"]) == 5
        process.terminate()
        assert process.wait(10) == 0
