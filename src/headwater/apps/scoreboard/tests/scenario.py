"""A scenario: who asks what, what is answered, which events are emitted and which keys forgotten."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, cast

import msgspec
import pytest

from headwater.kernel.component import Endpoint

from ..endpoints import ENDPOINTS
from .game import Game, Player

STRANGER, ANON, ADMIN, ADA = "nobody", "the anon key", "the admin", "ada"
TIME = "2030"
"""How every moment of the tests' clock begins."""


class Scene(NamedTuple):
    """Ada and grace, who plays too, and a board on which nothing has happened."""

    game: Game
    ada: Player
    grace: Player
    board: str

    @property
    def names(self) -> dict[str, str]:
        """What stands for what in a scenario's path, its body, its answer and its keys."""
        return {"ada": self.ada.id, "grace": self.grace.id, "board": self.board, "her_name": self.ada.name}

    def credential(self, who: str) -> str | None:
        """What somebody shows."""
        known = {STRANGER: None, ANON: self.game.door.keys.anon_key, ADMIN: self.game.admin, ADA: self.ada.token}
        return known.get(who, who)


Prepare = Callable[[Scene], Awaitable[object]]


class Scenario(NamedTuple):
    """One row: `endpoint` is `METHOD /path`; `asked` is added to the path; a text in `told` is the refusal's code.

    `body` may be worked out in the scene, before the request and unheard; `{name}` stands for a name of the scene.
    """

    name: str
    who: str
    endpoint: str
    body: object | Prepare = None
    status: int = 200
    told: object = None
    events: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    asked: str = ""
    at: Mapping[str, str] = {}

    async def play(self, scene: Scene) -> None:
        """Ask, and compare."""
        game = scene.game
        filled = {"userId": scene.ada.id, "board": scene.board, "season": "1", **self.at}
        body = self.body
        if callable(body):
            body = await cast("Prepare", body)(scene)
            filled |= {"id": str(body)} if "{id}" in self.endpoint else {}
        game.relieve()
        game.heard.nothing()
        method, _, path = self.endpoint.partition(" ")
        target = (path.format(**filled) + self.asked).format(**scene.names)
        answer = await game.ask(scene.credential(self.who), method, target, _named(body, scene.names))
        assert answer.status == self.status, answer.body
        if isinstance(self.told, str):
            assert (answer.json["success"], answer.json["error"]["code"]) == (False, self.told), answer.body
            assert answer.json["error"]["message"]
        else:
            told = answer.json["data"] if "success" in answer.json else answer.json
            msgspec.convert(told, cast("Any", declared()[self.endpoint].result))  # what the reference says
            must_match(told, _named(self.told, scene.names))
        assert game.heard.events == list(self.events)
        assert game.heard.forgotten == {key.format(**scene.names) for key in self.forgotten}


def rows(table: tuple[Scenario, ...]) -> pytest.MarkDecorator:
    """A test of every row of a table."""
    return pytest.mark.parametrize("row", table, ids=[f"{row.endpoint} {row.name}" for row in table])


def called(endpoint: Endpoint) -> str:
    """What a scenario calls an endpoint."""
    return f"{endpoint.method} {endpoint.path}"


def declared() -> dict[str, Endpoint]:
    """Every endpoint by that."""
    return {called(endpoint): endpoint for endpoint in ENDPOINTS}


def must_match(told: Any, expected: Any, at: str = "data") -> None:
    """Fail unless an answer has a shape: the same fields; a type stands for its values, a text for what begins so."""
    match expected:
        case type():
            assert isinstance(told, expected) and not (expected is int and isinstance(told, bool)), (at, told)
        case dict():
            fields = cast("dict[str, object]", expected)
            assert isinstance(told, dict) and set(told) == set(fields), (at, told)  # pyright: ignore[reportUnknownArgumentType]
            for name, value in fields.items():
                must_match(told[name], value, f"{at}.{name}")
        case list():
            parts = cast("list[object]", expected)
            assert isinstance(told, list) and len(told) == len(parts), (at, told)  # pyright: ignore[reportUnknownArgumentType]
            for nth, value in enumerate(parts):
                must_match(told[nth], value, f"{at}[{nth}]")
        case str():
            assert isinstance(told, str) and told.startswith(expected), (at, told)
        case _:
            assert told == expected, (at, told)


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """The same with the scene's names put in."""
    match value:
        case str() if value.startswith("{"):
            return value.format(**names)
        case dict():
            return {name: _named(each, names) for name, each in cast("dict[str, object]", value).items()}
        case list():
            return [_named(each, names) for each in cast("list[object]", value)]
        case _:
            return value
