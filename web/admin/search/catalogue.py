"""How the catalogue stands: what words find, what meaning finds, which model answers, and how it follows Product."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Catalogue", "/catalogue", "Search")


@SECTION.page("/catalogue")
def catalogue(visit: Visit) -> Response:
    """Products, words, models and pulls."""
    return visit.show("search/catalogue.html", title="Catalogue", found=visit.api.get("/v1/catalog/state"))


@SECTION.action("/catalogue/sync", role="admin")
def sync(visit: Visit) -> Done:
    """Pull every product from the Product service."""
    job = visit.api.send("POST", "/v1/catalog/sync")
    if job["state"] == "done":
        return Done(SECTION.home, "Every product was pulled.")
    return Done(at("/admin/jobs/{}", job["id"]), "The products are being pulled; this page says how far it is.")
