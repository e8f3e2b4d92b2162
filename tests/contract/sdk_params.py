"""Holds a request against the parameter types of the installed SDK: what Stripe would not understand is a fault.

Which types belong to which path is read from the SDK's own services, so nothing here has to be kept in step with it.
Enumerations are open there (`Literal[...] | str`) and count as closed here: we send no value that nobody has named.
"""

import ast
import importlib
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import stripe
import typing_extensions
from stripe._request_options import RequestOptions
from stripe._stripe_context import StripeContext

from devstack.stand_ins.stripe.wire import decode

PARAMS_NAME = re.compile(r"\w+Params")
PART_NAME = re.compile(r'name="([^"]+)"(; filename="[^"]*")?')
CALLER_ONLY = frozenset(RequestOptions.__annotations__)  # how the SDK is to ask, never sent as parameters


@dataclass(frozen=True)
class Endpoint:
    """A method and path of the API, and the module and class of its parameters; None takes none."""

    method: str
    path: str
    params: str | None

    def matches(self, method: str, path: str) -> bool:
        return self.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self.path), path) is not None


def request_faults(sent: Mapping[str, Any]) -> list[str]:
    """Return what is missing, surplus or wrongly typed in a request as a stand-in's `/standin/requests` tells it."""
    fitting = [known for known in endpoints() if known.matches(sent["method"], sent["path"])]
    if not fitting:
        return [f"{sent['method']} {sent['path']}: the SDK knows no such endpoint"]
    endpoint = min(fitting, key=lambda known: known.path.count("{"))
    given = parameters(sent)
    if endpoint.params is None:
        return [f"{name}: surplus, {endpoint.path} takes nothing" for name in given]
    found: list[str] = []
    _walk_dict(given, _class(endpoint.params), "", found)
    return found


def parameters(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as a tree of texts; a file of a multipart form is the text `file`."""
    if sent["method"] != "POST":
        return decode(sent["query"])
    kind = sent["headers"].get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return decode(sent["body"])
    parts = sent["body"].split("--" + kind.split("boundary=")[1])[1:-1]
    named = [(PART_NAME.search(part), part.split("\r\n\r\n", 1)[-1].removesuffix("\r\n")) for part in parts]
    return {found[1]: "file" if found[2] else text for found, text in named if found}


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Return every endpoint that the SDK's services call."""
    folder = Path(stripe.__path__[0])
    return tuple(endpoint for file in sorted(folder.glob("_*_service.py")) for endpoint in _endpoints_of(file))


def _endpoints_of(file: Path) -> list[Endpoint]:
    found: list[Endpoint] = []
    for method in ast.walk(ast.parse(file.read_text())):
        if not isinstance(method, ast.FunctionDef):
            continue
        wanted = [argument.annotation for argument in method.args.args if argument.arg == "params"]
        named = PARAMS_NAME.search(ast.unparse(wanted[0])) if wanted and wanted[0] else None
        for call in ast.walk(method):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "self._request":
                verb, path = ast.literal_eval(call.args[0]), _path(call.args[1])
                found.append(Endpoint(verb.upper(), path, named[0] if named else None))
    return found


def _path(written: ast.expr) -> str:
    if isinstance(written, ast.Call) and isinstance(written.func, ast.Attribute):
        written = written.func.value  # "/v1/customers/{customer}".format(...)
    return ast.literal_eval(written)


@cache
def _class(name: str) -> type:
    return getattr(importlib.import_module("stripe.params"), name)


@cache
def _fields(cls: type) -> dict[str, Any]:
    scope = {**vars(typing), **vars(typing_extensions), "StripeContext": StripeContext}
    hints = typing.get_type_hints(cls, localns=scope)
    return {name: kind for name, kind in hints.items() if name not in CALLER_ONLY}


def _walk_dict(value: Any, cls: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: an object expected, got {value!r}")
        return
    given = typing.cast("dict[str, Any]", value)
    fields = _fields(cls)
    missing = sorted((cls.__required_keys__ & fields.keys()) - given.keys())
    found.extend(f"{_below(path, name)}: missing" for name in missing)
    for name, below in given.items():
        if name in fields:
            _walk(below, fields[name], _below(path, name), found)
        else:
            found.append(f"{_below(path, name)}: surplus")


def _below(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _walk(value: Any, kind: Any, path: str, found: list[str]) -> None:
    origin = get_origin(kind)
    if kind is Any:
        return
    if origin in {Union, types.UnionType}:
        _walk_union(value, get_args(kind), path, found)
    elif origin is Literal:
        if value not in get_args(kind):
            found.append(f"{path}: {value!r} is none of the known values")
    elif origin is list:
        if not isinstance(value, list):
            found.append(f"{path}: a list expected, got {value!r}")
            return
        for place, entry in enumerate(typing.cast("list[Any]", value)):
            _walk(entry, get_args(kind)[0], f"{path}[{place}]", found)
    elif origin is dict:
        if not isinstance(value, dict):
            found.append(f"{path}: an object expected, got {value!r}")
    elif hasattr(kind, "__required_keys__"):
        _walk_dict(value, kind, path, found)
    elif not _is_plain(value, kind):
        found.append(f"{path}: {getattr(kind, '__name__', kind)} expected, got {value!r}")


def _walk_union(value: Any, choices: tuple[Any, ...], path: str, found: list[str]) -> None:
    closed = any(get_origin(choice) is Literal and get_args(choice) != ("",) for choice in choices)
    tried: list[list[str]] = []
    for choice in choices:
        if choice is type(None) or (closed and choice is str):
            continue
        attempt: list[str] = []
        _walk(value, choice, path, attempt)
        tried.append(attempt)
    found.extend(min(tried, key=len))


def _is_plain(value: Any, kind: Any) -> bool:
    if not isinstance(value, str):
        return False
    if kind is int:
        return re.fullmatch(r"-?\d+", value) is not None
    if kind is bool:
        return value in {"true", "false"}
    if kind is float:
        return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
    return kind is str
