"""Card numbers are known wherever they stand, and what merely looks like one is let through."""

import uuid

import pytest

from shop.cards import holds_card_number, is_card_number


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
        "card-4242424242424242",
        "4242\\u00a04242\\u00a04242\\u00a04242",  # as JSON may write it
        "4222222222222",  # thirteen digits, as Visa once gave them out
        "4242.4242.4242.4242",
        "4242/4242/4242/4242",
        "4242_4242_4242_4242",
        "3782.822463.10005",
        "3782\u20138224\u20136310\u2013005",  # in fours, though the card itself is not
        "3056.9309.0259.04",
        "4242  4242  4242  4242",
        "4242 - 4242 - 4242 - 4242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "4.2.4.2.4.2.4.2.4.2.4.2.4.2.4.2",
        "4242\n4242\n4242\n4242",
        "4242\u00a04242\u20094242\u202f4242",
        "4242\u20134242\u20134242\u20134242",
        "42\u200b42424242\u200b424242",  # with letters that nobody sees
        "\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12",
        "\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662",
        "4000 0000 0000 0000 006",  # nineteen digits
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
        "4012345678901",  # and one
        "2026-11-23T12:00:00.123456789Z",
        "GA1.2.1234567890.1763900000",
        "192.168.100.101/24 192.168.100.102",
        "1.10.100.1000.10000.100000",
        "1 299,00 2 499,00 12 345,00",
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


def test_a_number_as_a_whole_is_told_from_one_within_a_text() -> None:
    assert is_card_number("4242424242424242")
    assert is_card_number("4242 4242 4242 4242")
    assert not is_card_number("x4242424242424242")
    assert not is_card_number("0.4242424242424242")
    assert not is_card_number("")


def test_a_long_text_of_digits_takes_no_longer_than_it_is_long() -> None:
    assert not holds_card_number("1 " * 200_000)
    assert not holds_card_number("7" * 400_000)
