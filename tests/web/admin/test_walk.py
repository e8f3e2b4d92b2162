"""Every page and every action of every section, walked: who may, with what headers, and sound for everybody."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask
from psycopg import sql
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from boot.services import Services
from db import outbox
from shop import jobs
from tests.web.admin.conftest import Browser, Token
from tests.web.admin.furnished import PARAMETER, Furnished, _furnished, address  # noqa: F401 - a fixture
from tests.web.admin.page import Page
from tests.web.admin.sections import KNOWN
from web.admin.section import Action, Section
from web.admin.sections import SECTIONS

UNKNOWN = "ord_unknown"

TEMPLATES = Path(__file__).parents[3] / "web" / "admin" / "templates"

PAGES = [(section, page) for section in SECTIONS for page in section.pages]
ACTIONS = [(section, action) for section in SECTIONS for action in section.actions]


def actions(role: str) -> Iterator[tuple[Section, Action]]:
    return ((section, action) for section, action in ACTIONS if action.role == role)


def rows(services: Services) -> dict[str, int]:
    """How many rows each table has; whatever an action does, it writes one."""
    with services.db.transaction() as tx:
        names = tx.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        found = [row[0] for row in names.fetchall()]
        count = sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(name)) for name in found)
        )
        numbers = tx.execute(count).fetchone()
    return dict(zip(found, numbers or (), strict=True))


def test_there_is_something_to_walk() -> None:
    assert len(PAGES) >= 20
    assert len(ACTIONS) >= 15
    assert len({section.path for section in SECTIONS}) == len(SECTIONS)


def test_who_is_not_signed_in_is_asked_to_and_changes_nothing(stranger: Browser, services: Services) -> None:
    before = rows(services)
    for _, page in PAGES:
        answer = stranger.get(address(page.path))
        assert answer.status_code == 303, page.path
        assert answer.headers["Location"].startswith("/admin/sign-in?next=/admin"), page.path
    for _, action in ACTIONS:
        answer = stranger.post(address(action.path), mark="guessed")
        assert (answer.status_code, answer.headers["Location"][:19]) == (303, "/admin/sign-in?next"), action.path
    assert rows(services) == before


def test_a_customers_token_opens_nothing(stranger: Browser, token: Token) -> None:
    stranger.client.set_cookie("backroom", token("usr_1", "customer"), path="/admin")
    for _, page in PAGES:
        assert stranger.get(address(page.path)).status_code == 303, page.path
    for _, action in ACTIONS:
        assert stranger.post(address(action.path)).status_code == 303, action.path


def test_support_is_told_which_pages_and_actions_are_for_admins(support: Browser, services: Services) -> None:
    for _, page in PAGES:
        answer = support.get(address(page.path))
        expected = {403} if page.role == "admin" else {200, 404}
        assert answer.status_code in expected, page.path
        assert Page(answer.text).faults() == [], page.path
    mark, before = support.mark, rows(services)
    for section, action in actions("admin"):
        answer = support.post(address(action.path), mark=mark)
        assert answer.status_code == 403, f"{section.name} {action.path}"
    assert rows(services) == before


def test_the_navigation_shows_support_only_what_opens(support: Browser) -> None:
    ours = [link for link in support.page("/admin/queues").links if link.startswith("/admin")]
    assert "/admin/ledger" not in ours
    for link in dict.fromkeys(ours):
        assert support.get(link).status_code == 200, link


def test_no_action_is_done_without_its_mark(admin: Browser, services: Services) -> None:
    before = rows(services)
    for _, action in ACTIONS:
        for fields in ({}, {"mark": ""}, {"mark": "0" * 64}):
            answer = admin.post(address(action.path, name="payments"), **fields)
            assert answer.status_code == 400, action.path
            assert "Nothing was changed" in answer.text
    assert rows(services) == before


def test_actions_are_not_done_by_opening_their_address(admin: Browser, services: Services) -> None:
    before, pages = rows(services), {page.path for _, page in PAGES}
    for _, action in ACTIONS:
        if action.path not in pages:
            assert admin.get(address(action.path, name="payments")).status_code == 404, action.path
    assert rows(services) == before


def test_what_is_not_there_is_said_on_a_page(admin: Browser) -> None:
    for path in ("/admin/nothing", "/admin/orders/ord_nothing", "/admin/jobs/job_nothing", "/admin/orders/%00"):
        answer = admin.get(path)
        assert answer.status_code in {404, 422}, path
        assert Page(answer.text).faults() == []
        assert "Request" in answer.text


def test_every_page_of_a_busy_shop_is_sound_and_leads_somewhere(
    furnished: Furnished, at_the_desk: Callable[..., Browser], app: Flask
) -> None:
    desk, missing, links = at_the_desk("usr_9", "admin"), set[str](), dict[str, str]()
    for _, page in PAGES:
        path = furnished.address(page.path)
        answer = desk.get(path)
        if answer.content_type == "application/pdf":
            continue
        assert answer.status_code in {200, 404, 503}, f"{path}: {answer.status_code} {answer.text[-3000:]}"
        if answer.status_code != 200:
            missing.add(page.path)
        found = Page(answer.text)
        assert found.faults() == [], path
        check_headers(answer)
        check_forms(found, path, app)
        links |= dict.fromkeys(found.links, path)
    assert missing <= {"/orders/<order_id>/papers/<number>", "/disputes/<dispute_id>/evidence.pdf"} | _of_others()
    check_links(desk, links)


def check_headers(answer: TestResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"


def check_forms(page: Page, path: str, app: Flask) -> None:
    """Each goes to a page or an action there is."""
    urls = app.url_map.bind("localhost")
    for form in page.all("form"):
        target = (form.get("action") or path).partition("?")[0]
        endpoint, _ = urls.match(target, form.get("method").upper() or "GET")
        assert endpoint.startswith("admin."), target
        assert endpoint != "admin.missing GET", f"{target} of {path}"


def check_links(desk: Browser, links: dict[str, str]) -> None:
    """Each within the pages opens; but one payment of the furnished shop names an order that nobody knows."""
    ours = [link for link in links if link.startswith("/admin") and "cursor=" not in link and UNKNOWN not in link]
    assert len(ours) > 40
    for link in ours:
        assert desk.get(link).status_code in {200, 503}, f"{link} of {links[link]}"


def test_a_page_and_what_it_asks_have_a_line_of_the_log_each(support: Browser) -> None:
    with capture_logs() as lines:
        support.page("/admin/reports")
    assert [line["route"] for line in lines if line["event"] == "request"] == ["GET /v1/reports", "GET /admin/reports"]


def test_no_template_holds_a_style_or_a_script_of_its_own() -> None:
    for template in sorted(TEMPLATES.rglob("*.html")):
        text = template.read_text()
        assert not re.search(r"<style|\bstyle=|\son\w+=|javascript:|<script(?! src=)", text), template.name
        posts, marks = text.count('method="post"'), text.count("mark()") + text.count('name="state"')
        assert marks >= posts, template.name
        assert "| safe" not in re.sub(r"attributes='[^']*' \| safe", "", text), template.name


def _of_others() -> set[str]:
    """Pages with parts in their address that this furnished shop has none of."""
    return {page.path for _, page in PAGES if set(PARAMETER.findall(page.path)) - KNOWN}


def test_a_page_that_breaks_is_still_a_page_and_tells_nobody_why(admin: Browser, services: Services) -> None:
    with services.db.transaction() as tx:
        # A state that a newer version might write and this one does not know.
        tx.execute("ALTER TABLE jobs DROP CONSTRAINT jobs_state_check")
        job_id = outbox.stage(tx, jobs.SEND_MAIL, kind="order_paid", subject_id="ord_1")
        tx.execute("UPDATE jobs SET state = 'asleep'")
    answer = admin.get(f"/admin/jobs/{job_id}")
    assert answer.status_code == 500
    assert Page(answer.text).faults() == []
    assert "asleep" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
