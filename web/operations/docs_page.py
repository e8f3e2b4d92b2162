"""The OpenAPI document turned into what the documentation page shows: chapters, operations, fields, errors."""

import json
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from shop.errors import NotYet, Rejected, ShopError
from web.operations.openapi import PROBLEM, status_of

DEPTH = 4
"""Levels of nested fields that are shown: an order has three; more is not read but looked up."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One line of a table of fields; `path` is how deep it lies (`lines[].total`)."""

    path: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    status: str
    about: str
    kinds: str
    fields: list[FieldView]


@dataclass(frozen=True, slots=True)
class OperationView:
    id: str
    method: str
    path: str
    summary: str
    about: list[str]
    access: str
    parameters: list[FieldView]
    body: list[FieldView]
    answers: list[AnswerView]
    refusals: list[tuple[str, list[str]]]
    example: str


@dataclass(frozen=True, slots=True)
class ChapterView:
    id: str
    name: str
    about: str
    operations: list[OperationView]


@dataclass(frozen=True, slots=True)
class ErrorView:
    code: str
    status: int
    about: str


@dataclass(frozen=True, slots=True)
class PageView:
    title: str
    about: list[str]
    chapters: list[ChapterView]
    errors: list[ErrorView]


def page(document: dict[str, Any]) -> PageView:
    """What the template shows of this document."""
    reader = _Reader(document)
    return PageView(
        title=document["info"]["title"],
        about=_paragraphs(document["info"]["description"]),
        chapters=[
            ChapterView(_slug(tag["name"]), tag["name"], tag["description"], list(reader.operations(tag["name"])))
            for tag in document["tags"]
        ],
        errors=known_errors(),
    )


def known_errors() -> list[ErrorView]:
    """Every code that the loaded code can answer, by name; the words are the docstring of its class."""
    found = {
        kind.code: ErrorView(kind.code, status_of(kind), " ".join((kind.__doc__ or "").split()))
        for kind in _below(Rejected, NotYet)
    }
    own = {
        "internal_error": ErrorView("internal_error", 500, "A fault of ours. It is logged under the request id."),
        "database_unavailable": ErrorView("database_unavailable", 503, "The database does not answer at the moment."),
        "method_not_allowed": ErrorView("method_not_allowed", 405, "The path exists, but not with this verb."),
    }
    return [view for _, view in sorted((found | own).items())]


class _Reader:
    """Looks things up in one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._server = document["servers"][0]["url"]

    def operations(self, tag: str) -> Generator[OperationView]:
        for path, methods in self._document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield self._operation(method.upper(), path, operation)

    def _operation(self, method: str, path: str, operation: dict[str, Any]) -> OperationView:
        responses = operation["responses"].items()
        return OperationView(
            id=operation["operationId"],
            method=method,
            path=path,
            summary=operation["summary"],
            about=_paragraphs(operation.get("description", "")),
            access=operation["x-access"],
            parameters=[self._parameter(parameter) for parameter in operation["parameters"]],
            body=self._body(operation.get("requestBody")),
            answers=[self._answer(status, response) for status, response in responses if _says_yes(response)],
            refusals=[
                (status, _codes(response)) for status, response in responses if PROBLEM in response.get("content", {})
            ],
            example=self._example(method, path, operation),
        )

    def _parameter(self, parameter: dict[str, Any]) -> FieldView:
        schema = parameter["schema"]
        about = " ".join(filter(None, (parameter.get("description", ""), _limits(schema))))
        name = parameter["name"] if parameter["in"] == "query" else f"{parameter['name']} ({parameter['in']})"
        return FieldView(name, self._kind(schema), parameter["required"], about)

    def _body(self, body: dict[str, Any] | None) -> list[FieldView]:
        if body is None:
            return []
        schema = body["content"].get("application/json", {}).get("schema")
        return list(self._fields(schema, "", DEPTH)) if schema else []

    def _answer(self, status: str, response: dict[str, Any]) -> AnswerView:
        content = {kind: value for kind, value in response.get("content", {}).items() if kind != PROBLEM}
        schema = content.get("application/json", {}).get("schema")
        about = response["description"].split(", `")[0].replace("`", "")
        return AnswerView(status, about, ", ".join(content), list(self._fields(schema, "", DEPTH)) if schema else [])

    def _fields(self, schema: dict[str, Any], prefix: str, depth: int) -> Generator[FieldView]:
        schema = self._found(schema)
        if schema.get("type") == "array":
            yield from self._fields(schema["items"], f"{prefix}[]", depth)
            return
        for name, given in schema.get("properties", {}).items():
            path = f"{prefix}.{name}" if prefix else name
            about = " ".join(filter(None, (given.get("description", ""), _limits(given))))
            yield FieldView(path, self._kind(given), name in schema.get("required", []), about)
            if depth > 1:
                yield from self._fields(_thing(given), path, depth - 1)

    def _kind(self, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            return self._kind(self._found(schema))
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(self._kind(part) for part in schema["anyOf"]))
        if "enum" in schema:
            return " | ".join(str(value) for value in schema["enum"])
        if "const" in schema:
            return json.dumps(schema["const"])
        if schema.get("type") == "array":
            return f"list of {self._kind(schema.get('items', {}))}"
        return str(schema.get("format") or schema.get("type") or "any")

    def _found(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        return self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]

    def _example(self, method: str, path: str, operation: dict[str, Any]) -> str:
        lines = [f"curl {'' if method == 'GET' else f'-X {method} '}{self._server}{path}"]
        if {"bearer": []} in operation["security"]:
            lines.append('-H "Authorization: Bearer $TOKEN"')
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"]):
            lines.append('-H "Idempotency-Key: $(uuidgen)"')
        if any(parameter["name"] == "Prefer" for parameter in operation["parameters"]):
            lines.append('-H "Prefer: wait=10"')
        if "requestBody" in operation:
            lines += [f'-H "Content-Type: {next(iter(operation["requestBody"]["content"]))}"', "--data @body"]
        return " \\\n  ".join(lines)


def _below(*kinds: type[ShopError]) -> Generator[type[ShopError]]:
    for kind in kinds:
        yield from _below(*kind.__subclasses__())
        if "code" in vars(kind) and kind is not Rejected:
            yield kind


def _thing(schema: dict[str, Any]) -> dict[str, Any]:
    """Of `X or null`, the X."""
    parts: Iterable[dict[str, Any]] = schema.get("anyOf", ())
    return next((part for part in parts if part.get("type") != "null"), schema)


def _says_yes(response: dict[str, Any]) -> bool:
    return "content" not in response or any(kind != PROBLEM for kind in response["content"])


def _codes(response: dict[str, Any]) -> list[str]:
    return [part.strip("`") for part in response["description"].split(", ") if part.startswith("`")]


def _limits(schema: dict[str, Any]) -> str:
    schema = _thing(schema)
    words = {
        "default": "default {}",
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minItems": "at least {} items",
        "maxItems": "at most {} items",
        "pattern": "matches {}",
    }
    said = [words[name].format(schema[name]) for name in words if schema.get(name) is not None]
    return "; ".join(said) + "." if said else ""


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
