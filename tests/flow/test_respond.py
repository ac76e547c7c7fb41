"""Answer; the only place that writes an error."""

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.flow import FlowSettings
from headwater.flow.respond import accepts_gzip
from headwater.kernel.component import Access
from headwater.kernel.errors import Forbidden, Refusal
from headwater.kernel.models import Reply
from headwater.kernel.observe import RequestAnswered, RequestFailed
from tests.kit.house import SmallHouse, endpoint

LARGE = "x" * 10_000
SECRET = "the password is hunter2"


class LoudEnvelope:
    """Another contract's shape."""

    def answer(self, result: object, status: int) -> Reply:
        return Reply(status=status, body=b"OK!" + str(result).encode())

    def refuse(self, refusal: Refusal) -> Reply:
        return Reply(status=refusal.status, headers=tuple(refusal.headers.items()), body=refusal.code.encode() + b"!")


class Teapot(Refusal):
    code = "TEAPOT"
    status = 418
    sentence = "I am a {what}"


async def large(*_: object) -> object:
    return {"text": LARGE}


async def broken(*_: object) -> object:
    raise RuntimeError(SECRET)


async def teapot(*_: object) -> object:
    raise Teapot(what="teapot", headers={"X-Pot": "tea"}, next_actions="Ask a kettle")


def replying(reply: Reply) -> Any:
    async def operation(*_: object) -> Reply:
        return reply

    return operation


def redirect(result: object) -> Reply:
    return Reply(status=303, headers=(("Location", f"/{result}"),))


@pytest.fixture
def house() -> SmallHouse:
    return SmallHouse(
        endpoint("GET", "/large", large),
        endpoint("GET", "/empty"),
        endpoint("POST", "/made", status=201),
        endpoint("DELETE", "/gone", status=204),
        endpoint("GET", "/broken", broken),
        endpoint("GET", "/teapot", teapot),
        endpoint("GET", "/loud", envelope=LoudEnvelope()),
        endpoint("GET", "/loud/teapot", teapot, envelope=LoudEnvelope()),
        endpoint("GET", "/loud/broken", broken, envelope=LoudEnvelope()),
        endpoint("GET", "/shaped", reply=redirect),
        endpoint("GET", "/image", replying(Reply(body=b"x" * 10_000, media_type="image/png"))),
        endpoint(
            "GET",
            "/zipped",
            replying(Reply(body=gzip.compress(b"x" * 100_000, 0), headers=(("Content-Encoding", "gzip"),))),
        ),
        endpoint("GET", "/split", replying(Reply(headers=(("Location", "/a\r\nSet-Cookie: b=c"),)))),
        endpoint("GET", "/counted", replying(Reply())),  # one that knows what HEAD wants, and makes no body
        endpoint("GET", "/typed", replying(Reply(media_type="text/plain\r\nSet-Cookie: b=c"))),
        endpoint("GET", "/admin", access=Access.ADMIN),
    )


async def test_every_answer_carries_the_same_armour(house: SmallHouse) -> None:
    for target, status in (("/empty", 200), ("/teapot", 418), ("/broken", 500), ("/nowhere", 404)):
        answer = await house.call("GET", target)
        assert answer.status == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-request-id"] == house.answered.request_id
        assert answer.headers["content-length"] == str(len(answer.body))


async def test_a_refusal_says_code_sentence_and_next_step(house: SmallHouse) -> None:
    answer = await house.call("GET", "/teapot")
    assert answer.headers["x-pot"] == "tea"
    assert answer.json() == {
        "error": "TEAPOT",
        "message": "I am a teapot",
        "statusCode": 418,
        "nextActions": "Ask a kettle",
    }
    assert (house.answered.code, house.answered.route) == ("TEAPOT", "/teapot")


async def test_what_nobody_foresaw_hides_its_internals_and_is_observed(house: SmallHouse) -> None:
    answer = await house.call("GET", "/broken")
    request_id = answer.headers["x-request-id"]
    assert answer.json() == {
        "error": "INTERNAL_ERROR",
        "message": f"Internal error: request {request_id}",
        "statusCode": 500,
    }
    [failed] = house.seen(RequestFailed)
    assert (failed.request_id, failed.route, str(failed.failure)) == (request_id, "/broken", SECRET)


async def test_results_and_errors_alike_wear_the_endpoints_envelope(house: SmallHouse) -> None:
    assert (await house.call("GET", "/loud")).body == b"OK!{}"
    assert (await house.call("GET", "/loud/teapot")).body == b"TEAPOT!"
    assert (await house.call("GET", "/loud/broken")).body == b"INTERNAL_ERROR!"
    shaped = await house.call("GET", "/shaped")
    assert (shaped.status, shaped.headers["location"]) == (303, "/{}")


