"""What do you ask? A struct from body, query, path and inputs, or a 400 that names the field."""

import json
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.flow.validate import cookies_of
from headwater.kernel.component import FromAddress, FromCookie, FromHeader
from headwater.kernel.models import RawRequest
from tests.kit.house import SmallHouse, endpoint

ANY_ID = "00000000-0000-4000-8000-000000000007"


class Colour(StrEnum):
    RED = "red"


class Part(msgspec.Struct, rename="camel"):
    part_size: int


class Thing(msgspec.Struct, rename="camel", kw_only=True):
    name: str = ""
    count: Annotated[int, msgspec.Meta(le=10)] = 0
    is_big: bool = False
    maybe: str | None = None
    parts: list[Part] = []
    colour: Colour | None = None
    id: UUID | None = None
    address: str = "nobody's"


class Needs(msgspec.Struct, kw_only=True):
    name: str
    count: int


class Deep(msgspec.Struct, kw_only=True):
    any: Any


class Strict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    id: int
    name: str = ""


class Even(msgspec.Struct):
    n: int

    def __post_init__(self) -> None:
        if self.n % 2:
            raise ValueError("n: Must be even")


async def echo(_tx: object, _principal: object, body: object) -> object:
    return msgspec.to_builtins(body)


async def echo_raw(_tx: object, _principal: object, body: RawRequest) -> object:
    return {"path": body.parameters, "query": body.query, "size": len(body.body)}


@pytest.fixture
def house() -> SmallHouse:
    return SmallHouse(
        endpoint("POST", "/things", echo, body=Thing),
        endpoint("GET", "/things", echo, body=Thing),
        endpoint("POST", "/needs", echo, body=Needs),
        endpoint("POST", "/deep", echo, body=Deep),
        endpoint("POST", "/even", echo, body=Even),
        endpoint("PUT", "/things/{id}", echo, body=Thing),
        endpoint("PUT", "/named/{name}", echo, body=Thing),
        endpoint("PUT", "/counted/{count}", echo, body=Thing),
        endpoint("PUT", "/strict/{id}", echo, body=Strict),
        endpoint("POST", "/raw/{name}", echo_raw, body=RawRequest, body_limit=1000),
        endpoint("POST", "/blind", echo, body_limit=1000),
        endpoint(
            "POST",
            "/told",
            echo,
            body=Thing,
            inputs={"address": FromAddress(), "name": FromCookie("name"), "maybe": FromHeader("x-maybe")},
        ),
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"count":"1"}', "count: Expected `int`, got `str`"),
        (b'{"count":11}', "count: Expected `int` <= 10"),
        (b'{"count":1.5}', "count: Expected `int`, got `float`"),
        (b'{"isBig":1}', "isBig: Expected `bool`, got `int`"),
        (b'{"name":null}', "name: Expected `str`, got `null`"),
        (b'{"parts":[{"partSize":1},{"partSize":"x"}]}', "parts[1].partSize: Expected `int`, got `str`"),
        (b'{"colour":"blue"}', "colour: Invalid enum value 'blue'"),
        (b'{"count":1e400}', "count: Number out of range"),
        (b'{"count":' + b"9" * 5000 + b"}", "count: Integer value out of range"),
        (b"[1]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"7", "Expected `object`, got `int`"),
    ],
)
@pytest.mark.parametrize("target", ["/things", "/things?maybe=x"])
async def test_the_sentence_names_the_field(house: SmallHouse, target: str, body: bytes, sentence: str) -> None:
    answer = await house.call("POST", target, body)
    assert answer.status == 400
    assert answer.json() == {"error": "INVALID_INPUT", "message": sentence, "statusCode": 400}


