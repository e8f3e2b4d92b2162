"""The pages that a furnished shop can show, by a name for their pictures."""

from tests.web.admin.furnished import PARAMETER
from web.admin.sections import SECTIONS

KNOWN = frozenset(
    {"order_id", "dispute_id", "delivery_id", "reconciliation_id", "proof_id", "job_id", "name", "key"}
    | {"quarantine_id", "replay_id", "alert_id"}
)
"""What the furnished shop has, by the parts of addresses."""

PAGES = [
    (f"{section.name} {page.name}".lower().replace(" ", "-").replace("'", ""), page.path)
    for section in SECTIONS
    for page in section.pages
    if set(PARAMETER.findall(page.path)) <= KNOWN and not page.path.endswith(".pdf")
]
