"""The OpenAPI 3.1 description, generated from what the components declare."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from types import ModuleType
from typing import Any, cast

import msgspec
from msgspec.inspect import DictType, ListType, Metadata, StructType, VarTupleType, type_info

from headwater.kernel.component import (
    PLATFORM_ENVELOPE,
    Access,
    Component,
    Components,
    DescribedEnvelope,
    Endpoint,
    FromCookie,
    FromHeader,
)
from headwater.kernel.errors import Refusal
from headwater.kernel.models import RawRequest

Schema = dict[str, Any]

_PLATFORM = "headwater.platform."
_WRITING = frozenset({"POST", "PUT", "PATCH"})
_UNSPOKEN = frozenset({"QUERY"})
"""Methods for which a path of OpenAPI 3.1 has no word; 3.2 has."""
_STRUCTURED = (DictType, ListType, StructType, VarTupleType)
_RAISES = re.compile(r"\bRaises\s")
_BODILESS = frozenset({204, 302, 303, 304})
_REFERENCE = "#/components/schemas/{name}"
_ERROR: Schema = {
    "type": "object",
    "description": "Why not: a code for programs, a sentence for people.",
    "required": ["error", "message", "statusCode"],
    "properties": {
        "error": {"type": "string"},
        "message": {"type": "string"},
        "statusCode": {"type": "integer"},
        "nextActions": {"type": "string"},
    },
}
_SECURITY_SCHEMES: Schema = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A user's access token, the anon key (`anon_…`) or an API key (`ik_…`).",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "An API key (`ik_…`): the admin."},
}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.ANYONE: [],
    Access.CALLER: [{"bearer": []}, {"apiKey": []}],
    Access.USER: [{"bearer": []}],
    Access.ADMIN: [{"bearer": []}, {"apiKey": []}],
}
_NEEDS: dict[Access, str] = {
    Access.ANYONE: "Open to anyone.",
    Access.CALLER: "Needs a key or a token.",
    Access.USER: "Needs a signed-in user's token.",
    Access.ADMIN: "Needs an admin's credentials.",
}


def describe(components: Components, version: str) -> Schema:
    """Every endpoint of the components as an OpenAPI 3.1 document, ready to be encoded as JSON.

    Bodies and results are JSON Schema (draft 2020-12) of the very structs that requests are decoded into.
    Source: the OpenAPI Specification 3.1.1.
    """
    served = [each for each in _served(components) if each[2].method not in _UNSPOKEN]
    schemas, definitions = _schemas([endpoint for _, _, endpoint in served])
    paths: dict[str, Schema] = {}
    names: set[str] = set()
    for component, path, endpoint in served:
        operation = _operation(component, path, endpoint, schemas, definitions)
        operation["operationId"] = _unique(endpoint.name, names)
        paths.setdefault(path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headwater",
            "version": version,
            "summary": "A self-hosted, real-time application backend.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": component.name, "description": _about(component)} for component in components],
        "paths": paths,
        "components": {
            "schemas": {**definitions, "Error": _ERROR},
            "securitySchemes": _SECURITY_SCHEMES,
            "responses": {"Error": _error_response("The request was refused.")},
        },
    }


def _served(components: Components) -> Iterator[tuple[Component, str, Endpoint]]:
    """Each endpoint with the path it is always served at; an app's is under its own name."""
    for component in components:
        prefix = "" if component.package.startswith(_PLATFORM) else f"/apps/{component.name}"
        for endpoint in component.endpoints:
            yield component, prefix + endpoint.path, endpoint


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[dict[int, Schema], dict[str, Schema]]:
    """The schema of every body and result by the identity of its type, and the definitions they refer to."""
    types: dict[int, object] = {}
    for endpoint in endpoints:
        for kind in (endpoint.body, endpoint.result):
            if kind is not None and kind is not RawRequest:
                types[id(kind)] = kind
    schemas, definitions = msgspec.json.schema_components(
        types.values(), schema_hook=lambda _: {"description": "Any JSON value."}, ref_template=_REFERENCE
    )
    return dict(zip(types, schemas, strict=True)), definitions


def _operation(
    component: Component,
    path: str,
    endpoint: Endpoint,
    schemas: Mapping[int, Schema],
    definitions: Mapping[str, Schema],
) -> Schema:
    summary, rest = _told(endpoint)
    needs = "Needs an admin's credentials from other machines." if endpoint.local_only else _NEEDS[endpoint.access]
    operation: Schema = {
        "tags": [component.name],
        "summary": summary,
        "description": f"{rest}\n\n{needs}".strip(),
        "security": _SECURITY[endpoint.access],
    }
    parameters, body = _inputs(path, endpoint, schemas, definitions)
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = body
    operation["responses"] = _responses(endpoint, schemas)
    return operation


