"""Suggestions over HTTP: what may be meant by what is being typed."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shop.search.suggesting.complete import Kind, complete
from web.access import ANYONE
from web.call import Call
from web.models import In, Maybe, Out
from web.routes import Group

GROUP = Group("Suggestions", "While a shopper is typing.")


class SuggestQuery(In):
    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    limit: int = Field(10, ge=1, le=20)


class SuggestionBody(Out):
    """`product_id` with kind `product` only."""

    text: str
    kind: Kind
    product_id: Maybe[str] = None


class Suggestions(Out):
    data: list[SuggestionBody]


@GROUP.route("GET", "/v1/search/suggest", who=ANYONE, answers={200: Suggestions})
def suggest(call: Call, query: SuggestQuery) -> Suggestions:
    """Complete a search while it is typed.

    Searches that at least three people made and that found something, then categories, brands and products; one slip
    of the finger is forgiven, also in a space. What is rude or personal is not suggested because others typed it. New
    products and searches are suggested within about a minute, products that are taken out of the shop are not
    suggested any more at once.
    """
    settings = call.services.settings
    found = complete(call.db, query.q, limit=query.limit, language=settings.shop_language, never=settings.suggest_never)
    return Suggestions(data=[SuggestionBody.model_validate(one) for one in found])
