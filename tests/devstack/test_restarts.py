"""The neighbours over a crash: killed at once, started again with the same file, and nothing promised is lost."""

import os
import smtplib
import sqlite3
import stat
import subprocess
import time
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest

from devstack.addresses import Ports
from devstack.programs import neighbours
from devstack.seed import generate_shop
from devstack.seed.load import Loaded, load_shop
from devstack.stand_ins.keeping import Keeping, StateError
from tests.devstack.conftest import Neighbour, Start

LATER = "2099-01-01T00:00:00Z"


def test_a_reservation_of_yesterday_is_committed_today_and_the_seed_leaves_the_stock_alone(start: Start):
    products = start("products")
    shop = generate_shop(products=20)
    assert load_shop(shop, products_url=products.url) == {"products": Loaded(20, 0)}
    wanted = next(product["id"] for product in shop.products if product["active"] and product["stock"] > 3)
    stock = products.ask("GET", f"/products/{wanted}").json()["stock"]
    for name in ("res_1", "res_2"):
        lines = [{"product_id": wanted, "quantity": 1}]
        products.ask("POST", "/reservations", json={"id": name, "expires_at": LATER, "lines": lines})
    products.ask("POST", "/reservations/res_1/commit")
    products.ask("POST", "/stock-returns", json={"id": "ret_1", "lines": [{"product_id": wanted, "quantity": 1}]})
    pages = products.ask("GET", "/products").json()
    products.crash()
    assert products.ask("GET", "/products").json() == pages
    assert load_shop(shop, products_url=products.url) == {"products": Loaded(0, 20)}
    shown = products.ask("GET", f"/products/{wanted}").json()
    assert (shown["stock"], shown["reserved"]) == (stock, 1)
    assert products.ask("POST", "/reservations/res_2/commit").json()["state"] == "committed"
    assert products.ask("POST", "/reservations/res_1/commit").json()["state"] == "committed"
    products.ask("POST", "/stock-returns", json={"id": "ret_1", "lines": [{"product_id": wanted, "quantity": 1}]})
    shown = products.ask("GET", f"/products/{wanted}").json()
    assert (shown["stock"], shown["reserved"]) == (stock - 1, 0)


def test_a_hold_that_ran_out_while_nobody_served_is_let_go(start: Start):
    products = start("products")
    products.ask("PUT", "/products/mug", json={"name": "Mug", "price": 990, "stock": 2})
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    body = {"id": "res_1", "expires_at": soon, "lines": [{"product_id": "mug", "quantity": 2}]}
    assert products.ask("POST", "/reservations", json=body).status_code == 201
    products.kill()
    time.sleep(2)
    products.start()
    assert products.ask("GET", "/products/mug").json()["reserved"] == 0
    assert products.ask("POST", "/reservations/res_1/commit").json()["code"] == "reservation_expired"


def test_carts_and_users_are_those_of_yesterday(start: Start):
    carts, auth = start("carts"), start("auth")
    line = {"product_id": "mug", "quantity": 2}
    for cart_id in ("crt_1", "crt_2"):
        carts.ask("PUT", f"/carts/{cart_id}", json={"user_id": "usr_1", "lines": [line]})
    carts.ask("DELETE", "/carts/crt_1")
    auth.ask("PUT", "/users/usr_1", json={"email": "ada@example.com", "active": False})
    carts.crash()
    auth.crash()
    assert carts.ask("GET", "/carts/crt_1").status_code == 404
    assert carts.ask("GET", "/carts/crt_2").json()["lines"] == [line]
    user = auth.ask("GET", "/users/usr_1").json()
    assert (user["email"], user["active"]) == ("ada@example.com", False)


def test_the_mailbox_still_shows_the_mails_of_yesterday_with_their_files(start: Start):
    box = start("mail", "--smtp-port", "0")
    pdf = b"%PDF-1.7\n" + bytes(range(256))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", "ada@example.com", "Rechnung Nº 7"
    mail.set_content("Danke schön.")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="r.pdf")
    send(box, mail)
    before = box.ask("GET", "/messages").json()
    box.crash()
    assert box.ask("GET", "/messages").json() == before
    assert box.ask("GET", f"/messages/{before['data'][0]['id']}/attachments/r.pdf").content == pdf
    send(box, mail)
    assert [one["id"] for one in box.ask("GET", "/messages").json()["data"]] == ["msg_000002", "msg_000001"]


def test_a_reset_forgets_what_was_kept_and_goes_back_to_the_loaded_shop(start: Start):
    stripe, products = start("stripe"), start("products")
    stripe.ask("POST", "/v1/customers", headers={"Authorization": "Bearer sk_test_1"})
    load_shop(generate_shop(products=3), products_url=products.url)
    products.ask("PUT", "/products/mug", json={"name": "Mug", "price": 990})
    for one in (stripe, products):
        assert one.ask("POST", "/standin/reset").status_code == 204
        one.crash()
    assert stripe.ask("GET", "/standin/state").json()["counts"] == {}
    assert [product["id"] for product in products.ask("GET", "/products").json()["data"]] == [
        "prd_00001",
        "prd_00002",
        "prd_00003",
    ]


def test_the_file_is_its_owners_only_and_one_process_at_a_time_uses_it(tmp_path: Path, start: Start):
    carts = start("carts")
    file = tmp_path / "kept" / "carts.db"
    carts.ask("PUT", "/carts/crt_1", json={"user_id": "usr_1"})
    assert {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()} == {0o600}
    second = subprocess.run(carts.command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert "does another process use it?" in second.stderr


def test_a_file_that_cannot_be_read_is_refused_with_a_sentence_and_left_alone(tmp_path: Path):
    (tmp_path / "noise.db").write_bytes(os.urandom(8192))
    with pytest.raises(StateError, match="Move it away"):
        Keeping(tmp_path / "noise.db")
    sqlite3.connect(tmp_path / "newer.db").execute("PRAGMA user_version = 99").connection.close()
    with pytest.raises(StateError, match="another version"):
        Keeping(tmp_path / "newer.db")


def test_a_change_is_kept_in_its_place_and_only_as_a_whole(tmp_path: Path):
    keeping = Keeping(tmp_path / "some.db")
    known = {"lines": [1]}
    with keeping:
        keeping.put("cart", "a", known)
        keeping.put("cart", "b", {})
    with keeping, suppress(ValueError):
        keeping.watch("cart", "a", known)
        known["lines"].append(2)
        keeping.drop("cart", "b")
        keeping.put("cart", "c", {})
        raise ValueError  # what happened in memory until then is what is kept
    keeping.close()
    assert list(Keeping(tmp_path / "some.db").rows("cart")) == [("a", {"lines": [1, 2]}), ("c", {})]


def test_each_program_of_the_stack_keeps_its_state_beside_the_database(tmp_path: Path):
    environment = {"STRIPE_WEBHOOK_SECRETS": "whsec_new, whsec_old"}
    commands = {program.name: program.command for program in neighbours(Ports(), environment, tmp_path)}
    for name, command in commands.items():
        assert f"--state {tmp_path}/stand-ins/{name}.db" in command
    assert commands["stripe"].endswith("--webhook-secret whsec_new")


def send(box: Neighbour, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", box.smtp_port, timeout=10) as smtp:
        smtp.send_message(mail)
