"""The pages about analytics as people use them: ranges, funnels, experiments, quarantine, reports, alerts."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from boot.services import Services
from shop.analytics.alerts.watch import watch
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.sessions import sessions
from shop.analytics.reports.report import House, report
from tests.shop.analytics.conftest import batch, event
from tests.web.admin.conftest import Browser


@pytest.fixture(name="busy")
def _busy(services: Services) -> Services:
    """Three people look, two of them put something into their cart."""
    seen = [event("product_view", visitor=f"vis_{one}", product_id="prd_1") for one in range(3)]
    seen += [event("cart_add", visitor=f"vis_{one}", product_id="prd_1") for one in range(2)]
    accept(services.db, services.events, batch(seen))
    ingest(services.db, services.events)
    sessions(services.db)
    return services


@pytest.mark.usefixtures("busy")
def test_a_funnel_is_built_step_by_step_without_scripts(support: Browser) -> None:
    page = support.page("/admin/funnels?step=product_view&step=cart_add")
    assert "3 entered" in page.text
    [drawing] = [one for one in page.all("svg") if one.get("aria-label").startswith("Funnel")]
    assert "2. cart add 2  66.7%" in drawing.get("aria-label")
    more = support.page("/admin/funnels?step=product_view&step=cart_add&more=1")
    assert len([one for one in more.all("select") if one.get("name") == "step"]) == 3
    fewer = support.page("/admin/funnels?step=product_view&step=cart_add&step=order_paid&drop=1")
    assert [one.text for one in fewer.all("option") if "selected" in one.attributes][:2] == [
        "Product view",
        "Order paid",
    ]
    other = support.page("/admin/funnels?step=product_view&field=product_id&value=prd_9&step=cart_add&field=&value=")
    assert "0 entered" in other.text


@pytest.mark.usefixtures("busy")
def test_a_funnel_that_asks_too_much_says_so_and_keeps_what_was_typed(support: Browser) -> None:
    page = support.page("/admin/funnels?step=product_view&step=order_paid&field=&field=path&value=&value=/sale")
    assert "is read from the orders and has no fields" in page.text
    assert 'value="/sale"' in page.html


@pytest.mark.usefixtures("busy")
def test_a_funnel_is_kept_changed_and_forgotten(support: Browser, admin: Browser) -> None:
    where = "/admin/funnels?step=product_view&step=cart_add"
    kept = support.follow(support.send(support.page(where), "/admin/funnels/keep", name="To the cart"))
    assert kept.all("h1")[0].text == "To the cart"
    assert "3 entered" in kept.text
    again = support.send(support.page(where), "/admin/funnels/keep", name="To the cart")
    assert "To the cart" in support.follow(again).text
    [link] = {one for one in admin.page(where).links if "stop=1" in one}
    stopped = admin.page(link)
    assert "vis_2" in stopped.text
    assert support.get(link).status_code == 403
    assert "Kept funnels" not in support.follow(support.send(kept, "/admin/funnels/forget")).html


@pytest.mark.usefixtures("busy")
def test_a_kept_funnel_that_the_form_cannot_show_whole_says_so(
    support: Browser, signed_in: Callable[..., dict[str, str]]
) -> None:
    where = {"product_id": "prd_1", "device": "desktop"}
    definition = {"steps": [{"name": "product_view", "where": where}, {"name": "cart_add"}]}
    body = {"name": "Two conditions", "definition": definition}
    kept = support.client.post("/v1/analytics/funnels", json=body, headers=signed_in("usr_7", "support")).get_json()
    assert "conditions that the fields below cannot show" in support.page(f"/admin/funnels?saved={kept['id']}").text


def test_an_experiment_is_drafted_started_changed_and_stopped(admin: Browser) -> None:
    new = "/admin/experiments/new"
    refused = admin.send(admin.page(new), new, experiment="Not A Key", name="One page", variants="control\none_page")
    assert refused.status_code == 422
    assert "Not A Key" in refused.text
    words = {"experiment": "one-page", "name": "One page", "variants": "control 50\none_page 50", "cap": "500"}
    page = admin.follow(admin.send(admin.page(new), new, **words))
    assert page.facts()["A visitor counts up to"] == "€500.00"
    page = admin.follow(admin.send(page, "/admin/experiments/one-page/start"))
    assert "Phase 1: who took part" in page.text
    page = admin.follow(admin.send(page, "/admin/experiments/one-page/change", coverage="50"))
    assert "Phase 2" in page.text
    wrong = admin.send(page, "/admin/experiments/one-page/change", coverage="many")
    assert wrong.status_code == 422
    page = admin.follow(admin.send(page, "/admin/experiments/one-page/stop"))
    assert "stopped" in page.text
    assert "Start again" in page.text


def test_what_could_not_be_stored_is_tried_again_or_left(admin: Browser, support: Browser, services: Services) -> None:
    with services.db.transaction() as tx:
        tx.execute("INSERT INTO quarantined_events (batch_id, raw, reason) VALUES ('bat_1', '<b>', 'is no event')")
    assert "is no event" in support.page("/admin/events").text
    (link,) = (one for one in admin.page("/admin/events").links if "/quarantine/" in one)
    assert support.get(link).status_code == 403
    page = admin.page(link)
    assert "<b>" in page.text
    assert "analytics.replay" in admin.follow(admin.send(page, f"{link}/replay")).text
    settled = admin.follow(admin.send(page, f"{link}/dismiss"))
    assert "No event waits in quarantine" in settled.text
    assert "dismissed by usr_9" in admin.page("/admin/events?settled=1").text


def test_the_ledger_of_events_adds_up_on_its_page(support: Browser, busy: Services) -> None:
    page = support.page("/admin/events")
    assert "adds up" in page.text
    assert page.facts()["Received"] == page.facts()["Stored"] == "5"
    assert busy.events is not None


def test_a_report_is_asked_for_read_and_downloaded(support: Browser, services: Services) -> None:
    page, zone = support.page("/admin/reports"), services.settings.zone
    house = House("The Corner Shop", "1 Market Street", "", zone, "eur")
    report(services.db, services.events, house, day="2026-01-05")
    listed = support.follow(support.send(page, "/admin/reports", kind="nightly", day="2026-01-05"))
    assert "The report is there." in listed.text
    pdf, csv, frozen = (support.get(one) for one in listed.links if one.startswith("/admin/reports/"))
    assert (pdf.content_type, pdf.headers["Content-Disposition"]) == ("application/pdf", "inline")
    assert pdf.data.startswith(b"%PDF")
    assert "attachment" in csv.headers["Content-Disposition"]
    assert frozen.get_json()["report"]["day"] == "2026-01-05"
    later = support.send(page, "/admin/reports", kind="nightly", day="2199-01-05")
    assert later.status_code == 422
    assert support.get("/admin/reports/rep_1/exe").status_code == 404


def test_somebody_looks_after_an_alert(support: Browser, services: Services) -> None:
    with services.db.transaction() as tx:
        tx.execute(
            "INSERT INTO jobs (id, name, queue, state, max_attempts, time_limit_s, finished_at)"
            " VALUES ('job_dead', 'payments.refund', 'payments', 'dead', 1, 1, now())"
        )
    watch(services.db, services.events, services.settings.zone, currency="eur", now=datetime.now(UTC))
    (link,) = (one for one in support.page("/admin/alerts").links if one.startswith("/admin/alerts/"))
    page = support.follow(support.send(support.page(link), f"{link}/acknowledge", note="I look"))
    assert page.facts()["Looked after by"].startswith("usr_7")
    assert "I look after it" not in page.text


@pytest.mark.usefixtures("busy")
def test_a_range_of_any_words_is_a_range(support: Browser) -> None:
    for path in ("/admin/analytics", "/admin/revenue", "/admin/products", "/admin/searches", "/admin/attribution"):
        for words in ("from=never&to=", "from=2026-11-22&to=2026-11-01", "from=2026-11-22", "to=1066-10-14"):
            answer = support.get(f"{path}?{words}")
            assert answer.status_code == 200, f"{path}?{words}: {answer.text[-500:]}"


@pytest.mark.usefixtures("busy")
def test_visitors_of_today_are_on_the_overview_and_in_its_table(support: Browser) -> None:
    page = support.page("/admin/analytics")
    assert page.facts()["Visitors"] == "3"
    titles = [one.get("aria-label") for one in page.all("svg")]
    assert "Visitors by day, with the days before" in titles
    assert len(page.all("tr")) > 28
