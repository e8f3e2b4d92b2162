"""`expand[]`: puts the object in the place of its id, on a copy that goes out."""

from copy import deepcopy
from typing import Any, cast

from devstack.stand_ins.stripe.errors import ParameterError
from devstack.stand_ins.stripe.store import Store
from devstack.stand_ins.stripe.wire import Json

DEPTH_MAX = 4  # docs.stripe.com/expand
KIND_OF_ID = {
    "cus": "customer",
    "pm": "payment_method",
    "pi": "payment_intent",
    "seti": "setup_intent",
    "ch": "charge",
    "re": "refund",
    "txn": "balance_transaction",
    "du": "dispute",
    "po": "payout",
    "file": "file",
}
EVIDENCE_FILES = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation", "receipt",
    "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip
# What may be expanded, and the kinds that then stand there.
EXPANDABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "customer": {"invoice_settings.default_payment_method": ("payment_method",)},
    "payment_method": {"customer": ("customer",)},
    "payment_intent": {
        "customer": ("customer",),
        "payment_method": ("payment_method",),
        "latest_charge": ("charge",),
    },
    "setup_intent": {"customer": ("customer",), "payment_method": ("payment_method",)},
    "charge": {
        "customer": ("customer",),
        "payment_intent": ("payment_intent",),
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
        "refunds": ("refund",),
    },
    "refund": {
        "charge": ("charge",),
        "payment_intent": ("payment_intent",),
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
    },
    "dispute": {
        "charge": ("charge",),
        "payment_intent": ("payment_intent",),
        **{f"evidence.{name}": ("file",) for name in EVIDENCE_FILES},
    },
    "payout": {
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
    },
    "balance_transaction": {"source": ("charge", "refund", "dispute", "payout")},
}


def check_paths(kind: str, paths: list[str], *, in_list: bool) -> None:
    """Refuse, before any work, a path that cannot be expanded on an answer of this kind."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH_MAX:
            raise ParameterError(f"You cannot expand more than {DEPTH_MAX} levels of a property.", param="expand")
        if in_list and steps[0] != "data":
            raise ParameterError(f"This property cannot be expanded ({path}).", param="expand")
        _check((kind,), steps[1:] if in_list else steps, path)


def expand(store: Store, answer: Json, paths: list[str]) -> Json:
    """Return a copy of `answer` with each path (`latest_charge.balance_transaction`) expanded."""
    copy = deepcopy(answer)
    for path in paths:
        _expand(store, copy, path.split("."))
    return copy


def _check(kinds: tuple[str, ...], steps: list[str], path: str) -> None:
    if not steps:
        return
    for kind in kinds:
        name, rest = _property(kind, steps)
        if name is not None:
            _check(EXPANDABLE[kind][name], rest[1:] if rest[:1] == ["data"] else rest, path)
            return
    raise ParameterError(f"This property cannot be expanded ({path}).", param="expand")


def _expand(store: Store, target: Any, steps: list[str]) -> None:
    if isinstance(target, list):
        for entry in cast("list[Any]", target):
            _expand(store, entry, steps)
    elif isinstance(target, dict) and steps:
        owner = cast("Json", target)
        if steps[0] == "data":
            _expand(store, owner["data"], steps[1:])
            return
        name, rest = _property(owner["object"], steps)
        if name is not None:
            _expand(store, _put_in_place(store, owner, name), rest)


def _property(kind: str, steps: list[str]) -> tuple[str | None, list[str]]:
    for length in (1, 2):
        name = ".".join(steps[:length])
        if name in EXPANDABLE.get(kind, {}):
            return name, steps[length:]
    return None, []


def _put_in_place(store: Store, owner: Json, name: str) -> Any:
    *outer, last = name.split(".")
    holder = owner
    for step in outer:
        holder = holder[step]
    wanted = holder.get(last)
    if last == "refunds":
        holder[last] = wanted or _refunds(store, owner)
    elif isinstance(wanted, str):
        holder[last] = deepcopy(store.find(KIND_OF_ID[wanted.split("_", 1)[0]], wanted)) or wanted
    return holder.get(last)


def _refunds(store: Store, charge: Json) -> Json:
    data = [deepcopy(refund) for refund in reversed(store.all("refund")) if refund["charge"] == charge["id"]]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/charges/{charge['id']}/refunds"}
