"""Pinned products: which queries have some, and an editor that finds, orders and times them, without scripts too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from web.admin.inside import Refused
from web.admin.section import Done, Section, Visit

SECTION = Section("Pins", "/pins", "Search", "admin")

FOUND = 10
"""Products to choose from; a longer list is searched better than read."""


@SECTION.page("/pins")
def pins(visit: Visit) -> Response:
    """Every query with pins, newest first."""
    page = visit.api.get("/v1/search/pins", query=visit.asked("query"), cursor=visit.asked("cursor"), limit=20)
    ids = [product_id for one in page["data"] for product_id in one["product_ids"]]
    return visit.show("search/pins.html", title="Pins", page=page, names=_names(visit, ids))


@SECTION.page("/pins/edit")
def edit(visit: Visit) -> Response:
    """The pins of one query as they stand, or as the form above them was left; nothing is kept before "Keep"."""
    query = visit.typed("query", visit.asked("query"))
    saved = next(iter(visit.api.get("/v1/search/pins", query=query)["data"]), {}) if query else {}
    ids = _ids(visit, saved.get("product_ids", []))
    find = visit.asked("find")
    return visit.show(
        "search/pin.html",
        title="Pins of a query",
        query=query,
        saved=saved,
        ids=ids,
        names=_names(visit, ids),
        find=find,
        found=visit.api.get("/v1/search", q=find, limit=FOUND, personalize="false", counted="false")["data"]
        if find
        else [],
        begins=visit.typed("from", visit.asked("from") or _local(visit, saved.get("from"))),
        ends=visit.typed("until", visit.asked("until") or _local(visit, saved.get("until"))),
    )


@SECTION.action("/pins/edit", again=edit)
def keep(visit: Visit) -> Done:
    """Pin these products in this order."""
    ids = visit.ticked("product")
    if not ids:
        raise Refused(422, {"code": "invalid_request", "detail": "no product is chosen"})
    body: dict[str, Any] = {"query": visit.typed("query"), "product_ids": ids}
    body |= {end: moment for end in ("from", "until") if (moment := _moment(visit, end))}
    visit.api.send("PUT", "/v1/search/pins", body)
    return Done(SECTION.home, "They stand first from the next search on.")


@SECTION.action("/pins/forget")
def forget(visit: Visit) -> Done:
    """Unpin everything of a query."""
    visit.api.delete("/v1/search/pins", id=visit.typed("id"))
    return Done(SECTION.home, "Nothing is pinned to it any more.")


def _ids(visit: Visit, saved: Sequence[str]) -> list[str]:
    """The list of the address, or of the form, or as saved, with what its button says done to it."""
    args = visit.request.args
    ids = visit.ticked("product") or (args.getlist("product") if "edited" in args else list(saved))
    for name, move in (("up", -1), ("down", 1)):
        product_id = visit.asked(name)
        if product_id in ids:
            place = ids.index(product_id)
            to = min(max(place + move, 0), len(ids) - 1)
            ids.insert(to, ids.pop(place))
    ids = [product_id for product_id in ids if product_id != visit.asked("drop")]
    return list(dict.fromkeys([*ids, *([visit.asked("add")] if visit.asked("add") else [])]))


def _names(visit: Visit, ids: Sequence[str]) -> dict[str, Any]:
    """Products by id; what left the shop is missing. At most a hundred, as the API names at once."""
    wanted = list(dict.fromkeys(ids))[:100]
    if not wanted:
        return {}
    return {one["id"]: one for one in visit.api.get("/v1/catalog/products", id=wanted)["data"]}


def _moment(visit: Visit, name: str) -> str:
    """A time as a form writes it, on the shop's clock, as the API takes it."""
    typed = visit.typed(name)
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(visit.menu.zone)).isoformat() if typed else ""
    except ValueError:
        return typed


def _local(visit: Visit, moment: str | None) -> str:
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(visit.menu.zone)).strftime("%Y-%m-%dT%H:%M")
