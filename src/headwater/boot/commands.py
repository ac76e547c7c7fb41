"""What the command line's commands do."""

import gc
import os
from contextlib import AsyncExitStack
from ipaddress import ip_network
from pathlib import Path

import msgspec
from rich.console import Console

from headwater.boot.components import find_components
from headwater.boot.errors import InvalidSetting
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.house import open_house, read_house_keys
from headwater.boot.server import Server
from headwater.boot.settings import ServerSettings, Settings
from headwater.flow.request import Networks
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import DatabaseSettings, Migration
from headwater.kernel.observe import DatabasePlaced, LogListener, MetricsListener, Observation, Observer
from headwater.kernel.observe import ServerStarted as Started

ADDRESS_FILE = "server.url"


async def serve_house(folder: Path, host: str | None, port: int | None, root_app: str | None) -> None:
    """Open the house and serve it until SIGTERM or SIGINT."""
    settings = Settings.read()
    server_settings = _with_options(settings.part(ServerSettings), host, port)
    metrics = MetricsListener()
    log = LogListener(server_settings.log)
    observer = Observer(metrics, log)
    ground = Ground(
        settings=settings, folder=folder, components=find_components(), clock=SystemClock(), observer=observer
    )
    observer.add(_Greeting(observer, folder, external=settings.part(DatabaseSettings).url is not None))
    async with AsyncExitStack() as stack:
        stack.callback(log.flush)
        house = await stack.enter_async_context(open_house(ground, metrics, root_app=root_app))
        server = Server(house, server_settings, _networks(house.settings.trusted_proxies))
        _calm_collector()
        await server.serve()


async def migrate_database(folder: Path, *, dry_run: bool) -> tuple[Migration, ...]:
    """Bring the database up to date, or try to and roll back; the migrations concerned."""
    async with stand_on(_quiet_ground(folder), shared=True, dry_run=dry_run) as foundation:
        return foundation.applied


async def read_keys(folder: Path) -> dict[str, str]:
    """Where the server of a data folder answers, and the keys to it."""
    found = await read_house_keys(_quiet_ground(folder))
    return {"url": _url_of(folder), "anon_key": found.anon_key, "admin_key": found.admin_key}


def _calm_collector() -> None:
    """Leave what was made at the start out of every later collection, and collect less often.

    A request makes hundreds of objects and hardly a cycle; at the usual threshold of 700 the collector took 5 to 8 %
    of a read's processor time (measured in process, 16 at once).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _quiet_ground(folder: Path) -> Ground:
    return Ground(
        settings=Settings.read(), folder=folder, components=find_components(), clock=SystemClock(), observer=Observer()
    )


def _with_options(settings: ServerSettings, host: str | None, port: int | None) -> ServerSettings:
    """The settings, with what the command line says over what the environment says."""
    given = {"host": host, "port": port}
    return msgspec.structs.replace(settings, **{name: value for name, value in given.items() if value is not None})


def _networks(texts: tuple[str, ...]) -> Networks:
    try:
        return tuple(ip_network(text, strict=False) for text in texts)
    except ValueError as failure:
        raise InvalidSetting(name="HEADWATER_FLOW_TRUSTED_PROXIES", reason=str(failure)) from failure


def _url_of(folder: Path) -> str:
    """Where the server of this folder answers now, or will by its settings."""
    file = folder / ADDRESS_FILE
    if file.exists():
        return file.read_text("utf-8").strip()
    settings = Settings.read().part(ServerSettings)
    return f"http://{settings.host}:{settings.port}"


class _Greeting:
    """Says once, at the start, where everything is and what to do next; never a key."""

    def __init__(self, observer: Observer, folder: Path, *, external: bool) -> None:
        self._observer = observer
        self._folder = folder
        self._first = not (folder / ADDRESS_FILE).exists()
        self._external = external
        self._cluster: str | None = None

    def __call__(self, observation: Observation) -> None:
        """Note where the database lies; greet once the server answers."""
        if isinstance(observation, DatabasePlaced):
            self._cluster = observation.folder
        elif isinstance(observation, Started):
            self._remember(observation.url)
            self._greet(observation.url)
            self._observer.remove(self)

    def _remember(self, url: str) -> None:
        draft = self._folder / f".{ADDRESS_FILE}.{os.getpid()}"
        draft.write_text(url + "\n", "utf-8")
        draft.replace(self._folder / ADDRESS_FILE)

    def _greet(self, url: str) -> None:
        say = Console(highlight=False, soft_wrap=True).print
        say(f"Headwater answers at  {url}")
        say(f"Data lies in          {self._folder.resolve()}")
        if self._cluster:
            say(f"The database lies in  {self._cluster}")
        elif self._external:
            say("The database is       the one of HEADWATER_DATABASE_URL")
        say(f"Your keys             headwater keys --data {self._folder}")
        if self._first:
            say(f"Next                  open {url}/docs, or follow the README's first screen")
