"""How many products a second get their vectors, beside a plain loop of sentence-transformers over the same texts.

    python -m bench.embed [--data DIR] [--products 1024] [--json]

Texts are those that the shop encodes, of the products in DIR/*-products.ndjson.gz (without --data of the generated
shop). Each way has a process of its own with as many threads as the embeddings worker has; they take turns, some texts
each, so that what else the machine does hits all alike.

    product         the encoder of the worker, through the same door
    plain           SentenceTransformer.encode, cut to the same number of tokens: the ratio is to this one
    plain, uncut    as it comes, 256 tokens

Printed are products a second by the clock and by processor time, how much the vectors agree, and peak memory. Exit code
2: wrong use. A missed goal is no error.
"""

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.search_speed.catalogue import read_originals
from clients.encoder import MAX_TOKENS, catalogue_threads, connect
from clients.model_files import original_folder
from shop.ports.encoder import Vectors
from shop.search.language.text import embedding_text

GOAL = 2.3
"""Times the products of the plain loop for each second of processor time."""

TURN = 128
"""Texts of one turn: a second or two, less than other work on a machine changes in."""

WAYS = {"product": MAX_TOKENS, "plain": MAX_TOKENS, "plain, uncut": None}


@dataclass
class Way:
    """One process: what it took so far, and the vectors it made."""

    ask: Connection
    wall_s: float = 0.0
    processor_s: float = 0.0
    peak_mb: float = 0.0
    vectors: list[Vectors] = field(default_factory=list[Vectors])

    def turn(self, texts: Sequence[str]) -> None:
        self.ask.send(list(texts))
        vectors, wall, processor, peak = self.ask.recv()
        self.wall_s, self.processor_s, self.peak_mb = self.wall_s + wall, self.processor_s + processor, peak
        self.vectors.append(vectors)


def main(argv: list[str] | None = None) -> None:
    asked = _arguments(argv)
    texts = [embedding_text(product) for product in read_originals(asked.data)][: asked.products]
    figures = measure(texts, asked.model_dir)
    if asked.as_json:
        print(json.dumps(figures, indent=1))
    else:
        _tell(figures)


def measure(texts: Sequence[str], model_dir: Path, *, names: Sequence[str] = tuple(WAYS)) -> dict[str, Any]:
    """Figures of each way, and how the product's compare with the plain one's."""
    connect(model_dir, may_export=True).warm()
    with ExitStack() as stack:
        ways = {name: stack.enter_context(_way(name, model_dir)) for name in names}
        for start in range(0, len(texts), TURN):
            for way in ways.values():
                way.turn(texts[start : start + TURN])
    vectors = {name: np.concatenate(way.vectors) for name, way in ways.items()}
    alike = (vectors["product"] * vectors["plain"]).sum(axis=1)
    times = ways["plain"].processor_s / ways["product"].processor_s
    return {
        "texts": len(texts),
        "characters": round(float(np.mean([len(text) for text in texts]))),
        "threads": catalogue_threads(),
        "ways": {name: _figures(way, len(texts)) for name, way in ways.items()},
        "per_processor_second_times_plain": round(times, 2),
        "per_second_times_plain": round(ways["plain"].wall_s / ways["product"].wall_s, 2),
        "cosine": {"mean": round(float(alike.mean()), 4), "least": round(float(alike.min()), 4)},
        "goal": {"name": "products a processor second by plain", "wanted": GOAL, "met": bool(times >= GOAL)},
    }


@contextmanager
def _way(name: str, model_dir: Path) -> Generator[Way]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(name, model_dir, theirs), daemon=True)
    process.start()
    Way(ours).turn(["warm up"] * TURN)  # loading, and the memory of the first batch, are not counted
    yield Way(ours)
    ours.send(None)
    process.join()


def _work(name: str, model_dir: Path, door: Connection) -> None:
    encode = _product(model_dir) if name == "product" else _plain(WAYS[name])
    while (texts := door.recv()) is not None:
        began, spent = time.perf_counter(), time.process_time()
        vectors = encode(texts)
        wall, processor = time.perf_counter() - began, time.process_time() - spent
        door.send((vectors, wall, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _product(model_dir: Path) -> Callable[[Sequence[str]], Vectors]:
    return connect(model_dir, threads=catalogue_threads()).encode


def _plain(tokens: int | None) -> Callable[[Sequence[str]], Vectors]:
    # Loaded in the process that uses it alone: half a gigabyte, some seconds.
    import torch  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    torch.set_num_threads(catalogue_threads())
    model = SentenceTransformer(str(original_folder()), device="cpu")
    model.max_seq_length = tokens or model.max_seq_length
    return lambda texts: np.asarray(model.encode(list(texts), show_progress_bar=False))


def _figures(way: Way, texts: int) -> dict[str, float]:
    return {
        "per_second": round(texts / way.wall_s, 1),
        "per_processor_second": round(texts / way.processor_s, 1),
        "peak_mb": round(way.peak_mb),
    }


def _tell(figures: dict[str, Any]) -> None:
    table = Table("", "products a second", "a processor second", "peak MB")
    for name, way in figures["ways"].items():
        table.add_row(name, *(str(way[key]) for key in ("per_second", "per_processor_second", "peak_mb")))
    console, goal = Console(), figures["goal"]
    console.print(f"{figures['texts']} texts of {figures['characters']} letters, {figures['threads']} threads each")
    console.print(table)
    console.print(f"cosine to plain: {figures['cosine']['mean']} in the mean, {figures['cosine']['least']} at least")
    times = figures["per_processor_second_times_plain"]
    met = "met" if goal["met"] else "missed"
    console.print(f"{met}  {goal['name']}: {times} (goal {goal['wanted']}, ratio {times / goal['wanted']:.2f})")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.embed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--products", type=int, default=1024)
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"))
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args(argv)
    if asked.data and not any(asked.data.glob("*-products.ndjson.gz")):
        parser.error(f"there is no *-products.ndjson.gz in {asked.data}")
    return asked


if __name__ == "__main__":
    main()
