"""From a method and a path to an endpoint."""

from itertools import product
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.boot.errors import ClashingRoutes
from headwater.boot.routes import Routes
from headwater.flow import BoundEndpoint, Request
from headwater.kernel.component import PLATFORM_ENVELOPE, PlatformEnvelope
from headwater.kernel.errors import InvalidInput, Refusal, UnknownEndpoint, WrongMethod
from tests.kit.house import endpoint


async def _nobody() -> None:
    raise AssertionError


def bound(method: str, path: str, timeout: float = 30.0) -> BoundEndpoint:
    declared = endpoint(method, path, timeout=timeout)
    return BoundEndpoint(
        declared=declared, operation=declared.operation, guard=None, address_limits=(), principal_limits=()
    )


def laid(*lines: str) -> Routes:
    return Routes((path, bound(method, path)) for method, path in (line.split() for line in lines))


def asked(method: str, path: str) -> Request:
    return Request(method, path, "", {}, "", _nobody)


def found(routes: Routes, method: str, path: str) -> tuple[str, dict[str, str]]:
    request = asked(method, path)
    return routes.find(request).declared.path, request.parameters


def test_a_literal_wins_and_a_parameter_is_tried_where_it_leads_nowhere() -> None:
    routes = laid("GET /a/{x}", "GET /a/me", "GET /a/me/on", "GET /a/{x}/off", "GET /{y}/me/deep", "GET /")
    assert found(routes, "GET", "/") == ("/", {})
    assert found(routes, "GET", "/a/me") == ("/a/me", {})
    assert found(routes, "GET", "/a/you") == ("/a/{x}", {"x": "you"})
    assert found(routes, "GET", "/a/me/on") == ("/a/me/on", {})
    assert found(routes, "GET", "/a/me/off") == ("/a/{x}/off", {"x": "me"})
    assert found(routes, "GET", "/a/me/deep") == ("/{y}/me/deep", {"y": "a"})


def test_the_method_takes_part_in_the_choice() -> None:
    routes = laid("GET /sessions/current", "DELETE /sessions/{id}", "HEAD /sessions/{id}", "POST /sessions")
    assert found(routes, "DELETE", "/sessions/current") == ("/sessions/{id}", {"id": "current"})
    assert found(routes, "HEAD", "/sessions/current") == ("/sessions/{id}", {"id": "current"})
    with pytest.raises(WrongMethod) as refused:
        routes.find(asked("PUT", "/sessions/current"))
    assert refused.value.headers["Allow"] == "DELETE, GET, HEAD"
    with pytest.raises(WrongMethod) as refused:
        routes.find(asked("GET", "/sessions"))
    assert refused.value.headers["Allow"] == "POST"


def test_head_falls_back_to_get() -> None:
    assert found(laid("GET /a/{x}"), "HEAD", "/a/1") == ("/a/{x}", {"x": "1"})


@pytest.mark.parametrize("path", ["/b", "/a/", "/a//", "//a", "/A", "/a/1/", "", "a", "/a/1/2", "/%61"])
def test_what_is_not_there(path: str) -> None:
    with pytest.raises(UnknownEndpoint):
        laid("GET /a", "GET /a/{x}").find(asked("GET", path))


@pytest.mark.parametrize(
    ("segment", "value"),
    [("a%2Fb", "a/b"), ("%E2%82%AC", "€"), ("a+b", "a+b"), ("%", "%"), ("%zz", "%zz"), ("%00", "\0"), ("..", "..")],
)
def test_parameters_are_decoded_after_the_path_is_split(segment: str, value: str) -> None:
    assert found(laid("GET /a/{x}/c"), "GET", f"/a/{segment}/c")[1] == {"x": value}


def test_a_parameter_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^x: The path is not UTF-8$"):
        laid("GET /a/{x}").find(asked("GET", "/a/%ff"))


