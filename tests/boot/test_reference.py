"""The reference says what is declared."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from headwater.boot.reference import pages
from headwater.boot.reference.declared import fields, type_name
from headwater.kernel.component import Components, Timer
from headwater.kernel.database import DatabaseSettings
from tests.kit.sample_app import COMPONENT
from tests.kit.sample_app.operations import SampleApp


def test_types_are_spelt_out() -> None:
    assert type_name(list[UUID] | None) == "list[UUID] or null"
    assert type_name(Annotated[int, msgspec.Meta(ge=1, le=100)]) == "int >= 1, <= 100"
    assert type_name(dict[str, Literal["a", "b"]]) == "dict[str, 'a' or 'b']"
    assert type_name(tuple[int, ...]) == "tuple[int, ...]"


def test_fields_carry_their_defaults_and_docstrings() -> None:
    told = {field.name: field for field in fields(DatabaseSettings)}

    assert (told["pool_max"].type, told["pool_max"].default) == ("int >= 1", "20")
    assert told["url"].about.startswith("Any PostgreSQL 15+")


def test_an_app_is_documented() -> None:
    timed = msgspec.structs.replace(
        COMPONENT, timers=(Timer(name="tidy", every=timedelta(hours=1), operation=SampleApp.count_words),)
    )
    written = pages(Components([timed]))

    assert "### `POST /apps/sample_app/notes`\n\nKeep a note for the caller" in written["endpoints.md"]
    assert "- limit: 60 in 60 s by principal" in written["endpoints.md"]
    assert "| `limit` | int >= 1, <= 100 | `50` |" in written["endpoints.md"]
    assert "| `sample_app.count_words` | job | 5 attempts of 0:01:00 |" in written["jobs.md"]
    assert "| `tidy` | timer | every 1:00:00 |" in written["jobs.md"]


def test_every_refusal_stands_under_its_stage() -> None:
    errors = pages(Components([]))["errors.md"]

    assert errors.index("## limit") < errors.index("TOO_MANY_REQUESTS") < errors.index("## authenticate")
    assert errors.index("## transact") < errors.index("IDEMPOTENCY_KEY_REUSED") < errors.index("## respond")
    assert "| `HEADWATER_DATABASE_POOL_MAX` | int >= 1 | `20` |" in pages(Components([]))["settings.md"]
