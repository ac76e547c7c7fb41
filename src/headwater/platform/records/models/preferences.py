"""What a client prefers and accepts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from headwater.kernel.catalog import MediaHandler

ANYTHING = "*/*"
_BYTES = "application/octet-stream"
_STREAMED = frozenset({"application/x-ndjson", "application/vnd.headwater.stream+csv"})
_UTF_8 = frozenset(
    {"application/json", "application/geo+json", "application/openapi+json", "text/csv", "text/plain", "text/xml"}
)
"""Handlers' own media types that are told with a charset; of others nothing is known."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """The `Prefer` header; None where nothing was said. Unknown ones are listed in their order."""

    resolution: Literal["merge-duplicates", "ignore-duplicates"] | None = None
    missing: Literal["default", "null"] | None = None
    representation: Literal["minimal", "representation", "headers-only"] | None = None
    count: Literal["exact", "planned", "estimated"] | None = None
    tx: Literal["commit", "rollback"] | None = None
    handling: Literal["strict", "lenient"] | None = None
    timezone: str | None = None
    max_affected: int | None = None
    unknown: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Postgres' plan is wanted instead of the rows, as text or as JSON, with the options of its EXPLAIN."""

    as_text: bool
    options: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether the statement runs to be explained."""
        return "analyze" in self.options


class MediaType(msgspec.Struct, frozen=True, kw_only=True):
    """The answer's form: rows in an array, or exactly one row as an object; `null` members may be left out.

    With a `handler` it is the database's own code that makes it.
    """

    name: str = "application/json"
    strip_nulls: bool = False
    explained: Explanation | None = None
    handler: MediaHandler | None = None

    @property
    def singular(self) -> bool:
        """Whether exactly one row is wanted."""
        return self.handler is None and self.name == "application/vnd.pgrst.object+json"

    @property
    def streamed(self) -> bool:
        """Whether the rows leave line by line while they are read."""
        return self.handler is None and self.name in _STREAMED

    @property
    def content_type(self) -> str:
        """The answer's `Content-Type`."""
        form = f"{self.name}{';nulls=stripped' if self.strip_nulls else ''}"
        if self.explained is None:
            if self.handler is not None:
                return form if self.name not in _UTF_8 else f"{form}; charset=utf-8"
            form = "text/csv" if self.name == "application/vnd.headwater.stream+csv" else form
            return f"{form}; charset=utf-8"
        plan = f"application/vnd.pgrst.plan+{'text' if self.explained.as_text else 'json'}"
        options = f"; options={'|'.join(self.explained.options)}" if self.explained.options else ""
        return f'{plan}; for="{form}"{options}; charset=utf-8'


class Handlers(msgspec.Struct, frozen=True):
    """What the database's own code makes of the rows of a request, by media type; `ANYTHING` stands for every one.

    `own` are for this relation or function alone, and take its rows whole; `general` take any.
    """

    own: Mapping[str, MediaHandler] = MappingProxyType({})
    general: Mapping[str, MediaHandler] = MappingProxyType({})

    def find(self, name: str, *, whole: bool) -> MediaType | None:
        """The form of this name where somebody makes it; `whole` where nothing but every column is selected.

        What takes anything goes before what has the very name, as PostgREST chooses.
        """
        own = (self.own.get(ANYTHING) or self.own.get(name)) if whole else None
        handler = own or self.general.get(name)
        if handler is None:
            return None
        return MediaType(name=_BYTES if handler.media_type == ANYTHING else handler.media_type, handler=handler)


NO_HANDLERS = Handlers()
