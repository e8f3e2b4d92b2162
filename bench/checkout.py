"""How many orders a second are paid, how long each stage takes, how many webhooks are taken, and how that grows.

`python -m bench.checkout [--orders 60] [--webhooks 400] [--past 1000,10000] [--json FILE]` starts a shop of its own:
web, control, workers, the neighbours' stand-ins, PostgreSQL and Redis, all on this machine, as is the load. It measures
orders one by one, orders as fast as they come in, and deliveries of Stripe as fast as they come in. Then it adds orders
of the past and measures again. Rows read by sequential scans and pages touched per order are counted too: they tell a
missing index from a slow day.
"""

import argparse
import json
import os
import platform
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from bench.past_orders import add_past_orders, tidy
from bench.running_shop import Shop, running_shop
from devstack.day.api import Api, Json
from devstack.stand_ins.stripe.deliveries import signature

STAGES = ("placed", "authorised", "captured", "invoice drawn", "mailed")
ONE_BY_ONE = 15
"""Orders of which each waits for the one before: enough for a median, and for no more."""

BUYERS = 8
CHUNK = 10_000
PRODUCT, MAIL = "prd_bench", "order_paid"
WITHIN_S = 120.0
"""An order that is not mailed by then never will be."""

KINDS = "payment_intent.succeeded"
LOOK_EVERY_S = 1.0
"""Seldom, so that looking is no part of what is measured: the times are those the shop wrote down itself."""

STATISTICS_S = 1.5
"""PostgreSQL's counters of a session that is busy are at most a second old."""

Basket = tuple[Api, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=60, help="orders of a round of full load")
    parser.add_argument("--webhooks", type=int, default=400, help="deliveries of a round")
    parser.add_argument("--past", default="1000,10000", help="orders already there, ascending, e.g. 1000,10000,100000")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    console = Console()
    rounds: list[Json] = []
    with running_shop(console) as shop:
        shop.town.products().put(f"/products/{PRODUCT}", _product())
        template = _one_by_one(shop, 3)[0]  # warms everything up, and is what the past is made of
        there = 0
        for past in [0, *(int(size) for size in options.past.split(",") if size)]:
            _grow(console, shop, template, there, past)
            there = max(there, past)
            rounds.append({"past": past, **_measure(shop, options.orders, options.webhooks)})
            _show(console, rounds[-1])
    figures = {"at": datetime.now(UTC).isoformat(), "cores": os.cpu_count(), "python": platform.python_version()}
    if options.json:
        options.json.write_text(json.dumps({**figures, "rounds": rounds}, indent=2))


def _grow(console: Console, shop: Shop, template: str, there: int, past: int) -> None:
    started = time.monotonic()
    for first in range(there, past, CHUNK):
        count = min(CHUNK, past - first)
        add_past_orders(shop.db, template, first, count)
        console.print(f"{first + count:,} orders of the past after {time.monotonic() - started:.0f} s")
    tidy(shop.db)


def _measure(shop: Shop, orders: int, webhooks: int) -> Json:
    alone = _one_by_one(shop, ONE_BY_ONE)
    read, touched = _rows_read(shop), _pages_touched(shop)
    began = time.time()
    crowd = _all_at_once(shop, orders)
    time.sleep(STATISTICS_S)
    pages = (_pages_touched(shop) - touched) / orders
    scanned = {table: count - read.get(table, 0) for table, count in _rows_read(shop).items()}
    paid = _times(shop, crowd)
    return {
        "one by one, ms": _stages(_times(shop, alone)),
        "under load, ms": _stages(paid),
        "orders a second to paid": orders / (max(row[3] for row in paid) - began),
        "orders a second to mailed": orders / (max(row[5] for row in paid) - began),
        "rows scanned per order": {
            table: round(count / orders, 1) for table, count in sorted(scanned.items()) if count > 10 * orders
        },
        "pages touched per order": pages,
        **_deliver(shop, crowd, webhooks),
    }


