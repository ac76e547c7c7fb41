"""What the command line's commands do."""

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console

from headwater.boot.backups import BackedUp, back_up, restore_house
from headwater.boot.backups import list_backups as list_kept_backups
from headwater.boot.components import find_components
from headwater.boot.crew import READY, Assignment, Crew, CrewMetrics, Siblings
from headwater.boot.errors import InvalidSetting
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.house import open_house, read_house_keys, read_house_mail, rotate_house_key
from headwater.boot.outside import url_of
from headwater.boot.server import Server, calm_collector, listen
from headwater.boot.settings import ServerSettings, Settings
from headwater.flow.request import Networks
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import DatabaseSettings, Migration
from headwater.kernel.database.archive import KeptFile
from headwater.kernel.mail import ReceivedLetter
from headwater.kernel.observe import DatabasePlaced, LogListener, MetricsListener, Observation, Observer
from headwater.kernel.observe import ServerStarted as Started
from headwater.kernel.redis import RedisSettings
from headwater.platform.identity import RotatableKey

ADDRESS_FILE = "server.url"


async def serve_house(
    folder: Path,
    host: str | None,
    port: int | None,
    root_app: str | None,
    *,
    worker: bool | None = None,
    workers: int | None = None,
) -> None:
    """Open the house and serve it until SIGTERM or SIGINT; it does the jobs too unless told otherwise."""
    settings = Settings.read()
    server_settings = _with_options(settings.part(ServerSettings), host=host, port=port, worker=worker, workers=workers)
    metrics = MetricsListener()
    log = LogListener(server_settings.log)
    observer = Observer(metrics, log)
    ground = _ground(settings, folder, observer, server_settings.host)
    observer.add(_Greeting(observer, folder, settings, server_settings.workers))
    async with AsyncExitStack() as stack:
        stack.callback(log.flush)
        if server_settings.workers > 1:
            await _serve_by_crew(stack, ground, server_settings, root_app)
            return
        working = server_settings.worker
        house = await stack.enter_async_context(open_house(ground, metrics, root_app=root_app, working=working))
        server = Server(house, server_settings, _networks(house.settings.trusted_proxies), house.sockets)
        calm_collector()
        await server.serve()


async def serve_as_member(text: str) -> None:
    """Be one of the processes that answer at an address, until asked to stop or left by who owns it."""
    assignment = msgspec.json.decode(text, type=Assignment)
    settings, server_settings = Settings.read(), assignment.settings
    meeting_place, number = Path(assignment.meeting_place), assignment.number
    metrics = CrewMetrics(meeting_place, number)
    log = LogListener(server_settings.log)
    observer = Observer(metrics, log)
    siblings = Siblings(meeting_place, number, observer)
    ground = _ground(settings, Path(assignment.folder), observer, server_settings.host)
    async with AsyncExitStack() as stack:
        stack.callback(log.flush)
        await stack.enter_async_context(metrics.told())
        house = await stack.enter_async_context(
            open_house(
                ground,
                metrics,
                root_app=assignment.root_app,
                working=server_settings.worker,
                shared=True,
                home=str(number),
            )
        )
        trusted = _networks(house.settings.trusted_proxies)
        server = Server(house, server_settings, trusted, house.sockets, siblings)
        await stack.enter_async_context(siblings.taken_in(server.adopt))
        observer.add(_tell_when_ready)
        _stop_with_owner(server)
        calm_collector()
        await server.serve([socket.socket(fileno=each) for each in assignment.sockets])


async def _serve_by_crew(stack: AsyncExitStack, ground: Ground, settings: ServerSettings, root_app: str | None) -> None:
    """Own the database and the address, and let others answer, until SIGTERM or SIGINT."""
    listening = listen(settings.host, settings.port)
    for each in listening:
        stack.callback(each.close)
    await stack.enter_async_context(stand_on(ground))
    meeting_place = stack.enter_context(TemporaryDirectory(prefix="headwater-"))
    assignment = Assignment(
        number=0,
        sockets=tuple(each.fileno() for each in listening),
        folder=str(ground.folder),
        meeting_place=meeting_place,
        root_app=root_app,
        settings=settings,
    )
    crew = Crew(assignment, ground.settings.part(DatabaseSettings).pool_max, ground.observer)
    stack.push_async_callback(crew.stop)
    await crew.start()
    port = listening[0].getsockname()[1]
    ground.observer.tell(Started(url=url_of(msgspec.structs.replace(settings, port=port))))
    await crew.wait()


def _stop_with_owner(server: Server) -> None:
    """Stop the server once whoever holds the other end of our standard input is gone; he writes nothing."""
    loop, line = asyncio.get_running_loop(), sys.stdin.fileno()

    def stop() -> None:
        loop.remove_reader(line)
        server.stop()

    loop.add_reader(line, stop)


def _tell_when_ready(observation: Observation) -> None:
    if isinstance(observation, Started):
        os.write(sys.stdout.fileno(), READY)


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


def list_backups(folder: Path) -> list[KeptFile]:
    """The backups that the house keeps."""
    return list_kept_backups(_quiet_ground(folder))


async def restore_database(folder: Path, file: Path, *, replace: bool, lose_secrets: bool) -> bool:
    """Put a dump in the database's place; whether its secrets were dropped."""
    return await restore_house(_quiet_ground(folder), file, replace=replace, lose_secrets=lose_secrets)


def _quiet_ground(folder: Path) -> Ground:
    return _ground(Settings.read(), folder, Observer(), None)


def _ground(settings: Settings, folder: Path, observer: Observer, host: str | None) -> Ground:
    return Ground(
        settings=settings,
        folder=folder,
        components=find_components(),
        clock=SystemClock(),
        observer=observer,
        host=host,
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

    def __init__(self, observer: Observer, folder: Path, settings: Settings, workers: int) -> None:
        self._observer = observer
        self._workers = workers
        self._counts_apart = workers > 1 and settings.part(RedisSettings).url is None
        self._folder = folder
        self._first = not (folder / ADDRESS_FILE).exists()
        self._external = settings.part(DatabaseSettings).url is not None
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
        if self._workers > 1:
            say(f"It is answered by     {self._workers} processes")
        if self._counts_apart:
            say("Limits are counted    by each process for itself, because HEADWATER_REDIS_URL is not set")
        say(f"Your keys             headwater keys --data {self._folder}")
        if self._first:
            say(f"Next                  open {url}/docs, or follow the README's first screen")
