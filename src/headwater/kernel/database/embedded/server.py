"""The embedded server's life: start, answer, be watched, come back after a crash, stop."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

import asyncpg

from headwater.kernel.database.embedded import queries
from headwater.kernel.database.embedded.account import owner_of, server_account, spawn, this_account
from headwater.kernel.database.embedded.binaries import find_binaries
from headwater.kernel.database.embedded.cluster import (
    is_made,
    make_cluster,
    postgres_command,
    write_configuration,
)
from headwater.kernel.database.embedded.errors import (
    ClusterOfAnotherUser,
    FolderInUse,
    PostgresFailed,
    UnknownOsUser,
)
from headwater.kernel.database.embedded.files import (
    LOCK,
    LOG,
    clear_sockets,
    forget_address,
    keep_address,
    kept_address,
    log_reason,
    log_size,
    open_log,
    socket_folder,
    trim_log,
)
from headwater.kernel.database.embedded.leftovers import end_leftovers
from headwater.kernel.database.embedded.lock import FolderLock
from headwater.kernel.database.embedded.models import (
    Address,
    ClusterCreated,
    ClusterPlaced,
    EmbeddedObservation,
    EmbeddedSettings,
    LeftoversEnded,
    PostgresDied,
    PostgresStarted,
    PostgresStopped,
    RestartFailed,
    Site,
)
from headwater.kernel.database.embedded.placement import keep_location, known_cluster, settle
from headwater.kernel.errors import Refusal

LONGEST_PAUSE = 5.0
SETTLED_AFTER = 10.0
ATTEMPTS = 3
PROBE_SECONDS = 5.0
AWAY = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
NOT_LET_IN = (PermissionError, asyncpg.InvalidAuthorizationSpecificationError)


def _nobody(observation: EmbeddedObservation) -> None:
    """The observer of those who want none."""


class EmbeddedPostgres:
    """The PostgreSQL server of one data folder, run by this process; other commands `attach` to it.

    Use it from one event loop, and end with `stop`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        observer: Callable[[EmbeddedObservation], None] | None = None,
        settings: EmbeddedSettings | None = None,
    ) -> None:
        self._given_folder = folder
        self._observe = observer or _nobody
        self._settings = settings or EmbeddedSettings()
        self._locks: list[FolderLock] = []
        self._process: Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._site: Site | None = None

    async def start(self) -> Address:
        """Make the cluster if there is none, start the server, and return once it truly answers.

        What an earlier server left alive is ended first. Refuses with FolderInUse, WrongMajorVersion and the others of
        this package; nothing stays behind then. Afterwards a server that dies is started again until `stop`.
        """
        try:
            site = self._site = await self._prepare()
            await self._launch_patiently(site)
        except BaseException:
            await self._end_process()
            self._let_go()
            raise
        self._watcher = asyncio.create_task(self._watch(site), name="embedded postgres")
        return site.address

    async def stop(self) -> None:
        """End the server: fast shutdown, and a harder one if that takes too long; frees the folder."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        await self._end_process(told=True)
        self._let_go()

    async def _prepare(self) -> Site:
        settings = self._settings
        folder = _made_folder(self._given_folder)
        client = this_account()
        await self._take_lock(folder)
        known = known_cluster(folder)
        if known.parent != folder:
            await self._take_lock(known.parent)  # two data folders, one a copy of the other, may name one cluster
        made = is_made(known)
        account = await asyncio.to_thread(server_account, known)
        await self._end_leftovers(known)
        cluster = await settle(folder, account, settings.state_folder)
        if cluster.parent not in {folder, known.parent}:
            await self._take_lock(cluster.parent)
        binaries = await find_binaries(account, settings.state_folder)
        if not made:
            begun = asyncio.get_running_loop().time()
            await make_cluster(cluster, account, binaries)
            self._observe(ClusterCreated(cluster, asyncio.get_running_loop().time() - begun))
        if cluster != known:
            await asyncio.to_thread(keep_location, folder, cluster)
            self._observe(ClusterPlaced(folder, cluster))
        address = Address(str(socket_folder(folder, account)))
        keep_address(folder, address)
        return Site(folder, cluster, account, client.name, binaries, address)

    async def _take_lock(self, folder: Path) -> None:
        lock = FolderLock(folder / LOCK)
        try:
            taken = await lock.take(self._settings.lock_seconds)
        except PermissionError:
            raise ClusterOfAnotherUser(folder=folder, owner=owner_of(folder)) from None
        if not taken:
            raise FolderInUse(pid=lock.holder(), folder=folder)
        self._locks.append(lock)

    async def _end_leftovers(self, cluster: Path) -> None:
        if ended := await end_leftovers(cluster, self._settings.stop_seconds):
            self._observe(LeftoversEnded(ended))

    async def _launch_patiently(self, site: Site) -> None:
        """Launch, again if need be: what the dead leave in shared memory can outlive them for a moment."""
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._launch(site, recovered=False)
            except PostgresFailed:
                await asyncio.sleep(0.2 * attempt)
        return await self._launch(site, recovered=False)

    async def _launch(self, site: Site, *, recovered: bool) -> None:
        """Start the program and wait until it answers; PostgresFailed with its own words when it does not."""
        begun = asyncio.get_running_loop().time()
        clear_sockets(site.address)
        write_configuration(site, self._settings)
        written = log_size(site.folder)
        log = open_log(site.folder, self._settings.log_bytes)
        try:
            process = self._process = await spawn(site.account, postgres_command(site), log)
        finally:
            os.close(log)
        try:
            async with asyncio.timeout(self._settings.start_seconds):
                while not await _probe(site.address, site.cluster):
                    if process.returncode is not None:
                        raise PostgresFailed(reason=log_reason(site.folder, written), log=site.folder / LOG)
                    await asyncio.sleep(0.01)
        except (TimeoutError, PermissionError, asyncpg.PostgresError) as error:
            await self._end_process()
            reason = str(error) or f"no answer in {self._settings.start_seconds:g} s"
            raise PostgresFailed(reason=reason, log=site.folder / LOG) from error
        took = asyncio.get_running_loop().time() - begun
        self._observe(PostgresStarted(process.pid, took, recovered))

    async def _watch(self, site: Site) -> None:
        """Start a server that died again: at once, then with growing pauses while it keeps dying."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        while process := self._process:
            alive_since = loop.time()
            status = await self._wait_trimming(process, site.folder)
            self._observe(PostgresDied(process.pid, status))
            if loop.time() - alive_since > SETTLED_AFTER:
                pause = 0.0
            while True:
                await asyncio.sleep(pause)
                pause = min(max(0.1, pause * 2), LONGEST_PAUSE)
                try:
                    await self._end_leftovers(site.cluster)
                    await self._launch(site, recovered=True)
                    break
                except (Refusal, OSError) as reason:
                    self._observe(RestartFailed(str(reason), pause))

    async def _wait_trimming(self, process: Process, folder: Path) -> int:
        while True:
            try:
                return await asyncio.wait_for(process.wait(), 60)
            except TimeoutError:
                trim_log(folder, self._settings.log_bytes)

    async def _end_process(self, *, told: bool = False) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        begun = asyncio.get_running_loop().time()
        steps = ((signal.SIGINT, self._settings.stop_seconds), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))
        for number, patience in steps:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            try:
                await asyncio.wait_for(process.wait(), patience)
                break
            except TimeoutError:
                continue
        if told:
            self._observe(PostgresStopped(process.pid, asyncio.get_running_loop().time() - begun))

    def _let_go(self) -> None:
        if self._site is not None:
            forget_address(self._site.folder, self._site.address)
            self._site = None
        for lock in reversed(self._locks):
            lock.release()
        self._locks.clear()


