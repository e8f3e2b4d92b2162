"""The doors that only this stand-in has: time, 3-D Secure, slow money and its ways back, deliveries, a look inside."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from devstack.stand_ins.stripe import disputing, ledger, paying
from devstack.stand_ins.stripe.account import Account, Cause
from devstack.stand_ins.stripe.cards import card_named
from devstack.stand_ins.stripe.currencies import KNOWN
from devstack.stand_ins.stripe.deliveries import DELAY_S, MODES
from devstack.stand_ins.stripe.errors import StripeError
from devstack.stand_ins.stripe.resources import payouts, refunds, setup_intents
from devstack.stand_ins.stripe.wire import Json

Door = Callable[..., AnyResponse]
OUTCOMES = ("succeed", "fail")
LONGEST_S = 10 * 365 * 24 * 3600  # ten years ahead are enough for any test
MOST_ORDERED = 1000
HIGHEST_RATE = 1_000_000  # dong for a dinar, and room
CHALLENGE_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>3-D Secure (stand-in)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}
button{font:inherit;padding:.5rem 1rem;margin-right:.5rem}</style></head>
<body><h1>Is it you?</h1><p>This page stands in for your bank. No money moves.</p>
<form method="post"><button name="outcome" value="succeed">Complete authentication</button>
<button name="outcome" value="fail">Fail authentication</button></form></body></html>"""


class DoorError(Exception):
    """An order that a door cannot carry out; the text says why."""


def add_doors(app: Flask, account: Account) -> None:
    """Add the doors to the application that serves `account`."""
    doors: tuple[tuple[str, str, Door], ...] = (
        ("POST", "/standin/clock", lambda: _advance(account)),
        ("GET", "/standin/clock", lambda: jsonify({"now": account.clock.now()})),
        ("GET", "/standin/3ds/<intent_id>", lambda intent_id: _challenge_page(account, intent_id)),
        ("POST", "/standin/3ds/<intent_id>", lambda intent_id: _authenticate(account, intent_id)),
        ("POST", "/standin/next-payment", lambda: _order(account, "processing")),
        ("POST", "/standin/payments/<intent_id>", lambda intent_id: _finish_payment(account, intent_id)),
        ("POST", "/standin/next-refund", lambda: _order(account, "pending", "requires_action", "succeeded")),
        ("POST", "/standin/refunds/<refund_id>", lambda refund_id: _finish_refund(account, refund_id)),
        ("POST", "/standin/disputes", lambda: _open_dispute(account)),
        ("POST", "/standin/disputes/<dispute_id>", lambda dispute_id: _move_dispute(account, dispute_id)),
        ("POST", "/standin/payouts/<payout_id>", lambda payout_id: _finish_payout(account, payout_id)),
        ("POST", "/standin/settlement", lambda: _set_settlement(account)),
        ("POST", "/standin/deliveries", lambda: _set_mode(account)),
        ("GET", "/standin/deliveries", lambda: _deliveries(account)),
        ("GET", "/standin/state", lambda: _state(account)),
    )
    for method, path, door in doors:
        app.add_url_rule(path, f"{method} {path}", _locked(account, door), methods=[method])


def _locked(account: Account, door: Door) -> Door:
    def locked(**ids: str) -> AnyResponse:
        try:
            with account.lock:
                account.cause = Cause(base_url=request.host_url.rstrip("/"))
                account.clock.run_due()
                return door(**ids)
        except DoorError as refused:
            return _refused(str(refused), 400)
        except StripeError as refused:
            return _refused(str(refused), refused.status)

    return locked


def _refused(message: str, status: int) -> AnyResponse:
    made = jsonify({"error": message})
    made.status_code = status
    return made


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise DoorError("the body must be a JSON object")
    return cast("Json", body)


def _number(body: Json, name: str, default: float | None, most: float) -> float:
    value = body.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise DoorError(f"{name} must be a number from 0 to {most}")
    return value


def _outcome(body: Json) -> bool:
    if body.get("outcome") not in OUTCOMES:
        raise DoorError("outcome must be succeed or fail")
    return body["outcome"] == "succeed"


def _advance(account: Account) -> Response:
    account.clock.advance(_number(_body(), "advance", None, LONGEST_S))
    account.deliveries.hasten()
    return jsonify({"now": account.clock.now()})


def _challenge_page(account: Account, intent_id: str) -> AnyResponse:
    _intent(account, intent_id)
    return Response(render_template_string(CHALLENGE_PAGE), content_type="text/html; charset=utf-8")


