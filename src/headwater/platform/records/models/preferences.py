"""What a client prefers and accepts."""

from typing import Literal

import msgspec


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


class MediaType(msgspec.Struct, frozen=True, kw_only=True):
    """The answer's form: rows in an array, or exactly one row as an object; `null` members may be left out."""

    name: Literal["application/json", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json"] = (
        "application/json"
    )
    strip_nulls: bool = False

    @property
    def singular(self) -> bool:
        """Whether exactly one row is wanted."""
        return self.name == "application/vnd.pgrst.object+json"

    @property
    def content_type(self) -> str:
        """The answer's `Content-Type`."""
        stripped = ";nulls=stripped" if self.strip_nulls else ""
        return f"{self.name}{stripped}; charset=utf-8"
