"""Queries that nobody should type, by the thousand, through HTTP: each is answered or cleanly refused.

    python -m bench.odd_queries [--count 10000] [--seed 1]

A small shop is made in a database of its own, on the server of DATABASE_URL or on a throw-away one. Exit code 1 and the
query itself for whatever is neither 200 nor a 4xx with a problem document.
"""

import argparse
import collections
import random
import sys
import time
from pathlib import Path
from typing import Any

from boot.services import connect
from boot.settings import Settings
from clients.model_files import ensure_files
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.search.catalogue.importing import import_products
from shop.search.suggesting.suggest import suggest
from shop.search.vectors.embed import embed
from web.app import create_app

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz ",
    "0123456789.,-$€£% to under x ",
    "!?.,;:'\"()[]{}<>|/\\~^*&#@=+-_ ",
    "😀👩‍👩‍👧🇩🇪🏳️‍🌈🎧☂ ",
    "אבגדה والسلام ",
    "日本語ケーブル한국어ไทย ",
    "\u200b\u200d\u202e\ufeff\u0301\u0000\n\t ",
    "ÀÉîõüßøŁ﷽ﬁ½①Ⅷ ",
)

_HOSTILE = (
    "'; DROP TABLE products; --", "1 OR 1=1", "<script>alert(1)</script>", "%s%s%n", "${jndi:ldap://x}",
    "../../etc/passwd", "''", "a" * 600, '-"', '"', "\ud83d", "𝕳𝖊𝖑𝖑𝖔", "NaN", "1e309",
)  # fmt: skip
_HALF_SAID = (
    "without", "no", "not", "-", "-red", "--", "w/o", "under", "between 1 and", "less than $", "20 to", "size", '13"',
    "under 99999999999999999999", "no no no without no", "red sofa",
)  # fmt: skip
PIECES = _HOSTILE + _HALF_SAID

OTHERS = (
    "", "&sort=rating", "&mode=lexical", "&mode=semantic", "&price_min=1&in_stock=true", "&keep=price", "&limit=1",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with servers_for_tests() as urls:
        name = f"bench_odd_{int(time.time())}"
        url = create_database(urls.database_url, name)
        try:
            sys.exit(_ask(url, urls.redis_url, asked.count, random.Random(asked.seed)))
        finally:
            drop_database(urls.database_url, name)


def odd_query(draw: random.Random) -> str:
    """One of a few kinds: runs of one alphabet, of several, pieces that break careless programs, very long ones."""
    kind = draw.random()
    if kind < 0.4:
        return "".join(draw.choices(draw.choice(ALPHABETS), k=draw.randint(1, 60)))
    if kind < 0.7:
        return " ".join(draw.choice(PIECES) for _ in range(draw.randint(1, 6)))
    if kind < 0.9:
        letters = "".join(ALPHABETS)
        return "".join(draw.choices(letters, k=draw.randint(1, 120)))
    return draw.choice(("a", "no ", "-x ", "1", "é", "😀", " ", "under 1 ")) * draw.randint(1, 10_000)


def problem(response: Any) -> str | None:
    """What is wrong with an answer, None when it is 200 or a clean refusal."""
    if response.status_code == 200:
        body = response.get_json()
        return None if body["total"] >= len(body["data"]) else "more hits than the total"
    clean = 400 <= response.status_code < 500 and response.mimetype == "application/problem+json"
    return None if clean and response.get_json().get("code") else f"status {response.status_code}"


def _ask(database_url: str, redis_url: str, count: int, draw: random.Random) -> int:
    migrate(database_url)
    settings: Any = {
        "database_url": database_url, "redis_url": redis_url, "stripe_secret_key": "sk_test_bench",
        "stripe_webhook_secrets": "whsec_bench", "rate_limit_scale": 0,
    }  # fmt: skip
    services = connect(Settings(**settings), name="bench")
    ensure_files(Path(services.settings.model_dir))
    kinds = [(colour, kind) for colour in ("Red", "Blue") for kind in ("sofa", "mug")]
    rows = [
        {"id": str(number), "name": f"{colour} {kind}", "brand": "Hydra", "category": kind, "price": 100 * number}
        for number, (colour, kind) in enumerate(kinds)
    ]
    import_products(services.db, list(enumerate(rows, start=1)))
    while embed(services.db, services.encoder)["remaining"]:
        pass  # a bite ends after some seconds
    suggest(services.db)
    client = create_app(services).test_client()
    answered: collections.Counter[int] = collections.Counter()
    slowest, wrong = 0.0, 0
    for _ in range(count):
        query = odd_query(draw)
        began = time.perf_counter()
        text = query.encode("utf-8", "surrogatepass")
        response = client.get("/v1/search?q=" + "".join(f"%{byte:02x}" for byte in text) + draw.choice(OTHERS))
        slowest = max(slowest, time.perf_counter() - began)
        answered[response.status_code] += 1
        if (fault := problem(response)) is not None:
            wrong += 1
            print(f"{fault}: {query[:200]!r}", file=sys.stderr)
    print(f"{count} odd queries, slowest {slowest * 1000:.0f} ms: {dict(sorted(answered.items()))}, {wrong} wrong")
    services.db.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