def _one_by_one(shop: Shop, count: int) -> list[str]:
    placed: list[str] = []
    for basket in _baskets(shop, count):
        placed.append(_place(basket))
        _until(shop, lambda: _finished(shop, placed[-1:]) == 1)
    return placed


def _all_at_once(shop: Shop, count: int) -> list[str]:
    baskets = _baskets(shop, count)
    with ThreadPoolExecutor(BUYERS) as buyers:
        placed = list(buyers.map(_place, baskets))
    _until(shop, lambda: _finished(shop, placed) == count, LOOK_EVERY_S)
    return placed


def _baskets(shop: Shop, count: int) -> list[Basket]:
    """Return a signed-in customer with a filled cart each; this is not measured."""
    carts, baskets = shop.town.carts(), list[Basket]()
    for _ in range(count):
        user, cart = f"usr_{uuid.uuid4().hex}", f"crt_{uuid.uuid4().hex}"
        lines = [{"product_id": PRODUCT, "quantity": 1}]
        carts.put(f"/carts/{cart}", {"user_id": user, "currency": "eur", "lines": lines})
        baskets.append((shop.town.customer(user, "buyer@example.com", f"vis_{user[4:20]}"), cart))
    return baskets


def _place(basket: Basket) -> str:
    api, cart = basket
    body = {"cart_id": cart, "email": "buyer@example.com", "payment_method": "pm_card_visa"}
    return str(api.post("/v1/orders", body, expect=(200, 201, 202))["id"])


def _until(shop: Shop, true: Callable[[], bool], every_s: float = 0.02) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        shop.supervisor.tend()
        if time.monotonic() > deadline:
            raise SystemExit(f"not done after {WITHIN_S:.0f} s: see the jobs, this figure would mean nothing")
        time.sleep(every_s)


def _finished(shop: Shop, orders: Sequence[str]) -> int:
    with shop.db.transaction() as tx:
        row = tx.execute(
            """
            SELECT count(*) FROM mails
             WHERE subject_id = ANY(%(orders)s) AND kind = %(mail)s AND state = 'sent'
               AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE state = 'received')
            """,
            {"orders": list(orders), "mail": MAIL},
        ).fetchone()
    return row[0] if row else 0


def _times(shop: Shop, orders: Sequence[str]) -> list[tuple[float, ...]]:
    """Return the moment each order came in and those of its stages, in seconds since 1970."""
    with shop.db.transaction() as tx:
        rows = tx.execute(
            """
            SELECT orders.created_at, steps.placed, steps.authorised, steps.captured, files.drawn_at, mails.sent_at
              FROM orders
              JOIN invoices ON invoices.order_id = orders.id
              JOIN document_files AS files ON files.document_id = invoices.id
              JOIN mails ON mails.subject_id = orders.id AND mails.kind = %(mail)s
              JOIN LATERAL (
                   SELECT min(moved_at) FILTER (WHERE before = 'placing') AS placed,
                          min(moved_at) FILTER (WHERE after = 'authorized') AS authorised,
                          min(moved_at) FILTER (WHERE after = 'paid') AS captured
                     FROM order_moves WHERE order_id = orders.id) AS steps ON true
             WHERE orders.id = ANY(%(orders)s)
            """,
            {"orders": list(orders), "mail": MAIL},
        ).fetchall()
    return [tuple(moment.timestamp() if moment else 0.0 for moment in row) for row in rows]


def _stages(rows: Sequence[tuple[float, ...]]) -> Json:
    """Return milliseconds from the order's coming in to the end of each stage."""
    return {
        stage: _percentiles([1000 * (row[place] - row[0]) for row in rows])
        for place, stage in enumerate(STAGES, start=1)
    }


def _percentiles(values: Sequence[float]) -> Json:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"p{percent}": round(cuts[percent - 1], 1) for percent in (50, 95, 99)}


