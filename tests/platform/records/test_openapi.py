"""What programs are told of the tables: valid, true to the catalog, and no more than the caller may use."""

from typing import Any, cast

import msgspec
import pytest
from schemathesis.specs.openapi import definitions

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Connection, Database, Login, Transactions
from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.principal import Principal, principal_from_claims
from headwater.platform.records import Descriptions, Records, RecordsSettings
from headwater.platform.records.errors import DescriptionOff, NoMediaType, UnknownSchema
from tests.platform.records.conftest import ADMIN, person, raw_request

ANON = principal_from_claims({"role": "anon"})
USER = person(1)
SCHEMA = r"""
comment on schema other is E'Other things\nthat nobody needs';
create table makers (id integer primary key, name text not null unique);
comment on table makers is E'Who makes\nand how';
create table made (
  id bigint generated always as identity primary key,
  maker integer not null references makers,
  first integer, second integer,
  state mood default 'calm',
  states mood[],
  how positive default 3,
  told varchar(20) default 'it''s' not null,
  at timestamptz not null default now(),
  marks numeric[],
  free jsonb default '{"a": 1}',
  foreign key (first, second) references pairs
);
comment on column made.maker is 'Whose it is';
create view made_here as select id, maker from made;
alter view made_here set (security_invoker = on);
create table "a/b {c} ~d" ("e/f" integer primary key, "select" text);
grant insert ("select") on "a/b {c} ~d" to anon;
create function plus(a integer, b integer default 1) returns integer language sql stable as 'select $1 + $2';
comment on function plus(integer, integer) is E'Adds\none more';
create function change(p jsonb, variadic q text[]) returns setof makers language sql as 'select * from makers';
create function whole(json) returns json language sql immutable as 'select $1';
create function secret() returns void language sql as '';
revoke execute on function secret() from public;
grant select on hidden to authenticated;
"""


@pytest.fixture
async def admin(connector: Connect, tables: None) -> Any:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA)
    yield connection
    await connection.close()


class Describe:
    """Asks for descriptions as the pipeline does."""

    def __init__(self, descriptions: Descriptions, database: Database) -> None:
        self.descriptions = descriptions
        self._database = database

    async def swagger(self, as_: Principal = ADMIN, method: str = "GET", **headers: str) -> Reply:
        request = raw_request(method, "/rest/v1/", headers={n.replace("_", "-"): v for n, v in headers.items()})
        return await self.descriptions.describe_as_postgrest(Transactions(self._database), as_, request)

    async def document(self, as_: Principal = ADMIN, query: str = "") -> Any:
        request: RawRequest = raw_request("GET", f"/api/database/openapi.json?{query}")
        return msgspec.json.decode(
            (await self.descriptions.describe_tables(Transactions(self._database), as_, request)).body
        )


@pytest.fixture
async def describe(catalog: Catalog, admin: Connection, database: Database, settings: RecordsSettings) -> Describe:
    await catalog.refresh()
    records = Records(catalog=catalog, settings=settings)
    return Describe(Descriptions(records=records, catalog=catalog, settings=settings), database)


async def told(describe: Describe, as_: Principal = ADMIN, **headers: str) -> Any:
    return msgspec.json.decode((await describe.swagger(as_, **headers)).body)


async def test_both_are_valid(describe: Describe) -> None:
    swagger = await told(describe)
    definitions.SWAGGER_20_VALIDATOR.validate(swagger)
    for query in ("", "schema=other"):
        document = await describe.document(query=query)
        definitions.OPENAPI_31_VALIDATOR.validate(document)
        references = set(_references(document))
        assert references
        assert all(_resolved(document, reference) is not None for reference in references)
    assert all(_resolved(swagger, reference) is not None for reference in _references(swagger))


def _references(node: object) -> list[str]:
    match node:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [found for value in cast("dict[str, object]", node).values() for found in _references(value)]
        case list():
            return [found for value in cast("list[object]", node) for found in _references(value)]
        case _:
            return []


