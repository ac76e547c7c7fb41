"""One port: requests come in here and go into flow."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Generator
from math import ceil
from time import monotonic
from types import FrameType
from typing import Any, cast

import uvicorn
from typing_extensions import override

from headwater.boot.application import Application
from headwater.boot.errors import AddressUnavailable
from headwater.boot.protocol import Protocol, Siblings
from headwater.boot.settings import ServerSettings
from headwater.boot.sockets import FAREWELL, Gate
from headwater.flow import House
from headwater.flow.request import Networks
from headwater.kernel.observe import ServerStarted, ServerStopping
from headwater.kernel.sockets import Sockets

_SWEEP = 0.5


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at every address of `host`; raises `AddressUnavailable`, where uvicorn would just exit."""
    listening: list[socket.socket] = []
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            listening.append(socket.create_server(address, family=family))
    except OSError as failure:
        for each in listening:
            each.close()
        raise AddressUnavailable(host=host, port=port, reason=failure.strerror) from failure
    return listening


def calm_collector() -> None:
    """Leave what was made at the start out of every later collection, and collect less often.

    A request makes hundreds of objects and hardly a cycle; at the usual threshold of 700 the collector took 5 to 8 %
    of a read's processor time (measured in process, 16 at once).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class Server(uvicorn.Server):
    """Serves a house on one port until it is asked to stop; then finishes what runs, bounded, and takes nothing new."""

    def __init__(
        self,
        house: House,
        settings: ServerSettings,
        trusted_proxies: Networks,
        sockets: Sockets | None = None,
        siblings: Siblings | None = None,
    ) -> None:
        self._house = house
        self._sockets = sockets
        self._settings = settings
        self.application = Application(house, trusted_proxies)
        bounds: dict[str, object] = {
            "bounds": settings,
            "per_address": {},
            "trusted": trusted_proxies,
            "siblings": siblings,
        }
        if sockets is not None:
            bounds["gate"] = Gate(sockets, trusted_proxies, house.observer, house.clock)
        protocol = type("BoundedProtocol", (Protocol,), bounds)
        super().__init__(
            uvicorn.Config(
                self.application,
                host=settings.host,
                port=settings.port,
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # else every malformed request is a line of its own, in another shape
                access_log=False,
                proxy_headers=False,  # it would believe X-Forwarded-For from loopback, whatever trusted_proxies says
                server_header=False,
                timeout_keep_alive=65,
                timeout_graceful_shutdown=ceil(settings.stop_within) + 1,
            )
        )

    @property
    def url(self) -> str:
        """Where it answers; the port is the real one also where 0 was asked for."""
        names: tuple[Any, ...] = self.servers[0].sockets[0].getsockname() if self.started else ("", self.config.port)
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"http://{host}:{names[1]}"

    def stop(self) -> None:
        """Ask the server to drain and end."""
        if not self.should_exit:
            self._house.observer.tell(ServerStopping(running=len(self.application.running)))
        self.should_exit = True

    async def adopt(self, connection: socket.socket, content: bytes) -> None:
        """Answer on a connection that another process has taken, and of which it has read `content`."""
        if self.should_exit:
            connection.close()
            return
        config = self.config

        def protocol() -> Protocol:
            made = cast("type[Protocol]", config.http_protocol_class)(config, self.server_state, {})
            made.foreword = content
            return made

        await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets or listen(self._settings.host, self._settings.port))
        self._house.observer.tell(ServerStarted(url=self.url))

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Send sockets away, stop listening, let what runs finish; end it with 503 after `stop_within` seconds."""
        end = asyncio.get_running_loop().call_later(self._settings.stop_within, self.application.drain)
        try:
            if self._sockets is not None:
                await self._sockets.stop(FAREWELL, min(2.0, self._settings.stop_within))
            await super().shutdown(sockets)
        finally:
            end.cancel()

    @override
    async def on_tick(self, counter: int) -> bool:
        if counter % int(_SWEEP * 10) == 0:
            self.application.sweep()
            now = monotonic()
            for connection in list(self.server_state.connections):
                cast("Protocol", connection).sweep(now)
        return await super().on_tick(counter)

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take SIGINT and SIGTERM as requests to stop; uvicorn would raise them again before the house is closed."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for each in signals:
            loop.add_signal_handler(each, self.stop)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()
