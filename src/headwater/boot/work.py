"""What `headwater work` and `headwater jobs` do."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

from headwater.boot.components import find_components
from headwater.boot.errors import NoSuchFailure, NothingMeant
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.house import open_workshop
from headwater.boot.settings import ServerSettings, Settings
from headwater.kernel.clock import SystemClock
from headwater.kernel.jobs import (
    FailedJob,
    Overview,
    Retried,
    Selection,
    discard_failed,
    list_failed,
    retry_failed,
    survey,
)
from headwater.kernel.observe import LogListener, MetricsListener, Observer, WorkerStarted, WorkerStopping


async def work_for_house(folder: Path, only: Sequence[str]) -> None:
    """Do the jobs of a house, or `only` those named, until SIGTERM or SIGINT; then finish what runs, and leave."""
    settings = Settings.read()
    metrics = MetricsListener()
    log = LogListener(settings.part(ServerSettings).log)
    ground = _ground(folder, settings, Observer(metrics, log))
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, asked.set)
    async with AsyncExitStack() as stack:
        stack.callback(log.flush)
        worker = await stack.enter_async_context(open_workshop(ground, metrics, only))
        ground.observer.tell(WorkerStarted(jobs=tuple(worker.names)))
        await asked.wait()
        ground.observer.tell(WorkerStopping(running=worker.running))


async def read_jobs(folder: Path) -> Overview:
    """Every job, timer and worker of the house of a data folder, whether it runs or not."""
    ground = _ground(folder)
    declared = [job.name for component in ground.components for job in component.jobs]
    async with stand_on(ground, shared=True) as foundation:
        return await foundation.database.reading(lambda tx: survey(tx, declared))


async def read_failures(folder: Path, job: str | None, limit: int) -> list[FailedJob]:
    """The jobs that failed for good, or those of one name, the latest first."""
    async with stand_on(_ground(folder), shared=True) as foundation:
        return await foundation.database.reading(lambda tx: list_failed(tx, Selection(job=job), limit))


async def retry_jobs(folder: Path, meant: str | None, *, every: bool) -> Retried:
    """Queue failed jobs again: one by its id, those of a name, or every one. Raises `NoSuchFailure`."""
    selection = _selected(meant, every=every)
    async with stand_on(_ground(folder), shared=True) as foundation:
        retried, _ = await foundation.database.writing(lambda tx: retry_failed(tx, selection))
    if meant is not None and not (retried.queued or retried.joined):
        raise NoSuchFailure(meant=meant)
    return retried


async def discard_jobs(folder: Path, meant: str | None, *, every: bool) -> int:
    """Remove failed jobs for ever: one by its id, those of a name, or every one; how many. Raises `NoSuchFailure`."""
    selection = _selected(meant, every=every)
    async with stand_on(_ground(folder), shared=True) as foundation:
        discarded, _ = await foundation.database.writing(lambda tx: discard_failed(tx, selection))
    if meant is not None and not discarded:
        raise NoSuchFailure(meant=meant)
    return discarded


def _selected(meant: str | None, *, every: bool) -> Selection:
    if (meant is None) != every:
        raise NothingMeant
    try:
        return Selection(id=None if meant is None else UUID(meant))
    except ValueError:
        return Selection(job=meant)


def _ground(folder: Path, settings: Settings | None = None, observer: Observer | None = None) -> Ground:
    return Ground(
        settings=settings or Settings.read(),
        folder=folder,
        components=find_components(),
        clock=SystemClock(),
        observer=observer or Observer(),
    )
