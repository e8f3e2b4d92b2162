"""Hits of a search on the screen: as a table, each with its reasons where they are asked for, or as JSON lines."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from boot.commands.screen import out
from shop.money import Money
from shop.search.answering.explain import Explanation
from shop.search.answering.find import Hit, SearchResult
from shop.search.queries.cards import Shown

WORDS_SHOWN = 6
BAR = 14
"""Characters of a bar for a part of 1.0; twice as much is cut off."""

HARDLY = 0.03
MEANS = {
    "every_word": "each word of the query is in the product",
    "phrase": "words stand together in the name as they were typed",
    "title": "how much of the name is the query, and of the query the name",
    "accessory": "it is made for what was asked for, or the other way round",
    "brand": "its brand is named",
    "without": "it says of what was refused that it lacks it (+) or has it (-)",
    "colour": "it has the colour that is named",
    "size": "it has the size that is named",
    "category": "it is in the category that is named",
    "price": "near the price that is named",
    "stock": "sold out",
    "popularity": "how many people had it",
    "learned": "what people chose for this query",
}
"""What a part says, where its number alone does not."""


def show_hits(result: SearchResult) -> None:
    for sentence in _readings(result):
        out.print(sentence, soft_wrap=True)
    if any(hit.explanation for hit in result.hits):
        for place, hit in enumerate(result.hits, start=1):
            _show_why(place, hit)
    else:
        out.print(_table(result.hits))
    more = "" if result.total_is_exact else "at least "
    degraded = "  [yellow]by words alone: the model is not available here[/]" if result.degraded else ""
    out.print(f"{more}{result.total:,} found in {result.took_ms:.0f} ms{degraded}")


def _table(hits: Sequence[Hit]) -> Table:
    table = Table(expand=True)
    table.add_column("#")
    table.add_column("product", no_wrap=True, ratio=1)
    for name in ("brand", "price", "score", "found by"):
        table.add_column(name, no_wrap=True, max_width=16)
    for place, hit in enumerate(hits, start=1):
        table.add_row(str(place), escape(hit.product.name), *_cells(hit))
    return table


def _show_why(place: int, hit: Hit) -> None:
    """The product in one line, and below it the parts of its score, the largest first, each with its source."""
    head = Table.grid(padding=(0, 1), expand=True)
    head.add_column(width=3, justify="right")
    head.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    head.add_column(no_wrap=True, max_width=20, style="dim", overflow="ellipsis")
    head.add_column(no_wrap=True, justify="right")
    head.add_column(no_wrap=True, justify="right", style="bold")
    brand, price, score, _ = _cells(hit)
    head.add_row(f"{place}.", f"[bold]{escape(hit.product.name)}[/]", brand, price, score)
    out.print(head)
    why = hit.explanation
    if why is None:
        return
    if why.pinned:
        out.print("     pinned here by the shop")
    parts = Table.grid(padding=(0, 1))
    parts.add_column(width=4)
    parts.add_column(width=10)
    parts.add_column(width=5, justify="right")
    parts.add_column(width=BAR)
    parts.add_column(style="dim")
    for name, worth in sorted(why.parts.items(), key=lambda part: -abs(part[1])):
        colour = "green" if worth > 0 else "red"
        bar = "█" * max(1, round(abs(worth) * BAR)) if abs(worth) >= HARDLY else "▏"
        parts.add_row("", name, f"[{colour}]{worth:+.2f}[/]", f"[{colour}]{bar[:BAR]}[/]", _source(name, why))
    out.print(parts)
    out.print()


def _source(name: str, why: Explanation) -> str:
    if name == "words":
        words = ", ".join(f"{word.term} {word.rarity:.1f}×{word.weight:.1f}" for word in why.words[:WORDS_SHOWN])
        return escape(f"place {why.lexical_rank or '–'}: {words}")
    if name == "meaning" and why.similarity is not None:
        return f"place {why.semantic_rank or '–'}: similarity {why.similarity:.2f}, floor {why.floor:.2f}"
    if name == "personal" and why.liking is not None:
        return f"{why.liking:.2f} like what the asker had before"
    return MEANS.get(name, "")


def print_hits(result: SearchResult) -> None:
    for hit in result.hits:
        told: dict[str, Any] = {
            "id": hit.product.id,
            "name": hit.product.name,
            "score": hit.score,
            "matched": list(hit.matched),
            "pinned": hit.pinned,
        }
        if hit.explanation is not None:
            told["explanation"] = asdict(hit.explanation)
        typer.echo(json.dumps(told, ensure_ascii=False))


def _readings(result: SearchResult) -> list[str]:
    said = [f"searched instead: {escape(result.corrected)}"] if result.corrected else []
    for part, told in result.interpreted.items():
        if part == "rescued":
            said.append(f"[yellow]nothing was found as asked; given up: {told}[/]")
            continue
        for one in told if isinstance(told, list) else [told]:
            value = f"{one['min'] or 0} to {one['max'] or '…'}" if part == "price" else one["value"]
            force = "required" if one["hard"] else "preferred"
            said.append(f"{part}: {escape(str(value))} ({force}, from “{escape(one['words'])}”)")
    return said


def _cells(hit: Hit) -> list[str]:
    legs = "+".join({"semantic": "meaning", "lexical": "words"}[leg] for leg in hit.matched)
    found_by = "pinned" if hit.pinned else legs
    return [escape(hit.product.brand or ""), _price(hit.product), f"{hit.score:.2f}", found_by]


def _price(product: Shown) -> str:
    known = product.price is not None and product.currency
    return str(Money(product.price or 0, product.currency or "eur")) if known else "–"
