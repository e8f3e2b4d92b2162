"""Charts are well-formed drawings that say what they show."""

from xml.etree import ElementTree as ET

from shop.charts import Bar, Whisker, balance, columns, lines, rows, spark, whiskers

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
    bar, whisker = Bar(hostile, 1, hostile), Whisker(hostile, 1, 0, 2, hostile)
    for svg in (
        columns([bar], title=hostile),
        rows([bar], title=hostile),
        lines([1, 2], labels=[hostile, ""], title=hostile, top=hostile),
        balance([bar], title=hostile, ends=(0, 1)),
        whiskers([whisker], title=hostile, ends=(hostile, hostile)),
    ):
        picture = ET.fromstring(svg)
        assert picture.get("aria-label") == hostile
        assert not list(picture.iter(f"{SVG}script"))


def test_a_chart_of_nothing_is_still_a_picture() -> None:
    for svg in (
        columns([], title="t"),
        columns([Bar("a", 0)], title="t"),
        rows([], title="t"),
        spark([], title="t"),
        lines([], labels=[], title="t"),
        lines([0], labels=["a"], title="t"),
        balance([], title="t", ends=(0, 0)),
        whiskers([], title="t"),
        whiskers([Whisker("a", 0, None, None)], title="t"),
    ):
        assert ET.fromstring(svg).get("role") == "img"


def test_a_line_goes_through_all_its_points() -> None:
    [line] = ET.fromstring(spark([1, 3, 2], title="t")).iter(f"{SVG}polyline")
    assert len((line.get("points") or "").split()) == 3


def test_what_was_before_stands_behind_on_the_same_scale() -> None:
    now, before = (
        [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
        for line in sorted(
            ET.fromstring(lines([1, 2], [4, 2], labels=["a", "b"], title="t")).iter(f"{SVG}polyline"),
            key=lambda line: line.get("stroke-dasharray") is not None,
        )
    )
    assert now[1] == before[1]
    assert before[0][1] < now[1][1] < now[0][1]


def test_bars_of_several_balances_can_be_compared() -> None:
    ends = (-1.0, 3.0)
    for_it, against = (
        next(ET.fromstring(balance([Bar("a", value)], title="t", ends=ends)).iter(f"{SVG}rect")) for value in (3, -1)
    )
    assert round(float(for_it.get("width", 0)) / float(against.get("width", 1)), 1) == 3.0
    edge = float(against.get("x", 0)) + float(against.get("width", 0))
    assert round(edge, 1) == round(float(for_it.get("x", 0)), 1)


def test_an_interval_that_leaves_out_zero_does_not_touch_its_line() -> None:
    svg = whiskers([Whisker("a", 2, 1, 3, strong=True), Whisker("b", 0, -3, 3)], title="t")
    zero, *rest = [float(line.get("x1", 0)) for line in ET.fromstring(svg).iter(f"{SVG}line")]
    sure, _, _, unsure, *_ = rest
    assert unsure < zero < sure
