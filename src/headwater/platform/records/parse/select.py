"""What is told of the rows: columns, casts, JSON paths, aggregates, embedded relations."""

import re
from typing import Literal

from headwater.platform.records.models import Column, Embed, Field, SelectItem, Star
from headwater.platform.records.parse.measures import read_aggregate, read_cast, read_count
from headwater.platform.records.parse.names import read_json_path
from headwater.platform.records.parse.scanner import Scanner

MOST_ITEMS = 1000
"""Postgres takes at most 1,664 columns in one list."""
_ALIAS_COLON = re.compile(r":(?!:)")


def parse_select(text: str) -> tuple[SelectItem, ...]:
    """The `select` parameter; an empty text selects no column."""
    scanner = Scanner(text, "select parameter")
    items = _read_items(scanner, closing="") if text else ()
    scanner.end()
    return items


def _read_items(scanner: Scanner, closing: str) -> tuple[SelectItem, ...]:
    """Items with commas between them, up to `closing` or the end."""
    scanner.enter()
    items: list[SelectItem] = []
    scanner.skip_space()
    while not (closing and scanner.looks_at(closing)):
        items.append(_read_item(scanner))
        if len(items) > MOST_ITEMS:
            scanner.fail(f"at most {MOST_ITEMS} columns")
        scanner.skip_space()
        if not scanner.took(","):
            break
        scanner.skip_space()
    scanner.leave()
    return tuple(items)


def _read_item(scanner: Scanner) -> SelectItem:
    if scanner.took("*"):
        return Star()
    if scanner.took("..."):
        return _read_embed(scanner, scanner.name(), alias=None, spread=True)
    if counted := read_count(scanner):
        return Column(field=None, aggregate=counted)
    name = scanner.name()
    if not scanner.match(_ALIAS_COLON):
        return _read_named(scanner, name, alias=None)
    scanner.skip_space()
    if counted := read_count(scanner):
        return Column(field=None, alias=name, aggregate=counted)
    return _read_named(scanner, scanner.name(), alias=name)


def _read_named(scanner: Scanner, name: str, alias: str | None) -> Column | Embed:
    if scanner.looks_at("!") or scanner.looks_at("("):
        return _read_embed(scanner, name, alias, spread=False)
    field = Field(name, read_json_path(scanner))
    cast = read_cast(scanner)
    return Column(field=field, alias=alias, cast=cast, aggregate=read_aggregate(scanner))


def _read_embed(scanner: Scanner, relation: str, alias: str | None, *, spread: bool) -> Embed:
    hint: str | None = None
    join: Literal["inner", "left"] | None = None
    while scanner.took("!"):
        word = scanner.name()
        if word == "inner":
            join = "inner"
        elif word == "left":
            join = "left"
        elif hint is None:
            hint = word
        else:
            scanner.fail("one hint")
    scanner.take("(")
    items = _read_items(scanner, closing=")")
    scanner.take(")")
    return Embed(relation=relation, items=items, alias=alias, hint=hint, join=join, spread=spread)
