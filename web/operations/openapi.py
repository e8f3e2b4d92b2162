"""The OpenAPI 3.1 document, made of the same declarations that route, guard and check the requests."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shop.errors import NotFound, NotYet, Rejected, ShopError
from shop.operations.idempotency import KeyInFlight, KeyRequired, KeyReused
from web.access import Forbidden, Unauthorized
from web.models import Out
from web.problems import Invalid, MalformedJson, RateLimited, TooLarge, UnsupportedMediaType
from web.routes import JSON, Content, Group, Route

PROBLEM = "application/problem+json"
REF = "#/components/schemas/{model}"

Mode = Literal["validation", "serialization"]
Schemas = dict[tuple[Any, Mode], dict[str, Any]]

WORDS = {
    200: "As it stands",
    201: "Done",
    202: "Accepted: a job does the rest; `Location` is where its outcome will be",
    204: "Done, nothing to say",
    503: "Not usable",
}

ABOUT = """\
Payments, AI search and analytics of an online shop behind one API.

Requests and answers are JSON in UTF-8; times are RFC 3339 in UTC; amounts are whole minor units of the currency
beside them. Every refusal is a problem (RFC 9457) with a `code` that does not change. Whatever needs an outside
service is done by a job: the answer is 202 with `Location`, or, with `Prefer: wait=N`, the settled outcome.
Routes that make something ask for an `Idempotency-Key`; a repeat with the same key gets the first answer again.
"""


class ErrorItem(Out):
    pointer: str
    detail: str


class Problem(Out):
    """RFC 9457. `code` is the word to program against; `errors` names each wrong field by JSON pointer."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[ErrorItem] | None = None


def document(groups: Iterable[Group], public_url: str) -> dict[str, Any]:
    """The whole contract as OpenAPI 3.1."""
    groups = tuple(groups)
    routes = [route for group in groups for route in group.routes]
    schemas, components = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Backroom", "version": "1", "description": ABOUT},
        "servers": [{"url": public_url}],
        "tags": [{"name": group.name, "description": group.about} for group in groups if group.routes],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "From the Auth service; `roles` holds customer, support, admin or service.",
                }
            },
        },
    }


def errors_of(route: Route) -> list[type[ShopError]]:
    """Every kind of no that this route can answer, its own last."""
    kinds: list[type[ShopError]] = []
    if route.who.identity != "none":
        kinds.append(Unauthorized)
    if route.who.roles:
        kinds.append(Forbidden)
    if route.parameters:
        kinds.append(NotFound)
    if route.method in {"POST", "PUT", "PATCH"}:
        kinds += [MalformedJson, TooLarge, UnsupportedMediaType]
    if route.keyed:
        kinds += [KeyRequired, KeyReused, KeyInFlight]
    kinds.append(Invalid)
    if route.limit.count:
        kinds.append(RateLimited)
    return [*kinds, *(kind for kind in route.errors if kind not in kinds)]


def status_of(kind: type[ShopError]) -> int:
    return kind.status if issubclass(kind, Rejected) else 503


def _schemas(routes: list[Route]) -> tuple[Schemas, dict[str, Any]]:
    wanted: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization")]
    for route in routes:
        wanted.extend((model, "validation") for model in (route.body, route.query) if model is not None)
        wanted.extend((model, "serialization") for content in route.answers.values() for model in _models(content))
    schemas, definitions = models_json_schema(list(dict.fromkeys(wanted)), ref_template=REF)
    return schemas, definitions.get("$defs", {})


def _operation(route: Route, schemas: Schemas, components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "tags": [route.group],
        "summary": route.summary,
        "x-access": route.who.words,
        "parameters": [*_path_parameters(route), *_query_parameters(route, schemas, components), *_headers(route)],
        "responses": _responses(route, schemas),
        "security": _security(route),
    }
    if route.about:
        operation["description"] = route.about
    if route.body is not None or route.raw:
        operation["requestBody"] = _request_body(route, schemas)
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in route.parameters
    ]


def _query_parameters(route: Route, schemas: Schemas, components: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    model = components[schemas[route.query, "validation"]["$ref"].rpartition("/")[2]]
    required = model.get("required", [])
    parameters: list[dict[str, Any]] = []
    for name, schema in model.get("properties", {}).items():
        shape = _never_null(schema)
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in required, "schema": shape}
        if "description" in schema:
            parameter["description"] = schema["description"]
        parameters.append(parameter)
    return parameters


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    # A query string has no null: what is not there is left out.
    parts = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if not parts:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    return {**(parts[0] if len(parts) == 1 else {"anyOf": parts}), **rest}


def _headers(route: Route) -> list[dict[str, Any]]:
    headers: list[dict[str, Any]] = []
    if route.keyed:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~]([ -~]*[!-~])?$"}
        headers.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    if route.waits:
        wish = {"type": "string", "examples": ["wait=10"]}
        headers.append({"name": "Prefer", "in": "header", "required": False, "schema": wish})
    if route.who.identity in {"optional", "some"}:
        visitor = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"}
        headers.append({"name": "X-Visitor-Id", "in": "header", "required": False, "schema": visitor})
    return headers


def _request_body(route: Route, schemas: Schemas) -> dict[str, Any]:
    if route.body is None:
        return {"required": True, "content": {kind: {} for kind in route.accepts}}
    schema = schemas[route.body, "validation"]
    needed = any(field.is_required() for field in route.body.model_fields.values())
    # A media type beside JSON carries the same things in another form (one object a line).
    content = {kind: {"schema": schema} if kind == JSON else {"schema": {"type": "string"}} for kind in route.accepts}
    return {"required": needed, "content": content}


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, content in route.answers.items():
        response: dict[str, Any] = {"description": WORDS.get(status, "The answer")}
        if kinds := _content(content, schemas):
            response["content"] = kinds
        if status == 202:
            response["headers"] = {"Location": {"schema": {"type": "string"}}}
        responses[str(status)] = response
    for kind in [*errors_of(route), NotYet]:
        _add_error(responses, kind, schemas)
    return responses


def _add_error(responses: dict[str, Any], kind: type[ShopError], schemas: Schemas) -> None:
    response = responses.setdefault(str(status_of(kind)), {"description": "", "content": {}})
    response["content"].setdefault(PROBLEM, {"schema": schemas[Problem, "serialization"]})
    word = f"`{kind.code}`"
    if word not in response["description"]:
        response["description"] = ", ".join(filter(None, (response["description"], word)))


def _content(content: Content, schemas: Schemas) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    for kind in content if isinstance(content, tuple) else (content,):
        if isinstance(kind, str):
            kinds[kind] = {"schema": {}}
        elif kind is not None:
            kinds[JSON] = {"schema": schemas[kind, "serialization"]}
    return kinds


def _models(content: Content) -> list[type[BaseModel]]:
    kinds = content if isinstance(content, tuple) else (content,)
    return [kind for kind in kinds if isinstance(kind, type)]


def _security(route: Route) -> list[dict[str, list[str]]]:
    match route.who.identity:
        case "none":
            return []
        case "optional" | "some":
            return [{}, {"bearer": []}]
        case "token":
            return [{"bearer": []}]
