"""Signing in to the admin pages: who gets in, what the browser keeps, and what other sites cannot do with it."""

from flask import Flask
from werkzeug.test import TestResponse

from tests.web.admin.conftest import Browser, Token
from tests.web.admin.page import Page
from web.admin.section import Done, inside_only
from web.admin.session import LONGEST_TOKEN


def cookies(answer: TestResponse) -> dict[str, str]:
    """Each Set-Cookie by its name."""
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(stranger: Browser, token: Token) -> None:
    line = cookies(stranger.sign_in(token()))["backroom"]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/admin" in line


def test_over_https_the_cookie_is_secure_and_of_this_host_alone(app: Flask, token: Token) -> None:
    browser = Browser(app.test_client(), "https://localhost")
    begun = cookies(browser.get("/admin/sign-in"))["backroom-sign-in"]
    assert "Secure" in begun
    assert "SameSite=None" in begun  # the Auth service's page posts the answer from another site
    answer = browser.sign_in(token())
    line = cookies(answer)["__Host-backroom"]
    assert "Secure" in line
    assert "HttpOnly" in line
    assert "Path=/;" in f"{line};"
    assert "Domain" not in line
    page = browser.page("/admin/queues")
    assert page.faults() == []
    for path, typed in (("/admin/look", {"look": "dark"}), ("/admin/queues/payments/pause", {})):
        kept = cookies(browser.post(path, **{**page.form(path), **typed}))
        assert kept
        assert all("Secure" in line and "HttpOnly" in line for line in kept.values())


def test_a_token_that_is_over_forged_too_long_or_not_one_does_not_sign_in(stranger: Browser, token: Token) -> None:
    forged = token()[:-4] + "AAAA"
    long = token(filler="x" * LONGEST_TOKEN)
    for wrong in (token(lasts_s=-60), forged, long, "nonsense", ""):
        answer = stranger.sign_in(wrong)
        assert answer.status_code == 401, wrong[:20]
        assert "Signing in did not work" in answer.text
        assert "backroom" not in cookies(answer)
    assert stranger.get("/admin").status_code == 303


def test_a_customer_is_told_that_these_pages_are_not_for_them(stranger: Browser, token: Token) -> None:
    answer = stranger.sign_in(token("usr_1", "customer"))
    assert answer.status_code == 403
    assert "role support or admin" in answer.text
    stranger.client.set_cookie("backroom", token("usr_1", "customer"), path="/admin")
    assert stranger.get("/admin/orders").headers["Location"].startswith("/admin/sign-in?")


def test_the_session_ends_when_the_token_does(stranger: Browser, token: Token) -> None:
    stranger.client.set_cookie("backroom", token(lasts_s=-60), path="/admin")
    answer = stranger.get("/admin/orders?status=paid")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/admin/sign-in?next=/admin/orders%3Fstatus%3Dpaid",
    )


def test_nobody_can_sign_somebody_in_from_elsewhere(app: Flask, stranger: Browser, token: Token) -> None:
    other = Browser(app.test_client())
    state_of_another = Page(other.get("/admin/sign-in").text).form("/admin/sign-in")["state"]
    for state in ("", "guessed", state_of_another):
        stranger.get("/admin/sign-in")
        answer = stranger.post("/admin/sign-in", token=token(), state=state, next="/admin")
        assert answer.status_code == 400
        assert "was not begun here" in answer.text
    assert Browser(app.test_client()).post("/admin/sign-in", token=token(), state="", next="").status_code == 400


ELSEWHERE = (
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/admin",
    "javascript:alert(1)",
    "/admin.evil.example",
    "/admin@evil.example",
    "/administrator",
    "/admin/\\evil.example",
    "/admin/\r\nSet-Cookie: a=b",
    "",
)

HERE = ("/admin", "/admin/orders?status=paid", "/admin/..//evil.example")
"""Whatever stands behind /admin/ is on this host: a browser reads `..` as a path, never as another host."""


def test_after_signing_in_one_goes_on_to_a_page_of_ours_and_nowhere_else(app: Flask, token: Token) -> None:
    for onward in ELSEWHERE:
        answer = Browser(app.test_client()).sign_in(token(), onward)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin"), onward
    for onward in HERE:
        assert Browser(app.test_client()).sign_in(token(), onward).headers["Location"] == onward


def test_an_action_sends_nobody_to_another_site_either() -> None:
    assert inside_only(Done("https://evil.example").to) == "/admin"
    assert inside_only("/admin?x=1") == "/admin?x=1"


def test_signing_out_needs_the_mark_and_forgets_the_token(admin: Browser) -> None:
    admin.post("/admin/sign-out", mark="guessed")
    assert admin.get("/admin/queues").status_code == 200
    answer = admin.post("/admin/sign-out", mark=admin.mark)
    assert answer.headers["Location"] == "/admin/sign-in"
    assert admin.get("/admin/queues").status_code == 303


def test_a_mark_of_one_session_is_nothing_in_another(admin: Browser, support: Browser) -> None:
    answer = admin.post("/admin/queues/payments/pause", mark=support.mark)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text


def test_light_and_dark_are_kept_in_the_browser(admin: Browser) -> None:
    page = admin.page("/admin/queues")
    answer = admin.send(page, "/admin/look", look="dark", back="/admin/jobs?state=dead")
    assert answer.headers["Location"] == "/admin/jobs?state=dead"
    assert admin.page("/admin/queues").all("html")[0].get("data-look") == "dark"
    admin.client.set_cookie("backroom-look", '"><script>', path="/admin")
    assert admin.page("/admin/queues").all("html")[0].get("data-look") == ""


def test_a_note_that_somebody_made_up_is_shown_as_words_or_not_at_all(admin: Browser) -> None:
    for cookie in ("x", "e30=", "bnVsbA==", "eyJ0b25lIjogImRvbmUiLCAibm90ZSI6ICI8c2NyaXB0PiJ9"):
        admin.client.set_cookie("backroom-note", cookie, path="/admin")
        page = admin.page("/admin/queues")
        assert page.faults() == []


def test_the_way_to_auths_own_page_carries_state_and_the_way_back(services: object, token: Token) -> None:
    from boot.services import Services
    from web.app import create_app

    assert isinstance(services, Services)
    values = {name: getattr(services, name) for name in Services.__dataclass_fields__}
    values["settings"] = services.settings.model_copy(
        update={"admin_sign_in_url": "https://auth.example/sign-in?shop=1", "public_url": "https://api.example/"}
    )
    browser = Browser(create_app(Services(**values)).test_client())
    page = Page(browser.get("/admin/sign-in?next=/admin/jobs").text)
    (link,) = [href for href in page.links if href.startswith("https://auth.example/")]
    assert link.startswith("https://auth.example/sign-in?shop=1&return_to=https%3A%2F%2Fapi.example%2Fadmin%2Fsign-in&")
    assert f"state={page.form('/admin/sign-in')['state']}" in link
    assert link.endswith("next=%2Fadmin%2Fjobs")
