"""Card numbers are known wherever they stand, and what merely looks like one is let through."""

import uuid

import pytest

from shop.cards import holds_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242 12/29 123",
        "my card: 5555555555554444, thanks",
        "378282246310005",
        "3782 822463 10005",
        "card_4242424242424242",
        "2223003122003222",
        "6011111111111117",
        "30569309025904",
        "3566002020360505",
        "6200000000000005",
        '{"n": 4000056655665556}',
    ],
)
def test_a_card_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242424242424241",  # its check digit is wrong
        "+49 170 1234 5678",
        "004917012345678",
        "1764000000000",  # a time in milliseconds
        "1764000000000000000",  # and in nanoseconds
        "4006381333931",  # an article number
        "a4242424242424242",
        "ord_01m84mz429nzn57wne9sa65jkt",
    ],
)
def test_other_digits_are_let_through(text: str) -> None:
    assert not holds_card_number(text)


def test_no_uuid_is_taken_for_a_card() -> None:
    numeric = "41111111-1111-4111-8111-411111111111"
    assert not any(holds_card_number(str(uuid.uuid4())) for _ in range(20_000))
    assert not holds_card_number(numeric[:-1] + "a")
