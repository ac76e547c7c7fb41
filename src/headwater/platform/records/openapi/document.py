"""Our own description of the tables: OpenAPI 3.1, with JSON Schemas of rows as they are told and written."""

from collections.abc import Iterator

import msgspec

from headwater.kernel.catalog import Argument, Column, Function, Relation
from headwater.platform.records.openapi.reach import About, Reach, Schema, Verb
from headwater.platform.records.openapi.values import ABSENT, json_type, plain_default

_FILTER = "`operator.value`, such as `eq.1`, `gte.2026-01-01`, `in.(a,b)` or `not.is.null`."
_PARAMETERS: Schema = {
    "select": {"name": "select", "in": "query", "description": "Which columns and related rows are told."},
    "columns": {"name": "columns", "in": "query", "description": "Which members of the body are written."},
    "on_conflict": {"name": "on_conflict", "in": "query", "description": "The columns by which an upsert finds rows."},
    "order": {"name": "order", "in": "query", "description": "Such as `name.desc.nullslast,id`, `count()`."},
    "prefer": {"name": "Prefer", "in": "header", "description": "Such as `return=representation` or `count=exact`."},
    "and": {"name": "and", "in": "query", "description": "Conditions that all hold: `(a.eq.1,b.gt.2)`."},
    "or": {"name": "or", "in": "query", "description": "Conditions of which one holds: `(a.eq.1,b.gt.2)`."},
}
_BEYOND: Schema = {
    "by": {"name": "by", "in": "query", "description": "`(key)`: each row of the body changes the row of this key."},
    "nested": {
        "name": "nested",
        "in": "query",
        "description": "`(relation(relation),name:relation!hint)`: rows of others that the rows of the body carry.",
    },
    "distinct": {
        "name": "distinct",
        "in": "query",
        "description": "`(*)`: what is told alike only once; `(a,b)`: the first row with each value of these columns.",
    },
    "having": {"name": "having", "in": "query", "description": "Conditions on groups: `(count().gt.1,a.sum().lt.9)`."},
}
"""A column of the same name has its filter there instead."""
_NUMBERS: Schema = {
    name: {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}} for name in ("limit", "offset")
}
_TAKEN = frozenset({*_PARAMETERS, *_NUMBERS, "schema"}) - {"prefer"}
_ERROR: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "details": {},
        "hint": {"type": ["string", "null"]},
    },
}
_SECURITY: Schema = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A user's access token, or a key."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
_REFUSED = {"$ref": "#/components/responses/Refused"}
_FILTERED: frozenset[Verb] = frozenset({"get", "patch", "delete"})
_NO_CONTENT: Schema = {"description": "Done; with `return=representation` the rows are told with 200."}
_encoder = msgspec.json.Encoder()


def write_document(reach: Reach, about: About) -> bytes:
    """The OpenAPI 3.1 document of a schema, as JSON.

    Written piece by piece, so that whoever calls it in a thread leaves the loop its turns. Source: the OpenAPI
    Specification 3.1.1.
    """
    paths: dict[str, object] = {}
    schemas: dict[str, object] = {"Error": _ERROR}
    profile = _profile(reach)
    spoken = _PARAMETERS | _BEYOND
    parameters: dict[str, object] = {n: {**told, "schema": {"type": "string"}} for n, told in spoken.items()}
    for relation, verbs in reach.relations:
        parameters |= {name: _encoded(parameter) for name, parameter in _filters(relation)}
        paths[f"/records/{_braceless(relation.name)}"] = _encoded(_path(relation, verbs, profile))
        schemas |= {name: _encoded(schema) for name, schema in _shapes(relation, reach)}
    for name, overloads in reach.functions.items():
        paths[f"/rpc/{_braceless(name)}"] = _encoded(_call(overloads, profile, reach))
    title, _, description = (reach.comment or f"Rows of the schema {reach.schema}").partition("\n")
    return _encoder.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": title, "description": description.strip(), "version": about.version},
            "servers": [{"url": about.url}],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "parameters": parameters | _NUMBERS,
                "responses": {"Refused": _refused()},
                "securitySchemes": _SECURITY,
            },
            "security": [{"bearer": []}, {"apiKey": []}],
        }
    )


