"""Walks JSON along the annotations of the installed SDK: what Stripe would never send is reported as a fault.

The SDK is generated from Stripe's specification, so its types are the schema of exactly the API version in use.
Nullable and absent are both `Optional` there: only fields that are never null count as required.
"""

import ast
import builtins
import importlib
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

import stripe
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import StripeObject


def faults(answer: Any) -> list[str]:
    """Return what is missing, surplus or wrongly typed in an object (or list of objects) as Stripe sends them."""
    found: list[str] = []
    _walk_top(answer, found)
    return found


def expandable_fields(kind: str) -> dict[str, set[str]]:
    """Return which fields of an object may be expanded, each with the kinds of objects that then stand there."""
    found: dict[str, set[str]] = {}
    for name, annotation in _fields(_class_of(kind)).items():
        choices = get_args(annotation)
        targets = {choice.OBJECT_NAME for choice in choices if hasattr(choice, "OBJECT_NAME")}
        if str in choices and targets:
            found[name] = targets
    return found


def _walk_top(answer: Any, found: list[str]) -> None:
    kind = answer["object"]
    if kind in {"list", "search_result"}:
        required = {"object", "data", "has_more", "url"}
        found.extend(f"{kind}.{key}: missing" for key in sorted(required - answer.keys()))
        found.extend(
            f"{kind}.{key}: surplus" for key in sorted(answer.keys() - required - {"next_page", "total_count"})
        )
        for entry in answer["data"]:
            _walk_top(entry, found)
    elif kind == "event":
        _walk_object(answer, _class_of(kind), kind, found)
        _walk_top(answer["data"]["object"], found)
    else:
        _walk_object(answer, _class_of(kind), kind, found)


def _class_of(kind: str) -> type:
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


def _walk_object(value: Any, cls: type, path: str, found: list[str]) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: {cls.__name__} expected, got {value!r}")
        return
    fields = _fields(cls)
    for name, kind in fields.items():
        if name in value:
            _walk(value[name], kind, f"{path}.{name}", found)
        elif not _optional(kind) and not _is_tombstone(value, name):
            found.append(f"{path}.{name}: missing")
    if cls.__name__ not in {"Metadata", "UntypedStripeObject"} and fields:
        found.extend(f"{path}.{name}: surplus" for name in sorted(value.keys() - fields.keys()))


def _is_tombstone(value: dict[str, Any], name: str) -> bool:
    """A deleted object is its id, its kind and `deleted`; the SDK has one class for it and the living one."""
    return value.get("deleted") is True and name not in {"id", "object"}


def _walk(value: Any, kind: Any, path: str, found: list[str]) -> None:
    if kind is Any:
        return
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        _walk_union(value, get_args(kind), path, found)
    elif origin is Literal:
        if value not in get_args(kind):
            found.append(f"{path}: {value!r} is none of the known values")
    elif origin is list:
        _walk_list(value, get_args(kind)[0], path, found)
    elif origin is dict:
        if not isinstance(value, dict):
            found.append(f"{path}: dict expected, got {value!r}")
    elif isinstance(origin, type) and issubclass(origin, StripeObject):
        if origin.__name__ == "UntypedStripeObject":
            return
        _walk_top(value, found)
    elif isinstance(kind, type) and issubclass(kind, StripeObject):
        _walk_object(value, kind, path, found)
    elif not _is_plain(value, kind):
        found.append(f"{path}: {getattr(kind, '__name__', kind)} expected, got {value!r}")


def _walk_union(value: Any, choices: tuple[Any, ...], path: str, found: list[str]) -> None:
    """Take the branch with the fewest faults; an open enumeration counts as closed, for we invent no values."""
    closed = any(get_origin(choice) is Literal for choice in choices)
    choices = tuple(choice for choice in choices if _is_object(choice) == isinstance(value, dict)) or choices
    tried: list[list[str]] = []
    for choice in choices:
        if closed and choice is str:
            continue
        attempt: list[str] = []
        _walk(value, choice, path, attempt)
        tried.append(attempt)
    found.extend(min(tried, key=len))


def _is_object(kind: Any) -> bool:
    kind = get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, StripeObject | dict)


def _walk_list(value: Any, kind: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, list):
        found.append(f"{path}: list expected, got {value!r}")
        return
    for place, entry in enumerate(value):
        _walk(entry, kind, f"{path}[{place}]", found)


def _is_plain(value: Any, kind: Any) -> bool:
    if kind is type(None):
        return value is None
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)


def _optional(kind: Any) -> bool:
    return type(None) in get_args(kind)


@cache
def _fields(cls: type) -> dict[str, Any]:
    """Return the wire fields of an SDK class with their resolved types."""
    scope = _Scope(cls)
    written = {name: kind for base in reversed(cls.__mro__) for name, kind in inspect.get_annotations(base).items()}
    return {
        name.removesuffix("_") if name == "object_" else name: scope.resolve(kind)
        for name, kind in written.items()
        if not name.startswith("_") and "ClassVar" not in str(kind) and get_origin(kind) is not ClassVar
    }


class _Scope(dict[str, Any]):
    """The names an annotation may use: nested classes, the module, its type-checking imports, the SDK, builtins."""

    def __init__(self, cls: type) -> None:
        super().__init__()
        module = sys.modules[cls.__module__]
        self._module = module
        self._places: tuple[Mapping[str, Any], ...] = (
            vars(cls),
            vars(module),
            vars(stripe),
            vars(typing),
            vars(builtins),
        )

    def __missing__(self, name: str) -> Any:
        if name == "ExpandableField":
            return _ExpandableField
        for place in self._places:
            if name in place:
                return place[name]
        if (origin := _imports_for_types(self._module.__name__).get(name)) is not None:
            module, original = origin
            return getattr(importlib.import_module(module), original)
        return getattr(stripe, name)

    def resolve(self, kind: Any) -> Any:
        if isinstance(kind, typing.ForwardRef):
            kind = kind.__forward_arg__
        if isinstance(kind, str):
            return self.resolve(eval(kind, {}, self))
        if isinstance(kind, _Expandable):
            return Union[str, self.resolve(kind.target)]  # noqa: UP007 - the target is known only now
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Literal or not inner:
            return kind
        resolved = tuple(self.resolve(part) for part in inner)
        if origin in {Union, types.UnionType}:
            return Union[resolved]  # noqa: UP007 - built from a tuple
        return types.GenericAlias(origin, resolved) if isinstance(origin, type) else kind


class _Expandable:
    def __init__(self, target: Any) -> None:
        self.target = target


class _ExpandableField:
    """`ExpandableField[X]` is an id, or an X where the caller asked to expand it."""

    def __class_getitem__(cls, target: Any) -> _Expandable:
        return _Expandable(target)


@cache
def _imports_for_types(module_name: str) -> dict[str, tuple[str, str]]:
    tree = ast.parse(inspect.getsource(importlib.import_module(module_name)))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def error_faults(answer: Any) -> list[str]:
    """Return what an error answer has that Stripe's would not."""
    error = dict(answer["error"])
    found: list[str] = []
    for name in ("payment_intent", "setup_intent", "payment_method"):
        if name in error:
            _walk_top(error.pop(name), found)
    _walk_object(error, stripe.PaymentIntent.LastPaymentError, "error", found)
    return found
