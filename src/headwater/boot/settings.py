"""Environment and .env, read once into frozen structs: each part of the house has its own."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast, get_type_hints

import msgspec
from dotenv import dotenv_values

from headwater.boot.errors import InvalidSetting

PREFIX = "HEADWATER_"
T = TypeVar("T", bound=msgspec.Struct)


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_SERVER_*: where the server listens and how it ends; times in seconds."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 7130
    public_url: Annotated[
        str | None, msgspec.Meta(extra={"env": ("HEADWATER_PUBLIC_URL", "HEADWATER_SERVER_PUBLIC_URL")})
    ] = None
    """HEADWATER_PUBLIC_URL: where others reach the server, for links in letters; unset, where it listens."""
    log: Literal["debug", "info", "warning", "error"] = "info"
    stop_within: Annotated[float, msgspec.Meta(ge=0)] = 8.0
    """How long running requests may take to finish once the server is asked to stop."""
    header_bytes: Annotated[int, msgspec.Meta(ge=1)] = 32 * 1024
    header_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    """How long a connection may take to send a request's headers."""
    reader_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """How long a client may leave untaken what a streamed answer has sent him."""
    worker: bool = True
    """Whether the server runs jobs and timers too; if not, `headwater work` must run beside it."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """How many processes answer at the address; each has its share of the connections to Postgres."""
    connections_per_address: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Trusted proxies may open any number."""


class Settings:
    """Everything the environment says, by part.

    A part is a struct named `<Part>Settings`; its field `some_name` is read from `HEADWATER_<PART>_SOME_NAME`, or
    from the names its `msgspec.Meta(extra={"env": (...)})` lists, the first that is set; an empty one counts as not
    set. Lists are comma-separated. Real environment variables win over the file. Raises `InvalidSetting`, which names
    the variable.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._parts: dict[type, object] = {}

    @classmethod
    def read(cls, folder: Path | None = None) -> "Settings":
        """The settings of this process: its environment over `.env` in `folder` (the current one unless given)."""
        file = (folder or Path.cwd()) / ".env"
        from_file = {name: value for name, value in dotenv_values(file).items() if value is not None}
        return cls({**from_file, **os.environ})

    def part(self, kind: type[T]) -> T:
        """The part of the settings that `kind` describes."""
        if kind not in self._parts:
            self._parts[kind] = self._read(kind)
        return cast("T", self._parts[kind])

    def _read(self, kind: type[T]) -> T:
        values: dict[str, object] = {}
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            for name in variable_names(kind, field.name, hints[field.name]):
                if text := self._environment.get(name):
                    values[field.name] = _convert(name, text, hints[field.name])
                    break
        return kind(**values)


def variable_names(kind: type, field: str, hint: Any) -> tuple[str, ...]:
    """The environment variables that a settings field is read from, the first that is set winning."""
    for annotation in getattr(hint, "__metadata__", ()):
        if isinstance(annotation, msgspec.Meta) and annotation.extra and "env" in annotation.extra:
            return tuple(annotation.extra["env"])
    return (f"{PREFIX}{kind.__name__.removesuffix('Settings').upper()}_{field.upper()}",)


def _path(kind: type, text: Any) -> Path:
    if kind is not Path:
        raise NotImplementedError
    return Path(text)


def _convert(name: str, text: str, hint: Any) -> object:
    plural = str(hint).startswith(("tuple", "list", "typing.Annotated[tuple"))
    value = [part.strip() for part in text.split(",") if part.strip()] if plural else text
    try:
        return msgspec.convert(value, hint, strict=False, dec_hook=_path)
    except msgspec.ValidationError as failure:
        raise InvalidSetting(name=name, reason=str(failure)) from failure
