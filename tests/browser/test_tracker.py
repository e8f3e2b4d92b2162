"""The tracker on a real page: what is done there arrives once, whatever the network does, and only with consent."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route

from shop.analytics.events.ingest import ingest
from tests.browser.conftest import Api, Site

TWO_KB = 2048


def page_of(api: Api, attributes: str = 'data-consent="granted"') -> str:
    return f'<!doctype html><title>Shop</title><script src="{api.url}/track.js" {attributes}></script><h1>Shop</h1>'


def stored(api: Api) -> list[dict[str, Any]]:
    """What the store has of people, in the order in which it happened."""
    ingest(api.services.db, api.services.events)
    with api.services.db.transaction() as tx:
        rows = tx.execute("SELECT to_jsonb(events) FROM events ORDER BY event_id").fetchall()
    return [row[0] for row in rows]


def outcomes(api: Api) -> tuple[int, int]:
    """Stored and duplicate, as the account has them."""
    with api.services.db.transaction() as tx:
        row = tx.execute("SELECT sum(stored)::int, sum(duplicate)::int FROM ingest_ledger").fetchone()
    assert row is not None
    return row


def sent(page: Page, do: Callable[[], object]) -> dict[str, Any]:
    """The batch that goes out, and was answered, after `do`."""
    with page.expect_response(lambda answer: answer.url.endswith("/v1/events") and answer.status == 202) as answered:
        do()
        a_minute_later(page)
    return json.loads(answered.value.request.post_data or "")


def a_minute_later(page: Page) -> None:
    """By the page's clock: what it would do within a minute, it does now. Its clock is then wrong, as clocks are."""
    page.clock.fast_forward(60_000)


def kept_on_the_device(page: Page) -> list[Any]:
    return [
        page.evaluate("Object.keys(localStorage)"),
        page.evaluate("Object.keys(sessionStorage)"),
        page.context.cookies(),
    ]


def test_pages_and_what_is_done_on_them_arrive(page: Page, api: Api, site: Site) -> None:
    site.html = page_of(api)
    page.goto(f"{site.url}/shoes?utm_campaign=spring&mail=me@example.com")

    def walk() -> None:
        page.evaluate("backroom.track('product_view', {product_id: 'p1', price: 1299, currency: 'eur', colour: 'red'})")
        page.evaluate("history.pushState({}, '', '/shoes/1?colour=red')")
        page.evaluate("history.replaceState({}, '', '/shoes/1?colour=blue')")
        page.evaluate("history.back()")
        page.wait_for_function("location.pathname == '/shoes'")

    sent(page, walk)

    happened = stored(api)
    assert [(one["name"], one["path"]) for one in happened] == [
        ("page_view", "/shoes"),
        ("product_view", "/shoes"),
        ("page_view", "/shoes/1"),
        ("page_view", "/shoes"),
    ]
    assert (happened[0]["campaign"], happened[0]["channel"]) == ("spring", "campaign")
    assert (happened[1]["product_id"], happened[1]["price_minor"]) == ("p1", 1299)
    assert happened[1]["props"] == {"colour": "red"}
    assert {one["visitor_id"] for one in happened} == {page.evaluate("backroom.visitor()")}
    assert "example.com" not in json.dumps(happened)


def test_a_visitor_is_the_same_on_the_next_page_and_no_cookie_is_set(page: Page, api: Api, site: Site) -> None:
    site.html = page_of(api)
    page.goto(site.url)
    first = page.evaluate("backroom.visitor()")
    page.goto(f"{site.url}/next")
    assert page.evaluate("backroom.visitor()") == first
    assert page.context.cookies() == []


def test_what_could_not_be_sent_goes_out_again_with_the_same_ids(page: Page, api: Api, site: Site) -> None:
    tried: list[str] = []

    def arrives_but_the_answer_is_lost(route: Route) -> None:
        tried.append(route.request.post_data or "")
        if len(tried) == 1:
            requests.post(f"{api.url}/v1/events", data=tried[0], headers={"Content-Type": "text/plain"}, timeout=10)
            route.abort()
        elif len(tried) == 2:
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": site.url})
        else:
            route.continue_()

    site.html = page_of(api)
    page.route("**/v1/events", arrives_but_the_answer_is_lost)
    page.goto(site.url)
    for _ in range(2):
        with page.expect_request("**/v1/events"):
            a_minute_later(page)
    sent(page, lambda: None)

    assert len(tried) == 3
    ids = [[one["id"] for one in json.loads(body)["events"]] for body in tried]
    assert ids[0] == ids[1] == ids[2]
    assert [one["name"] for one in stored(api)] == ["page_view"]
    assert outcomes(api) == (1, 1)


