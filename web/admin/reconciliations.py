"""Our books beside Stripe's: comparisons, their differences, and what people decide about each."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Reconciliation", "/reconciliations", "Money", role="admin")

SHOWN = 200
"""Differences of a kind (explained or not) on one page; the API lists them all."""

ACTIONS = (
    ("accept", "Accept: it is so, and money is booked to corrections"),
    ("take_over", "Take over what Stripe says"),
    ("force", "Take over, even by a step only people may take"),
)


@SECTION.page("/reconciliations")
def reconciliations(visit: Visit) -> Response:
    """Comparisons, newest first, and the form for another."""
    page = visit.api.get("/v1/reconciliations", cursor=visit.asked("cursor"), limit=50)
    return visit.show("reconciliations.html", title="Reconciliation", page=page)


@SECTION.page("/reconciliations/<reconciliation_id>")
def reconciliation(visit: Visit, reconciliation_id: str, number: str = "") -> Response:
    """One comparison; `number` is the difference whose decision was refused just now."""
    found = visit.api.get(at("/v1/reconciliations/{}", reconciliation_id))
    differences = found["differences"]
    return visit.show(
        "reconciliation.html",
        title="Reconciliation",
        found=found,
        unexplained=[one for one in differences if one["explanation"] is None],
        explained=[one for one in differences if one["explanation"] is not None],
        shown=SHOWN,
        actions=ACTIONS,
        refused_number=number,
    )


@SECTION.action("/reconciliations", again=reconciliations)
def compare(visit: Visit) -> Done:
    """Compare now."""
    made = visit.api.send("POST", "/v1/reconciliations", {"dry_run": visit.typed("dry_run") == "yes"})
    words = "Compared." if made["state"] == "done" else "The comparison runs; this page shows when it is done."
    return Done(at("/admin/reconciliations/{}", made["id"]), words)


@SECTION.action("/reconciliations/<reconciliation_id>/differences/<number>", again=reconciliation)
def resolve(visit: Visit, reconciliation_id: str, number: str) -> Done:
    """Decide about one difference."""
    path = at("/v1/reconciliations/{}/differences/{}/resolve", reconciliation_id, number)
    body = {"action": visit.typed("decision"), "reason": visit.typed("reason")}
    answer = visit.api.send("POST", path, body)
    to = at("/admin/reconciliations/{}", reconciliation_id)
    if answer["state"] == "failed":
        return Done(to, f"That was refused: {answer['error']['detail']}.", "problem")
    if body["action"] == "accept":
        return Done(to, "Accepted. The next comparison knows it.")
    return Done(to, "Stripe's state is taken over; compare again to see it.")
