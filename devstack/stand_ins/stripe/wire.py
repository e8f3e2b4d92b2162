"""How Stripe's API writes things: nested form fields in, indented JSON out."""

import json
import re
from typing import Any, cast
from urllib.parse import parse_qsl

from devstack.stand_ins.stripe.errors import ParameterError

Json = dict[str, Any]

KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
# A card number: 13 to 19 digits whose first digits are those of a card scheme (times in milliseconds start with 1).
CARD_DIGITS = re.compile(r"^(?:[3-6]\d|2[2-7])\d{11,17}$")
RAW_CARD_REFUSED = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that "
    "map to the test card you are using, see https://stripe.com/docs/testing."
)


def decode(form: str) -> Json:
    """Turn `a[b][0]=x&a[b][1]=y` into `{"a": {"b": ["x", "y"]}}`; all leaves stay text."""
    tree: Json = {}
    for key, value in parse_qsl(form, keep_blank_values=True):
        found = KEY.match(key)
        if found is None:
            raise ParameterError(f"Invalid parameter name: {key}", param=key)
        steps = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        _refuse_card_number(steps, value)
        _plant(tree, steps, value)
    return {name: branch if name == "metadata" else _with_lists(branch, name) for name, branch in tree.items()}


def encode(answer: Json) -> bytes:
    """Write an answer or an event the way Stripe does, indented."""
    return json.dumps(answer, indent=2, ensure_ascii=False).encode()


def _plant(tree: Json, steps: list[str], value: str) -> None:
    branch = tree
    for step in steps[:-1]:
        below = branch.setdefault(step or str(len(branch)), {})
        if not isinstance(below, dict):
            raise ParameterError("Invalid object", param=steps[0])
        branch = cast("Json", below)
    branch[steps[-1] or str(len(branch))] = value


def _with_lists(branch: Any, param: str) -> Any:
    if not isinstance(branch, dict):
        return branch
    entries = cast("Json", branch)
    below = {key: _with_lists(value, f"{param}[{key}]") for key, value in entries.items()}
    if not below or not all(key.isdigit() for key in below):
        return below
    if sorted(int(key) for key in below) != list(range(len(below))):
        raise ParameterError("Array keys must be numeric and sequential starting from 0.", param=param)
    return [below[str(place)] for place in range(len(below))]


def _refuse_card_number(steps: list[str], value: str) -> None:
    digits = re.sub(r"[ -]", "", value)
    named = steps[-1] == "number" and any(step.startswith("card") for step in steps)
    if named or (steps[-1] != "phone" and CARD_DIGITS.match(digits) and _checks(digits)):
        raise ParameterError(RAW_CARD_REFUSED, status=402)


def _checks(digits: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(doubled)) % 10 == 0
