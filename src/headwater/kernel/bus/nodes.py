"""The processes of a house: who lives, who has heard, and whether this one may still trust what it knows."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from time import monotonic

from headwater.kernel.bus.hearing import Hearing
from headwater.kernel.bus.joining import Joined
from headwater.kernel.bus.postgres import Beat, PostgresBus
from headwater.kernel.bus.rounds import Rounds
from headwater.kernel.bus.tasks import Tasks
from headwater.kernel.bus.words import CHANNEL, Answer, Leaves, Lives, Question, read, write
from headwater.kernel.errors import Busy, DatabaseUnavailable
from headwater.kernel.ids import new_id
from headwater.kernel.observe import HookFailed, NodeCutOff, NodeJoined, NodeLeft, NodeReturned, Observer

SILENCE = 2.0
"""Seconds for which a process that hears itself may trust what it knows, and for which the others wait for it."""
_BEATS = 4
"""In the time of a silence."""
_SURE = 0.95
"""Of a silence: who is waited for gives up a little before those who wait."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0

Answerer = Callable[[bytes], Awaitable[object] | None]
Callback = Callable[[], Awaitable[None] | None]


class _Asked:
    """A question under way: `missing` are those who have yet to answer, known once it has come back itself."""

    def __init__(self) -> None:
        self.missing: set[str] | None = None
        self.answered: set[str] = set()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def expect(self, nodes: Iterable[str]) -> None:
        """Wait for these; a question that left twice comes back twice, and counts once."""
        if self.missing is None:
            self.missing = set(nodes) - self.answered
            self._settle()

    def strike(self, node: str) -> None:
        """Wait for this one no longer."""
        self.answered.add(node)
        if self.missing is not None:
            self.missing.discard(node)
            self._settle()

    def _settle(self) -> None:
        if not self.missing and not self.done.done():
            self.done.set_result(None)