def _rows_read(shop: Shop) -> dict[str, int]:
    with shop.db.transaction() as tx:
        return dict(tx.execute("SELECT relname, seq_tup_read FROM pg_stat_user_tables").fetchall())


def _pages_touched(shop: Shop) -> int:
    """Return how many pages the database has looked at, in memory or on disk: work that no busy machine blurs."""
    with shop.db.transaction() as tx:
        row = tx.execute(
            "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return row[0] if row else 0


def _deliver(shop: Shop, orders: Sequence[str], count: int) -> Json:
    """Send news of paid orders, each under a new name, and wait until each has been applied."""
    stripe = Api(shop.town.stripe_url, token="sk_test_bench")
    events = [
        event
        for event in stripe.get("/v1/events", type=KINDS, limit=100)["data"]
        if event["data"]["object"]["metadata"].get("order_id") in set(orders)
    ]
    bodies = [json.dumps({**events[n % len(events)], "id": f"evt_{uuid.uuid4().hex}"}).encode() for n in range(count)]
    url, began = f"{shop.town.api_url}/v1/webhooks/stripe", time.time()
    with ThreadPoolExecutor(BUYERS) as senders:
        accepted = list(senders.map(lambda body: _post(url, body, shop.webhook_secret), bodies))
    took = time.time() - began
    _until(shop, lambda: _settled(shop, began)[0] == count, LOOK_EVERY_S)
    applied, last, waits = _settled(shop, began)
    return {
        "webhooks accepted a second": count / took,
        "webhooks applied a second": applied / (last - began),
        "webhook accepted, ms": _percentiles(accepted),
        "webhook applied, ms": _percentiles(waits),
    }


def _post(url: str, body: bytes, secret: str) -> float:
    headers = {"Stripe-Signature": signature(body, secret, int(time.time())), "Content-Type": "application/json"}
    began = time.perf_counter()
    answer = requests.post(url, data=body, headers=headers, timeout=30)
    if answer.status_code != 200:
        raise SystemExit(f"a webhook was answered {answer.status_code}: {answer.text[:300]}")
    return 1000 * (time.perf_counter() - began)


def _settled(shop: Shop, since: float) -> tuple[int, float, list[float]]:
    """Return how many deliveries were applied, when the last was, and how long each took in milliseconds."""
    with shop.db.transaction() as tx:
        rows = tx.execute(
            """
            SELECT extract(epoch FROM settled_at)::float8, extract(epoch FROM settled_at - received_at)::float8 * 1000
              FROM webhook_deliveries
             WHERE received_at >= to_timestamp(%(since)s) AND state = 'applied' AND event_id ~ '^evt_[0-9a-f]{32}$'
            """,
            {"since": since},
        ).fetchall()
    return len(rows), max((row[0] for row in rows), default=since), [row[1] for row in rows]


def _product() -> Json:
    return {
        "id": PRODUCT,
        "name": "Bench lamp",
        "description": "A lamp that is bought often.",
        "category": "Home > Lamps",
        "brand": "Luma",
        "price": 2599,
        "currency": "eur",
        "stock": 1_000_000,
        "attributes": {},
        "active": True,
    }


def _show(console: Console, figures: dict[str, Any]) -> None:
    table = Table(
        "stage", "alone p50 ms", "p95", "load p50 ms", "p95", "p99", title=f"{figures['past']:,} orders before"
    )
    for stage in STAGES:
        alone, load = figures["one by one, ms"][stage], figures["under load, ms"][stage]
        table.add_row(stage, *map(str, (alone["p50"], alone["p95"], load["p50"], load["p95"], load["p99"])))
    for name in ("webhook accepted, ms", "webhook applied, ms"):
        table.add_row(name.split(",")[0], "", "", *map(str, figures[name].values()))
    console.print(table)
    for name, value in figures.items():
        if isinstance(value, float):
            console.print(f"{name}: {value:.1f}", highlight=False)
    console.print("rows scanned per order:", figures["rows scanned per order"] or "none to speak of")


if __name__ == "__main__":
    main()
