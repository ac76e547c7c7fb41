"""What the command line's commands do."""

import os
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import msgspec
from rich.console import Console

from headwater.boot.backups import BackedUp, back_up, restore_house
from headwater.boot.components import find_components
from headwater.boot.errors import InvalidSetting
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.house import open_house, read_house_keys, read_house_mail, rotate_house_key
from headwater.boot.server import Server, calm_collector
from headwater.boot.settings import ServerSettings, Settings
from headwater.flow.request import Networks
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import DatabaseSettings, Migration
from headwater.kernel.mail import ReceivedLetter
from headwater.kernel.observe import DatabasePlaced, LogListener, MetricsListener, Observation, Observer
from headwater.kernel.observe import ServerStarted as Started
from headwater.platform.identity import RotatableKey

ADDRESS_FILE = "server.url"


async def serve_house(
    folder: Path, host: str | None, port: int | None, root_app: str | None, *, worker: bool | None = None
) -> None:
    """Open the house and serve it until SIGTERM or SIGINT; it does the jobs too unless told otherwise."""
    settings = Settings.read()
    server_settings = _with_options(settings.part(ServerSettings), host=host, port=port, worker=worker)
    metrics = MetricsListener()
    log = LogListener(server_settings.log)
    observer = Observer(metrics, log)
    ground = Ground(
        settings=settings,
        folder=folder,
        components=find_components(),
        clock=SystemClock(),
        observer=observer,
        host=server_settings.host,
    )
    observer.add(_Greeting(observer, folder, external=settings.part(DatabaseSettings).url is not None))
    async with AsyncExitStack() as stack:
        stack.callback(log.flush)
        working = server_settings.worker
        house = await stack.enter_async_context(open_house(ground, metrics, root_app=root_app, working=working))
        server = Server(house, server_settings, _networks(house.settings.trusted_proxies))
        calm_collector()
        await server.serve()


async def migrate_database(folder: Path, *, dry_run: bool) -> tuple[Migration, ...]:
    """Bring the database up to date, or try to and roll back; the migrations concerned."""
    async with stand_on(_quiet_ground(folder), shared=True, dry_run=dry_run) as foundation:
        return foundation.applied


async def read_keys(folder: Path) -> dict[str, str]:
    """Where the server of a data folder answers, and the keys to it."""
    found = await read_house_keys(_quiet_ground(folder))
    return {"url": _url_of(folder), "anon_key": found.anon_key, "admin_key": found.admin_key}


async def rotate_key(folder: Path, kind: RotatableKey, hours: float) -> datetime:
    """Make a new key; until when the old ones are good, at most `hours` from now."""
    return await rotate_house_key(_quiet_ground(folder), kind, timedelta(hours=hours))


async def read_mail(folder: Path) -> list[ReceivedLetter]:
    """The letters in the development mailbox, the oldest first."""
    return await read_house_mail(_quiet_ground(folder))


async def back_up_database(folder: Path, file: Path | None) -> BackedUp:
    """Dump the database into a file."""
    return await back_up(_quiet_ground(folder), file)


async def restore_database(folder: Path, file: Path, *, replace: bool, lose_secrets: bool) -> bool:
    """Put a dump in the database's place; whether its secrets were dropped."""
    return await restore_house(_quiet_ground(folder), file, replace=replace, lose_secrets=lose_secrets)


def _quiet_ground(folder: Path) -> Ground:
    return Ground(
        settings=Settings.read(), folder=folder, components=find_components(), clock=SystemClock(), observer=Observer()
    )


def _with_options(settings: ServerSettings, **given: object) -> ServerSettings:
    """The settings, with what the command line says over what the environment says."""
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
