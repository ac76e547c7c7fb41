"""A real HTTP server that does what it is told, and name servers that lie."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import Outbound, OutboundSettings

Play = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


class Upstream:
    """Answers each request with the next of its `plays`, the last one again and again; keeps what it was asked."""

    def __init__(self) -> None:
        self.plays: list[Play | bytes] = [answer(b"hello")]
        self.asked: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
                self.asked.append(head + await reader.readexactly(length))
                play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
                if isinstance(play, bytes):
                    writer.write(play)
                    await writer.drain()
                else:
                    await play(writer, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


class ForgedNames:
    """Answers from a script: of each name, the next list of addresses, the last one again and again."""

    def __init__(self) -> None:
        self.script: dict[str, list[Sequence[str]]] = {}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.script:
            raise OSError("no such name")
        answers = self.script[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    told = Upstream()
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    yield told
    server.close()


@pytest.fixture
def names() -> ForgedNames:
    return ForgedNames()


@pytest.fixture
async def outbound(clock: DrivenClock, observer: Observer) -> AsyncIterator[Outbound]:
    """May call this machine."""
    client = Outbound(OutboundSettings(allowed_hosts=("127.0.0.1",)), clock, observer)
    yield client
    await client.close()