@pytest.mark.parametrize(
    ("method", "target", "body", "named"),
    [
        ("POST", "/things", b'{"name":"a\\u0000b"}', "name"),
        ("POST", "/things", b'{"maybe":"\\\\u0000\\u0000"}', "maybe"),
        ("POST", "/things?maybe=x", b'{"name":"\\u0000"}', "name"),
        ("POST", "/deep", b'{"any":{"of":[{"it":"\\u0000"}]}}', "any.of[0].it"),
        ("POST", "/deep", b'{"any":{"of":{"\\u0000":1}}}', "any.of"),
        ("POST", "/deep", b'{"any":' + b"[" * 500 + b'"\\u0000"' + b"]" * 500 + b"}", "any" + "[0]" * 500),
        ("POST", "/things", b'{"\\u0000":1}', "The body"),
        ("GET", "/things?name=a%00", b"", "name"),
        ("PUT", "/named/%00", b"{}", "name"),
    ],
)
async def test_a_nul_character_is_refused_by_its_field(
    house: SmallHouse, method: str, target: str, body: bytes, named: str
) -> None:
    answer = await house.call(method, target, body)
    sentence = f"{named}: A NUL character cannot be stored"
    assert (answer.status, answer.json()) == (400, {"error": "INVALID_INPUT", "message": sentence, "statusCode": 400})


@pytest.mark.parametrize("target", ["/things", "/things?maybe=x"])
async def test_a_backslash_before_u0000_is_no_nul(house: SmallHouse, target: str) -> None:
    answer = await house.call("POST", target, b'{"name":"\\\\u0000"}')
    assert (answer.status, answer.json()["name"]) == (200, "\\u0000")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a':1}",
        b'{"count":NaN}',
        b'{"count":Infinity}',
        b'{"name":"\xff\xfe"}',
        b"\xff",
        b'{"name":"\\ud800"}',
        b"name=x&count=1",
        b"   ",
        b"\x1f\x8b\x08\x00",
    ],
)
@pytest.mark.parametrize("target", ["/things", "/things?maybe=x"])
async def test_what_is_no_json_is_refused(house: SmallHouse, target: str, body: bytes) -> None:
    answer = await house.call("POST", target, body)
    assert answer.status == 400
    assert answer.json()["message"].startswith("The body is not JSON")


@pytest.mark.parametrize("opening", [b'{"x":', b"["])
@pytest.mark.parametrize("target", ["/things", "/things?maybe=x"])
async def test_depth_is_bounded(house: SmallHouse, target: str, opening: bytes) -> None:
    answer = await house.call("POST", target, b'{"x":' + opening * 100_000)
    assert (answer.status, answer.json()["message"]) == (400, "The body is nested too deeply")


async def test_of_two_equal_keys_the_last_counts(house: SmallHouse) -> None:
    assert (await house.call("POST", "/things", b'{"name":"a","name":"b"}')).json()["name"] == "b"
    assert (await house.call("GET", "/things?name=a&name=b")).json()["name"] == "b"


async def test_a_field_that_is_missing_is_named_the_same_from_every_door(house: SmallHouse) -> None:
    for target, body in (("/needs", b'{"name":"x"}'), ("/needs?name=x", b""), ("/needs?name=x", b"{}")):
        answer = await house.call("POST", target, body)
        assert (answer.status, answer.json()["message"]) == (400, "Object missing required field `count`")


async def test_the_rules_of_the_struct_itself_are_kept_from_every_door(house: SmallHouse) -> None:
    for target, body in (("/even", b'{"n":1}'), ("/even?n=1", b"")):
        answer = await house.call("POST", target, body)
        assert (answer.status, answer.json()["message"]) == (400, "n: Must be even")


async def test_path_wins_over_query_and_query_over_body(house: SmallHouse) -> None:
    everywhere = await house.call("PUT", "/named/path?name=query&maybe=query", {"name": "body", "maybe": "body"})
    assert everywhere.json()["name"] == "path"
    assert everywhere.json()["maybe"] == "query"
    assert (await house.call("PUT", "/named/path", {"name": 5, "maybe": "body"})).json()["maybe"] == "body"


async def test_a_declared_input_comes_from_nowhere_else(house: SmallHouse) -> None:
    forged: dict[str, Any] = {"address": "127.0.0.1", "name": 5, "maybe": "forged", "count": 3}
    told = (await house.call("POST", "/told?address=127.0.0.1&name=x&maybe=y&count=4", forged)).json()
    assert (told["address"], told["name"], told["maybe"], told["count"]) == ("203.0.113.9", "", None, 4)
    headers = {"Cookie": 'other=1; name="crumb"; name=second', "X-Maybe": "true"}
    told = (await house.call("POST", "/told", headers=headers)).json()
    assert (told["name"], told["maybe"]) == ("crumb", "true")


