"""Clients of realtime that keep the account of what they have heard, and come back with it after every cut."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.kit.socketio import SocketIoClient, connect

EVENT = "n"
ROOM_PREFIX = "realtime:"
NARROW = 4096
"""Bytes: who stops reading with so little room is soon felt by the server."""


class UnheardChannel(ConnectionError):
    """A node cannot let a client hear a channel now; it comes again."""


@dataclass
class Account:
    """What one client knows of one channel; `heard` are (epoch, offset) and the message, `wrongs` what cannot be."""

    channel: str
    offset: int | None = None
    epoch: str = ""
    is_open: bool = False
    heard: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    told_of_loss: int = 0
    replayed: int = 0
    wrongs: list[str] = field(default_factory=list[str])

    @property
    def request(self) -> dict[str, object]:
        """How this client asks for the channel: everything since what it has."""
        since = None if self.offset is None else {"offset": self.offset, "epoch": self.epoch}
        return {"channel": self.channel} if since is None else {"channel": self.channel, "since": since}

    def take_answer(self, answer: Any) -> None:
        """Note from where on the channel is heard."""
        if not answer["ok"]:
            return
        self.is_open = True
        if self.offset is None or not answer["recovered"]:
            self.told_of_loss += self.offset is not None
            self.offset, self.epoch = answer["offset"], answer["epoch"]
        elif answer["epoch"] != self.epoch:
            self.wrongs.append(f"recovered into another epoch: {answer}")

    def take(self, message: Any) -> None:
        """Note a message, which must be the next one."""
        meta = message["meta"]
        offset, epoch = meta["offset"], meta["epoch"]
        if not self.is_open:
            self.wrongs.append(f"{offset} came before the answer")
        elif (epoch, offset) != (self.epoch, (self.offset or 0) + 1):
            self.wrongs.append(f"{offset} of {epoch} came behind {self.offset} of {self.epoch}")
        self.offset, self.epoch = offset, epoch
        self.replayed += bool(meta.get("replayed"))
        self.heard[epoch, offset] = meta["messageId"]


class Listener:
    """One client: whatever is done to its connection, it opens another, to either node, until it is let go."""

    def __init__(self, urls: list[str], credential: str, channels: list[str], random: Random) -> None:
        self.accounts = {channel: Account(channel) for channel in channels}
        self.wire: SocketIoClient | None = None
        self.connections = 0
        self._urls = urls
        self._auth = {"token": credential}
        self._random = random
        self._let_go = False

    async def listen(self) -> None:
        """Hear all channels, again and again."""
        while not self._let_go:
            try:
                await self._listen_once()
            except (OSError, TimeoutError):  # a node is away, or Postgres is
                await asyncio.sleep(self._random.uniform(0.05, 0.3))
            finally:
                self.cut()

    async def _listen_once(self) -> None:
        url, narrow = self._random.choice(self._urls), self._random.random() < 0.3
        async with asyncio.timeout(20):
            self.wire = wire = await connect(url, self._auth, self._hear, receive_buffer=NARROW if narrow else None)
            self.connections += 1
            for account in self.accounts.values():
                answer = await wire.ask("realtime:subscribe", account.request, take=account.take_answer)
                if not answer["ok"]:
                    raise UnheardChannel(answer)
        await wire.closed

    def _hear(self, event: str, arguments: list[Any]) -> None:
        if event == EVENT:
            self.accounts[arguments[0]["meta"]["channel"].removeprefix(ROOM_PREFIX)].take(arguments[0])

    def cut(self) -> None:
        """Break the connection."""
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.cut()
        for account in self.accounts.values():
            account.is_open = False

    async def dawdle(self, seconds: float) -> None:
        """Read nothing for a while."""
        wire = self.wire
        if wire is not None:
            wire.stop_reading()
            await asyncio.sleep(seconds)
            wire.read_on()

    def let_go(self) -> None:
        """Come back no more."""
        self._let_go = True
        self.cut()