def _told(endpoint: Endpoint) -> tuple[str, str]:
    """An operation's first sentence, and what else it promises; what it raises is named for readers of the code."""
    promise = _RAISES.split(inspect.getdoc(endpoint.operation) or endpoint.name)[0]
    first, rest = (*re.split(r"\.(?=\s|$)", promise.strip(), maxsplit=1), "")[:2]
    return " ".join(first.split()), rest.strip()


def _inputs(
    path: str, endpoint: Endpoint, schemas: Mapping[int, Schema], definitions: Mapping[str, Schema]
) -> tuple[list[Schema], Schema | None]:
    """What an endpoint takes: parameters of path, query, headers and cookies, and the body that is left."""
    in_path = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
    if endpoint.body is None or endpoint.body is RawRequest:
        parameters = [_parameter(name, "path", {"type": "string"}, required=True) for name in in_path]
        raw = endpoint.body is RawRequest and endpoint.method in _WRITING
        return parameters, _request_body({}, required=False) if raw else None
    shape = type_info(endpoint.body)
    schema = schemas[id(endpoint.body)]
    if not isinstance(shape, StructType):
        return [], _request_body(schema, required=True)
    definition = definitions[schema["$ref"].rpartition("/")[2]]
    required: list[str] = definition.get("required", [])
    parameters: list[Schema] = []
    left: dict[str, Schema] = {}
    for field in shape.fields:
        name, place = _place(field.encode_name, field.type, endpoint, in_path)
        described = definition["properties"][field.encode_name]
        if place == "body":
            left[name] = described
        elif place != "nowhere":
            parameters.append(
                _parameter(name, place, described, required=place == "path" or field.encode_name in required)
            )
    if not left:
        return parameters, None
    if not parameters and len(left) == len(definition["properties"]):
        return parameters, _request_body(schema, required=bool(required))
    wanted = [name for name in required if name in left]
    body: Schema = {"type": "object", "properties": left, "required": wanted}
    return parameters, _request_body(body, required=bool(wanted))


def _place(name: str, kind: msgspec.inspect.Type, endpoint: Endpoint, in_path: Sequence[str]) -> tuple[str, str]:
    """Under which name, and where, callers write a field; what the server fills, or every request bears, nowhere."""
    if name in in_path:
        return name, "path"
    match endpoint.inputs.get(name):
        case FromHeader(name="host"):
            return name, "nowhere"
        case FromHeader(name=header):
            return header, "header"
        case FromCookie(name=cookie):
            return cookie, "cookie"
        case None:
            return name, "query" if _is_by_query(kind, endpoint.method) else "body"
        case _:
            return name, "nowhere"


def _is_by_query(kind: msgspec.inspect.Type, method: str) -> bool:
    """Whether a field is written in the query string: where there is no body, or as it is marked."""
    if isinstance(kind, Metadata):
        marks = cast("Mapping[str, object]", kind.extra or {})  # pyright: ignore[reportUnknownMemberType]
        return marks.get("in") == "query" or _is_by_query(kind.type, method)
    return method not in _WRITING and not (method == "DELETE" and isinstance(kind, _STRUCTURED))


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> Schema:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _request_body(schema: Schema, *, required: bool) -> Schema:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _responses(endpoint: Endpoint, schemas: Mapping[int, Schema]) -> Schema:
    success: Schema = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.status not in _BODILESS:
        schema = {} if endpoint.result is None else schemas[id(endpoint.result)]
        if isinstance(endpoint.envelope, DescribedEnvelope):
            schema = endpoint.envelope.describe(schema)
        success["content"] = {media_type: {"schema": schema} for media_type in endpoint.media_types}
    ours = endpoint.envelope is PLATFORM_ENVELOPE
    refusal = {"$ref": "#/components/responses/Error"} if ours else {"description": "The request was refused."}
    part = {"206": success | {"description": HTTPStatus.PARTIAL_CONTENT.phrase}} if endpoint.partial else {}
    return {str(endpoint.status): success, **part, "default": refusal}


def _error_response(description: str) -> Schema:
    reference = {"$ref": _REFERENCE.format(name="Error")}
    return {"description": description, "content": {"application/json": {"schema": reference}}}


def _about(component: Component) -> str:
    """What a component is for, and every refusal of its own."""
    about = component.card
    refusals = [] if component.errors is None else list(_refusals(component.errors))
    listed = "\n".join(f"- `{refusal.code}` ({refusal.status}): {refusal.__doc__}" for refusal in refusals)
    return f"{about}\n\nRefusals:\n\n{listed}" if listed else about


def _refusals(module: ModuleType) -> Iterator[type[Refusal]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Refusal) and value.__module__.startswith(module.__name__):
            yield value


def _unique(name: str, taken: set[str]) -> str:
    """The name, or the name with a number where several endpoints share an operation."""
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}.{number}"
    taken.add(unique)
    return unique
