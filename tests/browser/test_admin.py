"""The admin pages in a real browser: what support and operators do there, with and without scripts, by every eye."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from boot.services import Services, connect
from boot.settings import Settings
from clients.model_files import ensure_files
from db import outbox
from devstack.stand_ins.auth import create_app as auth_stand_in
from devstack.stand_ins.serving import serving
from shop import jobs
from shop.identity import keys
from tests.browser.conftest import WAIT_MS, Serve
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.shop.search.made import fill
from tests.web.admin.conftest import _at_the_desk  # noqa: F401 - a fixture
from tests.web.admin.furnished import Furnished, _furnished  # noqa: F401 - a fixture
from tests.web.admin.sections import PAGES
from tests.web.test_orders import _open_shop  # noqa: F401 - a fixture
from web.app import create_app

Sign = Callable[..., str]

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 360, "height": 740}},
}

GRAVE = frozenset({"serious", "critical"})
"""What axe calls a fault that keeps somebody from using a page."""


@pytest.fixture(name="desk")
def _desk(open_shop: Shop, serve: Serve) -> str:
    """The address of a shop's pages; somebody works in it."""
    return serve(create_app(open_shop.services))


def sign_in(page: Page, desk: str, token: str) -> None:
    page.goto(f"{desk}/admin")
    page.get_by_label("Token of the Auth service").fill(token)
    page.get_by_role("button", name="Sign in with this token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def paid_order(shop: Shop) -> str:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    return order_id


def refund_one_piece(page: Page, shop: Shop, desk: str, order_id: str) -> None:
    page.goto(f"{desk}/admin/orders/{order_id}")
    page.get_by_label("Some of the pieces").check()
    page.get_by_label("Product prd_1").fill("1")
    page.get_by_label("Reason").fill("one was broken")
    page.get_by_role("button", name="Next: see what it comes to").click()
    expect(page.get_by_role("main")).to_contain_text("€24.90")
    assert shop.read(order_id).refundable == 4490
    page.get_by_role("button", name="Give €20.00 back").click()
    expect(page.get_by_role("status")).to_contain_text("refund is")
    shop.settle(order_id, "partially_refunded")
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("partially refunded")


def test_support_refunds_part_of_an_order(page: Page, open_shop: Shop, desk: str, token: Sign) -> None:
    order_id = paid_order(open_shop)
    sign_in(page, desk, token("usr_7", "support"))
    refund_one_piece(page, open_shop, desk, order_id)
    assert open_shop.sql("SELECT amount_minor, requested_by FROM refunds") == [(2000, "usr_7")]


def test_without_scripts_it_works_as_well(browser: Browser, open_shop: Shop, desk: str, token: Sign) -> None:
    order_id, context = paid_order(open_shop), browser.new_context(java_script_enabled=False)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    sign_in(page, desk, token("usr_7", "support"))
    refund_one_piece(page, open_shop, desk, order_id)
    page.goto(f"{desk}/admin/jobs")
    expect(page.get_by_label("All on this page")).to_be_hidden()
    context.close()


def test_an_operator_retries_dead_jobs_and_sees_them_go(page: Page, api: Any, token: Sign) -> None:
    with api.services.db.transaction() as tx:
        ids = [outbox.stage(tx, jobs.SEND_MAIL, kind="order_paid", subject_id=f"ord_{one}") for one in range(3)]
        tx.execute("UPDATE jobs SET state = 'dead', finished_at = now(), error_kind = 'bug', error = 'no such thing'")
    sign_in(page, api.url, token("usr_9", "admin"))
    page.get_by_role("link", name="Jobs are dead").click()
    expect(page.get_by_text("bug", exact=True)).to_have_count(3)
    page.get_by_label("All on this page").check()
    page.locator(f"input[value={ids[0]}]").uncheck()
    page.get_by_role("button", name="Try the ticked again").click()
    expect(page.get_by_role("status")).to_have_text("2 jobs were tried again.")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_label("documents.mail of").check()
    page.get_by_role("button", name="Dismiss the ticked").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Dismiss the ticked").click()
    expect(page.get_by_role("main")).to_contain_text("No job is like that.")
    with api.services.db.transaction() as tx:
        found = dict(tx.execute("SELECT id, state FROM jobs").fetchall())
    assert [found[job_id] for job_id in ids] == ["failed", "staged", "staged"]


def test_a_running_jobs_bar_moves_by_itself(page: Page, api: Any, token: Sign) -> None:
    progress = (
        "UPDATE jobs SET state = 'running', lease_until = now() + interval '1 hour', started_at = now(),"
        " progress_done = %(done)s, progress_total = 100 WHERE name = 'search.embed'"
    )
    with api.services.db.transaction() as tx:
        outbox.stage(tx, jobs.EMBED_PRODUCTS)
        tx.execute(progress, {"done": 10})
    sign_in(page, api.url, token("usr_7", "support"))
    page.goto(f"{api.url}/admin/queues")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "10")
    with api.services.db.transaction() as tx:
        tx.execute(progress, {"done": 60})
    page.clock.fast_forward(4_000)
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "60")


