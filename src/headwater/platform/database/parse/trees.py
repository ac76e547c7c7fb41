"""Trees of Postgres' grammar, made only where their making cannot end the process."""

import re

from pglast import ast
from pglast.parser import ParseError, parse_sql, split

MOST_LINKS = 20_000
"""How many words and signs may follow each other on one way down a tree. The parser makes a tree by recursion in C and
looks at no limit: on a stack of 8 MB it ends the process at about 45,000 of them."""
_SHORT = MOST_LINKS
"""A text of so few characters cannot hold more."""
_SET_OPERATIONS = frozenset({"union", "intersect", "except"})
_WORDS_OF_SET_OPERATION = 3
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_PLAIN = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPED = r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'"
_NEXT_LINE = r"(?:\s|--[^\n\r]*)*+"
"""Between the parts of one text; that the line must have ended the parser has seen."""
_PART = re.compile(
    rf"""(?P<comment>/\*)
    | (?P<nothing>\s+ | --[^\n\r]*)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<comma>[,;])
    | (?P<text>[eE]{_ESCAPED}(?:{_NEXT_LINE}{_ESCAPED})*+ | {_PLAIN} | "[^"]*+"
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign>[\d.]+ | .)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = r"""("(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)"""
_PLAIN_INSERT = re.compile(rf"insert\s+into\s+(?:{_NAME}\s*\.\s*)?{_NAME}(?=\s*\(|\s+[A-Za-z])", re.IGNORECASE)


def cut_statements(text: str) -> list[slice]:
    """Where each statement of a text stands; this alone makes no tree, and reads a megabyte in a tenth of a second.

    Raises pglast's `ParseError`, `UnicodeEncodeError`.
    """
    return list(split(text, only_slices=True)) if text else []


def tree_of(statement: str) -> ast.Node | None:
    """The tree of one statement. Raises `ParseError`, also where it would nest too deeply."""
    if len(statement) > _SHORT and depth_of(statement) > MOST_LINKS:
        raise ParseError("the statement nests too deeply", 0)
    parsed = parse_sql(statement)
    return parsed[0].stmt if parsed else None


def plain_insert(statement: str) -> tuple[str, str] | None:
    """Schema and name of the table, of an INSERT whose tree would tell no more than that.

    A dump is made of them, and the trees of a hundred megabytes of rows need more memory than most machines have.
    """
    found = _PLAIN_INSERT.match(statement)
    if found is None or "set_config" in statement.lower():
        return None
    schema, name = found.groups()
    return _folded(schema or "public"), _folded(name)


def _folded(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def depth_of(statement: str) -> int:
    """No fewer levels than the statement's tree has.

    A level of a chain (`a + b + c`, joins, casts) takes at least a word or sign; commas part what stands side by side,
    but for chains of UNION, whose members hold commas; parentheses hang what is inside below what goes on after them.
    """
    outer: list[tuple[int, int, int]] = []
    here = most = unions = place = 0
    while place < len(statement) and (part := _PART.match(statement, place)):
        place = part.end()
        match part.lastgroup:
            case "nothing":
                pass
            case "comment":
                place = _end_of_comment(statement, place)
            case "open":
                outer.append((here, most, unions))
                here = most = unions = 0
            case "close" if outer:
                inside = max(here, most) + _WORDS_OF_SET_OPERATION * unions
                here, most, unions = outer.pop()
                here += inside + 1
            case "comma":
                here, most = 0, max(here, most)
            case "word" if part.group().lower() in _SET_OPERATIONS:
                here, unions = here + 1, unions + 1
            case _:
                here += 1
    return max(here, most) + _WORDS_OF_SET_OPERATION * unions + sum(count for count, _, _ in outer)


def _end_of_comment(text: str, place: int) -> int:
    """Where a comment ends that has begun before `place`; Postgres' comments hold others."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, place):
        depth += 1 if edge.group() == "/*" else -1
        if not depth:
            return edge.end()
    return len(text)