async def test_texts_become_what_is_wanted_and_numbers_of_json_stay_numbers(house: SmallHouse) -> None:
    told = (await house.call("GET", f"/things?count=7&isBig=true&colour=red&id={ANY_ID}&maybe=null&unknown=1")).json()
    assert told["count"] == 7 and told["isBig"] is True and told["colour"] == "red" and told["id"] == ANY_ID
    assert told["maybe"] == "null"
    assert (await house.call("PUT", f"/things/{ANY_ID}", {"maybe": "null"})).json()["maybe"] == "null"
    loose = await house.call("PUT", f"/things/{ANY_ID}", {"count": "7"})
    assert (loose.status, loose.json()["message"]) == (400, "count: Expected `int`, got `str`")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("/counted/x", "count: Expected `int`, got `str`"),
        ("/counted/11", "count: Expected `int` <= 10"),
        ("/counted/1?isBig=maybe", "isBig: Expected `bool`, got `str`"),
        ("/counted/1?id=7", "id: Invalid UUID"),
        ("/counted/1?name=%ff", "The query is not UTF-8"),
        ("/named/%ff", "name: The path is not UTF-8"),
        ("/counted/1?parts=7", "parts: Expected `array`, got `str`"),
    ],
)
async def test_texts_that_are_not_what_is_wanted(house: SmallHouse, target: str, sentence: str) -> None:
    answer = await house.call("PUT", target)
    assert (answer.status, answer.json()["message"]) == (400, sentence)


async def test_a_closed_struct_knows_its_own_parameters(house: SmallHouse) -> None:
    assert (await house.call("PUT", "/strict/5", {"id": 6, "name": "x"})).json() == {"id": 5, "name": "x"}
    answer = await house.call("PUT", "/strict/5", {"nam": "x"})
    assert (answer.status, answer.json()["message"]) == (400, "Object contains unknown field `nam`")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense", ""])
async def test_a_body_is_json_whatever_its_content_type_says(house: SmallHouse, kind: str) -> None:
    assert (await house.call("POST", "/things", {"count": 1}, headers={"Content-Type": kind})).json()["count"] == 1


async def test_bodies_past_the_limit_are_refused(house: SmallHouse) -> None:
    for target in ("/raw/x", "/blind"):
        assert (await house.call("POST", target, b"x" * 1000)).status == 200
        answer = await house.call("POST", target, b"x" * 1001)
        assert (answer.status, answer.json()["error"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_in_chunks_is_refused_before_it_is_held(house: SmallHouse) -> None:
    chunks = [b"x" * 400] * 1000
    answer = await house.call("POST", "/blind", chunks)
    assert answer.status == 413
    assert (await house.call("POST", "/raw/x", [b"x" * 400, b"x" * 400])).json()["size"] == 800


@pytest.mark.parametrize("chunks", [[None], [b'{"name":', None]])
async def test_a_body_that_breaks_off_is_no_request(house: SmallHouse, chunks: list[bytes | None]) -> None:
    answer = await house.call("POST", "/things", chunks)
    assert (answer.status, answer.json()["message"]) == (400, "The connection ended before the body did")


async def test_a_raw_request_is_as_it_came(house: SmallHouse) -> None:
    answer = await house.call("POST", "/raw/a%2Fb?x=%ff&y=", b"12345")
    assert answer.json() == {"path": {"name": "a/b"}, "query": "x=%ff&y=", "size": 5}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
async def test_no_json_value_is_a_500(value: object) -> None:
    house = SmallHouse(
        endpoint("POST", "/things/{id}", echo, body=Thing), endpoint("POST", "/things", echo, body=Thing)
    )
    body = json.dumps(value).encode()
    named = json.dumps(dict.fromkeys(("name", "count", "parts", "id", "maybe"), value)).encode()
    for target in ("/things", f"/things/{ANY_ID}"):
        for text in (body, named):
            assert (await house.call("POST", target, text)).status in (200, 400)


def test_cookies() -> None:
    assert cookies_of('a=1; b="2";c=; d;=x; a=3') == {"a": "1", "b": "2", "c": "", "": "x"}
