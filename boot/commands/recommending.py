"""`backroom recommend …`: what is recommended to whom and why, from a terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from boot.commands.screen import bar, connected, out
from boot.services import Services
from shop.search.recommending import recommend, recommended
from shop.search.recommending.recommend_list import Recommended
from shop.search.recommending.recommend_rows import Asker, beside_cart, beside_product

app = typer.Typer(help="See what is recommended and why, and learn it anew.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]
Limit = Annotated[int, typer.Option(min=1, max=50)]
Customer = Annotated[str | None, typer.Option(help="as the Auth service names them")]
Visitor = Annotated[str | None, typer.Option(help="the X-Visitor-Id of a browser")]


@app.command("person")
def person(customer: Customer = None, visitor: Visitor = None, limit: Limit = 10, as_json: AsJson = False) -> None:
    """What somebody may like; without a name, what a stranger is shown.

    Example: backroom recommend person --visitor vis_01j…
    """
    services = connected()
    found = recommended.recommended(
        services.db, services.encoder, customer_id=customer, visitor_id=visitor, limit=limit
    )
    _show(found, as_json=as_json)


@app.command("product")
def product(
    product_id: Annotated[str, typer.Argument(metavar="PRODUCT")],
    relation: Annotated[
        Literal["beside", "together", "also-viewed"], typer.Option(help="beside: the row of its page, all in one")
    ] = "beside",
    customer: Customer = None,
    visitor: Visitor = None,
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """What goes with a product.

    Example: backroom recommend product B07XYZ --relation also-viewed
    """
    _show(_beside(connected(), product_id, relation, Asker(customer, visitor), limit), as_json=as_json)


@app.command("cart")
def cart(
    product_ids: Annotated[list[str], typer.Argument(metavar="PRODUCT…")], limit: Limit = 10, as_json: AsJson = False
) -> None:
    """What goes with the products of a cart.

    Example: backroom recommend cart B07XYZ B08ABC
    """
    services = connected()
    _show(beside_cart(services.db, services.encoder, product_ids, Asker(), limit=limit), as_json=as_json)


@app.command("learn")
def learn(as_json: AsJson = False) -> None:
    """Count anew what goes with what, here and now; the workers do it every hour.

    Example: backroom recommend learn
    """
    services = connected()
    with bar("Learning", "products") as progress:
        told = recommend.recommend(services.db, services.catalogue_encoder, progress, again=True)
    if as_json:
        out.print_json(json.dumps(told))
        return
    out.print(
        f"{told['interests']:,} interests taken over; neighbours of {told['together']:,} products by orders, of "
        f"{told['also']:,} by what people looked at; {told['again']:,} are bought again; ready for {told['people']:,} "
        "people",
        soft_wrap=True,
    )


def _beside(services: Services, product_id: str, relation: str, asker: Asker, limit: int) -> list[Recommended]:
    if relation == "together":
        return recommended.bought_together(services.db, product_id, limit=limit)
    if relation == "also-viewed":
        return recommended.also_viewed(services.db, product_id, limit=limit)
    return beside_product(services.db, services.encoder, product_id, asker, limit=limit)


def _show(found: Sequence[Recommended], *, as_json: bool) -> None:
    if as_json:
        told = [{"product": asdict(one.product), "score": one.score, "reason": one.reason} for one in found]
        out.print_json(json.dumps(told, default=str))
        return
    table = Table("product", "name", "score", "why")
    for one in found:
        table.add_row(escape(one.product.id), escape(one.product.name), f"{one.score:.2f}", escape(one.reason))
    out.print(table if found else "There is nothing to recommend.")
