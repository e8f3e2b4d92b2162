"""Assignment follows the published hash, splits as it was told, and experiments do not lean on one another."""

from typing import Any

import pytest
from scipy.stats import chi2_contingency, chisquare

from shop.analytics.experiments.hashing import Namespace, chosen, fnv1a32, ranges, share, variant_of, within

# The hash cases of version 2 in GrowthBook's own list for authors of SDKs (packages/sdk-js/test/cases.json, `hash`).
PUBLISHED = [
    ("seed", "a", 0.0505),
    ("seed", "b", 0.2696),
    ("foo", "ab", 0.2575),
    ("foo", "def", 0.2019),
    ("89123klj", "8952klfjas09ujkasdf", 0.124),
    ("90850943850283058242805", "123", 0.7516),
    ("()**(%$##$%#$#", '___)((*":&', 0.0128),
]


@pytest.mark.parametrize(("seed", "unit", "number"), PUBLISHED)
def test_the_published_cases_come_out(seed: str, unit: str, number: float) -> None:
    assert share(seed, unit) == number


@pytest.mark.parametrize(
    ("text", "number"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("ab", 0x4D2505CA), ("foobar", 0xBF9CF968)]
)
def test_fnv_is_the_one_of_its_authors(text: str, number: int) -> None:
    """Values of Landon Curt Noll's own test suite (isthe.com/chongo/tech/comp/fnv)."""
    assert fnv1a32(text) == number


# The same list, `getBucketRange`.
@pytest.mark.parametrize(
    ("weights", "coverage", "published"),
    [
        ((0.5, 0.5), 1, [(0, 0.5), (0.5, 1)]),
        ((0.5, 0.5), 0.5, [(0, 0.25), (0.5, 0.75)]),
        ((0.5, 0.5), 0, [(0, 0), (0.5, 0.5)]),
        ((0.25,) * 4, 1, [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]),
        ((0.4, 0.6), 1, [(0, 0.4), (0.4, 1)]),
        ((0.2, 0.3, 0.5), 0.2, [(0, 0.04), (0.2, 0.26), (0.5, 0.6)]),
    ],
)
def test_the_published_ranges_come_out(weights: tuple[float, ...], coverage: float, published: list[object]) -> None:
    assert ranges(weights, coverage) == [pytest.approx(one) for one in published]


# The same list, `inNamespace`.
@pytest.mark.parametrize(
    ("unit", "name", "start", "end", "inside"),
    [
        ("1", "namespace1", 0, 0.4, False),
        ("1", "namespace1", 0.4, 1, True),
        ("1", "namespace2", 0, 0.4, False),
        ("1", "namespace2", 0.4, 1, True),
        ("2", "namespace1", 0, 0.4, False),
        ("2", "namespace1", 0.4, 1, True),
        ("2", "namespace2", 0, 0.4, False),
        ("2", "namespace2", 0.4, 1, True),
        ("3", "namespace1", 0, 0.4, False),
        ("3", "namespace1", 0.4, 1, True),
        ("3", "namespace2", 0, 0.4, True),
    ],
)
def test_the_published_namespaces_come_out(unit: str, name: str, start: float, end: float, inside: bool) -> None:
    assert within(Namespace(name, start, end), unit) is inside


def test_a_number_in_a_gap_of_coverage_is_nobody() -> None:
    half = ranges((0.5, 0.5), 0.5)
    assert [chosen(number, half) for number in (0, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.999)] == [
        0,
        0,
        None,
        None,
        1,
        1,
        None,
        None,
    ]


def test_shares_are_as_they_were_told_and_more_coverage_moves_nobody() -> None:
    weights = (0.2, 0.3, 0.5)

    def draw(coverage: float) -> list[int | None]:
        return [
            variant_of(f"visitor-{n}", seed="one", weights=weights, coverage=coverage, namespace=None)
            for n in range(30_000)
        ]

    few, all_ = draw(0.5), draw(1)
    assert chisquare([all_.count(v) for v in range(3)], [30_000 * w for w in weights]).pvalue > 0.001
    assert all(before in (None, after) for before, after in zip(few, all_, strict=True))


def test_two_experiments_do_not_depend_on_one_another() -> None:
    table = [[0, 0], [0, 0]]
    for n in range(20_000):
        first, second = (share(seed, f"user-{n}") < 0.5 for seed in ("checkout-button", "checkout-colour"))
        table[first][second] += 1
    tested: Any = chi2_contingency(table)
    assert tested.pvalue > 0.001


def test_ranges_of_a_namespace_that_do_not_meet_share_nobody() -> None:
    halves = [Namespace("home", 0, 0.5), Namespace("home", 0.5, 1)]
    both = [[within(half, f"v{n}") for half in halves] for n in range(2_000)]
    assert all(sum(one) == 1 for one in both)
