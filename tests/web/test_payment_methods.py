"""Saved cards over HTTP: the owner's alone, and never a card number."""

import time
from collections.abc import Callable

from flask.testing import FlaskClient

from shop.payments.cards import methods
from shop.payments.cards.setup import setup_of
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.shop.payments.test_saved_cards import finish_in_browser
from tests.web.test_orders import Headers, _client, _open_shop, keyed, place  # noqa: F401 - fixtures

PATH = "/v1/payment-methods"


def save(shop: Shop, client: FlaskClient, headers: Headers, method: str = "pm_card_visa") -> None:
    opened = client.post(f"{PATH}/setup", headers={**headers, "Prefer": "wait=20"})
    assert (opened.status_code, opened.json["status"]) == (201, "ready"), opened.text
    assert opened.json["client_secret"].startswith("seti_")
    before = len(client.get(PATH, headers=headers).json["data"])
    finish_in_browser(shop, opened.json["id"], method).raise_for_status()
    assert client.get(f"{PATH}/setup/{opened.json['id']}", headers=headers).status_code == 200
    wait_until_saved(shop, before + 1)


def wait_until_saved(shop: Shop, cards: int) -> None:
    """Until somebody at work has read the news."""
    deadline = time.monotonic() + 15
    while len(methods.saved(shop.services.db, "usr_1")) < cards:
        assert time.monotonic() < deadline, "the card was never saved"
        time.sleep(0.05)


def test_a_card_is_set_up_listed_made_the_default_and_removed(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    ada = signed_in("usr_1")
    save(open_shop, client, ada)
    save(open_shop, client, ada, "pm_card_mastercard")
    visa, mastercard = client.get(PATH, headers=ada).json["data"]
    assert visa.keys() == {"id", "brand", "last4", "exp_month", "exp_year", "is_default", "created_at"}
    assert (visa["last4"], visa["is_default"], mastercard["is_default"]) == ("4242", True, False)
    chosen = client.post(f"{PATH}/{mastercard['id']}/default", headers=ada)
    assert (chosen.status_code, chosen.json["is_default"]) == (200, True)
    assert client.delete(f"{PATH}/{mastercard['id']}", headers=ada).status_code == 204
    assert client.delete(f"{PATH}/{mastercard['id']}", headers=ada).status_code == 404
    (left,) = client.get(PATH, headers=ada).json["data"]
    assert (left["id"], left["is_default"]) == (visa["id"], True)


def test_cards_and_setups_of_others_do_not_exist(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    ada = signed_in("usr_1")
    save(open_shop, client, ada)
    (card,) = client.get(PATH, headers=ada).json["data"]
    setup = client.post(f"{PATH}/setup", headers=ada).json
    for other in (signed_in("usr_2"), signed_in("usr_9", "support", "admin")):
        assert client.get(PATH, headers=other).json["data"] == []
        assert client.delete(f"{PATH}/{card['id']}", headers=other).status_code == 404
        assert client.post(f"{PATH}/{card['id']}/default", headers=other).status_code == 404
        assert client.get(f"{PATH}/setup/{setup['id']}", headers=other).status_code == 404
    assert client.get(PATH).status_code == 401


def test_a_saved_card_confirms_an_order_and_the_bank_may_ask(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    ada = signed_in("usr_1")
    opened = client.post(f"{PATH}/setup", headers={**ada, "Prefer": "wait=20"}).json
    finish_in_browser(open_shop, opened["id"], "pm_card_authenticationRequired").raise_for_status()
    open_shop.door(f"3ds/{setup_of(open_shop.services.db, opened['id']).provider_setup_id}", outcome="succeed")
    wait_until_saved(open_shop, 1)
    (card,) = client.get(PATH, headers=ada).json["data"]
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 1))
    order = place(client, ada).json
    answer = client.post(
        f"/v1/orders/{order['id']}/confirm", json={"payment_method": card["id"]}, headers=keyed(ada, "k2")
    )
    assert (answer.status_code, answer.json["status"]) == (200, "requires_action"), answer.text
    assert answer.json["payment"]["next_action"]["type"] == "redirect_to_url"