def test_two_of_one_method_and_shape_clash_unless_one_yields() -> None:
    routes = laid("GET /a/{x}")
    with pytest.raises(ClashingRoutes, match=r"GET /a/{y} is declared by nothing and by nothing"):
        routes.add("/a/{y}", bound("GET", "/a/{y}"))
    routes.add("/a/{y}", bound("GET", "/a/{y}"), yields=True)
    assert found(routes, "GET", "/a/1") == ("/a/{x}", {"x": "1"})
    routes.add("/a/{z}", bound("POST", "/a/{z}"))
    assert found(routes, "POST", "/a/1") == ("/a/{z}", {"z": "1"})


def test_a_request_takes_its_endpoints_timeout() -> None:
    request = asked("GET", "/a")
    Routes([("/a", bound("GET", "/a", timeout=2.5))]).find(request)
    assert request.timeout == 2.5


def test_a_refusal_is_told_as_the_endpoints_of_its_path_tell_theirs() -> None:
    near, far, own = PlatformEnvelope(), PlatformEnvelope(), PlatformEnvelope()
    declared = endpoint("GET", "/a/{x}", envelope=own)
    routes = laid("GET /b")
    routes.add(
        "/a/{x}",
        BoundEndpoint(
            declared=declared, operation=declared.operation, guard=None, address_limits=(), principal_limits=()
        ),
    )
    assert routes.envelope("/c") is PLATFORM_ENVELOPE
    routes.wrap("/", far)
    routes.wrap("/a", near)
    told = {path: routes.envelope(path) for path in ("/a/1", "/a/1/2", "/a", "/b", "/c/d", "/")}
    assert told == {"/a/1": own, "/a/1/2": near, "/a": near, "/b": PLATFORM_ENVELOPE, "/c/d": far, "/": far}


METHODS = ("GET", "POST", "HEAD")
declared = st.lists(st.sampled_from(["a", "b", "{x}"]), max_size=4).map(lambda parts: "/" + "/".join(parts))
paths = st.lists(st.sampled_from(["a", "b", "c", "", "%61"]), max_size=5).map(lambda parts: "/" + "/".join(parts))


def naive(routes: set[tuple[str, str]], method: str, path: str) -> tuple[str, list[str]] | set[str]:
    """Every route tried; of those that match the one with the earliest literals, or the methods that would do."""
    segments = path.split("/")[1:]
    matching: dict[str, list[tuple[list[bool], str]]] = {}
    for known, template in routes:
        parts = template.split("/")[1:]
        if len(parts) == len(segments) and all(
            part == segment or (part == "{x}" and segment) for part, segment in zip(parts, segments, strict=True)
        ):
            matching.setdefault(known, []).append(([part == "{x}" for part in parts], template))
    chosen = matching.get(method) or (matching.get("GET") if method == "HEAD" else None)
    if not chosen:
        return set(matching) | ({"HEAD"} if "GET" in matching else set())
    template = min(chosen)[1]
    pairs = zip(template.split("/")[1:], segments, strict=True)
    return template, [unquote(segment) for part, segment in pairs if part == "{x}"]


@given(st.sets(st.tuples(st.sampled_from(METHODS), declared), max_size=12), st.lists(paths, max_size=8))
def test_it_finds_what_a_naive_matcher_finds(routes: set[tuple[str, str]], requests: list[str]) -> None:
    tree = Routes()
    for method, template in routes:
        names = iter("pqrst")
        tree.add(
            "/".join(f"{{{next(names)}}}" if p == "{x}" else p for p in template.split("/")), bound(method, template)
        )
    for method, path in product((*METHODS, "PUT"), requests):
        request = asked(method, path)
        expected = naive(routes, method, path)
        try:
            got: object = (tree.find(request).declared.path, list(request.parameters.values()))
        except WrongMethod as refused:
            got = set(refused.headers["Allow"].split(", "))
        except Refusal:
            got = set[str]()
        assert got == expected
