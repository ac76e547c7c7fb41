"""What an endpoint takes from a header, an address or its path has a field of that name; else it is silently lost."""

import re

import msgspec
import pytest

from headwater.boot.components import find_components
from headwater.kernel.component import Endpoint, SocketMessage
from headwater.kernel.models import RawRequest


def lost(body: type, *names: str) -> list[str]:
    """The names under which a struct takes nothing from the wire."""
    return sorted(set(names) - {field.encode_name for field in msgspec.structs.fields(body)})


def declared() -> list[Endpoint | SocketMessage]:
    """Everything that is filled from several sources."""
    found: list[Endpoint | SocketMessage] = []
    for component in find_components():
        found += component.endpoints
        found += (message for place in component.sockets for message in getattr(place, "messages", ()))
    return [one for one in found if one.body not in (None, RawRequest)]


def test_every_input_and_every_parameter_has_its_field() -> None:
    for one in declared():
        assert one.body is not None
        parameters = re.findall(r"{(\w+)}", getattr(one, "path", ""))
        assert lost(one.body, *one.inputs, *parameters) == [], one.name


class Planted(msgspec.Struct, rename="camel"):
    """A struct that is called otherwise on the wire."""

    idempotency_key: str


@pytest.mark.parametrize(("name", "missed"), [("idempotencyKey", []), ("idempotency_key", ["idempotency_key"])])
def test_a_planted_input_is_found(name: str, missed: list[str]) -> None:
    assert lost(Planted, name) == missed