@pytest.fixture(name="local_stack")
def _local_stack(settings_with: Callable[..., Settings], serve: Serve) -> Iterator[tuple[str, Services]]:
    """Backroom beside Auth's stand-in, as `backroom up` sets them up; answers its address."""

    class Door:
        app: Any = None

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return self.app(environ, start_response)

    door = Door()
    url = serve(door)
    with serving(auth_stand_in(issuer="http://auth", audience="backroom")) as auth:
        settings = settings_with(
            auth_jwt_secret="",
            auth_url=auth.url,
            auth_issuer="http://auth",
            auth_audience="backroom",
            public_url=url,
            admin_sign_in_url=f"{auth.url}/sign-in",
        )
        services = connect(settings, name="test")
        keys.keys(services.db, services.users)
        door.app = create_app(services)
        yield url, services
        services.db.close()


def test_on_the_local_stack_a_click_on_a_name_signs_in(page: Page, local_stack: tuple[str, Services]) -> None:
    url, _ = local_stack
    page.goto(f"{url}/admin/queues")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sam Counter").click()
    expect(page).to_have_url(f"{url}/admin/queues")
    page.get_by_text("support@example.com").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="A customer").click()
    expect(page.get_by_role("alert")).to_contain_text("people with the role support or admin")


def test_an_admin_pins_a_product_and_sees_it_first_in_a_search(page: Page, api: Any, token: Sign) -> None:
    ensure_files(Path(api.services.settings.model_dir))
    fill(api.services.db, api.services.encoder)
    sign_in(page, api.url, token("usr_9", "admin"))
    page.goto(f"{api.url}/admin/search")
    page.get_by_label("Query").fill("red sofa")
    page.get_by_role("button", name="Search").click()
    last = page.locator(".hits > li").nth(4)
    name = last.get_by_role("heading").inner_text()
    last.get_by_role("link", name=f"Pin {name}").click()
    expect(page.locator(".ordered .grow").first).to_have_text(name)
    page.get_by_label("Words").fill("bottle")
    page.get_by_role("button", name="Find").click()
    page.locator("section", has_text="Find a product").get_by_role("button").nth(1).click()
    page.get_by_role("button", name="further up").click()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("status")).to_contain_text("They stand first")
    page.get_by_role("link", name="Search for red sofa").click()
    pinned = page.locator(".hits > li", has=page.get_by_text("pinned", exact=True)).get_by_role("heading")
    expect(pinned).to_have_count(2)
    assert "bottle" in pinned.nth(0).inner_text().lower()
    assert pinned.nth(1).inner_text() == name


def test_an_admin_starts_an_experiment_and_stops_it(page: Page, api: Any, token: Sign) -> None:
    sign_in(page, api.url, token("usr_9", "admin"))
    page.get_by_role("link", name="Experiments").click()
    page.get_by_role("link", name="Draft one").click()
    page.get_by_label("Name").fill("Checkout on one page")
    page.get_by_label("Key, as pages ask for it").fill("one-page")
    page.get_by_label("Variants").fill("control\none_page")
    page.get_by_role("button", name="Keep the draft").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_contain_text("It runs")
    asked = page.request.post(f"{api.url}/v1/assignments", data={"visitor_id": "vis_1", "keys": ["one-page"]})
    assert asked.json()["data"][0]["variant"] in {"control", "one_page"}
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("main")).to_contain_text("Start again")
    asked = page.request.post(f"{api.url}/v1/assignments", data={"visitor_id": "vis_2", "keys": ["one-page"]})
    assert asked.json()["data"] == []


def test_keys_move_through_a_page(page: Page, api: Any, token: Sign) -> None:
    sign_in(page, api.url, token("usr_7", "support"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find an order")).to_be_focused()


def test_every_page_is_sound_in_light_dark_and_narrow(
    browser: Browser, furnished: Furnished, serve: Serve, token: Sign, pytestconfig: pytest.Config
) -> None:
    """axe looks at each page in light and dark; narrow, nothing may run out of the screen."""
    desk, folder = serve(create_app(furnished.shop.services)), pytestconfig.getoption("--screenshots")
    faults = list[str]()
    for look, options in LOOKS.items():
        context = browser.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("console", faults_of_console(faults))
        page.goto(f"{desk}/admin/sign-in")
        faults += seen(page, look, "sign-in", folder)
        sign_in(page, desk, token("usr_9", "admin"))
        for name, path in PAGES:
            page.goto(desk + furnished.address(path))
            faults += seen(page, look, name, folder)
        context.close()
    assert faults == []


def faults_of_console(faults: list[str]) -> Callable[[ConsoleMessage], None]:
    """What a browser says against a page: a file that is not there, a script that the policy refused."""
    return lambda said: faults.append(f"the console says: {said.text}")


def seen(page: Page, look: str, name: str, folder: str | None) -> list[str]:
    """What is wrong with a page for this eye; its picture is kept where somebody asked for it."""
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)
    if look == "narrow":
        wide = page.evaluate("document.documentElement.scrollWidth")
        return [f"{name} is {wide} pixels wide"] if wide > LOOKS[look]["viewport"]["width"] else []
    options = {"runOnly": ["color-contrast"]} if look == "dark" else {}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{name}, {look}: {one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in GRAVE]
