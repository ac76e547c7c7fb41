"""What a case is, and short ways to write one."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from headwater.kernel.principal import NOBODY, Principal
from headwater.platform.records import RecordsSettings
from tests.platform.records.conftest import ADMIN, person

Who = Literal["anon", "one", "two", "admin"]
PRINCIPALS: Mapping[Who, Principal] = {"anon": NOBODY, "one": person(1), "two": person(2), "admin": ADMIN}
BACK = "return=representation"
MERGE, IGNORE = "resolution=merge-duplicates", "resolution=ignore-duplicates"
SINGLE = "application/vnd.pgrst.object+json"
Expected = Mapping[str, str | None]
NOTHING_SAID: Expected = {}
USUAL = RecordsSettings()


Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Sent: TypeAlias = "Json | bytes"
Body: TypeAlias = "Json | Anything"
After = tuple[str, Json]


class Like(dict[str, Any]):
    """A body that is expected to have these members, and may have others."""


class Each(list[Like]):
    """A body that is expected to be a list, each of whose items has these members, and may have others."""


class Text(str):
    """A body that is expected to be these very characters."""

    __slots__ = ()


class Anything:
    """A body of which nothing is expected."""


ANYTHING = Anything()
EMPTY = Text("")


class Case(NamedTuple):
    """One request and its answer; `then` is a read by the admin afterwards, and the rows it finds."""

    name: str
    method: str
    target: str
    status: int
    body: Body
    headers: Expected
    who: Who
    sent: Sent
    request: Mapping[str, str]
    settings: RecordsSettings
    then: After | None


def case(
    name: str,
    method: str,
    target: str,
    status: int,
    body: Body = ANYTHING,
    *,
    who: Who = "one",
    sent: Sent = None,
    told: Expected = NOTHING_SAID,
    settings: RecordsSettings = USUAL,
    then: After | None = None,
    **request: str,
) -> Case:
    """A case; `told` are headers of the answer (None: absent), the other keywords headers of the request."""
    return Case(name, method, target, status, body, told, who, sent, request, settings, then)


def get(target: str, body: Body, status: int = 200, **further: Any) -> Case:
    """A read, and the rows it tells."""
    return case(further.pop("name", target), "GET", target, status, body, **further)


def finds(target: str, *ids: int, **further: Any) -> Case:
    """A read of `id` alone, in its order, and the ids it tells."""
    mark = "&" if "?" in target else "?"
    return get(f"{target}{mark}select=id&order=id", [{"id": one} for one in ids], name=target, **further)


def refuses(target: str, status: int, code: str, method: str = "GET", **further: Any) -> Case:
    """A request that is refused, with this code; `message`, `details` and `hint` are expected where given."""
    members = {name: further.pop(name) for name in ("message", "details", "hint") if name in further}
    name = further.pop("name", f"{method} {target} is refused")
    return case(name, method, target, status, Like(code=code, **members), **further)


def post(target: str, sent: Sent, status: int, body: Body = EMPTY, **further: Any) -> Case:
    """An insert, or a call."""
    return case(further.pop("name", f"POST {target}"), "POST", target, status, body, sent=sent, **further)


def patch(target: str, sent: Sent, status: int, body: Body = EMPTY, **further: Any) -> Case:
    """An update."""
    return case(further.pop("name", f"PATCH {target}"), "PATCH", target, status, body, sent=sent, **further)


def put(target: str, sent: Sent, status: int, body: Body = EMPTY, **further: Any) -> Case:
    """A replacement."""
    return case(further.pop("name", f"PUT {target}"), "PUT", target, status, body, sent=sent, **further)


def delete(target: str, status: int, body: Body = EMPTY, **further: Any) -> Case:
    """A removal."""
    return case(further.pop("name", f"DELETE {target}"), "DELETE", target, status, body, **further)
