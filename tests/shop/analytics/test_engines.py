"""The proof that engines agree, small: `python -m bench.proofs engines --histories 5000` is the large one."""

from collections.abc import Generator

import pytest

from bench.proofs import engines
from db.database import Database
from shop.ports.columns import ColumnEngine, ColumnsUnavailable


def test_the_tables_of_postgres_and_a_naive_judge_agree_on_funnels_ways_and_retention(db: Database) -> None:
    told = engines.prove(db, None, 400, seed=7)
    assert told.wrong == [], str(told)
    assert told.comparisons > 40


@pytest.fixture(name="columns", scope="module")
def _columns() -> Generator[ColumnEngine]:
    python = engines.interpreter()
    if python is None:
        pytest.skip("chDB is not installed: pip install chdb, or name an interpreter that has it in COLUMNS_PYTHON")
    with engines.engine(python) as opened:
        yield opened


def test_clickhouse_agrees_too(db: Database, columns: ColumnEngine) -> None:
    told = engines.prove(db, columns, 100, seed=8)
    assert told.wrong == [], str(told)
    assert "ClickHouse" in told.engines


def test_what_the_second_engine_refuses_is_said_in_its_words(columns: ColumnEngine) -> None:
    with pytest.raises(ColumnsUnavailable, match="UNKNOWN_TABLE"):
        columns.ask("SELECT * FROM no_such_table", {})
    assert columns.ask("SELECT {odd:String}", {"odd": "it's \\ a\ttab\nand {braces}"}) == [
        ["it's \\ a\ttab\nand {braces}"]
    ]
