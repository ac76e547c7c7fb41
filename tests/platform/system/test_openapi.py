"""The description: valid OpenAPI 3.1, and true to what is declared."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from schemathesis.specs.openapi import definitions

from headwater.boot.components import find_components
from headwater.kernel.component import (
    Access,
    Component,
    Components,
    Endpoint,
    FromAddress,
    FromCookie,
    FromHeader,
    Mode,
)
from headwater.kernel.models import RawRequest
from headwater.platform.system.openapi import describe


class Inner(msgspec.Struct, rename="camel"):
    some_thing: int


class Everything(msgspec.Struct, rename="camel"):
    item_id: str
    agent: str
    session: str
    address: str
    inner: Inner
    which: Annotated[str, msgspec.Meta(extra={"in": "query"})] = "a"
    note: str | None = None
    free: object = None


class Removal(msgspec.Struct):
    ids: list[str]
    hard: bool = False


@dataclass(frozen=True)
class Things:
    """All sorts of things."""

    async def change(self, transactions: object, principal: object, body: Everything) -> Inner:
        """Change a thing, all of it. Then tell.

        It takes its time. Raises `Nothing`.
        """
        return body.inner

    async def undocumented(self, transactions: object, principal: object, body: object) -> None: ...


def endpoint(method: str, path: str, **declared: Any) -> Endpoint:
    usual = Endpoint(method=method, path=path, operation=Things.change, access=Access.CALLER, transaction=Mode.NONE)
    return msgspec.structs.replace(usual, **declared)


def described(*endpoints: Endpoint, package: str = "headwater.platform.things") -> dict[str, Any]:
    component = Component(name="things", package=package, operations=Things, endpoints=endpoints)
    return describe(Components((component,)), "1.2.3")


def test_the_whole_house_is_described_validly() -> None:
    components = find_components()
    description = msgspec.json.decode(msgspec.json.encode(describe(components, "1.2.3")))
    definitions.OPENAPI_31_VALIDATOR.validate(description)
    told = {(method, path) for path, item in description["paths"].items() for method in item}
    declared = [endpoint for component in components for endpoint in component.endpoints]
    assert len(told) == sum(endpoint.method != "QUERY" for endpoint in declared) > 10  # 3.1 has no word for QUERY
    ids = [operation["operationId"] for item in description["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    for item in description["paths"].values():
        for operation in item.values():
            assert operation["summary"] and "Raises" not in operation["description"]


def test_every_reference_leads_somewhere() -> None:
    description = describe(find_components(), "1")

    references = re.findall(r'"\$ref":"#/([^"]+)"', msgspec.json.encode(description).decode())
    assert len(references) > 10
    for reference in references:
        place: Any = description
        for step in reference.split("/"):
            place = place[step]


def test_each_field_is_told_where_callers_write_it() -> None:
    declared = endpoint(
        "POST",
        "/things/{itemId}",
        body=Everything,
        inputs={"agent": FromHeader("user-agent"), "session": FromCookie("sid"), "address": FromAddress()},
        result=Inner,
        status=201,
    )
    description = described(declared)
    operation = description["paths"]["/things/{itemId}"]["post"]
    parameters = {(one["in"], one["name"]): one["required"] for one in operation["parameters"]}
    assert parameters == {
        ("path", "itemId"): True,
        ("header", "user-agent"): True,
        ("cookie", "sid"): True,
        ("query", "which"): False,
    }
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"inner", "note", "free"} and body["required"] == ["inner"]
    assert operation["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Inner"
    }
    assert operation["summary"] == "Change a thing, all of it"
    assert operation["description"] == "Then tell.\n\nIt takes its time.\n\nNeeds a key or a token."


@pytest.mark.parametrize(
    ("method", "body", "in_query", "in_body"),
    [
        ("GET", Removal, {"ids", "hard"}, set[str]()),
        ("DELETE", Removal, {"hard"}, {"ids"}),
        ("POST", Removal, set[str](), {"$ref"}),
        ("POST", RawRequest, set[str](), {"any"}),
        ("GET", RawRequest, set[str](), set[str]()),
        ("POST", None, set[str](), set[str]()),
    ],
)
def test_the_method_decides_between_query_and_body(
    method: str, body: type | None, in_query: set[str], in_body: set[str]
) -> None:
    operation = described(endpoint(method, "/things/{id}", body=body))["paths"]["/things/{id}"][method.lower()]
    parameters = operation.get("parameters", [])
    assert {one["name"] for one in parameters if one["in"] == "query"} == in_query
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    told: set[str] = set() if schema is None else set(schema.get("properties", schema)) or {"any"}
    assert told == in_body


@pytest.mark.parametrize(
    ("access", "schemes"),
    [
        (Access.ANYONE, []),
        (Access.USER, ["bearer"]),
        (Access.CALLER, ["bearer", "apiKey"]),
        (Access.ADMIN, ["bearer", "apiKey"]),
    ],
)
def test_security_follows_access(access: Access, schemes: list[str]) -> None:
    operation = described(endpoint("GET", "/x", access=access))["paths"]["/x"]["get"]
    assert [name for one in operation["security"] for name in one] == schemes


def test_an_app_is_described_where_it_is_always_served() -> None:
    assert list(described(endpoint("GET", "/x"), package="headwater.apps.things")["paths"]) == ["/apps/things/x"]


def test_one_operation_at_two_places_has_two_names() -> None:
    paths = described(endpoint("GET", "/x"), endpoint("GET", "/y"))["paths"]
    assert [paths[path]["get"]["operationId"] for path in ("/x", "/y")] == ["Things.change", "Things.change.2"]


def test_an_operation_without_words_still_has_a_name() -> None:
    operation = described(endpoint("GET", "/x", operation=Things.undocumented))["paths"]["/x"]["get"]
    assert operation["summary"]


def test_every_component_tells_its_refusals_and_what_it_is_for() -> None:
    tags = {tag["name"]: tag["description"] for tag in describe(find_components(), "1.2.3")["tags"]}
    assert tags["identity"].startswith("Identity: who is asking")
    assert "PGRST200" in tags["records"]
