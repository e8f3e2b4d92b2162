"""Who comes back: cohorts by week, darker where more of them do."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from web.admin.section import Section, Visit

SECTION = Section("Retention", "/retention", "Analytics")

WHO = (("visitor", "Visitors, by visits"), ("customer", "Customers, by paid orders"))

WEEKS = ((8, "8 weeks"), (12, "12 weeks"), (26, "26 weeks"))

SHADES = (0.0, 0.02, 0.08, 0.2, 0.5)
"""Rates above which a cell is one shade darker: shops see a few per cent come back, so low rates have most shades."""


@SECTION.page("/retention")
def retention(visit: Visit) -> Response:
    """The newest cohort last, as time goes."""
    weeks = visit.asked("weeks", "12")
    found = visit.api.get("/v1/analytics/retention", by=visit.asked("by"), weeks=weeks)
    return visit.show(
        "analytics/retention.html",
        title="Retention",
        found=found,
        who=WHO,
        lengths=WEEKS,
        weeks=weeks,
        shades=[[_shade(cell["rate"]) for cell in cohort["cells"]] for cohort in found["data"]],
        means=_by_week(found["means"]),
        longest=max((len(cohort["cells"]) for cohort in found["data"]), default=0),
    )


def _shade(rate: float) -> int:
    return sum(rate > least for least in SHADES)


def _by_week(means: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    return {one["week"]: one for one in means}
