"""What the stand-in accepts, held against the SDK: it may know fewer parameters than Stripe, never others."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest
import stripe.params

import devstack.stand_ins.stripe as package

READERS = {"text", "required", "whole", "flag", "choice", "texts", "section", "between", "has"}
RESOURCES = {
    "balance": ("balance",),
    "charges": ("charge_list", "charge_retrieve"),
    "customers": ("customer",),
    "disputes": ("dispute",),
    "events": ("event",),
    "files": ("file",),
    "payment_intents": ("payment_intent",),
    "payment_methods": ("payment_method",),
    "payouts": ("payout",),
    "refunds": ("refund",),
    "setup_intents": ("setup_intent",),
    "webhook_endpoints": ("webhook_endpoint",),
}

NOT_IN_SDK = {"files": {"filename", "content"}}  # of the file in a multipart form: a part's head and body


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_parameter_the_stand_in_reads_is_one_of_stripes(resource: str):
    source = Path(package.__path__[0], "resources", f"{resource}.py")
    read = _names_read(source)
    assert read
    assert read - _names_in_sdk(RESOURCES[resource]) - NOT_IN_SDK.get(resource, {"use_stripe_sdk"}) == set()


def test_all_resources_are_held_against_the_sdk():
    files = {file.stem for file in Path(package.__path__[0], "resources").glob("*.py")} - {"__init__"}
    assert files == RESOURCES.keys()


def _names_read(source: Path) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in READERS
        and call.args
        and isinstance(call.args[0], ast.Constant)
    } | ({"metadata"} if any(_is_metadata(call) for call in calls) else {"limit"})


def _is_metadata(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "metadata"


def _names_in_sdk(prefixes: tuple[str, ...]) -> set[str]:
    """Return the parameters, nested ones too, of all SDK calls whose module begins with one of `prefixes`."""
    names: set[str] = set()
    for module in pkgutil.iter_modules(stripe.params.__path__):
        if module.name.startswith(tuple(f"_{prefix}" for prefix in prefixes)):
            loaded = importlib.import_module(f"stripe.params.{module.name}")
            for value in vars(loaded).values():
                if isinstance(value, type):
                    names |= value.__annotations__.keys() if "__annotations__" in vars(value) else set()
    return names
