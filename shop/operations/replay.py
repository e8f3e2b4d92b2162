"""The short way to a repeated request's answer: a memory that may forget. What it does not know, PostgreSQL does.

Only whoever gave the first answer writes here, after it was committed, so that no late repeat can put an older answer
over a newer one. The name holds the body's fingerprint: another body under the same key finds nothing here, and the
database refuses it.
"""

import hashlib
import json

from shop.operations.idempotency import Kept, Keyed
from shop.ports.answers import Answers


def recall(answers: Answers, keyed: Keyed) -> Kept | None:
    """The first answer if it is remembered."""
    found = answers.find(_name(keyed))
    if found is None:
        return None
    head, _, body = found.partition(b"\n")
    status, headers = json.loads(head)
    return Kept(status, headers, body)


def remember(answers: Answers, keyed: Keyed, kept: Kept) -> None:
    """Call it after the commit, with the answer that went out."""
    head = json.dumps([kept.status, kept.headers]).encode()
    answers.keep(_name(keyed), head + b"\n" + kept.body)


def _name(keyed: Keyed) -> str:
    parts = [keyed.caller.encode(), keyed.route.encode(), keyed.key.encode(), keyed.fingerprint]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()
