"""What a client prefers and accepts."""

from typing import Literal

import msgspec

MediaName = Literal[
    "application/json",
    "application/vnd.pgrst.object+json",
    "application/vnd.pgrst.array+json",
    "application/geo+json",
    "text/csv",
    "application/x-ndjson",
    "application/vnd.headwater.stream+csv",
]


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
    """The answer's form: rows in an array, or exactly one row as an object; `null` members may be left out."""

    name: MediaName = "application/json"
    strip_nulls: bool = False
    explained: Explanation | None = None

    @property
    def singular(self) -> bool:
        """Whether exactly one row is wanted."""
        return self.name == "application/vnd.pgrst.object+json"

    @property
    def streamed(self) -> bool:
        """Whether the rows leave line by line while they are read."""
        return self.name in {"application/x-ndjson", "application/vnd.headwater.stream+csv"}

    @property
    def content_type(self) -> str:
        """The answer's `Content-Type`."""
        form = f"{self.name}{';nulls=stripped' if self.strip_nulls else ''}"
        if self.name == "application/vnd.headwater.stream+csv":
            return "text/csv; charset=utf-8"
        if self.explained is None:
            return f"{form}; charset=utf-8"
        plan = f"application/vnd.pgrst.plan+{'text' if self.explained.as_text else 'json'}"
        options = f"; options={'|'.join(self.explained.options)}" if self.explained.options else ""
        return f'{plan}; for="{form}"{options}; charset=utf-8'
