"""The pages about search as people use them: why a product stands where it does, synonyms, pins, learning."""

from collections.abc import Callable
from pathlib import Path

import pytest

from boot.services import Services
from clients.model_files import ensure_files
from tests.shop.search.made import fill
from tests.web.admin.conftest import Browser


@pytest.fixture(name="shelves")
def _shelves(services: Services) -> Services:
    """The small catalogue of the search tests, with its vectors."""
    ensure_files(Path(services.settings.model_dir))
    fill(services.db, services.encoder)
    return services


@pytest.mark.usefixtures("shelves")
def test_an_admin_sees_why_and_support_sees_what(admin: Browser, support: Browser) -> None:
    page = admin.page("/admin/search?q=red+sofa")
    assert "Why, in figures" in page.text
    drawings = [one for one in page.all("svg") if one.get("aria-label").startswith("Why ")]
    assert "words +" in drawings[0].get("aria-label")
    assert "meaning +" in drawings[0].get("aria-label")
    shown = support.page("/admin/search?q=red+sofa")
    assert "Red sofa" in shown.text
    assert not shown.all("svg")
    admin.page("/admin/pins/edit?query=red+sofa&find=sofa")
    assert support.page("/admin/searches").facts()["Searches"] == "0"


@pytest.mark.usefixtures("shelves")
def test_what_was_understood_can_be_undone_piece_by_piece(admin: Browser) -> None:
    page = admin.page("/admin/search?q=red+sofa")
    undo = next(one for one in page.all("a") if one.get("aria-label") == "Take colour as plain words")
    undone = admin.page(f"/admin/search{undo.get('href')}")
    labels = [one.get("aria-label") for one in undone.all("a")]
    assert "Take colour as plain words" not in labels
    assert "Take category as plain words" in labels
    assert "Understand colour again" in labels


@pytest.mark.usefixtures("shelves")
def test_synonyms_are_added_changed_dismissed_and_deleted(admin: Browser) -> None:
    assert "Nothing is found" in admin.page("/admin/search?q=canteen&mode=lexical").text
    page = admin.follow(
        admin.send(admin.page("/admin/synonyms"), "/admin/synonyms/keep", terms="water bottle, canteen")
    )
    assert "water bottle, canteen" in page.text
    assert "12 products" in admin.page("/admin/search?q=canteen&mode=lexical").text
    decide = page.form("/admin/synonyms/decide")
    answer = admin.client.post(
        "/admin/synonyms/decide", data={**decide, "term": ["water bottle", "canteen"], "state": "dismissed"}
    )
    assert "dismissed" in admin.follow(answer).text
    assert "Nothing is found" in admin.page("/admin/search?q=canteen&mode=lexical").text
    page = admin.follow(admin.send(admin.page("/admin/synonyms"), "/admin/synonyms/forget"))
    assert "No synonyms yet" in page.text


@pytest.mark.usefixtures("shelves")
def test_a_term_that_says_nothing_is_shown_beside_its_form(admin: Browser) -> None:
    answer = admin.send(admin.page("/admin/synonyms"), "/admin/synonyms/keep", terms="sofa")
    assert answer.status_code == 422
    assert 'value="sofa"' in answer.text


@pytest.mark.usefixtures("shelves")
def test_products_are_found_ordered_timed_and_pinned_without_scripts(admin: Browser) -> None:
    found = admin.page("/admin/pins/edit?query=red+sofa&find=sofa")
    first, second = [one.get("value") for one in found.all("button") if one.get("name") == "add"][:2]
    chosen = f"edited=1&query=red+sofa&product={first}&product={second}"
    moved = admin.page(f"/admin/pins/edit?{chosen}&up={second}")
    assert [one.get("value") for one in moved.all("input") if one.get("name") == "product"][:2] == [second, first]
    fields = moved.form("/admin/pins/edit") | {"query": "red sofa", "from": "2026-01-05T09:00", "until": ""}
    fields["mark"] = admin.mark
    answer = admin.client.post("/admin/pins/edit", data={**fields, "product": [second, first]})
    kept = admin.follow(answer)
    assert "red sofa" in kept.text
    results = admin.page("/admin/search?q=red+sofa")
    assert [badge.text for badge in results.all("span") if badge.text == "pinned"] == ["pinned", "pinned"]
    again = admin.page("/admin/pins/edit?query=red+sofa")
    assert 'value="2026-01-05T09:00"' in again.html
    assert "Nothing is pinned yet" in admin.follow(admin.send(kept, "/admin/pins/forget")).text


def test_pinning_nothing_is_refused_with_the_form(admin: Browser) -> None:
    answer = admin.post("/admin/pins/edit", mark=admin.mark, query="sofa")
    assert answer.status_code == 422
    assert "No product is chosen" in answer.text


def test_learning_is_tried_before_it_counts(admin: Browser) -> None:
    page = admin.follow(admin.send(admin.page("/admin/learning"), "/admin/learning/switch", state="trial"))
    assert page.facts()["State"].startswith("trial")
    answer = admin.send(page, "/admin/learning/switch", state="on")
    assert answer.status_code == 422
    assert "proven" in answer.text or "trial" in answer.text
    begun = admin.follow(admin.send(page, "/admin/learning/replays", candidate="learned", days="7"))
    assert "Running." in begun.text


@pytest.mark.usefixtures("shelves")
def test_the_catalogue_says_what_words_and_what_meaning_find(admin: Browser, support: Browser) -> None:
    page = support.page("/admin/catalogue")
    facts = page.facts()
    assert facts["Products in the shop"] == facts["Found by words"] == facts["Found by meaning"]
    assert "all-MiniLM-L6-v2" in page.text
    assert "Pull every product now" not in page.text
    begun = admin.follow(admin.send(admin.page("/admin/catalogue"), "/admin/catalogue/sync"))
    assert "search.sync" in begun.text


def test_a_query_is_never_markup(admin: Browser, support: Browser) -> None:
    for path in ("/admin/search?q=", "/admin/pins/edit?query="):
        answer = admin.get(f"{path}%3Cscript%3Ealert(1)%3C/script%3E")
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
    assert support.get("/admin/search?q=%00").status_code in {200, 422}


def test_a_page_of_products_by_id_is_for_support(
    services: Services, admin: Browser, signed_in: Callable[..., dict[str, str]]
) -> None:
    ensure_files(Path(services.settings.model_dir))
    fill(services.db, services.encoder)
    where = "/v1/catalog/products?id=p031&id=p030&id=gone"
    found = admin.client.get(where, headers=signed_in("usr_7", "support")).get_json()["data"]
    assert [one["id"] for one in found] == ["p031", "p030"]
    assert admin.client.get(where, headers=signed_in("usr_1")).status_code == 403
    state = admin.client.get("/v1/catalog/state", headers=signed_in("usr_7", "support")).get_json()
    assert state["products"]["stale"] == 0
    assert state["models"][0]["state"] == "active"