def _profile(reach: Reach) -> list[Schema]:
    """What a request must say to be about this schema; nothing for the first."""
    if reach.is_first:
        return []
    return [{"name": "schema", "in": "query", "required": True, "schema": {"const": reach.schema}}]


def _path(relation: Relation, verbs: tuple[Verb, ...], profile: list[Schema]) -> Schema:
    """The methods of a relation."""
    filters = [{"$ref": f"#/components/parameters/{name}"} for name, _ in _filters(relation)]
    rows = {"type": "array", "items": _schema_of(relation.name)}
    own = _BEYOND.keys() & {column.name for column in relation.columns}
    refined: dict[Verb, list[str]] = {
        "get": ["select", "order", "limit", "offset", "and", "or", "distinct", "having", "prefer"],
        "post": ["select", "columns", "on_conflict", "nested", "prefer"],
        "patch": ["select", "columns", "and", "or", "by", "prefer"],
        "delete": ["select", "and", "or", "prefer"],
    }
    answers: dict[Verb, Schema] = {
        "get": {
            "200": {"description": "The rows.", "content": _json(rows)},
            "206": {"description": "Some of the rows, where the count of all was asked for.", "content": _json(rows)},
        },
        "post": {
            "201": {"description": "The new rows, if their representation was asked for.", "content": _json(rows)}
        },
        "patch": {"200": {"description": "The changed rows.", "content": _json(rows)}, "204": _NO_CONTENT},
        "delete": {"200": {"description": "The removed rows.", "content": _json(rows)}, "204": _NO_CONTENT},
    }
    inserted = _schema_of(f"{relation.name}.insert")
    bodies: dict[Verb, Schema] = {
        "post": {"anyOf": [inserted, {"type": "array", "items": inserted}]},
        "patch": _schema_of(f"{relation.name}.update"),
    }
    return {
        verb: {
            "tags": [relation.name],
            "operationId": f"{verb} {relation.name}",
            **_summary(relation.comment),
            "parameters": [
                *profile,
                *(filters if verb in _FILTERED else ()),
                *({"$ref": f"#/components/parameters/{name}"} for name in refined[verb] if name not in own),
            ],
            **({"requestBody": {"required": True, "content": _json(bodies[verb])}} if verb in bodies else {}),
            "responses": {**answers[verb], "default": _REFUSED},
        }
        for verb in verbs
    }


def _filters(relation: Relation) -> Iterator[tuple[str, Schema]]:
    """The parameters that compare a column's values; a column named like one of the dialect's own words has none."""
    for column in relation.columns:
        if column.name not in _TAKEN:
            yield (
                _schema_name(f"{relation.name}.{column.name}"),
                {
                    "name": column.name,
                    "in": "query",
                    "description": "\n\n".join(filter(None, (column.comment, _FILTER))),
                    "schema": {"type": "string"},
                },
            )


def _shapes(relation: Relation, reach: Reach) -> list[tuple[str, Schema]]:
    """The schemas of a relation's rows: as they are, as they are inserted, as they are changed."""
    told = {column.name: _value(column, relation, reach) for column in relation.columns}
    written = [c for c in relation.columns if not c.generated and c.identity != "always"]
    needed = [c.name for c in written if not c.nullable and c.default is None and relation.kind != "view"]
    described = {"description": relation.comment} if relation.comment else {}
    changed = {column.name: told[column.name] for column in written}
    return [
        (_schema_name(relation.name), {"type": "object", **described, "properties": told}),
        (
            _schema_name(f"{relation.name}.insert"),
            {"type": "object", "properties": changed, **({"required": needed} if needed else {})},
        ),
        (_schema_name(f"{relation.name}.update"), {"type": "object", "properties": changed}),
    ]


