"""Learning from clicks: whether it counts, how its trial stands, and logged queries run again to prove a change."""

from flask import Response

from web.admin.inside import at
from web.admin.orders import whole
from web.admin.section import Done, Section, Visit

SECTION = Section("Learning", "/learning", "Search", "admin")

STATES = {
    "off": "Boosts are kept and move nothing.",
    "trial": "Lists with and without boosts take turns; clicks say which is better.",
    "on": "Boosts count for every shopper.",
}

CANDIDATES = (
    ("learned", "What clicks teach"),
    ("synonyms", "The synonyms that searches suggest"),
    ("log", "Answers of then against answers of now"),
)


@SECTION.page("/learning")
def learning(visit: Visit) -> Response:
    """The switch, the trial and the replays, newest first."""
    return visit.show(
        "search/learning.html",
        title="Learning",
        found=visit.api.get("/v1/search/learning"),
        states=STATES,
        candidates=CANDIDATES,
        names=dict(CANDIDATES),
        page=visit.api.get("/v1/search/replays", cursor=visit.asked("cursor"), limit=20),
    )


@SECTION.page("/learning/replays/<replay_id>")
def replay(visit: Visit, replay_id: str) -> Response:
    """One replay: how far it is, what it says, and which queries to look at first."""
    found = visit.api.get(at("/v1/search/replays/{}", replay_id), limit=50)
    return visit.show("search/replay.html", title="Replay", found=found, names=dict(CANDIDATES))


@SECTION.action("/learning/switch", again=learning)
def switch(visit: Visit) -> Done:
    """Off, trial or on."""
    state = visit.typed("state")
    visit.api.send("PUT", "/v1/search/learning", {"state": state})
    return Done(SECTION.home, f"{STATES.get(state, 'Switched.')} From the next search on.")


@SECTION.action("/learning/replays", again=learning)
def begin(visit: Visit) -> Done:
    """Run logged queries again."""
    body = {"candidate": visit.typed("candidate"), "days": whole(visit.typed("days"))}
    made = visit.api.send("POST", "/v1/search/replays", body)
    return Done(
        at("/admin/learning/replays/{}", made["id"]), "The queries are run again; nothing changes for shoppers."
    )
