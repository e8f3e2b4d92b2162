"""The process that holds chDB: a line of JSON in is a statement with its parameters, a line out its rows or its error.

Run as a file, so that it needs nothing of the shop, and may be run by another interpreter.
"""

import json
import sys
from typing import Any

MEMORY = 2_000_000_000
"""Bytes a question may take before it writes to disk: beside PostgreSQL on one machine."""


def main(folder: str) -> None:
    # The pandas that chdb would like is of no use here and slow to import.
    from chdb import session  # noqa: PLC0415  # pyright: ignore[reportMissingImports] (an optional extra)

    engine = session.Session(folder)
    engine.query(f"SET max_memory_usage = {2 * MEMORY}, max_bytes_before_external_group_by = {MEMORY}")
    _say(json.loads(str(engine.query("SELECT version()", "JSONCompact")))["data"])
    for line in sys.stdin:
        statement, values = json.loads(line)
        try:
            answer = str(engine.query(statement, "JSONCompact", params=values))
            _say(json.loads(answer)["data"] if answer else [])
        except Exception as error:  # noqa: BLE001 (whatever it is, whoever asked must hear it)
            _say(str(error)[:2000])
    engine.close()


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
