"""Payouts: what Stripe transferred to the shop's bank, and whether it adds up."""

from flask import Response

from web.admin.section import Section, Visit

SECTION = Section("Payouts", "/payouts", "Money", role="admin")

STATES = (("", "All"), ("paid", "Paid"), ("in_transit", "On the way"), ("pending", "Pending"), ("failed", "Failed"))


@SECTION.page("/payouts")
def payouts(visit: Visit) -> Response:
    """Newest first."""
    page = visit.api.get("/v1/payouts", status=visit.asked("status"), cursor=visit.asked("cursor"), limit=50)
    return visit.show("payouts.html", title="Payouts", page=page, states=STATES)