def _authenticate(account: Account, intent_id: str) -> AnyResponse:
    by_browser = not request.is_json
    succeed = _outcome(dict(request.form) if by_browser else _body())
    intent = _intent(account, intent_id)
    finish = (
        paying.finish_authentication if intent["object"] == "payment_intent" else setup_intents.finish_authentication
    )
    finish(account, intent, succeed=succeed)
    return_url = account.store.hidden(intent).get("return_url")
    if by_browser and return_url:
        return redirect(_with_result(return_url, intent, succeed=succeed), 303)
    return jsonify({"id": intent["id"], "status": intent["status"]})


def _with_result(return_url: str, intent: Json, *, succeed: bool) -> str:
    kind = intent["object"]
    result = {kind: intent["id"], f"{kind}_client_secret": intent["client_secret"]}
    result["redirect_status"] = "succeeded" if succeed else "failed"
    return f"{return_url}{'&' if urlsplit(return_url).query else '?'}{urlencode(result)}"


def _intent(account: Account, intent_id: str) -> Json:
    kind = "setup_intent" if intent_id.startswith("seti_") else "payment_intent"
    return account.store.get(kind, intent_id)


def _order(account: Account, *statuses: str) -> Response:
    """Decide what becomes of the next payments or refunds."""
    body = _body()
    if body.get("status") not in statuses:
        raise DoorError(f"status must be one of {', '.join(statuses)}")
    times = int(_number(body, "times", 1, MOST_ORDERED))
    ordered = account.ordered.payments if statuses == ("processing",) else account.ordered.refunds
    ordered.extend([body["status"]] * times)
    return jsonify({"waiting": len(ordered)})


def _finish_payment(account: Account, intent_id: str) -> Response:
    body = _body()
    declined = card_named("pm_card_" + str(body.get("card", "visa_chargeDeclined")))
    if declined is None or declined.decline is None:
        raise DoorError("card must be one of the test cards that are declined")
    decline = None if _outcome(body) else declined.decline
    intent = paying.finish_processing(account, account.store.get("payment_intent", intent_id), decline)
    return jsonify({"id": intent["id"], "status": intent["status"]})


def _finish_refund(account: Account, refund_id: str) -> Response:
    refund = account.store.get("refund", refund_id)
    end = refunds.settle if _outcome(_body()) else refunds.fail
    return jsonify(end(account, refund))


def _open_dispute(account: Account) -> Response:
    body = _body()
    reason = body.get("reason", "fraudulent")
    if reason != disputing.INQUIRY and reason not in disputing.REASONS:
        raise DoorError(f"reason must be {disputing.INQUIRY} or one of {', '.join(disputing.REASONS)}")
    return jsonify(disputing.open_dispute(account, account.store.get("charge", str(body.get("charge"))), reason))


def _move_dispute(account: Account, dispute_id: str) -> Response:
    dispute = account.store.get("dispute", dispute_id)
    return jsonify(disputing.move(account, dispute, str(_body().get("outcome"))))


def _finish_payout(account: Account, payout_id: str) -> Response:
    payout = account.store.get("payout", payout_id)
    end = payouts.arrive if _outcome(_body()) else payouts.fail
    return jsonify(end(account, payout))


def _set_settlement(account: Account) -> Response:
    """Decide in which currency money is booked from now on; null books each charge in its own."""
    body = _body()
    currency = body.get("currency")
    if currency is not None and (not isinstance(currency, str) or currency not in KNOWN):
        raise DoorError("currency must be a lower-case ISO code or null")
    rate = _number(body, "rate", 1, HIGHEST_RATE)
    if not rate:
        raise DoorError("rate must be above 0")
    ledger.settle_in(account, currency, rate)
    return jsonify({"currency": currency, "rate": rate})


def _set_mode(account: Account) -> Response:
    body = _body()
    mode = body.get("mode")
    if mode not in MODES:
        raise DoorError(f"mode must be one of {', '.join(MODES)}")
    events = int(_number(body, "for", 0 if mode == "normal" else 1, MOST_ORDERED))
    account.deliveries.set_mode(mode, events, _number(body, "seconds", DELAY_S, LONGEST_S))
    return jsonify(account.deliveries.mode())


def _deliveries(account: Account) -> Response:
    mode: dict[str, Any] = account.deliveries.mode()
    return jsonify(mode | {"waiting": account.deliveries.waiting(), "data": account.deliveries.attempts()})


def _state(account: Account) -> Response:
    objects = {kind: account.store.all(kind)[::-1] for kind in account.store.kinds()}
    return jsonify(
        {
            "now": account.clock.now(),
            "api_version": account.api_version,
            "counts": {kind: len(found) for kind, found in objects.items()},
            "objects": objects,
            "deliveries": account.deliveries.mode() | {"waiting": account.deliveries.waiting()},
        }
    )
