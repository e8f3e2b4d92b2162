"""What it costs to learn which products go together, as interactions grow.

`python -m bench.recommend [--events 1000000]` prints processor seconds, peak memory and pairs for made up, clustered
interactions (ten a person, a product for every fifty).
"""

import argparse
import resource
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from shop.search.cooccurrence import one_after_the_other

A_PERSON = 10
A_PRODUCT = 50
CLUSTER = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="the largest of three sizes")
    table = Table("interactions", "products", "CPU s", "peak MB", "with neighbours")
    largest: int = parser.parse_args().events
    for events in (largest // 10, largest // 3, largest):
        count = max(events // A_PRODUCT, CLUSTER)
        dice = np.random.default_rng(7)
        people = np.repeat(np.arange(events // A_PERSON, dtype=np.int32), A_PERSON)
        home = dice.integers(0, count // CLUSTER, len(people) // A_PERSON, dtype=np.int32)
        within = (dice.pareto(1.0, len(people)) * 5).astype(np.int64) % CLUSTER
        items = (np.repeat(home, A_PERSON) * CLUSTER + within).astype(np.int32)
        began = time.process_time()
        found = sum(1 for _ in one_after_the_other(people, items, np.ones(len(items), np.float32), count=count))
        took = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        table.add_row(f"{len(items):,}", f"{count:,}", f"{took:.2f}", f"{peak:,}", f"{found:,}")
    Console().print(table)


if __name__ == "__main__":
    main()
