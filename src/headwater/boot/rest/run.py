"""What `headwater rest` does: read PostgREST's variables, open the small house, serve it."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from headwater.boot.errors import InvalidSetting
from headwater.boot.rest.admin import answering
from headwater.boot.rest.house import RestHouse, open_rest_house
from headwater.boot.rest.settings import RestOptions, read_settings
from headwater.boot.server import Server, calm_collector
from headwater.boot.settings import ServerSettings
from headwater.kernel.clock import SystemClock
from headwater.kernel.observe import LogListener, Observation, Observer, ServerStarted
from headwater.kernel.observe.logs import Level

_LEVELS: dict[str, Level] = {"crit": "error", "error": "error", "warn": "warning", "info": "info", "debug": "debug"}


async def serve_records(file: Path | None, host: str | None, port: int | None) -> None:
    """Serve the database of `PGRST_DB_URI` until SIGTERM or SIGINT; SIGUSR1 and SIGUSR2 read its catalog again."""
    settings, unknown = read_settings(os.environ, file)
    if unknown:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"headwater rest: not understood, and left out of account: {', '.join(sorted(unknown))}"
        )
    served = ServerSettings(
        host=settings.server_host if host is None else host, port=settings.server_port if port is None else port
    )
    if settings.admin_server_port is not None and settings.admin_server_port == served.port != 0:
        raise InvalidSetting(name="PGRST_ADMIN_SERVER_PORT", reason="must be another port than the server's")
    log = LogListener(_LEVELS[settings.log_level])
    observer = Observer(log)
    observer.add(_Greeting(observer, settings))
    async with AsyncExitStack() as stack:
        stack.callback(log.flush)
        house = await stack.enter_async_context(open_rest_house(settings, SystemClock(), observer))
        _reload_on_signal(stack, house)
        server = Server(house, served, ())
        if settings.admin_server_port is not None:
            checks = {"/live": lambda: server.started, "/ready": lambda: server.started and house.ready}
            address = settings.admin_server_host or served.host
            await stack.enter_async_context(answering(address, settings.admin_server_port, checks))
        calm_collector()
        await server.serve()


def _reload_on_signal(stack: AsyncExitStack, house: RestHouse) -> None:
    loop = asyncio.get_running_loop()
    for each in (signal.SIGUSR1, signal.SIGUSR2):
        loop.add_signal_handler(each, house.reload)
        stack.callback(loop.remove_signal_handler, each)


class _Greeting:
    """Says once, at the start, where the server answers and what it serves."""

    def __init__(self, observer: Observer, settings: RestOptions) -> None:
        self._observer = observer
        self._settings = settings

    def __call__(self, observation: Observation) -> None:
        """Greet once the server answers."""
        if isinstance(observation, ServerStarted):
            say = Console(highlight=False, soft_wrap=True).print
            say(f"Headwater answers at  {observation.url}", markup=False)
            say(f"It serves             {', '.join(self._settings.db_schemas)}", markup=False)
            anonymous = self._settings.db_anon_role
            say(f"Without a token       {f'as {anonymous}' if anonymous else 'nobody'}", markup=False)
            self._observer.remove(self)
