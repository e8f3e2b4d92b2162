"""Charts are well-formed drawings that say what they show."""

from xml.etree import ElementTree as ET

from shop.charts import Bar, columns, rows, spark

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> list[tuple[float, float]]:
    """Top and height of each column."""
    return [(float(box.get("y", 0)), float(box.get("height", 0))) for box in ET.fromstring(svg).iter(f"{SVG}rect")]


def test_columns_stand_on_one_line_and_negative_ones_hang_from_it() -> None:
    up, down, half = boxes(columns([Bar("a", 100), Bar("b", -50), Bar("c", 50)], title="t"))
    assert round(up[0] + up[1], 1) == round(half[0] + half[1], 1) == round(down[0], 1)
    assert round(up[1] / half[1], 1) == 2.0


def test_names_from_outside_cannot_become_markup() -> None:
    hostile = '<script>alert("1")</script> & more'
    for svg in (columns([Bar(hostile, 1, hostile)], title=hostile), rows([Bar(hostile, 1, hostile)], title=hostile)):
        picture = ET.fromstring(svg)
        assert picture.get("aria-label") == hostile
        assert not list(picture.iter(f"{SVG}script"))


def test_a_chart_of_nothing_is_still_a_picture() -> None:
    for svg in (columns([], title="t"), rows([], title="t"), spark([], title="t"), columns([Bar("a", 0)], title="t")):
        assert ET.fromstring(svg).get("role") == "img"


def test_a_line_goes_through_all_its_points() -> None:
    [line] = ET.fromstring(spark([1, 3, 2], title="t")).iter(f"{SVG}polyline")
    assert len((line.get("points") or "").split()) == 3
