"""Frames in the order of their sender, each once, however many ways it came."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from headwater.kernel.bus.frames import Frame

_PATIENCE = 0.5
_MOST_HELD = 1000
_MOST_SENDERS = 1000


class _Sender:
    """What is known of one sender: the serial that is `due`, and the frames that came before their turn."""

    __slots__ = ("due", "held", "timer")

    def __init__(self, due: int) -> None:
        self.due = due
        self.held: dict[int, Frame] = {}
        self.timer: asyncio.TimerHandle | None = None


class Sequences:
    """Passes on the frames of every sender by their serials, which count up by one.

    What came already is dropped. What came too early waits for what is missing, for half a second: then that is lost,
    which `missed` is told, and the rest goes on. The first frame of a sender begins his count.
    """

    def __init__(self, deliver: Callable[[Frame], None], missed: Callable[[], None]) -> None:
        self._deliver = deliver
        self._missed = missed
        self._senders: OrderedDict[str, _Sender] = OrderedDict()

    def take(self, frame: Frame) -> None:
        """Take in one frame."""
        sender = self._senders.get(frame.sender)
        if sender is None:
            sender = self._senders[frame.sender] = _Sender(frame.serial)
            if len(self._senders) > _MOST_SENDERS:
                self._senders.popitem(last=False)
        self._senders.move_to_end(frame.sender)
        if frame.serial == sender.due:
            self._pass_on(sender, frame)
        elif frame.serial > sender.due:
            sender.held[frame.serial] = frame
            if len(sender.held) > _MOST_HELD:
                self._give_up(sender)
            elif sender.timer is None:
                sender.timer = asyncio.get_running_loop().call_later(_PATIENCE, self._give_up, sender)

    def stop(self) -> None:
        """Wait for nothing any more."""
        for sender in self._senders.values():
            _calm(sender)

    def _pass_on(self, sender: _Sender, frame: Frame | None) -> None:
        while frame is not None:
            sender.due = frame.serial + 1
            self._deliver(frame)
            frame = sender.held.pop(sender.due, None)
        if not sender.held:
            _calm(sender)

    def _give_up(self, sender: _Sender) -> None:
        """Go on with the first frame there is; what is missing behind it is waited for in its turn."""
        _calm(sender)
        self._missed()
        self._pass_on(sender, sender.held.pop(min(sender.held)))
        if sender.held:
            sender.timer = asyncio.get_running_loop().call_later(_PATIENCE, self._give_up, sender)


def _calm(sender: _Sender) -> None:
    if sender.timer is not None:
        sender.timer.cancel()
        sender.timer = None