async def test_a_status_without_a_body_has_none(house: SmallHouse) -> None:
    assert (await house.call("POST", "/made")).status == 201
    gone = await house.call("DELETE", "/gone")
    assert (gone.status, gone.body) == (204, b"")
    assert not {"content-type", "content-length", "content-encoding"} & gone.headers.keys()


async def test_head_tells_no_length_that_get_would_not_have(house: SmallHouse) -> None:
    assert (await house.call("HEAD", "/large")).headers["content-length"] == "10011"
    assert "content-length" not in (await house.call("HEAD", "/counted")).headers


async def test_large_texts_are_compressed_for_who_takes_it(house: SmallHouse) -> None:
    plain = await house.call("GET", "/large")
    assert "content-encoding" not in plain.headers and plain.headers["vary"] == "Accept-Encoding"
    small = await house.call("GET", "/large", headers={"Accept-Encoding": "br, gzip"})
    assert small.headers["content-encoding"] == "gzip" and small.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(small.body) == plain.body
    assert small.headers["content-length"] == str(len(small.body))
    assert len(small.body) < len(plain.body) / 10


@pytest.mark.parametrize("target", ["/empty", "/image", "/teapot"])
async def test_small_ones_images_and_refusals_are_not(house: SmallHouse, target: str) -> None:
    assert "content-encoding" not in (await house.call("GET", target, headers={"Accept-Encoding": "gzip"})).headers


async def test_what_is_compressed_stays_as_it_is(house: SmallHouse) -> None:
    answer = await house.call("GET", "/zipped", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.body) == b"x" * 100_000


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("*", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("deflate", False),
        ("x-gzip-not", False),
        ("gzip;q=nonsense", False),
        ("", False),
    ],
)
def test_accept_encoding(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@given(st.text(alphabet="gzip*;q=0.1, "))
def test_any_accept_encoding_is_survived(header: str) -> None:
    assert accepts_gzip(header) in (True, False)


async def test_times_are_told_to_the_admin_only(house: SmallHouse) -> None:
    assert "server-timing" not in (await house.call("GET", "/empty")).headers
    assert "server-timing" not in (await house.call("GET", "/empty", token="user")).headers
    told = (await house.call("GET", "/empty", token="admin")).headers["server-timing"]
    names = [part.split(";")[0] for part in told.split(", ")]
    assert names == ["limit", "authenticate", "limit", "validate", "transact", "respond"]


async def test_or_to_everyone_where_the_setting_says_so() -> None:
    house = SmallHouse(
        endpoint("GET", "/empty"), endpoint("GET", "/teapot", teapot), settings=FlowSettings(server_timing=True)
    )
    for token in (None, "admin"):
        assert (await house.call("GET", "/empty", token=token)).headers["server-timing"].count("limit;") == 2
    assert "transact;" in (await house.call("GET", "/teapot")).headers["server-timing"]


async def test_every_answer_is_observed_once_and_never_in_the_callers_words(house: SmallHouse) -> None:
    await house.call("GET", "/nowhere/secret?token=hunter2", token="hunter2")
    await house.call("GET", "/admin?token=hunter2", token="hunter2")
    await house.call("GET", "/empty", token="user")
    answered = house.seen(RequestAnswered)
    assert [(a.route, a.status, a.principal, a.code) for a in answered] == [
        ("", 404, "nobody", "NOT_FOUND"),
        ("/admin", 401, "nobody", "AUTH_UNAUTHORIZED"),
        ("/empty", 200, "user:7", None),
    ]
    assert "hunter2" not in repr(answered)
    assert all(a.seconds == pytest.approx(sum(seconds for _, seconds in a.stages), abs=0.01) for a in answered)


async def test_a_sentence_with_braces_is_no_template() -> None:
    async def operation(*_: object) -> object:
        raise Forbidden(reason="{__class__} {0}")

    answer = await SmallHouse(endpoint("GET", "/x", operation)).call("GET", "/x")
    assert (answer.status, answer.json()["message"]) == (403, "{__class__} {0}")


@pytest.mark.parametrize("target", ["/split", "/typed"])
async def test_a_header_cannot_be_split(house: SmallHouse, target: str) -> None:
    answer = await house.call("GET", target)
    assert answer.status == 500 and "b=c" not in str(answer.headers)
