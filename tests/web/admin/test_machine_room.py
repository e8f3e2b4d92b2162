"""Jobs, queues, timetable and mails in the admin pages."""

from datetime import UTC, datetime, timedelta

import pytest

from boot.services import Services
from db import outbox, schedule
from shop import jobs
from shop.documents.invoice import invoice
from shop.documents.mail import mail
from shop.ports.mail import Letter, MailBounced, ServerSaid
from tests.shop.documents import made
from tests.web.admin.conftest import Browser


def dead_jobs(services: Services, number: int) -> list[str]:
    """Jobs that gave up with a bug that quotes what it worked on."""
    with services.db.transaction() as tx:
        found = [outbox.stage(tx, jobs.SEND_MAIL, kind="order_paid", subject_id=f"ord_{one}") for one in range(number)]
        tx.execute(
            """
            UPDATE jobs SET state = 'dead', finished_at = now(), started_at = now(), attempts = 15, error_kind = 'bug',
                   error = 'no such key: ada@example.com', traceback = 'Traceback: <b>line 3</b>', error_print = 'abc123'
            """
        )
    return found


def states(services: Services) -> dict[str, str]:
    with services.db.transaction() as tx:
        return dict(tx.execute("SELECT id, state FROM jobs").fetchall())


def test_an_operator_retries_the_ticked_dead_jobs_and_only_those(admin: Browser, services: Services) -> None:
    one, two, three = dead_jobs(services, 3)
    page = admin.page("/admin/jobs?state=dead")
    assert {box.get("value") for box in page.all("input") if box.get("name") == "job"} == {one, two, three}
    done = admin.client.post(
        "/admin/jobs/retry", data={**page.form("/admin/jobs/retry"), "job": [one, three]}, base_url=admin.base
    )
    assert done.headers["Location"] == "/admin/jobs?state=dead"
    assert "2 jobs were tried again." in admin.follow(done).text
    assert states(services) == {one: "staged", two: "dead", three: "staged"}


def test_one_that_moved_on_meanwhile_does_not_keep_the_others(admin: Browser, services: Services) -> None:
    one, two = dead_jobs(services, 2)
    page = admin.page("/admin/jobs?state=dead")
    with services.db.transaction() as tx:
        tx.execute("UPDATE jobs SET state = 'done' WHERE id = %(id)s", {"id": one})
    fields = {**page.form("/admin/jobs/retry"), "job": [one, two]}
    done = admin.client.post("/admin/jobs/dismiss", data=fields, base_url=admin.base)
    after = admin.follow(done)
    assert "1 job was dismissed. 1 refused" in after.text
    assert states(services) == {one: "done", two: "failed"}
    assert "usr_9" in admin.page(f"/admin/jobs/{two}").text
    nothing = admin.follow(admin.send(page, "/admin/jobs/retry"))
    assert "No job was ticked" in nothing.text


def test_only_admins_see_what_a_bug_said(admin: Browser, support: Browser, services: Services) -> None:
    (job_id,) = dead_jobs(services, 1)
    whole = admin.page(f"/admin/jobs/{job_id}")
    assert "no such key: ada@example.com" in whole.text
    assert "Traceback: <b>line 3</b>" in whole.text
    assert whole.faults() == []
    less = support.page(f"/admin/jobs/{job_id}")
    assert "ada@example.com" not in less.html
    assert "Traceback:" not in less.html
    assert "ord_0" in less.text
    assert all(not form.get("action").startswith("/admin/jobs") for form in less.all("form"))


def test_a_running_job_shows_how_far_it_is(support: Browser, services: Services) -> None:
    with services.db.transaction() as tx:
        job_id = outbox.stage(tx, jobs.EMBED_PRODUCTS)
        tx.execute(
            "UPDATE jobs SET state = 'running', lease_until = now() + interval '1 minute', started_at = now(),"
            " attempts = 1, progress_done = 1200, progress_total = 2000"
        )
    for path in ("/admin/queues", f"/admin/jobs/{job_id}", "/admin/jobs?state=running"):
        page = support.page(path)
        (bar,) = page.all("progress")
        assert (bar.get("value"), bar.get("max")) == ("1200", "2000"), path
        assert "1,200 of 2,000" in page.text
        assert any(one.get("data-live") for one in page.elements), path


def test_a_queue_is_held_back_and_let_go(admin: Browser, services: Services) -> None:
    answer = admin.send(admin.page("/admin/queues"), "/admin/queues/documents/pause")
    assert "documents is paused" in admin.follow(answer).text
    assert "Queues are paused" in admin.page("/admin").text
    with services.db.transaction() as tx:
        assert tx.execute("SELECT name, paused, changed_by FROM queues").fetchall() == [("documents", True, "usr_9")]
    answer = admin.send(admin.page("/admin/queues"), "/admin/queues/documents/resume")
    assert "goes on" in admin.follow(answer).text


@pytest.mark.parametrize(("ahead", "late"), [(timedelta(minutes=1), False), (timedelta(minutes=-2), True)])
def test_the_timetable_says_what_ran_what_comes_and_whether_a_clock_runs(
    support: Browser, services: Services, *, ahead: timedelta, late: bool
) -> None:
    now = datetime.now(UTC)
    with services.db.transaction() as tx:
        job_id = outbox.stage(tx, jobs.SWEEP_PAYMENTS)
        line = schedule.Noted(
            "payments.sweep * * * * *",
            "payments.sweep",
            "payments",
            "* * * * *",
            "Europe/Berlin",
            now + ahead,
            now,
            job_id,
        )
        schedule.note(tx, line)
    page = support.page("/admin/timetable")
    assert f"/admin/jobs/{job_id}" in page.links
    assert ("no clock runs" in page.text) == late
    assert ("No clock runs" in support.page("/admin").text) == late


class NoSuchMailbox:
    """A server that knows nobody."""

    def send(self, letter: Letter) -> None:
        raise MailBounced(f"mail {letter.id}: the server said 550", ServerSaid(550, "5.1.1 no such <user> here"))

    def knock(self) -> None:
        """Everybody may come in."""


def test_a_mail_that_bounced_is_sent_again_and_one_that_was_sent_is_not(support: Browser, services: Services) -> None:
    order_id = made.order(services.db)
    invoice(services.db, made.SELLER, order_id)
    with pytest.raises(MailBounced):
        mail(services.db, NoSuchMailbox(), made.DESK, kind="order_paid", subject_id=order_id)
    page = support.page("/admin/mails?state=bounced")
    assert "5.1.1 no such <user> here" in page.text
    (action,) = [form.get("action") for form in page.all("form") if form.get("action").endswith("/send")]
    answer = support.send(page, action)
    assert answer.headers["Location"] == "/admin/mails?state=bounced"
    with services.db.transaction() as tx:
        (row,) = tx.execute("SELECT state, args FROM jobs WHERE name = 'documents.mail'").fetchall()
        assert row == ("staged", {"kind": "order_paid", "subject_id": order_id})
        tx.execute("UPDATE mails SET state = 'sent', sent_at = now()")
    assert "never sent twice" in support.follow(support.send(page, action)).text
