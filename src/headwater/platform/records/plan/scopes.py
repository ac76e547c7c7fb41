"""Which filters, orders and windows speak of which embed."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from headwater.platform.records.models import (
    Asked,
    Condition,
    Distinct,
    Embed,
    Logic,
    Ordered,
    OrderTerm,
    Scoped,
    Windowed,
)
from headwater.platform.records.plan.hints import not_embedded

T = TypeVar("T", Scoped, Ordered, Windowed, Distinct)


class Scope(msgspec.Struct, frozen=True):
    """What speaks of a relation, or of those that are embedded in it; paths begin at the relation."""

    filters: tuple[Scoped, ...] = ()
    orders: tuple[Ordered, ...] = ()
    windows: tuple[Windowed, ...] = ()
    distincts: tuple[Distinct, ...] = ()
    having: tuple[Logic, ...] = ()

    def own_filters(self) -> tuple[Condition | Logic, ...]:
        """The filters of the relation itself."""
        return tuple(scoped.filter for scoped in self.filters if not scoped.path)

    def own_order(self) -> tuple[OrderTerm, ...]:
        """The order of the relation itself."""
        return tuple(term for ordered in self.orders if not ordered.path for term in ordered.terms)

    def own_window(self) -> dict[str, int]:
        """The slots of the relation's own `limit` and `offset`; of several, the last counts."""
        return {windowed.bound: windowed.slot for windowed in self.windows if not windowed.path}

    def own_distinct(self) -> Distinct | None:
        """Which of the relation's own rows are told once; of several, the last counts."""
        return next((one for one in reversed(self.distincts) if not one.path), None)

    def inside(self, embeds: Iterable[Embed]) -> "tuple[Scope, ...]":
        """What speaks of each embed, which is known by its alias, or by its relation's name.

        Raises `NotEmbedded` where something speaks of none of them.
        """
        names: dict[str, int] = {}
        listed = tuple(embeds)
        for place, embed in enumerate(listed):
            names.setdefault(embed.alias or embed.relation, place)
        for place, embed in enumerate(listed):
            names.setdefault(embed.relation, place)
        filters, orders = _dealt(self.filters, names), _dealt(self.orders, names)
        windows, distincts = _dealt(self.windows, names), _dealt(self.distincts, names)
        return tuple(
            Scope(
                tuple(filters.get(n, ())),
                tuple(orders.get(n, ())),
                tuple(windows.get(n, ())),
                tuple(distincts.get(n, ())),
            )
            for n in range(len(listed))
        )


def whole_scope(asked: Asked) -> Scope:
    """The scope of a request's own relation."""
    return Scope(asked.filters, asked.orders, asked.windows, asked.distincts, asked.having)


def _dealt(spoken: Iterable[T], names: dict[str, int]) -> dict[int, list[T]]:
    """What speaks of embeds, by the embed's number and without its name."""
    dealt: dict[int, list[T]] = {}
    for one in spoken:
        if one.path:
            if one.path[0] not in names:
                raise not_embedded(one.path[0])
            dealt.setdefault(names[one.path[0]], []).append(msgspec.structs.replace(one, path=one.path[1:]))
    return dealt