class Nodes:
    """Every process of the house on this database, by beats over Postgres NOTIFY, whatever else carries messages.

    Everything goes by one channel, on which all hear the same in the order of commits. So a process that hears its own
    beat again has heard all that was told before the beat left, and may trust that for a silence (`cut_off`); and one
    that asks (`tell_all`) knows, once it hears its own question, who must answer. Whoever has not answered after a
    silence has been cut off for a moment by then, be he paused, hanging or dead, and finds that out by himself before
    he does anything else: the time is compared where it matters, and no timer has to run.
    """

    def __init__(self, bus: PostgresBus, observer: Observer, silence: float = SILENCE) -> None:
        self._bus = bus
        self._observer = observer
        self._silence = silence
        self.id = new_id().hex
        self._others: dict[str, float] = {}
        self._heard_itself_at = -math.inf
        self._caught_up_at = -math.inf
        self._acting: dict[Question, float] = {}
        self._trusting = False
        self._began = False
        self._stopped = False
        self._news = asyncio.Event()
        self._answerers: dict[str, list[Answerer]] = defaultdict(list)
        self._return_callbacks: list[Callback] = []
        self._silence_callbacks: list[Callback] = []
        self._asked: dict[int, _Asked] = {}
        self._number = 0
        self._outgoing = Joined[str](partial(bus.notify, CHANNEL))
        self._hearing = Hearing(observer)
        self._tasks = Tasks("nodes", observer)
        self._watching = Rounds("nodes", observer, self._watch)
        bus.beat_with(Beat(CHANNEL, self._beat, silence / _BEATS))
        bus.listen_raw(CHANNEL, self._hear)

    @property
    def live(self) -> frozenset[str]:
        """The ids of all processes that may act on what they know: heard within a silence, and this one."""
        return frozenset((self.id, *self._others))

    @property
    def alone(self) -> bool:
        """Whether no other process has been heard within a silence."""
        return not self._others

    @property
    def cut_off(self) -> bool:
        """Whether the others may have told something that this process has not heard, and no longer wait for it."""
        return monotonic() - self._caught_up_at > self._silence * _SURE

    async def catch_up(self, patience: float) -> bool:
        """Whether this process is not cut off, at once or within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.cut_off:
                    await self._next_news()
        return not self.cut_off

    async def start(self) -> None:
        """Return once everyone who lives is known: at once where nobody else does, after a silence at most.

        The bus must have been started, after this was made. Raises `DatabaseUnavailable` or `Busy`.
        """
        expected = await self._bus.count_others()
        while self.cut_off:
            await self._next_news()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._silence):
                while len(self._others) < expected:
                    await self._next_news()
        self._watching.start()

    async def stop(self) -> None:
        """Tell the others not to wait for this one any more, before the bus is stopped."""
        self._stopped = True
        await self._watching.stop()
        await self._send(self._beat(), self._silence)
        await self._tasks.stop()
        await self._hearing.stop()

    def answer(self, topic: str, handler: Answerer) -> Callable[[], None]:
        """From now on `handler` hears every question on `topic`, asked here or elsewhere; the result ends that.

        The asker waits until it has returned, and if it is asynchronous until it is done; until then this process
        counts as one that has not heard. It may be called twice for a question, and is called again while Postgres is
        away. Questions asked while this process was deaf are not repeated: see `Bus.on_gap`.
        """
        self._answerers[topic].append(handler)
        return partial(self._answerers[topic].remove, handler)

    def on_return(self, callback: Callback) -> None:
        """Call `callback` once this process is no longer cut off, and so at its start."""
        self._return_callbacks.append(callback)

    def on_silence(self, callback: Callback) -> None:
        """Call `callback` when another process fell silent, by which what it committed last may be told by nobody."""
        self._silence_callbacks.append(callback)

    async def tell_all(self, topic: str, message: bytes = b"", within: float | None = None) -> frozenset[str]:
        """Return once the handlers of every live process have finished with `message`: a silence at most, or `within`.

        Handlers here are called at once. The result names those who did not say that they finished: after a whole
        silence each of them is gone or has been cut off. While Postgres cannot be reached nobody can be told; then too
        this takes that time, after which all are cut off. Raises `MessageTooLarge`.
        """
        self._number = number = self._number + 1
        question = Question(self.id, number, topic, message)
        payload = write(question)
        patience = self._silence if within is None else within
        self._asked[number] = asked = _Asked()
        try:
            self._act(question)
            if await self._send(payload, patience):
                await asyncio.wait((asked.done,), timeout=patience)
        finally:
            del self._asked[number]
        return self.live - asked.answered if asked.missing is None else frozenset(asked.missing)

    async def _send(self, payload: str, patience: float) -> bool:
        """Whether it left, tried again and again for so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while True:
                    try:
                        await self._outgoing.add(payload)
                    except Exception:  # noqa: BLE001 - whatever keeps Postgres away
                        await asyncio.sleep(_FIRST_PAUSE)
                    else:
                        return True
        return False

    def _beat(self) -> str:
        return write(Leaves(self.id) if self._stopped else Lives(self.id, monotonic()))

    async def _next_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _hear(self, payload: str) -> None:
        match read(payload):
            case Lives(node=self.id, at=at):
                self._note_own_beat(at)
            case Lives(node=node):
                self._note_beat(node)
            case Leaves(node=node):
                self._drop(node, silent=False)
            case Question(node=self.id, number=number):
                if asked := self._asked.get(number):
                    asked.expect(self.live)
            case Question() as question:
                self._act(question)
            case Answer(node=node, asker=self.id, number=number):
                if asked := self._asked.get(number):
                    asked.strike(node)
            case Answer():
                pass

    def _note_own_beat(self, at: float) -> None:
        self._heard_itself_at = at
        for node in [node for node, heard_at in self._others.items() if at - heard_at > self._silence]:
            self._drop(node, silent=True)
        self._move_on()

    def _note_beat(self, node: str) -> None:
        if node not in self._others:
            self._observer.tell(NodeJoined(node=node))
            self._bus.beat_now()
        self._others[node] = monotonic()
        self._news.set()

    def _drop(self, node: str, *, silent: bool) -> None:
        if self._others.pop(node, None) is None:
            return
        self._observer.tell(NodeLeft(node=node, silent=silent))
        for asked in tuple(self._asked.values()):
            asked.strike(node)
        if silent:
            for callback in self._silence_callbacks:
                self._hearing.call(callback)

    def _act(self, question: Question) -> None:
        """Call the handlers now; say so once all are done, and never if one failed."""
        lasting: list[Awaitable[bool]] = []
        for handler in tuple(self._answerers.get(question.topic, ())):
            try:
                waited = handler(question.message)
            except Exception as failure:  # noqa: BLE001 - the asker learns it by the missing answer
                self._observer.tell(HookFailed(part="nodes", failure=failure))
                lasting.append(_failed())
            else:
                if waited is not None:
                    lasting.append(self._finish(handler, question.message, waited))
        if not lasting and question.node == self.id:
            self._asked[question.number].strike(self.id)
            return
        if lasting:
            self._acting[question] = self._heard_itself_at
        self._tasks.start(self._answer(question, lasting))

    async def _answer(self, question: Question, lasting: Iterable[Awaitable[bool]]) -> None:
        done = all(await asyncio.gather(*lasting))
        self._acting.pop(question, None)
        self._move_on()
        if question.node != self.id:
            if done:
                await self._send(write(Answer(self.id, question.node, question.number)), self._silence)
        elif done and (asked := self._asked.get(question.number)):
            asked.strike(self.id)

    async def _finish(self, handler: Answerer, message: bytes, waited: Awaitable[object] | None) -> bool:
        """Whether a handler came to its end; one for which Postgres was away is called again."""
        pause = _FIRST_PAUSE
        while True:
            try:
                if waited is not None:
                    await waited
            except (DatabaseUnavailable, Busy):
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as failure:  # noqa: BLE001 - the asker learns it by the missing answer
                self._observer.tell(HookFailed(part="nodes", failure=failure))
                return False
            else:
                return True
            waited = handler(message)

    def _move_on(self) -> None:
        """Trust as far as our own beats came back, but not beyond a question that is still being acted on."""
        self._notice()
        self._caught_up_at = min((self._heard_itself_at, *self._acting.values()))
        self._notice()
        self._news.set()

    async def _watch(self) -> float:
        self._notice()
        return self._silence / 10

    def _notice(self) -> None:
        """Tell of a change between trusted and cut off."""
        if self._trusting is not self.cut_off or self._stopped:
            return
        self._trusting = not self._trusting
        if self._began:
            self._observer.tell(NodeReturned() if self._trusting else NodeCutOff())
        self._began = True
        for callback in self._return_callbacks if self._trusting else ():
            self._hearing.call(callback)


async def _failed() -> bool:
    return False
