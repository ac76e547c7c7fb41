"""Hands every operations class what its fields ask for, by type."""

import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_type_hints

import msgspec

from headwater.boot.errors import MissingPart
from headwater.boot.settings import Settings

T = TypeVar("T")


class Parts:
    """The things of the house, one of each type.

    What the house made is added under its type or under the Protocol it satisfies. A `…Settings` struct is read from
    the environment. Any other class of a component is built from its own fields, once. A field `X | None` is filled
    with the X of the house where there is one: so a component does with Redis or without it. Of some kinds whoever asks
    gets one of his own (`make_each`), and some are not for everybody (`keep_from`).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[type, object] = {Settings: settings}
        self._makers: dict[type, Callable[[type], object]] = {}
        self._kept: dict[type, Callable[[type], None]] = {}

    def add(self, part: object, *kinds: type) -> None:
        """Hand `part` to whoever asks for its class, or for one of `kinds`."""
        for kind in kinds or (type(part),):
            self._made[kind] = part

    def make_each(self, kind: type[T], make: Callable[[type], T]) -> None:
        """Hand every class that asks for `kind` what `make` makes for it."""
        self._makers[kind] = make

    def keep_from(self, kind: type, must_be_let: Callable[[type], None]) -> None:
        """Hand `kind` only to those classes for which `must_be_let` raises nothing."""
        self._kept[kind] = must_be_let

    def find(self, kind: type[T], owner: str = "boot") -> T:
        """The part of type `kind`, made now if it can be; raises `MissingPart`."""
        if kind not in self._made:
            self._made[kind] = self._make(kind, owner)
        return cast("T", self._made[kind])

    def _make(self, kind: type[Any], owner: str) -> object:
        if kind.__name__.endswith("Settings") and issubclass(kind, msgspec.Struct):
            return self._settings.part(kind)
        if not kind.__module__.startswith("headwater.kernel") and not getattr(kind, "_is_protocol", False):
            wanted = _wanted(kind)
            if wanted is not None:
                return kind(**{name: self._field(hint, kind) for name, hint in wanted.items()})
        raise MissingPart(owner=owner, kind=kind.__name__)

    def _field(self, hint: Any, asker: type) -> object:
        optional = _optional(hint)
        if optional is not None:
            return self._made.get(optional)
        if hint in self._makers:
            return self._makers[hint](asker)
        if hint in self._kept:
            self._kept[hint](asker)
        return self.find(hint, asker.__name__)


def _wanted(kind: type[Any]) -> dict[str, Any] | None:
    """What a class's constructor must be given, by name and type; None if it does not say."""
    hints = get_type_hints(kind.__init__)
    wanted: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is parameter.empty:
            if not isinstance(hints.get(name), type) and _optional(hints.get(name)) is None:
                return None
            wanted[name] = hints[name]
    return wanted


def _optional(hint: Any) -> type | None:
    """The X of `X | None`."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else []
    return kinds[0] if len(kinds) == 1 and isinstance(kinds[0], type) else None
