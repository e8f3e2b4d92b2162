"""The same invoice for machines: EN 16931 as Cross Industry Invoice, in the form that Factur-X puts into a PDF.

What is in it comes from the snapshot alone, so its figures are those of the paper. Sources: EN 16931-1:2017 (terms
BT-…, rules BR-…) and Factur-X 1.0 / ZUGFeRD 2, profile EN 16931.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from shop.documents.language import Language
from shop.documents.rows import Row
from shop.documents.snapshot import Snapshot
from shop.money import decimals
from shop.pages import fill
from shop.pdf import Twin

TEMPLATES = Path(__file__).parent / "templates"

NAME = "factur-x.xml"
"""What Factur-X calls the file, so that accounting programs find it."""

TYPE_CODES = MappingProxyType({"invoice": "380", "credit_note": "381"})
"""UNTDID 1001: commercial invoice, credit note."""

LARGEST_DECIMALS = 2
"""EN 16931 writes amounts with at most two decimals (BR-DEC-…): dinars do not fit."""

EUROPEAN_UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)

STANDARD, ZERO, EXPORT = "S", "Z", "G"
"""UNTDID 5305: taxed, taxed at zero, free because it leaves the Union."""

ABOUT = "EN 16931"


@dataclass(frozen=True, slots=True)
class Sums:
    """Header totals, in minor units: lines, what is added and taken off the document as a whole, and what they make."""

    lines: int
    charges: int
    allowances: int


def twin(snapshot: Snapshot) -> Twin | None:
    """None where the shop has no tax number to state, the currency does not fit, or the document is another kind."""
    seller = snapshot["seller"]
    if snapshot["kind"] not in TYPE_CODES or not seller["registered"]:
        return None
    if decimals(snapshot["currency"]) > LARGEST_DECIMALS:
        return None
    xml = fill(TEMPLATES, "twin.xml", **_values(snapshot))
    description = Language(snapshot["locale"]).say("paper.twin")
    return Twin(NAME, "text/xml", xml.encode(), description, conformance=ABOUT)


def _values(snapshot: Snapshot) -> dict[str, object]:
    currency = snapshot["currency"]
    lines, extras = _sorted(snapshot["lines"])
    charges = [row for row in extras if row["net_minor"] > 0]
    allowances = [row for row in extras if row["net_minor"] < 0]
    sums = Sums(
        lines=sum(row["net_minor"] for row in lines),
        charges=sum(row["net_minor"] for row in charges),
        allowances=-sum(row["net_minor"] for row in allowances),
    )
    countries = {tax["rate"]: tax["country"] for tax in snapshot["taxes"]}
    return {
        "paper": snapshot,
        "seller": snapshot["seller"],
        "tax_id": snapshot["seller"]["tax_id"].replace(" ", ""),
        "street": snapshot["seller"]["street"] or snapshot["seller"]["address"],
        "buyer": snapshot["buyer"],
        "buyer_name": snapshot["buyer"]["name"] or snapshot["buyer"]["email"] or snapshot["buyer"]["customer_id"],
        "buyer_country": _country(snapshot),
        "type_code": TYPE_CODES[snapshot["kind"]],
        "invoices": snapshot.get("invoices", []),
        "taxes": _taxes(snapshot, [*lines, *charges, *allowances]),
        "lines": lines,
        "charges": charges,
        "allowances": allowances,
        "sums": sums,
        "amount": lambda minor: _amount(minor, currency),
        "date": lambda day: str(day).replace("-", ""),
        "category": lambda rate: _category(rate, countries.get(rate, "")),
        "export": Language(snapshot["locale"]).say("paper.export"),
    }


def _sorted(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """What is a line of the invoice, and what is added to or taken off all of it.

    A line has no negative price (BR-27), and an invoice has a line (BR-16): shipping alone becomes one.
    """
    lines = [row for row in rows if row["net_minor"] >= 0 and row["kind"] not in ("shipping", "rest")]
    if not lines:
        lines = [row for row in rows if row["net_minor"] > 0]
    return lines, [row for row in rows if row not in lines and row["net_minor"]]


def _taxes(snapshot: Snapshot, rows: list[Row]) -> list[Mapping[str, object]]:
    """The sums by rate. A rate that some row has and no cent fell to is named too, as the rules ask (BR-S-01, …)."""
    taxes: list[Mapping[str, object]] = list(snapshot["taxes"])
    named = {tax["rate"] for tax in taxes}
    missing = [rate for rate in dict.fromkeys(row["rate"] for row in rows) if rate not in named]
    return taxes + [{"rate": rate, "net_minor": 0, "tax_minor": 0} for rate in missing]


def _country(snapshot: Snapshot) -> str:
    """The buyer's (BT-55), which must be there; who gave none is in the country whose tax was taken."""
    given = snapshot["buyer"]["parts"]["country"].upper()
    if len(given) == 2 and given.isalpha():
        return given
    country: str = snapshot["taxes"][0]["country"]
    return country if country != "ZZ" else snapshot["seller"]["country"]


def _category(rate: str, country: str) -> str:
    if Decimal(rate) > 0:
        return STANDARD
    return EXPORT if len(country) == 2 and country not in EUROPEAN_UNION and country != "ZZ" else ZERO


def _amount(minor: int, currency: str) -> str:
    return f"{Decimal(minor).scaleb(-decimals(currency)):f}"
