"""Disputes: a customer's bank takes a payment back, or asks about it, until it has decided."""

from copy import deepcopy

from devstack.stand_ins.stripe import disputing
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import StripeError, no_such
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.resources import files
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

TEXT_MOST, TEXTS_MOST = 20_000, 150_000  # characters of one field, and of all together (docs.stripe.com/api/disputes)


def retrieve(account: Account, params: Params, dispute_id: str) -> Json:
    params.close()
    return account.store.get("dispute", dispute_id, param="dispute")


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    params.close()
    found = [
        dispute
        for dispute in account.store.all("dispute")
        if first <= dispute["created"] <= last
        and charge_id in {None, dispute["charge"]}
        and intent_id in {None, dispute["payment_intent"]}
    ]
    return page(found, window, "/v1/disputes", "dispute")


def update(account: Account, params: Params, dispute_id: str) -> Json:
    """Lay evidence over what there is; it goes to the bank unless `submit` is false."""
    dispute = account.store.get("dispute", dispute_id, param="dispute")
    evidence, submit = _read_evidence(account, params, dispute), params.flag("submit")
    params.metadata()
    params.close()
    before = deepcopy(dispute)
    dispute["metadata"] = merged(dispute["metadata"], params)
    if evidence and dispute["status"] not in disputing.ANSWERED:
        message = "This dispute has been answered or decided; its evidence cannot change any more."
        raise StripeError(message)
    dispute["evidence"] |= evidence
    dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"].values())
    if submit is False or not (submit or evidence):
        if dispute != before:
            emit(account, "charge.dispute.updated", dispute, before)
    else:
        disputing.submit(account, dispute)
    return dispute


def close(account: Account, params: Params, dispute_id: str) -> Json:
    """Accept the dispute: the money stays with the customer."""
    dispute = account.store.get("dispute", dispute_id, param="dispute")
    params.close()
    return disputing.move(account, dispute, "warning_closed" if "warning" in dispute["status"] else "lost")


def _read_evidence(account: Account, params: Params, dispute: Json) -> Json:
    section = params.section("evidence")
    if section is None:
        return {}
    given = {name: section.text(name, clearable=True) for name in disputing.FILES}
    for name, file_id in given.items():
        if file_id:
            _check_file(account, file_id, f"evidence[{name}]")
    given |= {name: section.text(name, most=TEXT_MOST, clearable=True) for name in disputing.TEXTS}
    evidence = {name: value or None for name, value in given.items() if value is not None}
    together = dispute["evidence"] | evidence
    written = sum(len(together[name] or "") for name in disputing.TEXTS)
    if written > TEXTS_MOST:
        message = f"The combined character count of all evidence fields is limited to {TEXTS_MOST}."
        raise StripeError(message, param="evidence")
    return evidence


def _check_file(account: Account, file_id: str, param: str) -> None:
    known = account.store.find("file", file_id)
    if known is None:
        raise no_such("file upload", file_id, param=param, status=400)
    if known["purpose"] != files.EVIDENCE:
        message = f"The file {file_id} was uploaded as {known['purpose']}; it must be {files.EVIDENCE}."
        raise StripeError(message, param=param)


ROUTES = (
    Route("GET", "/v1/disputes", "dispute", list_all, in_list=True),
    Route("GET", "/v1/disputes/<dispute_id>", "dispute", retrieve),
    Route("POST", "/v1/disputes/<dispute_id>", "dispute", update),
    Route("POST", "/v1/disputes/<dispute_id>/close", "dispute", close),
)