def test_a_page_that_was_offline_tells_it_all_when_it_is_back(page: Page, api: Api, site: Site) -> None:
    site.html = page_of(api)
    page.goto(site.url)
    sent(page, lambda: None)
    page.context.set_offline(offline=True)
    with page.expect_event("requestfailed"):
        page.evaluate("backroom.track('cart_add', {product_id: 'p1', quantity: 1})")
        a_minute_later(page)
    waiting = page.evaluate("JSON.parse(sessionStorage['backroom.queue']).map(event => event.id)")

    batch = sent(page, lambda: page.context.set_offline(offline=False))

    assert [one["id"] for one in batch["events"]] == waiting
    assert [one["name"] for one in stored(api)] == ["page_view", "cart_add"]


def test_who_leaves_is_heard_out(page: Page, api: Api, site: Site) -> None:
    site.html = page_of(api)
    page.goto(site.url)
    page.evaluate("backroom.track('checkout_start')")
    page.goto("about:blank")
    assert_soon(page, lambda: [one["name"] for one in stored(api)] == ["page_view", "checkout_start"])
    assert outcomes(api) == (2, 0)
    # The beacon's answer reached nobody, so the next page tells it again, and changes nothing.
    page.goto(site.url)
    sent(page, lambda: None)
    assert [one["name"] for one in stored(api)] == ["page_view", "checkout_start", "page_view"]
    assert outcomes(api) == (3, 2)


def assert_soon(page: Page, holds: Callable[[], bool]) -> None:
    """A beacon's answer is told to nobody."""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(20)
    assert holds()


@pytest.mark.parametrize("attributes", ["", 'data-consent="denied"'])
def test_without_consent_nothing_is_kept_and_nothing_is_sent(page: Page, api: Api, site: Site, attributes: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    site.html = page_of(api, attributes)
    page.goto(site.url)
    page.evaluate("backroom.track('cart_add', {product_id: 'p1'})")
    assert page.evaluate("backroom.visitor()") is None
    assert kept_on_the_device(page) == [[], [], []]
    page.goto("about:blank")
    assert not [url for url in asked if "/v1/" in url]
    # What was done before the yes is not told after it.
    page.goto(site.url)
    batch = sent(page, lambda: page.evaluate("backroom.consent('granted')"))
    assert [one["name"] for one in batch["events"]] == ["page_view"]


def test_a_shop_may_count_strangers_without_knowing_them(page: Page, api: Api, site: Site) -> None:
    site.html = page_of(api, "data-cookieless")
    page.goto(site.url)
    said = "backroom.track('product_view', {product_id: 'p1', mail: 'me@example.com'})"
    batch = sent(page, lambda: page.evaluate(said))
    assert {one["visitor_id"] for one in batch["events"]} == {"-"}
    assert kept_on_the_device(page) == [[], [], []]
    visitors = {(one["visitor_id"][:4], one["props"], one["consent"]) for one in stored(api)}
    assert visitors == {("day-", None, 0)}


def test_a_browser_that_says_no_is_not_asked_again(page: Page, api: Api, site: Site) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    site.html = page_of(api)
    page.goto(site.url)
    page.evaluate("backroom.consent('granted')")
    assert page.evaluate("backroom.track('cart_add')") is None
    assert kept_on_the_device(page) == [[], [], []]


def test_taking_consent_back_forgets_what_waits_and_who_it_was(page: Page, api: Api, site: Site) -> None:
    site.html = page_of(api)
    page.goto(site.url)
    page.evaluate("backroom.track('cart_add')")
    page.evaluate("backroom.consent('denied')")
    assert kept_on_the_device(page) == [[], [], []]
    page.goto("about:blank")
    assert stored(api) == []


def test_a_customer_is_known_by_the_token_alone(page: Page, api: Api, site: Site, token: Callable[..., str]) -> None:
    site.html = page_of(api)
    page.goto(site.url)
    sent(page, lambda: None)
    page.evaluate(f"backroom.identify('{token('cus_1')}')")
    sent(page, lambda: page.evaluate("backroom.track('identify')"))
    assert [(one["name"], one["user_id"]) for one in stored(api)] == [("page_view", None), ("identify", "cus_1")]
    page.evaluate("backroom.identify('expired')")
    with page.expect_response(lambda answer: answer.status == 401):
        page.evaluate("backroom.track('cart_add', {product_id: 'p1'})")
        a_minute_later(page)
    sent(page, lambda: None)
    assert [one["user_id"] for one in stored(api)] == [None, "cus_1", None]


def test_the_script_is_two_kilobytes_and_asked_for_once(api: Api) -> None:
    first = requests.get(f"{api.url}/track.js", timeout=10)
    assert int(first.headers["Content-Length"]) <= TWO_KB
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "//" not in first.text.replace("https://", "")
    again = requests.get(f"{api.url}/track.js", headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    plain = requests.get(f"{api.url}/track.js", headers={"Accept-Encoding": "identity"}, timeout=10)
    assert plain.text == first.text
    assert len(gzip.compress(plain.content)) <= TWO_KB
