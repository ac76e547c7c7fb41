"""Files that browsers are shown: those of apps at their own addresses, and what they share at `/web/kit`."""

import asyncio
import zlib
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from urllib.parse import quote

import msgspec

import headwater
from headwater.boot.errors import MissingPage
from headwater.boot.routes import Routes
from headwater.flow import BoundEndpoint
from headwater.flow.respond import accepts_gzip
from headwater.kernel.component import PLATFORM_ENVELOPE, Access, Component, Endpoint, Envelope, Limit, Mode, Operation
from headwater.kernel.errors import UnknownEndpoint
from headwater.kernel.models import RawRequest, Reply

INDEX = "index.html"
KIT = "web/kit"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing comes from, or goes to, another origin; no script stands inside a page. `'self'` is our WebSockets too."""
_TEXTS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
_MEDIA_TYPES = {
    **_TEXTS,
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Our own, and no machine's: with `nosniff` a module of another type is not run."""
_WORTHWHILE = 512


class PageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_PAGE_*: the files that browsers are shown."""

    reread: bool = False
    """Whether a file is read again at every request, for whoever is changing it; a new file needs a new start."""


class Content(msgspec.Struct, frozen=True):
    """What a file holds, and the same compressed where that is shorter; each with its strong ETag (RFC 9110 8.8.3)."""

    body: bytes
    tag: str
    gzipped: bytes | None
    gzipped_tag: str


class ShownFile:
    """One file: read at the start, compressed once, and sent only to who does not have it."""

    def __init__(self, entry: Traversable, settings: PageSettings) -> None:
        suffix = Path(entry.name).suffix.lower()
        self._entry = entry
        self._reread = settings.reread
        self._media_type = _MEDIA_TYPES.get(suffix, "application/octet-stream")
        self._is_text = suffix in _TEXTS
        self._content = self._read()

    async def show(self, _tx: object, _principal: object, request: RawRequest) -> Reply:
        """The file, or 304 to who shows its ETag. Raises `UnknownEndpoint` for one that is read again and gone."""
        content = await self._read_again(request.path) if self._reread else self._content
        body, tag, coding = content.body, content.tag, ()
        if content.gzipped is not None and accepts_gzip(request.headers.get("accept-encoding", "")):
            body, tag, coding = content.gzipped, content.gzipped_tag, (("content-encoding", "gzip"),)
        headers = (
            ("etag", tag),
            ("cache-control", "no-cache"),  # names stay the same from version to version, so each use asks
            ("content-security-policy", POLICY),
            *((("vary", "Accept-Encoding"),) if content.gzipped is not None else ()),
        )
        if _names(request.headers.get("if-none-match", ""), tag):
            return Reply(status=304, headers=headers)
        return Reply(headers=(*headers, *coding), body=body, media_type=self._media_type)

    def _read(self) -> Content:
        body = self._entry.read_bytes()
        digest = sha256(body).hexdigest()[:32]
        gzipped = zlib.compress(body, 9, 31) if self._is_text and len(body) >= _WORTHWHILE else None
        return Content(body, f'"{digest}"', gzipped, f'"{digest}-gzip"')

    async def _read_again(self, path: str) -> Content:
        try:
            return await asyncio.to_thread(self._read)
        except FileNotFoundError as failure:
            raise UnknownEndpoint(path=path) from failure


class ShownFolder:
    """The files of a folder and the folders in it, ready to be laid at any number of places.

    Nothing else is ever read: each of them is a route, and there is no other way to a file.
    """

    def __init__(
        self, folder: Traversable, place: str, limits: tuple[Limit, ...], settings: PageSettings, envelope: Envelope
    ) -> None:
        self._place = place
        self._limits = limits
        self._envelope = envelope
        self._endpoints = {
            inside: self._bound(inside, ShownFile(entry, settings).show) for inside, entry in _files(folder)
        }

    def lay(self, routes: Routes, place: str) -> None:
        """Lead to every file below `place`, and to each folder by way of its index; what answers there already stays.

        A folder's name without its slash leads to the one with it, because the links of its index stand on that.
        """
        for inside, endpoint in self._endpoints.items():
            routes.add(f"{place}/{inside}", endpoint, yields=True)
            parent, _, name = f"{place}/{inside}".rpartition("/")
            if name == INDEX:
                routes.add(f"{parent}/", endpoint, yields=True)
                if parent:
                    routes.add(parent, self._bound(inside.removesuffix(INDEX), lead_inside), yields=True)

    def _bound(self, inside: str, operation: Operation) -> BoundEndpoint:
        declared = Endpoint(
            method="GET",
            path=f"{self._place}/{inside}",
            operation=operation,
            access=Access.ANYONE,
            transaction=Mode.NONE,
            body=RawRequest,
            envelope=self._envelope,
        )
        limits = self._limits
        return BoundEndpoint(
            declared=declared, operation=operation, guard=None, address_limits=limits, principal_limits=()
        )


async def lead_inside(_tx: object, _principal: object, request: RawRequest) -> Reply:
    """Send a browser from a folder's name to the folder, with the query it came with."""
    query = f"?{request.query}" if request.query else ""
    headers = (("location", f"{request.path}/{query}"), ("cache-control", "no-cache"))
    return Reply(status=308, headers=headers, media_type=None)


def read_page(component: Component, place: str, limits: tuple[Limit, ...], settings: PageSettings) -> ShownFolder:
    """The files of a component's page, for `place`. Raises `MissingPage` if they have no index."""
    page = component.page
    assert page is not None  # noqa: S101 - for the type checker: who has none is not asked
    folder = find_folder(page.package or component.package, page.folder)
    if not folder.joinpath(INDEX).is_file():
        raise MissingPage(component=component.name, folder=folder)
    return ShownFolder(folder, place, limits, settings, component.envelopes.get("/", PLATFORM_ENVELOPE))


def read_kit(limits: tuple[Limit, ...], settings: PageSettings) -> ShownFolder:
    """The modules and styles that pages share."""
    return ShownFolder(find_folder("headwater", KIT), f"/{KIT}", limits, settings, PLATFORM_ENVELOPE)


def find_folder(package: str, folder: str) -> Traversable:
    """A folder inside a package, installed or not: `headwater`'s `web` stands at a checkout's root, beside `src`."""
    inside = files(package).joinpath(folder)
    if package == headwater.__name__ and not inside.is_dir():
        return Path(headwater.__path__[0]).parents[1] / folder
    return inside


def _files(folder: Traversable, inside: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every file below a folder with its path, percent-encoded as requests write it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        path = inside + quote(entry.name, safe="")
        if entry.is_dir():
            yield from _files(entry, f"{path}/")
        else:
            yield path, entry


def _names(header: str, tag: str) -> bool:
    """Whether an `If-None-Match` header names a tag; weak marks do not matter here (RFC 9110 13.1.2)."""
    named = {each.strip().removeprefix("W/") for each in header.split(",")}
    return tag in named or "*" in named
