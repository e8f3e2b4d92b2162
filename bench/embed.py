"""How long a catalogue takes: import, vectors and index, per 1,000 products, and what one query costs.

python -m bench.embed PRODUCTS.ndjson.gz [MORE.ndjson.gz …] [--engine onnx|torch]
"""

import argparse
import resource
import statistics
import time
from itertools import chain
from pathlib import Path

from clients.encoder import catalogue_threads, connect
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.ports.encoder import Encoder
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.vectors.embed import embed

QUERIES = ("usb hub", "brown leather belt without buckle", "noise cancelling headphones for travel", "12 inch mattress")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--engine", choices=("onnx", "torch"), default="onnx")
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"))
    asked = parser.parse_args()
    encoder = connect(asked.model_dir, kind=asked.engine, threads=catalogue_threads(), may_export=True)
    began = time.monotonic()
    encoder.warm()
    print(f"model ready after {time.monotonic() - began:.1f} s, engine {asked.engine}, {catalogue_threads()} threads")
    with servers_for_tests() as urls:
        name = f"bench_embed_{int(time.time())}"
        url = create_database(urls.database_url, name)
        try:
            migrate(url)
            _load(Database(url), encoder, asked.files)
        finally:
            drop_database(urls.database_url, name)
    _queries(connect(asked.model_dir) if asked.engine == "onnx" else encoder)
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def _load(db: Database, encoder: Encoder, files: list[Path]) -> None:
    began = time.monotonic()
    report = import_products(db, chain.from_iterable(read_ndjson(path.open("rb")) for path in files))
    seconds = time.monotonic() - began
    print(f"import    {report.added:7} products {seconds:7.1f} s  {1000 * seconds / report.added:6.2f} s per 1,000")
    began, done, encoding = time.monotonic(), 0, 0.0
    while True:
        bite = embed(db, encoder)
        done, encoding = done + int(bite["embedded"]), encoding + float(bite["seconds"])
        if not bite["remaining"]:
            break
    seconds = time.monotonic() - began
    print(f"vectors   {done:7} products {encoding:7.1f} s  {1000 * encoding / done:6.2f} s per 1,000")
    print(f"and index {done:7} products {seconds:7.1f} s  {1000 * seconds / done:6.2f} s per 1,000")
    db.close()


def _queries(encoder: Encoder) -> None:
    encoder.warm()
    took: list[float] = []
    for query in QUERIES * 50:
        began = time.perf_counter()
        encoder.encode([query])
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    print(f"one query {statistics.median(took):.1f} ms p50, {took[int(len(took) * 0.95)]:.1f} ms p95, one thread")


if __name__ == "__main__":
    main()
