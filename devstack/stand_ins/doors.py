"""The doors every stand-in has beside its real routes: planned faults, the record of requests, a reset."""

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from devstack.stand_ins.faults import BadFaultError, FaultyApp, Plan, read_fault
from devstack.stand_ins.recording import Recorder
from devstack.stand_ins.serving import Served, serve, serving

__all__ = ["Served", "install_doors", "serve", "serving"]


def install_doors(
    app: Flask,
    reset: Callable[[], None],
    error_body: Callable[[int], dict[str, Any]] | None = None,
    *,
    keeps_failures: bool = False,
) -> None:
    """Add `/standin/faults`, `/standin/requests`, `/standin/reset` and `/health/live` to `app`.

    `reset` empties the stand-in's own state. `error_body` gives the JSON of an injected status in the
    dialect of the service. A stand-in that keeps answers under idempotency keys says `keeps_failures` and
    calls `faults.stored_status()` and `faults.sleep_if_planned()` once it holds the key.
    """
    plan, recorder = Plan(), Recorder()
    _add_fault_doors(app, plan, keeps_failures=keeps_failures)
    _add_record_doors(app, plan, recorder, reset)
    body = error_body or _plain_error
    app.wsgi_app = recorder.around(FaultyApp(app.wsgi_app, plan, body, sleeps_inside=keeps_failures))  # pyright: ignore[reportAttributeAccessIssue]


def _add_fault_doors(app: Flask, plan: Plan, *, keeps_failures: bool) -> None:
    def add_fault() -> tuple[Response, int]:
        try:
            fault = read_fault(request.get_json(silent=True), keeps_failures=keeps_failures)
        except BadFaultError as refused:
            return jsonify({"error": str(refused)}), 400
        plan.add(fault)
        return jsonify(fault.as_json()), 201

    def list_faults() -> Response:
        return jsonify({"data": [fault.as_json() for fault in plan.waiting()]})

    def drop_faults() -> tuple[str, int]:
        plan.clear()
        return "", 204

    app.add_url_rule("/standin/faults", "standin_add_fault", add_fault, methods=["POST"])
    app.add_url_rule("/standin/faults", "standin_faults", list_faults, methods=["GET"])
    app.add_url_rule("/standin/faults", "standin_drop_faults", drop_faults, methods=["DELETE"])


def _add_record_doors(app: Flask, plan: Plan, recorder: Recorder, reset: Callable[[], None]) -> None:
    started = time.monotonic()

    def list_requests() -> Response:
        return jsonify({"data": recorder.newest_first()})

    def reset_all() -> tuple[str, int]:
        plan.clear()
        recorder.clear()
        reset()
        return "", 204

    def live() -> Response:
        return jsonify({"status": "ok", "up_s": round(time.monotonic() - started, 3)})

    app.add_url_rule("/standin/requests", "standin_requests", list_requests, methods=["GET"])
    app.add_url_rule("/standin/reset", "standin_reset", reset_all, methods=["POST"])
    app.add_url_rule("/health/live", "health_live", live, methods=["GET"])


def _plain_error(status: int) -> dict[str, Any]:
    return {"error": f"injected status {status}"}
