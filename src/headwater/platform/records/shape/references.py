"""What later requests of a batch take from the answers to earlier ones."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, cast
from urllib.parse import quote

import msgspec

from headwater.platform.records.errors import UnreadableBody, UnresolvedReference

_IN_PATH = re.compile(r"\$\((/[^()&]*)\)")
_IN_BODY = "$from"
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class EarlierAnswers:
    """The bodies of the answers so far; each is read only if something refers to it."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._read: dict[int, object] = {}

    def add(self, body: bytes) -> None:
        """Remember the next answer's body."""
        self._bodies.append(body)

    def into_path(self, path: str) -> str:
        """The path with what its references stand for, percent-encoded. Raises `UnresolvedReference`."""
        return _IN_PATH.sub(lambda found: quote(_text(found[1], self.find(found[1])), safe=""), path)

    def into_body(self, body: bytes) -> bytes:
        """The JSON text with what its references stand for. Raises `UnresolvedReference`, `UnreadableBody`."""
        if b'"$from"' not in body:
            return body
        try:
            return _encoder.encode(_filled(_decoder.decode(body), self.find))
        except (msgspec.DecodeError, RecursionError) as failure:
            raise UnreadableBody(reason="Empty or invalid json") from failure

    def find(self, pointer: str) -> object:
        """What a JSON Pointer (RFC 6901) finds; its first word is an answer's place. Raises `UnresolvedReference`."""
        words = [word.replace("~1", "/").replace("~0", "~") for word in pointer.split("/")[1:]]
        found: object = None
        for depth, word in enumerate(words):
            try:
                found = self._answer(_place(word)) if depth == 0 else _member(found, word)
            except (LookupError, ValueError, msgspec.DecodeError) as failure:
                raise UnresolvedReference(reference=pointer) from failure
        return found

    def _answer(self, place: int) -> object:
        if place not in self._read:
            self._read[place] = _decoder.decode(self._bodies[place])
        return self._read[place]


def _place(word: str) -> int:
    """An index; a negative one would count from the end, which no pointer does."""
    if not (word.isascii() and word.isdigit()):
        raise ValueError(word)
    return int(word)


def _member(value: object, word: str) -> object:
    if isinstance(value, list):
        return cast("list[object]", value)[_place(word)]
    if isinstance(value, dict):
        return cast("dict[str, object]", value)[word]
    raise LookupError(word)


def _filled(value: object, find: Callable[[str], object]) -> object:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        pointer = members.get(_IN_BODY)
        if len(members) == 1 and isinstance(pointer, str) and pointer.startswith("/"):
            return find(pointer)
        return {name: _filled(member, find) for name, member in members.items()}
    if isinstance(value, list):
        return [_filled(item, find) for item in cast("Sequence[object]", value)]
    return value


def _text(pointer: str, value: object) -> str:
    """A value as a filter writes it. Raises `UnresolvedReference` for objects and arrays."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise UnresolvedReference(reference=pointer, details="An object or an array cannot stand in a path")
    return _encoder.encode(value).decode()