def _value(column: Column, relation: Relation, reach: Reach) -> Schema:
    """A column's values."""
    told: Schema = json_type(column.base_type, column.category)
    kind = told.get("type")
    if column.enum:
        (told["items"] if kind == "array" else told)["enum"] = list(column.enum)
    if column.max_length is not None and kind == "string":
        told["maxLength"] = column.max_length
    default = plain_default(column.default, kind)
    if default is not ABSENT:
        told["default"] = default
    if column.nullable and kind is not None:
        told["type"] = [kind, "null"]
        if "enum" in told:
            told["enum"] = [*told["enum"], None]
    notes = [column.comment] if column.comment else []
    if column.name in relation.primary_key:
        notes.append("Part of the primary key." if len(relation.primary_key) > 1 else "The primary key.")
    if target := reach.foreign.get((relation.name, column.name)):
        notes.append(f"Refers to {target[1]}.{target[2]}.")
    if notes:
        told["description"] = "\n\n".join(notes)
    if column.generated or column.identity == "always":
        told["readOnly"] = True
    return told


def _call(overloads: tuple[Function, ...], profile: list[Schema], reach: Reach) -> Schema:
    """The methods of a function: GET only where it changes nothing."""
    bodies = [_arguments(function) for function in overloads]
    told = {"tags": ["functions"], **_summary(overloads[0].comment)}
    answers = {"200": _answer(overloads[0], reach), "204": {"description": "Nothing comes back."}, "default": _REFUSED}
    post = {
        **told,
        "operationId": f"call {overloads[0].name}",
        "parameters": profile,
        "requestBody": {"content": _json(bodies[0] if len(bodies) == 1 else {"anyOf": bodies})},
        "responses": answers,
    }
    reading = [function for function in overloads if function.volatility != "volatile"]
    if not reading:
        return {"post": post}
    query = {argument.name: argument for function in reading for argument in function.arguments if argument.name}
    everywhere = [{a.name for a in function.arguments if not (a.has_default or a.variadic)} for function in reading]
    return {
        "get": {
            **told,
            "operationId": f"read {overloads[0].name}",
            "parameters": [
                *profile,
                *(
                    {
                        "name": name,
                        "in": "query",
                        "required": all(name in needed for needed in everywhere),
                        "schema": _argument(argument) or {"type": "string"},
                    }
                    for name, argument in query.items()
                ),
            ],
            "responses": answers,
        },
        "post": post,
    }


def _arguments(function: Function) -> Schema:
    if [argument.name for argument in function.arguments] == [""]:
        return {}
    needed = [a.name for a in function.arguments if not (a.has_default or a.variadic)]
    return {
        "type": "object",
        "properties": {argument.name: _argument(argument) for argument in function.arguments},
        **({"required": needed} if needed else {}),
    }


def _argument(argument: Argument) -> Schema:
    return json_type(argument.type)


def _answer(function: Function, reach: Reach) -> Schema:
    """What a call gives."""
    described = any(relation.name == (function.returns_relation or ("", ""))[1] for relation, _ in reach.relations)
    if function.returns_relation is not None and described and function.returns_relation[0] == reach.schema:
        one = _schema_of(function.returns_relation[1])
    elif function.columns:
        one = {"type": "object", "properties": {c.name: json_type(c.base_type, c.category) for c in function.columns}}
    else:
        one = {} if function.composite else json_type(function.returns)
    return {
        "description": "What the function gives.",
        "content": _json({"type": "array", "items": one} if function.returns_set else one),
    }


def _refused() -> Schema:
    return {"description": "The request was refused.", "content": _json({"$ref": "#/components/schemas/Error"})}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _summary(comment: str | None) -> Schema:
    summary, _, description = (comment or "").partition("\n")
    return {name: text.strip() for name, text in (("summary", summary), ("description", description)) if text.strip()}


def _schema_of(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{_schema_name(name)}"}


def _schema_name(name: str) -> str:
    """A component's name, which may hold letters, digits, dot, hyphen and underscore only."""
    if name != "Error" and name.isascii() and name.replace(".", "").replace("-", "").replace("_", "").isalnum():
        return name
    return "x." + "".join(c if c.isascii() and c.isalnum() else f"-{ord(c):x}-" for c in name)


def _braceless(name: str) -> str:
    """A name as it stands in a path, where braces would be a parameter's."""
    return name.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace("/", "%2F")


def _encoded(piece: object) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(piece))
