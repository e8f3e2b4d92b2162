"""Rows from files: each line by itself, none of them able to spoil the rest."""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator

import pytest

from shop.search.catalogue.product import BadRow, read_product
from shop.search.catalogue.reading import LONGEST_LINE, BrokenFile, read_csv, read_ndjson


def test_gzip_is_read_as_if_it_were_plain() -> None:
    plain = b'{"id": "1"}\n\n{"id": "2"}'
    expected = [(1, {"id": "1"}), (3, {"id": "2"})]
    assert list(read_ndjson(io.BytesIO(plain))) == expected
    assert list(read_ndjson(io.BytesIO(gzip.compress(plain)))) == expected


def test_a_broken_line_is_told_with_its_number_and_the_next_ones_are_read() -> None:
    lines = [b"{oops", b"[1]", b'{"id": "\xff"}', b"x" * (LONGEST_LINE + 5), b'{"id": "5"}']
    rows = dict(read_ndjson(io.BytesIO(b"\n".join(lines))))
    assert {number: str(row) for number, row in rows.items() if isinstance(row, BadRow)} == {
        1: "not JSON",
        2: "not a JSON object",
        3: "not UTF-8",
        4: f"the line is longer than {LONGEST_LINE} bytes",
    }
    assert rows[5] == {"id": "5"}


def test_a_file_is_read_as_far_as_rows_are_taken() -> None:
    class Pipe(io.RawIOBase):
        """An endless file."""

        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            line = b'{"id": "x"}\n' * (len(buffer) // 12)
            buffer[: len(line)] = line
            self.given += len(line)
            return len(line)

    pipe = Pipe()
    rows: Iterator[object] = iter(read_ndjson(io.BufferedReader(pipe)))  # type: ignore[arg-type]
    assert next(rows) == (1, {"id": "x"})
    assert pipe.given < 100_000


def test_csv_columns_of_another_shop_become_ours() -> None:
    file = io.BytesIO("\ufeffSKU 1,Titel,Farbe,Preis\n7,Stuhl,rot,12.99\n8,Tisch,,\n".encode())
    mapping = {"id": "SKU 1", "name": "Titel", "attributes.color": "Farbe", "price": "Preis"}
    rows = list(read_csv(file, mapping, prices="major"))
    assert rows == [
        (2, {"id": "7", "name": "Stuhl", "attributes": {"color": "rot"}, "price": "1299"}),
        (3, {"id": "8", "name": "Tisch"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_head_tells_how_columns_are_parted(delimiter: str) -> None:
    lines = ["id,name,price", "1,Stuhl,5"]
    file = io.BytesIO("\n".join(lines).replace(",", delimiter).encode())
    assert list(read_csv(file, {})) == [(2, {"id": "1", "name": "Stuhl", "price": "5"})]


def test_major_prices_follow_the_currency() -> None:
    file = io.BytesIO(b"id,name,price,currency\n1,a,500,jpy\n2,b,1.234,kwd\n3,c,1.234,eur\n")
    rows = [row for _, row in read_csv(file, {}, prices="major")]
    assert [row["price"] for row in rows if not isinstance(row, BadRow)] == ["500", "1234", "123.4"]


def test_a_mapped_column_that_is_missing_stops_before_the_first_row() -> None:
    with pytest.raises(BadRow, match="no column 'Preis'"):
        next(read_csv(io.BytesIO(b"id,name\n1,a\n"), {"id": "id", "price": "Preis"}))


def test_columns_named_as_ours_need_no_mapping_beside_those_that_do() -> None:
    file = io.BytesIO(b"id,Title,stock,attributes.color,Internal\n1,Stuhl,5,rot,x\n")
    assert list(read_csv(file, {"name": "Title"})) == [
        (2, {"id": "1", "name": "Stuhl", "stock": "5", "attributes": {"color": "rot"}})
    ]


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[:-20], lambda whole: whole[:60] + b"damaged" + whole[67:]],
    ids=["cut off", "damaged"],
)
def test_a_gzip_file_that_is_cut_off_or_damaged_says_so(damage: Callable[[bytes], bytes]) -> None:
    lines = [b'{"id": "%d", "name": "%s"}' % (number, hashlib.sha256(b"%d" % number).hexdigest().encode())
             for number in range(1000)]  # fmt: skip
    with pytest.raises(BrokenFile, match=r"cut off or damaged after line \d+"):
        list(read_ndjson(io.BytesIO(damage(gzip.compress(b"\n".join(lines))))))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"name": "x"}, "id is missing"),
        ({"id": "1", "name": " "}, "name is missing"),
        ({"id": "1", "name": "x", "price": 12.99}, "price must be a whole number of minor units"),
        ({"id": "1", "name": "x", "price": -1}, "price must be between 0 and"),
        ({"id": "1", "name": "x", "price": "NaN"}, "price must be a number"),
        ({"id": "1", "name": "x", "price": True}, "price must be a number"),
        ({"id": "1", "name": "x", "price": 1, "currency": "euro"}, "currency must be three letters"),
        ({"id": "1", "name": "x", "stock": 2**31}, "stock must be between"),
        ({"id": "1", "name": "x", "rating": 6}, "rating must be between 0 and 5"),
        ({"id": "1", "name": "x", "attributes": [1]}, "attributes must be an object"),
        ({"id": "1", "name": "x", "active": "maybe"}, "active must be true or false"),
        ({"id": "1", "name": "x", "colour": "red"}, "unknown field 'colour'"),
        ({"id": "i" * 129, "name": "x"}, "id is longer than 128 characters"),
    ],
)
def test_a_row_that_is_no_product_says_why(row: dict[str, object], reason: str) -> None:
    with pytest.raises(BadRow, match=reason):
        read_product(row, currency="eur")


def test_what_a_row_leaves_out_is_not_made_up() -> None:
    product = read_product({"id": 7, "name": "Stuhl\0", "category": ["Home", "Chairs"]}, currency="eur")
    assert (product.id, product.name, product.category) == ("7", "Stuhl", "Home > Chairs")
    assert (product.price, product.currency, product.stock, product.active) == (None, None, None, True)
