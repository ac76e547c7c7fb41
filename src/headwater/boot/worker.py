"""The engines that work behind the requests: consumers of events, jobs and timers."""

from contextlib import AsyncExitStack

from headwater.boot.aftermath import Aftermath
from headwater.boot.binding import bound
from headwater.boot.parts import Parts
from headwater.boot.settings import Settings
from headwater.kernel.bus import Bus
from headwater.kernel.clock import Clock
from headwater.kernel.component import Components
from headwater.kernel.database import Database
from headwater.kernel.events import BoundConsumer, Dispatcher, EventRecorder, EventSettings
from headwater.kernel.jobs import BoundJob, BoundTimer, JobRecorder, JobSettings, Worker, kernel_timers
from headwater.kernel.models import Effects
from headwater.kernel.observe import Observer

Engines = tuple[Dispatcher, Worker]


def make_engines(parts: Parts) -> Engines:
    """The dispatcher of events and the worker of jobs.

    From now on events and jobs of every writing transaction are kept; they are carried out once `start_engines` runs.
    """
    database, aftermath = parts.find(Database), parts.find(Aftermath)
    components, bus = parts.find(Components), parts.find(Bus)
    clock, observer, settings = parts.find(Clock), parts.find(Observer), parts.find(Settings)
    dispatcher = Dispatcher(
        database,
        clock,
        observer,
        _consumers(parts, components),
        bus,
        aftermath.carry_out,
        settings.part(EventSettings),
    )
    jobs = _jobs(parts, components)
    timers = [*_timers(parts, components), *kernel_timers(dispatcher, settings.part(JobSettings))]
    worker = Worker(database, clock, observer, jobs, timers, bus, aftermath.carry_out, settings.part(JobSettings))
    database.add_recorder(EventRecorder())
    database.add_recorder(JobRecorder({name: job.declaration for name, job in jobs.items()}))

    def tell(effects: Effects) -> None:
        if effects.jobs:
            worker.hurry()
        if effects.events:
            dispatcher.tell(effects.events)

    aftermath.add(tell)
    return dispatcher, worker


async def start_engines(stack: AsyncExitStack, engines: Engines) -> None:
    """Let the engines work until the stack is closed; the worker stops first."""
    for engine in engines:
        await engine.start()
        stack.push_async_callback(engine.stop)


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
        BoundTimer(timer, bound(parts, component, timer.operation))
        for component in components
        for timer in component.timers
    ]
