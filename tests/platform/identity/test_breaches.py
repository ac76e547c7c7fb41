"""Passwords that leaked elsewhere: found in a file of any size, asked for without being told."""

from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.kernel.clock import DrivenClock
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import Outbound, OutboundAnswer, OutboundCall, OutboundSettings, UpstreamUnreachable
from headwater.platform.identity import IdentitySettings
from headwater.platform.identity.errors import BreachedListUnusable, BreachedPassword
from headwater.platform.identity.passwords import Breaches
from tests.platform.identity.conftest import Start

WORDS = [f"password{number}" for number in range(40)]


def digest(password: str) -> str:
    return sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def breaches(outbound: Outbound | None = None, **values: Any) -> Breaches:
    made = outbound or Outbound(OutboundSettings(), DrivenClock(), Observer())
    return Breaches(IdentitySettings(**values), made)


async def leaked(held: Breaches, password: str) -> bool:
    try:
        await held.must_not_hold(password)
    except BreachedPassword:
        return True
    return False


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("counted", [":12", ""])
@pytest.mark.parametrize("lower", [False, True])
async def test_every_line_is_found_and_nothing_else(tmp_path: Path, end: str, counted: str, lower: bool) -> None:
    lines = [digest(word) + counted for word in WORDS]
    path = tmp_path / "leaked.txt"
    path.write_bytes("".join((line.lower() if lower else line) + end for line in sorted(lines)).encode())
    held = breaches(breached_passwords=path)
    held.must_be_usable()
    for word in WORDS:
        assert await leaked(held, word)
        assert not await leaked(held, word + "!")


async def test_a_list_may_hold_beginnings_only(tmp_path: Path) -> None:
    path = tmp_path / "leaked.txt"
    path.write_text("\n".join(sorted(digest(word)[:16] for word in WORDS)))  # and its last line may lack an end
    held = breaches(breached_passwords=path)
    assert all([await leaked(held, word) for word in WORDS])
    assert not await leaked(held, "another")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.text(min_size=1), max_size=30), st.text())
async def test_a_lookup_agrees_with_a_set(tmp_path: Path, words: set[str], asked: str) -> None:
    words = {word.encode("utf-8", "replace").decode() for word in words}
    asked = asked.encode("utf-8", "replace").decode()
    path = tmp_path / "leaked.txt"
    path.write_text("".join(f"{line}:1\n" for line in sorted(map(digest, words))))
    held = breaches(breached_passwords=path)
    assert await leaked(held, asked) == (asked in words)
    assert all([await leaked(held, word) for word in words])


@pytest.mark.parametrize("content", [None, "hello\n", "", "0123:4\n"])
async def test_a_file_that_is_no_list_refuses_the_start(tmp_path: Path, content: str | None, start: Start) -> None:
    path = tmp_path / "leaked.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BreachedListUnusable, match="BREACHED_PASSWORDS"):
        await start(breached_passwords=path)


class Asked:
    """Answers as Have I Been Pwned does, and notes what it was told."""

    def __init__(self, *words: str, status: int = 200, away: bool = False) -> None:
        self.words = words
        self.status = status
        self.away = away
        self.calls: list[OutboundCall] = []

    async def call(self, call: OutboundCall) -> OutboundAnswer:
        """The rest of every digest that begins as asked, and padding."""
        self.calls.append(call)
        if self.away:
            raise UpstreamUnreachable(host="x", reason="away")
        begins = call.url[-5:]
        lines = [f"{digest(word)[5:]}:3" for word in self.words if digest(word).startswith(begins)]
        body = "\r\n".join([*lines, f"{digest('padding')[5:]}:0"]).encode()
        return OutboundAnswer(status=self.status, headers={}, body=body, url=call.url)


async def test_five_digits_are_told_and_no_more() -> None:
    asked = Asked("secret", "padding2")
    held = breaches(asked, breached_passwords_url="https://range.example/range/")  # pyright: ignore[reportArgumentType]
    assert await leaked(held, "secret")
    assert not await leaked(held, "padding")
    assert [call.url for call in asked.calls] == [
        f"https://range.example/range/{digest(word)[:5]}" for word in ("secret", "padding")
    ]
    assert not any(call.body for call in asked.calls)


@pytest.mark.parametrize("trouble", [{"away": True}, {"status": 503}], ids=str)
async def test_while_nobody_answers_people_still_sign_up(trouble: dict[str, Any]) -> None:
    held = breaches(Asked("secret", **trouble), breached_passwords_url="https://range.example")  # pyright: ignore[reportArgumentType]
    assert not await leaked(held, "secret")


async def test_it_counts_at_the_door(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "leaked.txt"
    path.write_text(f"{digest('secret')}:9\n")
    process = await start(breached_passwords=path)
    with pytest.raises(BreachedPassword):
        await process.sign_up()
    await process.sign_up(password="not that one")
