"""`backroom events`: the account, quarantine and rollups are seen and mended in a terminal."""

import getpass
import json
from functools import partial

import pytest

from clients import event_stream
from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from tests.boot.conftest import Run
from tests.shop.analytics.conftest import batch, event


@pytest.fixture(name="run")
def _run(run: Run) -> Run:
    return partial(run, "events")


def test_what_waits_is_replayed_and_what_differs_repaired_in_a_terminal(db: Database, redis_url: str, run: Run) -> None:
    stream = event_stream.connect(redis_url)
    accept(db, stream, batch([event(product_id="p1"), event(session_id="s" * 90)]))
    ingest(db, stream)
    account = run("account", "--json")
    told = json.loads(account.stdout)
    assert (account.returncode, told["stored"], told["quarantined"], told["balanced"]) == (0, 1, 1, True)
    assert run("replay").returncode == 1, "it is refused again"
    waiting = json.loads(run("quarantine", "--json").stdout)
    assert (waiting["waiting"], waiting["data"][0]["tries"]) == (1, 1)
    with db.transaction() as tx:
        tx.execute("ALTER TABLE events DROP CONSTRAINT events_session_id_check")
        tx.execute("UPDATE event_hours SET events = events + 1")
    assert run("replay").returncode == 0

    assert json.loads(run("recount", "--repair", "--json").stdout)["repaired"] == 1
    with db.transaction() as tx:
        settled = tx.execute("SELECT settled_by FROM quarantined_events").fetchall()
        repaired = tx.execute("SELECT settled_by FROM rollup_differences").fetchall()
    assert settled == repaired == [(getpass.getuser(),)]
    unlinked = run("unlink", "--visitor", "v", "--customer", "c", "--reason", "r")
    assert (unlinked.returncode, "never seen" in unlinked.stderr + unlinked.stdout) == (1, True)
