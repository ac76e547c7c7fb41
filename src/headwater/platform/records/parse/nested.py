"""Which relations' rows the rows of a body carry."""

from functools import lru_cache

from headwater.platform.records.models import Embed
from headwater.platform.records.parse.scanner import Scanner

MOST_NESTED = 32
"""Relations in one insert: each is a statement of its own, or two."""


@lru_cache(maxsize=256)
def parse_nested(text: str) -> tuple[Embed, ...]:
    """`(alias:relation!hint(relation,relation),relation)`: embeds without columns. Raises `UnreadableQuery`."""
    scanner = Scanner(text, "nested parameter")
    listed = _read_embeds(scanner)
    scanner.end()
    if _number_of(listed) > MOST_NESTED:
        scanner.fail(f"at most {MOST_NESTED} relations")
    return listed


def label_of(embed: Embed) -> str:
    """The member of a row under which its related rows stand."""
    return embed.alias or embed.relation


def _read_embeds(scanner: Scanner) -> tuple[Embed, ...]:
    scanner.enter()
    scanner.take("(")
    embeds: list[Embed] = []
    while True:
        scanner.skip_space()
        embed = _read_embed(scanner)
        if any(label_of(one) == label_of(embed) for one in embeds):
            scanner.fail(f"another alias: '{label_of(embed)}' is given twice")
        embeds.append(embed)
        scanner.skip_space()
        if scanner.took(")"):
            scanner.leave()
            return tuple(embeds)
        scanner.take(",")


def _read_embed(scanner: Scanner) -> Embed:
    relation, alias = scanner.name(), None
    if scanner.took(":"):
        scanner.skip_space()
        relation, alias = scanner.name(), relation
    hint = scanner.name() if scanner.took("!") else None
    items = _read_embeds(scanner) if scanner.looks_at("(") else ()
    return Embed(relation=relation, items=items, alias=alias, hint=hint)


def _number_of(embeds: tuple[Embed, ...]) -> int:
    return sum(1 + _number_of(tuple(item for item in embed.items if isinstance(item, Embed))) for embed in embeds)
