"""Environment and .env, read once into frozen structs; and the parts that are built from them."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest

from headwater.boot.errors import InvalidSetting, MissingPart
from headwater.boot.parts import Parts
from headwater.boot.reference.declared import find_classes
from headwater.boot.settings import ServerSettings, Settings, variable_names
from headwater.flow import FlowSettings, House
from headwater.kernel.clock import Clock, DrivenClock
from headwater.kernel.database import DatabaseSettings
from headwater.kernel.redis import RedisSettings

PARTS = [kind for kind in find_classes(msgspec.Struct) if kind.__name__.endswith("Settings")]


def fields() -> list[tuple[type[msgspec.Struct], str, Any]]:
    from typing import get_type_hints

    return [
        (part, field.name, get_type_hints(part, include_extras=True)[field.name])
        for part in PARTS
        for field in msgspec.structs.fields(part)
    ]


def sample(hint: Any) -> tuple[str, object]:
    """A text for a variable of this type, and what is to become of it."""
    if get_origin(hint) is Annotated:
        kind, *annotations = get_args(hint)
        is_share = any(isinstance(each, msgspec.Meta) and each.le == 1 for each in annotations)
        return ("0.5", 0.5) if is_share else sample(kind)
    if get_origin(hint) is Literal:
        return get_args(hint)[-1], get_args(hint)[-1]
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        chosen = get_args(item)[:2] if get_origin(item) is Literal else ("a", "b")
        return ", ".join((*chosen, "")), chosen
    kinds = [kind for kind in get_args(hint) if kind is not type(None)] or [hint]
    texts: dict[Any, tuple[str, object]] = {
        str: ("text", "text"),
        int: ("7", 7),
        float: ("7.5", 7.5),
        bool: ("true", True),
        Path: ("/var/x", Path("/var/x")),
    }
    return texts[kinds[0]] if kinds[0] in texts else sample(kinds[0])


@pytest.mark.parametrize(("part", "field", "hint"), fields(), ids=lambda value: getattr(value, "__name__", str(value)))
def test_every_field_reads_its_variable(part: type[msgspec.Struct], field: str, hint: Any) -> None:
    text, value = sample(hint)
    for variable in variable_names(part, field, hint):
        assert getattr(Settings({variable: text}).part(part), field) == value
        assert getattr(Settings({variable: ""}).part(part), field) == getattr(Settings({}).part(part), field)


def test_names_say_whose_they_are() -> None:
    assert variable_names(DatabaseSettings, "pool_max", int) == ("HEADWATER_DATABASE_POOL_MAX",)
    hint = Annotated[str, msgspec.Meta(extra={"env": ("HEADWATER_ONE", "OTHER")})]
    assert variable_names(DatabaseSettings, "x", hint) == ("HEADWATER_ONE", "OTHER")


@pytest.mark.parametrize(
    ("variable", "text", "part"),
    [
        ("HEADWATER_SERVER_PORT", "http", ServerSettings),
        ("HEADWATER_SERVER_PORT", "70000", ServerSettings),
        ("HEADWATER_SERVER_LOG", "chatty", ServerSettings),
        ("HEADWATER_SERVER_STOP_WITHIN", "-1", ServerSettings),
        ("HEADWATER_FLOW_SERVER_TIMING", "perhaps", FlowSettings),
        ("HEADWATER_FLOW_REQUESTS_PER_MINUTE", "0", FlowSettings),
        ("HEADWATER_DATABASE_POOL_MAX", "0", DatabaseSettings),
        ("HEADWATER_DATABASE_POOL_IDLE", "soon", DatabaseSettings),
        ("HEADWATER_REDIS_PREFIX", "two words", RedisSettings),
        ("HEADWATER_REDIS_PREFIX", "house\n", RedisSettings),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, text: str, part: type[msgspec.Struct]) -> None:
    with pytest.raises(InvalidSetting, match=f"^{variable}: "):
        Settings({variable: text}).part(part)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text('HEADWATER_SERVER_PORT=1\nHEADWATER_SERVER_HOST="0.0.0.0"\n# a word\nEMPTY\n')
    monkeypatch.setenv("HEADWATER_SERVER_PORT", "2")
    monkeypatch.delenv("HEADWATER_SERVER_HOST", raising=False)
    told = Settings.read(tmp_path).part(ServerSettings)
    assert (told.port, told.host) == (2, "0.0.0.0")
    monkeypatch.chdir(tmp_path)
    assert Settings.read().part(ServerSettings).host == "0.0.0.0"


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert Settings.read(tmp_path / "nowhere").part(FlowSettings) == FlowSettings()
    assert Settings({}).part(ServerSettings).host == "127.0.0.1"


def test_a_part_is_read_once() -> None:
    settings = Settings({"HEADWATER_SERVER_PORT": "5"})
    assert settings.part(ServerSettings) is settings.part(ServerSettings)


class Spring:
    """Built from its own fields."""

    def __init__(self, clock: Clock, settings: FlowSettings, size: int = 3) -> None:
        self.clock, self.settings, self.size = clock, settings, size


class River:
    """Built from another that is built."""

    def __init__(self, spring: Spring) -> None:
        self.spring = spring


class Lake:
    """Asks for what nobody has."""

    def __init__(self, house: House) -> None:
        self.house = house


class Swamp:
    """Does not say what it asks for."""

    def __init__(self, depth: "int | str") -> None:
        self.depth = depth


def test_parts_are_made_once_and_by_type() -> None:
    parts = Parts(Settings({"HEADWATER_FLOW_GZIP_FROM": "5"}))
    clock = DrivenClock()
    parts.add(clock, Clock)
    river = parts.find(River)
    assert river is parts.find(River) and river.spring is parts.find(Spring)
    assert river.spring.clock is clock and river.spring.settings.gzip_from == 5 and river.spring.size == 3


@pytest.mark.parametrize("kind", [Lake, Swamp, Clock])
def test_what_the_house_does_not_have_is_named(kind: type) -> None:
    with pytest.raises(MissingPart, match="the house has none"):
        Parts(Settings({})).find(kind)
