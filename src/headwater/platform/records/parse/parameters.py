"""The parameters of a query, each told from the others by its key and by what of it is structure."""

from headwater.platform.records.errors import UnreadableQuery
from headwater.platform.records.models import Distinct, Embed, Logic, Ordered, ResourcePath, Scoped, Windowed
from headwater.platform.records.parse.distinct import parse_distinct
from headwater.platform.records.parse.filters import parse_condition
from headwater.platform.records.parse.names import parse_key, parse_names, parse_resource_path
from headwater.platform.records.parse.nested import parse_nested
from headwater.platform.records.parse.order import parse_order

BY, NESTED, DISTINCT, HAVING = "by", "nested", "distinct", "having"
BRACKETED = frozenset({BY, NESTED, DISTINCT, HAVING})
"""Words that are the grammar's own where a bracket follows them at once, as no filter's value begins with one."""
_LISTS = frozenset({"select", "columns", "on_conflict"})
_READING = frozenset({"GET", "HEAD"})


class ReadParameters:
    """What the parameters of one query ask for, read one after the other."""

    def __init__(self, method: str) -> None:
        self.lists: dict[str, str] = {}
        self.filters: list[Scoped] = []
        self.orders: list[Ordered] = []
        self.windows: list[Windowed] = []
        self.distincts: list[Distinct] = []
        self.having: list[Logic] = []
        self.nested: tuple[Embed, ...] = ()
        self.by: tuple[str, ...] | None = None
        self._method = method

    def add(self, key: str, structure: str | Logic, slot: int) -> None:
        """Read one more. Raises `UnreadableQuery`."""
        last = key[key.rfind(".") + 1 :]
        if isinstance(structure, Logic) and last == HAVING:
            self._must_read(key, "having=(…)")
            if key != HAVING:
                raise misplaced(key, "having=(…)", "having=(…) chooses among the groups of the request's own rows")
            self.having.append(structure)
        elif isinstance(structure, Logic):
            self.filters.append(Scoped(_path_of_logic(key), structure))
        elif key in _LISTS:
            self.lists.setdefault(key, structure)
        elif structure[:1] == "(" and last in BRACKETED:
            self._add_bracketed(key, last, structure)
        elif last == "order":
            self.orders.append(Ordered(parse_resource_path(key), parse_order(structure)))
        elif not structure:
            bound = "limit" if last == "limit" else "offset"
            self.windows.append(Windowed(parse_resource_path(key), bound, slot))
        else:
            self.filters.append(_filter(key, structure, slot))

    def names(self, key: str) -> tuple[str, ...] | None:
        """The names that a list has, or None where there is no such list."""
        text = self.lists.get(key)
        return None if text is None else parse_names(text, f"{key} parameter")

    def _add_bracketed(self, key: str, word: str, text: str) -> None:
        if word == DISTINCT:
            self._must_read(key, "distinct=(…)")
            self.distincts.append(Distinct(parse_resource_path(key), parse_distinct(text)))
        elif word == NESTED:
            if self._method != "POST" or key != NESTED:
                raise misplaced(key, text, "nested=(…) names what the rows in the body of a POST carry")
            self.nested = self.nested or parse_nested(text)
        elif self._method != "PATCH" or key != BY or not text.endswith(")"):
            raise misplaced(key, text, "by=(…) names the key of the rows in the body of a PATCH")
        elif self.by is None:
            self.by = parse_names(text[1:-1], "by parameter")

    def _must_read(self, key: str, spelled: str) -> None:
        if self._method not in _READING:
            raise misplaced(key, spelled, f"{spelled} is about rows that are read, by GET, HEAD or QUERY")


def misplaced(parameter: str, text: str, details: str) -> UnreadableQuery:
    """The refusal of a parameter where it means nothing."""
    return UnreadableQuery(what=f"{parameter} parameter", text=text, column=1, details=details)


def _filter(key: str, structure: str, slot: int) -> Scoped:
    path, field = parse_key(key)
    if slot >= 0:
        return Scoped(path, parse_condition(structure, field, slot))
    head, _, word = structure.rpartition(".")
    return Scoped(path, parse_condition(head, field, None, word))


def _path_of_logic(key: str) -> ResourcePath:
    """The relation that `relation.not.or` is about."""
    path = parse_resource_path(key)
    return path[:-1] if path[-1:] == ("not",) else path
