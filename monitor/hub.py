"""The hub: hands each frame, encoded once, to everybody who listens. It never waits for anyone."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.messages import Message, encode

MAX_WAITING_FRAMES = 1_000  # for one listener; over it he starts again from a snapshot
EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A message as text. ``seq`` is that of a step and None for anything else."""

    text: str
    machine: str = EVERYBODY
    seq: int | None = None


def frame(message: Message) -> Frame:
    """Encode a message, once for all who will get it."""
    seq = message["seq"] if message["type"] == "state_change" else None
    return Frame(encode(message), message.get("machine", EVERYBODY), seq)


class Listener:
    """A bounded queue of frames; what does not fit empties it and is remembered as a loss."""

    def __init__(self, machine: str | None) -> None:
        self.machine = machine
        self._frames: deque[Frame] = deque()
        self._lost = False
        self._ready = asyncio.Event()

    def put(self, item: Frame) -> None:
        """Add a frame. After a loss nothing more is kept until the listener has heard of it."""
        if len(self._frames) >= MAX_WAITING_FRAMES:
            self.lose()
        if not self._lost:
            self._frames.append(item)
            self._ready.set()

    def lose(self) -> None:
        """Empty the queue: the listener has to start again from a snapshot."""
        self._frames.clear()
        self._lost = True
        self._ready.set()

    async def take(self) -> list[Frame] | None:
        """Wait for frames and take all there are; None once after some were lost."""
        await self._ready.wait()
        self._ready.clear()
        if self._lost:
            self._lost = False
            return None
        frames = list(self._frames)
        self._frames.clear()
        return frames


class Hub:
    """All listeners of this process, by what they listen to."""

    def __init__(self) -> None:
        self._listeners: dict[str | None, set[Listener]] = {}

    @property
    def watched(self) -> frozenset[str]:
        """The names of the machines that somebody looks at."""
        return frozenset(name for name in self._listeners if name is not None)

    def __len__(self) -> int:
        """How many listen."""
        return sum(map(len, self._listeners.values()))

    @contextlib.contextmanager
    def join(self, machine: str | None) -> Iterator[Listener]:
        """Listen to one machine, or with None to all, for as long as the context lasts."""
        listener = Listener(machine)
        self._listeners.setdefault(machine, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[machine].discard(listener)
            if not self._listeners[machine]:
                del self._listeners[machine]

    def lose(self) -> None:
        """Let all start again from a snapshot: something may have been missed."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.lose()

    def publish(self, item: Frame, *, closely: bool = False) -> None:
        """Hand a frame to all whom it concerns; ``closely``: only to watchers of its machine."""
        for machine, listeners in self._listeners.items():
            follows_all = machine is None and not closely
            if follows_all or machine == item.machine or item.machine == EVERYBODY:
                for listener in listeners:
                    listener.put(item)
