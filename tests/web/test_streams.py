"""Server-sent events: what is new arrives, and a reader who leaves gives the seat back."""

import json
import time
from collections.abc import Callable

import requests

from boot.services import connect
from boot.settings import Settings
from tests.web import toyshop
from tests.web.serving import Serve
from web.app import create_app


def test_events_come_one_by_one_until_the_source_ends(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(), name="test")
    toyshop.GATE.clear()
    answer = create_app(services, [toyshop.group()]).test_client().get("/toys/stream", buffered=False)
    assert answer.content_type.startswith("text/event-stream")
    chunks = answer.iter_encoded()
    assert next(chunks) == b"retry: 2000\n\n"
    first, second = next(chunks).decode(), next(chunks).decode()
    assert first == 'id: 1\nevent: count\ndata: {"count":1}\n\n'
    assert json.loads(second.splitlines()[2].removeprefix("data: ")) == {"count": 2}
    toyshop.GATE.set()
    assert len(list(chunks)) == 1
    services.db.close()


def _refused(url: str) -> bool:
    """Whether a further reader is told to come later; asked a few times, since a busy machine seats people slowly."""
    for _ in range(20):
        with requests.get(f"{url}/toys/stream", stream=True, timeout=10) as further:
            if further.status_code == 503:
                return further.json()["code"] == "too_many_streams"
        time.sleep(0.25)
    return False


def test_who_leaves_gives_the_seat_back(settings_with: Callable[..., Settings], serve: Serve) -> None:
    # Two threads, so one seat: a second reader is told to come later, until the first has gone.
    server = serve("tests.web.toy_wsgi:app", workers=1, threads=2)
    with requests.get(f"{server.url}/toys/stream", stream=True, timeout=10) as reader:
        assert next(reader.iter_content(64))
        assert _refused(server.url), "two readers on one seat"
    for _ in range(40):
        with requests.get(f"{server.url}/toys/stream", stream=True, timeout=10) as again:
            if again.status_code == 200:
                break
        time.sleep(0.25)
    else:
        raise AssertionError("the seat was never given back")