def _resolved(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


async def test_a_table_as_postgrest_tells_it(describe: Describe) -> None:
    swagger = await told(describe)
    assert swagger["swagger"] == "2.0"
    assert (swagger["info"]["title"], swagger["basePath"]) == ("standard public schema", "/rest/v1")
    path = swagger["paths"]["/made"]
    assert list(path) == ["get", "post", "patch", "delete"]
    assert {"$ref": "#/parameters/rowFilter.made.maker"} in path["get"]["parameters"]
    assert {"$ref": "#/parameters/body.made"} in path["post"]["parameters"]
    made = swagger["definitions"]["made"]
    assert made["required"] == ["id", "maker", "told", "at"]
    assert made["properties"] == {
        "id": {"format": "bigint", "type": "integer", "description": "Note:\nThis is a Primary Key.<pk/>"},
        "maker": {
            "format": "integer",
            "type": "integer",
            "description": "Whose it is\n\nNote:\n"
            "This is a Foreign Key to `makers.id`.<fk table='makers' column='id'/>",
        },
        "first": {"format": "integer", "type": "integer"},
        "second": {"format": "integer", "type": "integer"},
        "state": {"format": "public.mood", "type": "string", "enum": ["calm", "wild"], "default": "calm"},
        "states": {"format": "public.mood[]", "type": "array", "items": {"type": "string"}},
        "how": {"format": "public.positive", "type": "integer", "default": 3},
        "told": {"format": "character varying(20)", "type": "string", "maxLength": 20, "default": "it's"},
        "at": {"format": "timestamp with time zone", "type": "string", "default": "now()"},
        "marks": {"format": "numeric[]", "type": "array", "items": {"type": "number"}},
        "free": {"format": "jsonb", "default": {"a": 1}},
    }
    assert (swagger["paths"]["/makers"]["get"]["summary"], swagger["paths"]["/makers"]["get"]["description"]) == (
        "Who makes",
        "and how",
    )


async def test_keys_of_views_are_noted(describe: Describe) -> None:
    properties = (await told(describe))["definitions"]["made_here"]["properties"]
    assert "<pk/>" in properties["id"]["description"]
    assert "<fk table='makers' column='id'/>" in properties["maker"]["description"]


async def test_functions(describe: Describe) -> None:
    paths = (await told(describe))["paths"]
    assert list(paths["/rpc/plus"]) == ["get", "post"]
    assert (paths["/rpc/plus"]["get"]["summary"], paths["/rpc/plus"]["get"]["description"]) == ("Adds", "one more")
    assert [(p["name"], p["required"]) for p in paths["/rpc/plus"]["get"]["parameters"]] == [("a", True), ("b", False)]
    assert list(paths["/rpc/change"]) == ["post"]
    body = paths["/rpc/change"]["post"]["parameters"][0]["schema"]
    assert body["required"] == ["p"]
    assert body["properties"]["q"] == {"format": "text[]", "type": "array", "items": {"type": "string"}}


async def test_each_role_is_told_what_it_may_use(describe: Describe) -> None:
    seen = {name: await told(describe, as_) for name, as_ in (("anon", ANON), ("user", USER), ("admin", ADMIN))}
    assert "/hidden" not in seen["anon"]["paths"] and "hidden" not in seen["anon"]["definitions"]
    assert list(seen["user"]["paths"]["/hidden"]) == ["get"]
    assert list(seen["admin"]["paths"]["/hidden"]) == ["get", "post", "patch", "delete"]
    assert "/rpc/secret" not in seen["anon"]["paths"]
    assert "/rpc/secret" in seen["admin"]["paths"]
    assert list((await told(describe, USER, accept_profile="other"))["paths"]["/things"]) == ["get", "post"]
    assert list((await told(describe, ANON, accept_profile="other"))["paths"]) == ["/"]
    assert "/records/hidden" not in (await describe.document(ANON))["paths"]


async def test_a_grant_is_told_at_once(describe: Describe, admin: Connection) -> None:
    await admin.execute("grant update on hidden to anon")
    assert list((await told(describe, ANON))["paths"]["/hidden"]) == ["patch"]
    await admin.execute("revoke update on hidden from anon")
    assert "/hidden" not in (await told(describe, ANON))["paths"]


async def test_a_change_is_told(describe: Describe, admin: Connection, catalog: Catalog) -> None:
    first = (await describe.swagger()).body
    assert (await describe.swagger()).body is first
    await admin.execute("alter table makers add column since date")
    await catalog.refresh()
    assert (await told(describe))["definitions"]["makers"]["properties"]["since"] == {
        "format": "date",
        "type": "string",
    }


@pytest.mark.parametrize("settings", [RecordsSettings(openapi="ignore-privileges")])
async def test_all_may_be_told_everything(describe: Describe) -> None:
    assert "/hidden" in (await told(describe, ANON))["paths"]
    assert "/rpc/secret" in (await told(describe, ANON))["paths"]


@pytest.mark.parametrize("settings", [RecordsSettings(openapi="disabled")])
async def test_nobody_may_be_told_anything(describe: Describe) -> None:
    with pytest.raises(DescriptionOff) as refused:
        await describe.swagger()
    assert (refused.value.code, refused.value.status) == ("PGRST126", 404)
    with pytest.raises(DescriptionOff):
        await describe.document()


@pytest.mark.parametrize(
    "settings", [RecordsSettings(openapi_server_proxy_uri="https://api.example.com/v2", openapi_security_active=True)]
)
async def test_behind_a_proxy(describe: Describe) -> None:
    swagger = await told(describe)
    assert (swagger["host"], swagger["schemes"], swagger["basePath"]) == ("api.example.com", ["https"], "/v2")
    assert swagger["security"] == [{"JWT": []}]


async def test_media_types_and_schemas(describe: Describe) -> None:
    for accept in ("", "*/*", "application/json", "application/openapi+json", "text/html, application/json;q=0.5"):
        assert (await describe.swagger(accept=accept)).media_type == "application/openapi+json; charset=utf-8"
    with pytest.raises(NoMediaType):
        await describe.swagger(accept="text/csv")
    with pytest.raises(UnknownSchema):
        await describe.swagger(accept_profile="system")
    other = await told(describe, accept_profile="other")
    assert (other["info"]["title"], other["info"]["description"]) == ("Other things", "that nobody needs")
    assert (await describe.swagger(method="HEAD")).body == b""


class TestAnOperatorsOwnRoot:
    """Where a function answers in the description's place."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(root_spec="public.root", openapi="disabled")

    async def test_it_answers(self, describe: Describe, admin: Connection, catalog: Catalog) -> None:
        await admin.execute(
            """create function root() returns json language sql stable as $$ select '{"a": 1}'::json $$"""
        )
        await catalog.refresh()
        assert await told(describe) == {"a": 1}
        with pytest.raises(NoMediaType):
            await describe.swagger(accept="application/openapi+json")

    async def test_in_the_descriptions_form(self, describe: Describe, admin: Connection, catalog: Catalog) -> None:
        await admin.execute(
            """create domain "application/openapi+json" as json;
            create function root() returns "application/openapi+json" language sql stable
              as $$ select '{"swagger": "2.0"}'::json $$"""
        )
        await catalog.refresh()
        reply = await describe.swagger(accept="application/openapi+json, */*;q=0.5")
        assert (reply.body, reply.media_type) == (b'{"swagger": "2.0"}', "application/openapi+json; charset=utf-8")


async def test_rows_in_json_schema(describe: Describe) -> None:
    schemas = (await describe.document())["components"]["schemas"]
    properties = schemas["made"]["properties"]
    assert properties["id"] == {
        "type": "integer",
        "format": "int64",
        "description": "The primary key.",
        "readOnly": True,
    }
    assert properties["maker"]["description"] == "Whose it is\n\nRefers to makers.id."
    assert properties["state"] == {"type": ["string", "null"], "enum": ["calm", "wild", None], "default": "calm"}
    assert properties["states"] == {"type": ["array", "null"], "items": {"enum": ["calm", "wild"]}}
    assert properties["at"] == {"type": "string", "format": "date-time"}
    assert properties["told"] == {"type": "string", "maxLength": 20, "default": "it's"}
    assert properties["marks"] == {"type": ["array", "null"], "items": {"type": "number"}}
    assert properties["free"] == {"default": {"a": 1}}
    assert schemas["made.insert"]["required"] == ["maker"]
    assert "id" not in schemas["made.insert"]["properties"]
    assert "required" not in schemas["made.update"]


async def test_calls_in_json_schema(describe: Describe) -> None:
    paths = (await describe.document())["paths"]
    change = paths["/rpc/change"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert change == {"type": "array", "items": {"$ref": "#/components/schemas/makers"}}
    plus = paths["/rpc/plus"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert plus == {"type": "integer", "format": "int32"}
    assert paths["/rpc/whole"]["post"]["requestBody"]["content"]["application/json"]["schema"] == {}


async def test_names_that_need_care(describe: Describe) -> None:
    swagger = await told(describe, ANON)
    assert list(swagger["paths"]["/a/b {c} ~d"]) == ["get", "post", "patch", "delete"]
    assert swagger["parameters"]["rowFilter.a/b {c} ~d.e/f"]["name"] == "e/f"
    document = await describe.document(ANON)
    assert "/records/a%2Fb %7Bc%7D ~d" in document["paths"]


async def test_what_goes_beyond_postgrest_is_told(describe: Describe, admin: Connection, catalog: Catalog) -> None:
    await admin.execute('create table spoken (id integer primary key, by text, "having" text)')
    await catalog.refresh()
    document = await describe.document()

    def names(method: str, path: str) -> list[str]:
        listed = document["paths"][path][method]["parameters"]
        return [reference["$ref"].rpartition("/")[2] for reference in listed]

    assert {"distinct", "having"} <= set(names("get", "/records/made"))
    assert "nested" in names("post", "/records/made")
    assert "by" in names("patch", "/records/made")
    assert "by" not in names("patch", "/records/spoken"), "a column of that name has its filter there"
    assert {"spoken.by", "spoken.having", "distinct"} <= set(names("get", "/records/spoken"))
    assert "having" not in names("get", "/records/spoken")
