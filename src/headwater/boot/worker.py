"""The engines that work behind the requests: consumers of events, jobs and timers."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from headwater.boot.aftermath import Aftermath
from headwater.boot.binding import bound
from headwater.boot.errors import InvalidSetting, UnknownJob
from headwater.boot.parts import Parts
from headwater.boot.settings import Settings, variable_names
from headwater.kernel.bus import Bus
from headwater.kernel.clock import Clock
from headwater.kernel.component import Components
from headwater.kernel.database import Database
from headwater.kernel.events import BoundConsumer, Dispatcher, EventRecorder, EventSettings
from headwater.kernel.jobs import (
    BoundJob,
    BoundTimer,
    Census,
    JobRecorder,
    JobSettings,
    Timer,
    Worker,
    WrongDeclaration,
    kernel_timers,
)
from headwater.kernel.models import Effects
from headwater.kernel.observe import Observer


class Engines(msgspec.Struct, frozen=True):
    """What works behind the requests, in the order it starts."""

    dispatcher: Dispatcher
    census: Census
    worker: Worker


def make_engines(parts: Parts, only: Sequence[str] = ()) -> Engines:
    """The dispatcher of events, the census of jobs, and the worker of jobs and timers, or `only` of those named.

    From now on events and jobs of every writing transaction are kept; they are carried out once `start_engines` runs.
    Raises `UnknownJob`.
    """
    database, aftermath = parts.find(Database), parts.find(Aftermath)
    components, bus = parts.find(Components), parts.find(Bus)
    clock, observer, settings = parts.find(Clock), parts.find(Observer), parts.find(Settings).part(JobSettings)
    consumers, events = _consumers(parts, components), parts.find(Settings).part(EventSettings)
    dispatcher = Dispatcher(database, clock, observer, consumers, bus, aftermath.carry_out, events)
    jobs = _jobs(parts, components)
    bound = (*_timers(parts, components), *kernel_timers(dispatcher, settings))
    timers = {timer.declaration.name: timer for timer in bound}
    database.add_recorder(EventRecorder())
    database.add_recorder(JobRecorder({name: job.declaration for name, job in jobs.items()}))
    census = Census(database, clock, observer, list(jobs), list(timers), settings.census)
    _must_be_known(only, (*jobs, *timers))
    mine = {name: job for name, job in jobs.items() if not only or name in only}
    kept = [timer for name, timer in timers.items() if not only or name in only]
    worker = Worker(database, clock, observer, mine, kept, bus, aftermath.carry_out, settings)

    def tell(effects: Effects) -> None:
        if effects.jobs:
            worker.hurry()
        if effects.events:
            dispatcher.tell(effects.events)

    aftermath.add(tell)
    return Engines(dispatcher, census, worker)


async def start_engines(stack: AsyncExitStack, engines: Engines, *, working: bool) -> None:
    """Let the engines work until the stack is closed; the worker stops first, and begins only if it is `working`.

    One that does not work still tells the others of new jobs.
    """
    for engine in (engines.dispatcher, engines.census):
        await engine.start()
        stack.push_async_callback(engine.stop)
    if working:
        await engines.worker.start()
    stack.push_async_callback(engines.worker.stop)


def _must_be_known(only: Sequence[str], known: Sequence[str]) -> None:
    for name in only:
        if name not in known:
            raise UnknownJob(name=name, declared=", ".join(sorted(known)))


def _consumers(parts: Parts, components: Components) -> list[BoundConsumer]:
    return [
        BoundConsumer(consumer, bound(parts, component, consumer.operation))
        for component in components
        for consumer in component.consumers
    ]


def _jobs(parts: Parts, components: Components) -> dict[str, BoundJob]:
    return {
        job.name: BoundJob(job, bound(parts, component, job.operation))
        for component in components
        for job in component.jobs
    }


def _timers(parts: Parts, components: Components) -> list[BoundTimer]:
    return [
        BoundTimer(_set_by_settings(parts, timer), bound(parts, component, timer.operation))
        for component in components
        for timer in component.timers
    ]


def _set_by_settings(parts: Parts, timer: Timer) -> Timer:
    """A timer in its rhythm, also where the settings say it. Raises `InvalidSetting`."""
    kind = timer.rhythm_in
    if kind is None:
        return timer
    try:
        return timer.set_by(parts.find(Settings).part(kind))
    except WrongDeclaration as failure:
        (name,) = variable_names(kind, "cron", None)
        raise InvalidSetting(name=name, reason=str(failure)) from failure