async def attach(folder: Path, *, patience: float = 10.0) -> Address | None:
    """The address of the running server of `folder`, after it answered; None where none runs.

    A server that is just starting is waited for, `patience` seconds at most. UnknownOsUser when it runs for another
    user of this machine.
    """
    folder = _resolved(folder)
    lock = FolderLock(folder / LOCK)
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        try:
            starting = lock.held_elsewhere()
            address = kept_address(folder)
            if address is not None and await _probe(address, known_cluster(folder)):
                return address
        except (ClusterOfAnotherUser, *NOT_LET_IN):
            raise UnknownOsUser(folder=folder) from None
        if not starting or loop.time() >= end:
            return None
        await asyncio.sleep(0.05)


async def _probe(address: Address, cluster: Path) -> bool:
    """True when the server of `cluster` answers a question there; False while it is away, starting or ending.

    An open socket proves nothing: for a moment it outlives a killed leader.
    """
    if not (Path(address.host) / f".s.PGSQL.{address.port}").exists():
        return False
    try:
        connection = await queries.connect_superuser(address, PROBE_SECONDS)
    except PermissionError:
        raise
    except AWAY:
        return False
    try:
        found = await queries.find_cluster_folder(connection)
        await connection.close(timeout=PROBE_SECONDS)
        return found == str(cluster)
    except AWAY:
        connection.terminate()
        return False


def _made_folder(folder: Path) -> Path:
    """The data folder, made if it is not there; open to pass through for root's unprivileged user."""
    if not folder.exists():
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
    return _resolved(folder)


def _resolved(folder: Path) -> Path:
    return Path(os.path.realpath(folder))
