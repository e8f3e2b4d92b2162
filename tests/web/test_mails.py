"""Mails over HTTP: support sees what bounced and in which words; nobody else sees anybody's mail."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from db.database import Database
from shop.documents.invoice import invoice
from shop.documents.mail import mail
from shop.ports.mail import Letter, MailBounced, ServerSaid
from tests.shop.documents import made

SignedIn = Callable[..., dict[str, str]]


class NoSuchMailbox:
    """A server that knows nobody, as one across the internet would say it."""

    def send(self, letter: Letter) -> None:
        raise MailBounced(f"mail {letter.id}: the server said 550", ServerSaid(550, "5.1.1 no such user here"))


def test_support_lists_bounced_mails_with_the_servers_own_words(
    db: Database, client: FlaskClient, signed_in: SignedIn
) -> None:
    order_id = made.order(db)
    invoice(db, made.SELLER, order_id)
    with pytest.raises(MailBounced):
        mail(db, NoSuchMailbox(), made.DESK, kind="order_paid", subject_id=order_id)
    support = signed_in("usr_support", roles=["support"])
    answer = client.get("/v1/mails?state=bounced", headers=support)
    assert answer.status_code == 200
    assert answer.json is not None
    (row,) = answer.json["data"]
    assert (row["kind"], row["order_id"], row["recipient"]) == ("order_paid", order_id, "ada@example.com")
    assert (row["smtp_code"], row["smtp_answer"], row["attempts"]) == (550, "5.1.1 no such user here", 1)
    of_order = client.get(f"/v1/mails?order_id={order_id}", headers=support).json
    assert of_order is not None
    assert [found["id"] for found in of_order["data"]] == [row["id"]]
    nothing = client.get("/v1/mails?state=sent", headers=support).json
    assert nothing == {"data": [], "next_cursor": None}
    timeline = client.get(f"/v1/orders/{order_id}/timeline", headers=support).json
    assert timeline is not None
    (moment,) = [moment for moment in timeline["data"] if moment["kind"] == "mail"]
    assert (moment["detail"]["state"], moment["detail"]["smtp_code"]) == ("bounced", 550)


def test_a_customer_does_not_see_the_mails(client: FlaskClient, signed_in: SignedIn) -> None:
    assert client.get("/v1/mails", headers=signed_in("user_ada")).status_code == 403
    assert client.get("/v1/mails?state=nonsense", headers=signed_in("s", roles=["support"])).status_code == 422
