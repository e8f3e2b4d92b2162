"""Counts beside a list that was cut never contradict what is seen under a filter."""

from shop.search.answering.facets import Facets, Prices, Range, Value, at_least


def test_what_is_chosen_counts_no_less_than_what_is_seen_under_it() -> None:
    wide = Facets([], [Value("Philips", 155), Value("Sony", 160), Value("Bose", 3)], None)
    seen = Facets([Value("Audio", 217)], [Value("philips", 217)], None)
    counted = at_least(wide, seen)
    assert counted.brand == [Value("Philips", 217), Value("Sony", 160), Value("Bose", 3)]
    assert counted.category == [Value("Audio", 217)]


def test_a_value_that_only_the_narrow_list_brought_is_counted_too() -> None:
    counted = at_least(Facets([], [Value("Sony", 4)], None), Facets([], [Value("Elac", 2)], None))
    assert counted.brand == [Value("Sony", 4), Value("Elac", 2)]


def test_a_range_that_holds_all_that_is_seen_has_as_many() -> None:
    wide = Facets([], [], Prices("eur", 100, 9000, 60, (Range(0, 1999, 31), Range(2000, 9000, 29))))
    seen = Facets([], [], Prices("eur", 90, 1500, 170))
    counted = at_least(wide, seen).price
    assert counted is not None
    assert [one.count for one in counted.ranges] == [170, 29]
    assert (counted.min, counted.max) == (90, 9000)
    dollars = Facets([], [], Prices("usd", 90, 1500, 170))
    assert at_least(wide, dollars).price == wide.price
