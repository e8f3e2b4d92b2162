"""Ports of the local stack: the agreed ones, moved, wished for or free; a taken one is named with a way out."""

import socket
from collections.abc import Generator

import pytest

from devstack.addresses import Ports, PortTaken, choose_ports

# Far from the agreed ports, so that a stack running on this machine does not disturb the tests, nor they it.
OFFSET = 21000


@pytest.fixture
def taken() -> Generator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_agreed_ports_are_those_of_the_contract() -> None:
    ports = Ports()
    assert (ports.web, ports.auth, ports.products, ports.carts) == (8000, 8001, 8002, 8003)
    assert (ports.stripe, ports.mail, ports.smtp) == (8010, 8011, 8025)


def test_an_offset_moves_every_port_alike() -> None:
    moved = choose_ports(OFFSET)
    assert {name: port - OFFSET for name, port in vars(moved).items()} == vars(Ports())


def test_a_wish_goes_before_the_offset() -> None:
    assert choose_ports(OFFSET, {"web": 31999}).web == 31999


def test_anywhere_gives_free_ports_that_all_differ() -> None:
    ports = vars(choose_ports(anywhere=True)).values()
    assert len(set(ports)) == len(ports)
    assert min(ports) > 0


def test_a_taken_port_is_named_with_who_wanted_it_and_what_to_do(taken: int) -> None:
    with pytest.raises(PortTaken, match=rf"Port {taken} is in use .* products belongs there.*--port products=\d+"):
        choose_ports(OFFSET, {"products": taken})


def test_two_parts_cannot_share_a_port() -> None:
    with pytest.raises(ValueError, match="auth cannot have port 31999"):
        choose_ports(OFFSET, {"web": 31999, "auth": 31999})


def test_an_unknown_part_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no part called 'shop'; there are web, auth, products"):
        choose_ports(0, {"shop": 1})


def test_the_address_of_a_part_is_on_loopback() -> None:
    assert Ports().url("stripe") == "http://127.0.0.1:8010"
