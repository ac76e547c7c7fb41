"""The engines that work behind the requests: followers and consumers of events, jobs and timers."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import msgspec

from headwater.boot.aftermath import Aftermath
from headwater.boot.binding import bound
from headwater.boot.errors import InvalidSetting, UnknownJob
from headwater.boot.parts import Parts
from headwater.boot.rooms import Owners
from headwater.boot.settings import Settings, variable_names
from headwater.kernel.bus import Bus, Nodes
from headwater.kernel.clock import Clock
from headwater.kernel.component import Component, Components
from headwater.kernel.database import Database, Transactions
from headwater.kernel.events import (
    BoundConsumer,
    BoundFollower,
    Dispatcher,
    EventRecorder,
    EventSettings,
    Follower,
    Following,
)
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
from headwater.kernel.sockets import Packet, Sockets


class Engines(msgspec.Struct, frozen=True):
    """What works behind the requests, in the order it starts."""

    following: Following
    dispatcher: Dispatcher
    census: Census
    worker: Worker


def make_engines(parts: Parts, only: Sequence[str] = ()) -> Engines:
    """What tells of events, the dispatcher, the census of jobs, and the worker of all jobs and timers, or `only` some.

    From now on events and jobs of every writing transaction are kept; they are carried out once `start_engines` runs.
    Raises `UnknownJob`.
    """
    database, aftermath = parts.find(Database), parts.find(Aftermath)
    components, bus = parts.find(Components), parts.find(Bus)
    clock, observer, settings = parts.find(Clock), parts.find(Observer), parts.find(Settings).part(JobSettings)
    consumers, events = _consumers(parts, components), parts.find(Settings).part(EventSettings)
    dispatcher = Dispatcher(database, clock, observer, consumers, bus, aftermath.carry_out, events)
    following = _following(parts, components)
    jobs = _jobs(parts, components)
    declared = (*_timers(parts, components), *kernel_timers(dispatcher, settings))
    timers = {timer.declaration.name: timer for timer in declared}
    database.add_recorder(EventRecorder())
    database.add_recorder(JobRecorder({name: job.declaration for name, job in jobs.items()}))
    census = Census(database, clock, observer, list(jobs), list(timers), settings.census)
    _must_be_known(only, (*jobs, *timers))
    mine = {name: job for name, job in jobs.items() if not only or name in only}
    kept = [timer for name, timer in timers.items() if not only or name in only]
    worker = Worker(database, clock, observer, mine, kept, bus, aftermath.carry_out, settings)

    async def tell(effects: Effects) -> None:
        if effects.jobs:
            worker.hurry()
        if effects.events:
            dispatcher.tell(effects.events)
            await following.tell(effects.events)

    aftermath.add(tell)
    return Engines(following, dispatcher, census, worker)


async def start_engines(stack: AsyncExitStack, engines: Engines, *, working: bool) -> None:
    """Let the engines work until the stack is closed; the worker stops first, and begins only if it is `working`.

    One that does not work still tells the others of new jobs.
    """
    engines.following.start()
    stack.push_async_callback(engines.following.stop)
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


def _following(parts: Parts, components: Components) -> Following:
    sockets = parts.find(Sockets)

    def tell_rooms(rooms: Sequence[str], event: str, payload: object) -> None:
        sockets.broadcast_to_all(rooms, Packet(event, (payload,)))

    followers = [
        BoundFollower(follower, bound(parts, component, follower.operation), _healing(parts, component, follower))
        for component in components
        for follower in component.followers
    ]
    following = Following(parts.find(Bus), parts.find(Observer), followers, tell_rooms, parts.find(Owners).audience)
    parts.find(Nodes).on_silence(following.distrust)
    return following


def _healing(parts: Parts, component: Component, follower: Follower) -> Callable[[], Awaitable[None]] | None:
    """What a follower does about a gap, in transactions of its own."""
    if follower.on_gap is None:
        return None
    database, aftermath = parts.find(Database), parts.find(Aftermath)
    operation = bound(parts, component, follower.on_gap)

    async def heal() -> None:
        transactions = Transactions(database)
        await operation(transactions)
        await aftermath.carry_out(transactions.effects)

    return heal


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
