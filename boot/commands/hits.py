"""Hits of a search on the screen: as a table, with the reasons of each where they are asked for, or as JSON lines."""

import json
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


def show_hits(result: SearchResult) -> None:
    for sentence in _readings(result):
        out.print(sentence, soft_wrap=True)
    explained = any(hit.explanation for hit in result.hits)
    table = Table(expand=True)
    table.add_column("#")
    table.add_column("product", no_wrap=True, ratio=1)
    names = ("score", "parts", "words", "meaning", "places") if explained else ("brand", "price", "score", "found by")
    for name in names:
        table.add_column(name, no_wrap=not explained, max_width=44 if name == "parts" else 24 if explained else 16)
    for place, hit in enumerate(result.hits, start=1):
        cells = _reasons(hit, hit.explanation) if hit.explanation else _cells(hit)
        table.add_row(str(place), escape(hit.product.name), *cells)
    out.print(table)
    more = "" if result.total_is_exact else "at least "
    degraded = "  [yellow]by words alone: the model is not available here[/]" if result.degraded else ""
    out.print(f"{more}{result.total:,} found in {result.took_ms:.0f} ms{degraded}")


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


def _reasons(hit: Hit, why: Explanation) -> list[str]:
    parts = "pinned" if why.pinned else ", ".join(f"{name} {part:+.2f}" for name, part in why.parts.items())
    words = ", ".join(f"{word.term} {word.rarity:.1f}x{word.weight:.1f}" for word in why.words[:WORDS_SHOWN])
    meaning = "–" if why.similarity is None else f"{why.similarity:.2f} (floor {why.floor:.2f})"
    places = f"words {why.lexical_rank or '–'}, meaning {why.semantic_rank or '–'}"
    return [f"{hit.score:.2f}", parts, words or "–", meaning, places]
