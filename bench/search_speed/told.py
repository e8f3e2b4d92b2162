"""The figures as tables for a person."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.search_speed.goals import processor_times_bare, times_bare

NAMES = {
    "encoder": "bare encoder",
    "graph": "bare graph, the product's width",
    "exact": "every vector compared",
    "path": "read path, no HTTP",
    "http_new": "through HTTP, new",
    "http_kept": "through HTTP, kept",
}

PROCESSOR = "milliseconds by the clock, and of processor in the web process, in PostgreSQL and in the asking process"


def tell(console: Console, size: int, figures: Mapping[str, Any]) -> None:
    console.print(f"\n[bold]{size:,} products[/bold], load of the machine {figures['load']}")
    parts = figures["one_by_one"]
    console.print(_parts(parts))
    console.print(
        f"through HTTP at p50 {times_bare(parts)} times encoder + graph, {processor_times_bare(parts)} times in "
        f"processor time; {parts['degraded']} answers degraded"
    )
    console.print(_crowds(figures["together"]))
    console.print(_nearness(figures["nearness"]))
    built, room, memory = figures["built"], figures["room"], figures["memory"]
    console.print(_built(built) if built else "built: not here")
    console.print(
        f"room: {room['disk_mb']:,} MB on disk, graph {room['graph_index_mb']:,} MB, index of words "
        f"{room['word_index_mb']:,} MB; per million products {room['disk_mb_per_million']:,} MB on disk, "
        f"{room['indexes_mb_per_million']:,} MB of indexes; web processes {memory['web_mb']} MB"
    )
    for goal in figures["goals"]:
        met = "[green]met[/green]" if goal["met"] else "[red]missed[/red]"
        console.print(f"{met}  {goal['name']}: {goal['measured']} (goal {goal['wanted']}, ratio {goal['ratio']})")


def _built(built: Mapping[str, Any]) -> str:
    return (
        f"built: rows {built['rows_s']} s, {built['postings']:,} postings of {built['terms']:,} words "
        f"{built['words_s']} s, graph {built['graph_s']} s ({built['graph_memory']}, {built['graph_workers']} "
        f"more workers{'' if built['graph_fits'] else ', in which it did not fit'})"
    )


def _parts(parts: Mapping[str, Any]) -> Table:
    table = Table("one after the other", "p50 ms", "p95 ms", "p99 ms", "web", "postgres", "here", title=PROCESSOR)
    for name, title in NAMES.items():
        if name in parts:
            one, spent = parts[name], parts[name]["processor_ms"]
            cells = (one["p50_ms"], one["p95_ms"], one["p99_ms"], spent["web"], spent["postgres"], spent["here"])
            table.add_row(title, *(f"{cell:.2f}" for cell in cells))
    return table


def _crowds(crowds: Mapping[str, Any]) -> Table:
    table = Table(
        "many at once", "clients", "a second", "p50 ms", "p95 ms", "p99 ms", "kept", "web", "postgres", title=PROCESSOR
    )
    for name, one in crowds.items():
        spent = one["processor_ms"]
        table.add_row(
            name, *(str(one[key]) for key in ("clients", "per_second", "p50_ms", "p95_ms", "p99_ms")),
            f"{one['kept_share']:.0%}", f"{spent['web']:.2f}", f"{spent['postgres']:.2f}",
        )  # fmt: skip
    return table


def _nearness(nearness: Mapping[str, Any]) -> Table:
    table = Table("nearest", "recall@10", "p50 ms")
    for width, one in nearness["graph_by_width"].items():
        table.add_row(f"graph, ef_search {width}, 10 wanted", f"{one['recall']:.4f}", f"{one['p50_ms']:.2f}")
    for name, one in nearness["product_by_filter"].items():
        table.add_row(f"the product's choice, of {name}", f"{one['recall']:.4f}", f"{one['p50_ms']:.2f}")
    return table
