"""Files that browsers are shown: every one a route, known by its content, and nothing else."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from headwater.boot.errors import MissingPage
from headwater.boot.pages import KIT, POLICY, PageSettings, ShownFolder, find_folder, read_page
from headwater.boot.routes import Routes
from headwater.flow import Request
from headwater.kernel.component import PLATFORM_ENVELOPE, Component, Page
from headwater.kernel.errors import UnknownEndpoint, WrongMethod
from headwater.kernel.models import RawRequest, Reply
from tests.kit.house import SmallHouse, endpoint, serving

FILES = {
    "index.html": b"<!doctype html>",
    "app.js": b"export const answer = 42;\n" * 100,
    "deep/index.html": b"deep",
    "deep/a picture {1}.png": b"\x89PNG",
    "strange.xyz": b"?",
    ".env": b"secret",
    ".git/config": b"secret",
}


class Shown(NamedTuple):
    """What came of a request."""

    status: int
    headers: dict[str, str]
    body: bytes
    media_type: str | None


class Showing:
    """A folder, laid at `/apps/notes`."""

    def __init__(self, folder: Path, **settings: bool) -> None:
        self.page = ShownFolder(folder, "/apps/notes", (), PageSettings(**settings), PLATFORM_ENVELOPE)
        self.routes = Routes()
        self.page.lay(self.routes, "/apps/notes")

    async def ask(self, path: str, headers: Mapping[str, str] | None = None, query: str = "") -> Shown:
        """GET a path; raises `UnknownEndpoint`."""
        request = Request("GET", path, query, headers or {}, "", _nothing)
        found = self.routes.find(request)
        raw = RawRequest(
            method="GET",
            path=path,
            parameters=request.parameters,
            query=query,
            headers=headers or {},
            body=b"",
            address="",
            id="",
        )
        reply = await found.operation(None, None, raw)
        assert isinstance(reply, Reply)
        return Shown(reply.status, dict(reply.headers), reply.body, reply.media_type)


async def _nothing() -> None:
    raise AssertionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        place = tmp_path / "page" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (tmp_path / "beside.txt").write_text("not shown")
    return tmp_path / "page"


@pytest.mark.parametrize(
    ("path", "body", "media_type"),
    [
        ("/apps/notes/", b"<!doctype html>", "text/html; charset=utf-8"),
        ("/apps/notes/index.html", b"<!doctype html>", "text/html; charset=utf-8"),
        ("/apps/notes/app.js", FILES["app.js"], "text/javascript; charset=utf-8"),
        ("/apps/notes/deep/", b"deep", "text/html; charset=utf-8"),
        ("/apps/notes/deep/a%20picture%20%7B1%7D.png", b"\x89PNG", "image/png"),
        ("/apps/notes/strange.xyz", b"?", "application/octet-stream"),
    ],
)
async def test_every_file_is_shown_as_what_it_is(folder: Path, path: str, body: bytes, media_type: str) -> None:
    shown = await Showing(folder).ask(path)
    assert (shown.status, shown.body, shown.media_type) == (200, body, media_type)
    assert shown.headers["content-security-policy"] == POLICY
    assert shown.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/apps/notes/missing.js",
        "/apps/notes/app.js/",
        "/apps/notes/../beside.txt",
        "/apps/notes/..%2Fbeside.txt",
        "/apps/notes/%2e%2e/beside.txt",
        "/apps/notes//index.html",
        "/apps/notes/deep/../app.js",
        "/apps/notes/.env",
        "/apps/notes/.git/config",
        "/apps/notes/APP.JS",
        "/apps/notes/deep/a picture {1}.png",
        "/etc/passwd",
        "/apps/notes//etc/passwd",
        "/apps/notes/app.js%00.html",
    ],
)
async def test_nothing_else_can_be_reached(folder: Path, path: str) -> None:
    with pytest.raises(UnknownEndpoint):
        await Showing(folder).ask(path)


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/apps/notes", "", "/apps/notes/"),
        ("/apps/notes", "board=a&x=%2F", "/apps/notes/?board=a&x=%2F"),
        ("/apps/notes/deep", "", "/apps/notes/deep/"),
    ],
)
async def test_a_folder_without_its_slash_leads_inside(folder: Path, path: str, query: str, location: str) -> None:
    shown = await Showing(folder).ask(path, query=query)
    assert (shown.status, shown.headers["location"], shown.media_type) == (308, location, None)


async def test_a_long_text_is_compressed_once_and_has_a_tag_of_its_own(folder: Path) -> None:
    showing = Showing(folder)
    plain, small = await showing.ask("/apps/notes/app.js"), await showing.ask("/apps/notes/")
    packed = await showing.ask("/apps/notes/app.js", {"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert "vary" not in small.headers
    assert packed.body is (await showing.ask("/apps/notes/app.js", {"accept-encoding": "gzip"})).body


@pytest.mark.parametrize("header", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
async def test_who_has_it_is_told_so(folder: Path, header: str) -> None:
    showing = Showing(folder)
    for coding in ({}, {"accept-encoding": "gzip"}):
        tag = (await showing.ask("/apps/notes/app.js", coding)).headers["etag"]
        shown = await showing.ask("/apps/notes/app.js", {**coding, "if-none-match": header.format(tag=tag)})
        assert (shown.status, shown.body, shown.headers["etag"]) == (304, b"", tag)


async def test_who_has_another_version_or_coding_gets_it(folder: Path) -> None:
    showing = Showing(folder)
    tag = (await showing.ask("/apps/notes/app.js")).headers["etag"]
    for headers in ({"if-none-match": '"other"'}, {"if-none-match": tag, "accept-encoding": "gzip"}):
        assert (await showing.ask("/apps/notes/app.js", headers)).status == 200
    (folder / "app.js").write_text("export const answer = 43;\n")
    assert (await Showing(folder).ask("/apps/notes/app.js")).headers["etag"] != tag


async def test_a_change_is_shown_at_once_only_where_that_is_wanted(folder: Path) -> None:
    still, developing = Showing(folder), Showing(folder, reread=True)
    (folder / "app.js").write_text("changed")
    assert (await still.ask("/apps/notes/app.js")).body == FILES["app.js"]
    assert (await developing.ask("/apps/notes/app.js")).body == b"changed"
    (folder / "app.js").unlink()
    assert (await still.ask("/apps/notes/app.js")).status == 200
    with pytest.raises(UnknownEndpoint):
        await developing.ask("/apps/notes/app.js")


async def test_at_the_root_what_answers_already_stays(folder: Path) -> None:
    showing = Showing(folder)
    own = ShownFolder(folder, "", (), PageSettings(), PLATFORM_ENVELOPE)
    routes = Routes([("/app.js", showing.routes.find(Request("GET", "/apps/notes/", "", {}, "", _nothing)))])
    own.lay(routes, "")
    assert routes.find(Request("GET", "/app.js", "", {}, "", _nothing)).declared.path == "/apps/notes/index.html"
    assert routes.find(Request("GET", "/", "", {}, "", _nothing)).declared.path == "/index.html"
    with pytest.raises(UnknownEndpoint):
        routes.find(Request("GET", "", "", {}, "", _nothing))
    with pytest.raises(WrongMethod):
        routes.find(Request("POST", "/", "", {}, "", _nothing))


def test_a_page_without_an_index_refuses_the_start(tmp_path: Path) -> None:
    component = Component(name="notes", package="headwater.apps", operations=object, page=Page(str(tmp_path)))
    with pytest.raises(MissingPage, match=r"^The page of notes has no index\.html in "):
        read_page(component, "/apps/notes", (), PageSettings())


def test_the_kit_is_found_in_a_checkout() -> None:
    kit = find_folder("headwater", KIT)
    assert {"api.js", "live.js", "elements.js", "theme.css"} <= {entry.name for entry in kit.iterdir()}


async def test_over_the_wire(folder: Path) -> None:
    showing = Showing(folder)
    file = showing.routes.find(Request("GET", "/apps/notes/app.js", "", {}, "", _nothing))
    house = SmallHouse(endpoint("GET", "/app.js", file.operation, body=RawRequest))
    async with serving(house) as running:
        wire = await running.wire()
        told = await wire.ask("/app.js", accept_encoding="gzip")
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["content-type"] == "text/javascript; charset=utf-8"
        assert told.headers["content-length"] == str(len(told.body))
        assert gzip.decompress(told.body) == FILES["app.js"]
        head = await wire.ask("/app.js", method="HEAD")
        assert head.headers["content-length"] == str(len(FILES["app.js"]))
        unchanged = await wire.ask("/app.js", accept_encoding="gzip", if_none_match=told.headers["etag"])
        assert unchanged.status == 304 and "content-length" not in unchanged.headers
        assert (await wire.ask("/app.js")).body == FILES["app.js"]
