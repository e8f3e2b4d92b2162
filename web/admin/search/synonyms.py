"""Synonyms: those the shop decided on, those that searches suggest, and a form for new ones."""

from flask import Response

from web.admin.section import Done, Section, Visit

SECTION = Section("Synonyms", "/synonyms", "Search", "admin")

STATES = (("", "All"), ("suggested", "Suggested"), ("active", "Active"), ("dismissed", "Dismissed"))

KINDS = (
    ("equal", "Each finds the others"),
    ("one_way", "The first finds the others, not the reverse"),
)

DONE = {
    "active": "They count from the next search on.",
    "dismissed": "Dismissed; they will not be suggested again.",
}


@SECTION.page("/synonyms")
def synonyms(visit: Visit) -> Response:
    """Newest first, of one state or all."""
    page = visit.api.get("/v1/search/synonyms", state=visit.asked("state"), cursor=visit.asked("cursor"), limit=50)
    changed = next((one for one in page["data"] if one["id"] == visit.typed("id", visit.asked("id"))), None)
    waiting = visit.api.get("/v1/search/synonyms", state="suggested", limit=100)
    return visit.show(
        "search/synonyms.html",
        title="Synonyms",
        page=page,
        states=STATES,
        kinds=KINDS,
        changed=changed,
        waiting=len(waiting["data"]),
        more_wait=bool(waiting["next_cursor"]),
    )


@SECTION.action("/synonyms/keep", again=synonyms)
def keep(visit: Visit) -> Done:
    """Add synonyms, or change those with an id."""
    body = {"kind": visit.typed("kind"), "terms": [term for term in map(str.strip, _lines(visit)) if term]}
    if visit.typed("id"):
        body["id"] = visit.typed("id")
    visit.api.send("PUT", "/v1/search/synonyms", body)
    return Done(SECTION.home, "They count from the next search on.")


@SECTION.action("/synonyms/decide")
def decide(visit: Visit) -> Done:
    """Accept or dismiss what is suggested, or take an active one out of use."""
    state = visit.typed("state")
    body = {
        "id": visit.typed("id"),
        "kind": visit.typed("kind"),
        "terms": visit.ticked("term"),
        "state": state,
    }
    visit.api.send("PUT", "/v1/search/synonyms", body)
    return Done(visit.typed("back", SECTION.home), DONE.get(state, "Kept."))


@SECTION.action("/synonyms/forget")
def forget(visit: Visit) -> Done:
    """Take synonyms back for good."""
    visit.api.delete("/v1/search/synonyms", id=visit.typed("id"))
    return Done(visit.typed("back", SECTION.home), "They are gone, from the next search on.")


def _lines(visit: Visit) -> list[str]:
    return visit.typed("terms").replace(",", "\n").splitlines()
