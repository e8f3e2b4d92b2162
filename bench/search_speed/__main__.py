"""How fast search is as the catalogue grows, side by side in one run.

    python -m bench.search_speed [--products N …] [--data DIR] [--keep DIR | --database URL] [--quick] [--json]

For each number of products (26,170, 200,000 and 1,000,000): the real ones of DIR/*-products.ndjson.gz (without --data
those of the generated shop), then variations of them, see bench/search_speed/catalogue.py; their vectors are made, not
encoded. Filled by COPY; with --keep the servers' data and the vectors stay in a folder, and the next run begins with
the search. --database takes a shop that is filled already, and REDIS_URL beside it; its database 7 is emptied.

    one after the other   bare encoder, bare graph (the product's width), read path, HTTP new, HTTP kept, and every
                          tenth time all vectors compared: one query through all before the next, so that the ratios
                          are fair on a busy machine
    many at once          eight clients; new queries, then the same again
    nearest               recall@10 against all vectors, by ef_search, and as the product chooses under filters that
                          leave all, 50 %, 5 % and 0.5 %
    built, room           what the indexes took to build, and take on disk

Goals are told as met or missed; missing one is no error. Exit code 2: wrong use.
"""

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import redis
from rich.console import Console

from bench.search_speed import crowd, interleaved, nearness, room
from bench.search_speed.asking import judged, made
from bench.search_speed.catalogue import Originals, encoded, read_originals
from bench.search_speed.goals import goals
from bench.search_speed.interleaved import WARM_UP
from bench.search_speed.places import STATEMENT_S, Place, postgres_pid, servers, shop_of, web_over
from bench.search_speed.processor import Programs
from bench.search_speed.told import tell
from clients.encoder import connect
from db.database import Database
from devstack.embedded.databases import with_database
from shop.ports.encoder import Encoder
from shop.search.catalogue.product import Product
from shop.search.vectors.models import model_version

SIZES = (26_170, 200_000, 1_000_000)
ONE_BY_ONE, TOGETHER, NEAREST = 300, 600, 100
QUICK = 10
"""Of the queries above, --quick asks one in ten."""

LEAST = 50
"""Products of the smallest catalogue that says anything."""

REDIS_NUMBER = "7"
"""The database of Redis that a run uses and empties; tests keep to those from 8 on, a shop to 0."""


def main(argv: list[str] | None = None) -> None:
    asked = _arguments(argv)
    started = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    encoder = connect(asked.model_dir, may_export=True)
    encoder.warm()
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(TemporaryDirectory(prefix="backroom-vectors-")))
        folder.mkdir(parents=True, exist_ok=True)
        products = read_originals(asked.data)[: None if asked.database else max(asked.products)]
        by_size = _given(asked, encoder, products) if asked.database else _filled(asked, encoder, products, folder)
    for size, figures in by_size.items():
        figures["goals"] = [goal.as_dict() for goal in goals(size, figures)]
    if asked.as_json:
        print(json.dumps({"started": started, "cores": os.cpu_count(), "by_products": by_size}, indent=1))
    else:
        for size, figures in by_size.items():
            tell(Console(), size, figures)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.search_speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--keep", type=Path, metavar="DIR", help="servers' data and vectors, for the next run too")
    where.add_argument("--database", metavar="URL", help="a shop that is filled already; REDIS_URL names its Redis")
    parser.add_argument("--products", type=_size, nargs="+", default=SIZES, metavar="N")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of *-products.ndjson.gz and *-judgments*.ndjson"
    )
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the queries")
    parser.add_argument("--only-fill", action="store_true", help="make the databases of --keep, measure nothing")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args(argv)
    if asked.data and not any(asked.data.glob("*-products.ndjson.gz")):
        parser.error(f"there is no *-products.ndjson.gz in {asked.data}")
    if asked.database and not os.environ.get("REDIS_URL"):
        parser.error("--database needs REDIS_URL beside it")
    if asked.only_fill and not asked.keep:
        parser.error("--only-fill goes with --keep")
    return asked


def _size(text: str) -> int:
    size = int(text.replace(",", "").replace("_", ""))
    if size < LEAST:
        raise argparse.ArgumentTypeError(f"at least {LEAST} products")
    return size


def _given(asked: argparse.Namespace, encoder: Encoder, products: Sequence[Product]) -> dict[int, Any]:
    with psycopg.connect(asked.database) as connection:
        row = connection.execute("SELECT count(*) FROM products WHERE active").fetchone()
    size = row[0] if row else 0
    if size < LEAST:
        sys.exit(f"there are {size} products in this database; at least {LEAST} are needed")
    figures = _measured(
        asked, Place(asked.database, with_database(os.environ["REDIS_URL"], REDIS_NUMBER), size), encoder, products
    )
    return {size: figures | {"built": None}}


def _filled(
    asked: argparse.Namespace, encoder: Encoder, products: Sequence[Product], folder: Path
) -> dict[int, dict[str, Any]]:
    @cache
    def originals() -> Originals:
        _say(f"vectors of {len(products):,} products")
        return Originals(products, encoded(products, encoder, folder))

    by_size: dict[int, dict[str, Any]] = {}
    with servers(asked.keep) as urls:
        redis_url = with_database(urls.redis_url, REDIS_NUMBER)
        for size in asked.products:
            with shop_of(size, urls, asked.keep, originals, encoder, _say) as (url, filled):
                if not asked.only_fill:
                    figures = _measured(asked, Place(url, redis_url, size), encoder, products)
                    by_size[size] = figures | {"built": filled.as_dict()}
    return by_size


def _measured(asked: argparse.Namespace, place: Place, encoder: Encoder, products: Sequence[Product]) -> dict[str, Any]:
    less = QUICK if asked.quick else 1
    more = made(products, seed=place.size)
    queries = [*judged(asked.data), *itertools.islice(more, ONE_BY_ONE)][: ONE_BY_ONE // less]
    version = model_version(encoder)
    with redis.Redis.from_url(place.redis_url) as client:
        client.flushdb()  # what an earlier run was answered is kept there
    with web_over(place.database_url, place.redis_url, asked.model_dir) as web:
        programs = Programs([web.pid, postgres_pid(place.database_url)])
        _say(f"{place.size:,} products: one query after the other")
        first = [*itertools.islice(more, WARM_UP), *queries]
        figures: dict[str, Any] = {
            "one_by_one": interleaved.measure(place.database_url, web.port, encoder, first, programs, version),
        }
        _say(f"{place.size:,} products: many at once")
        figures["together"] = crowd.measure(web.port, list(itertools.islice(more, TOGETHER // less)), programs)
        figures["memory"] = {"web_mb": round(programs.megabytes()[0], 1)}
    _say(f"{place.size:,} products: the nearest")
    db = Database(place.database_url, name="bench", statement_timeout_s=STATEMENT_S)
    figures["nearness"] = nearness.measure(db, place.database_url, encoder, queries[: NEAREST // less], version)
    db.close()
    figures["room"] = room.measure(place.database_url, place.size)
    return figures | {"load": [round(one, 1) for one in os.getloadavg()]}


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
