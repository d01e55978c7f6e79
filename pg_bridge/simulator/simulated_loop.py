"""An event loop whose time is simulated: it passes only when nothing else is left to be done.

For worlds that lie in one process, a bridge, a pretend OCP and its PSSs: who waits for a time-out waits no real second,
and the same script gives the same bytes at the same times, however slow the machine is. What a thread would do is done
in the loop itself, so that no other thread's speed decides what comes first.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

#: real seconds to look again for what the kernel has not handed over yet, before time passes
_LOOK_AGAIN_S = 0.001
#: real seconds to wait for others where nothing of our own is due
_STILL_S = 1.0

_T = TypeVar("_T")
_Ready = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.BaseSelector):
    """A selector that lets simulated time pass in place of waiting."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> _Ready:
        ready = self._look(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        ready = self._look(_LOOK_AGAIN_S if timeout is not None else _STILL_S)
        if not ready and timeout is not None:
            self.now += timeout
        return ready

    def _look(self, real_s: float) -> _Ready:
        # the kernel tells what is ready in an order of its own
        return sorted(self._real.select(real_s), key=lambda one: one[0].fd)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """The loop. Its time begins at 0; addresses of `stand_for` are dialled in place of those that the bytes name."""

    def __init__(self) -> None:
        self._simulated = _Selector()
        super().__init__(self._simulated)
        #: (host, port) as written anywhere -> where that really is
        self.stand_for: dict[tuple[str, int], tuple[str, int]] = {}

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._simulated.now

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Dial; see `stand_for`."""
        if isinstance(address, tuple):
            address = self.stand_for.get((address[0], address[1]), address)
        await super().sock_connect(sock, address)

    def run_in_executor(self, executor: Any, func: Callable[..., _T], *args: Any) -> asyncio.Future[_T]:  # type: ignore[override]
        """Do it here and now."""
        done: asyncio.Future[_T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's, as a thread's would be
            done.set_exception(error)
        return done


def run_simulated(main: Callable[[SimulatedLoop], Any]) -> Any:
    """Run `main(loop)`, a coroutine function, in a loop of simulated time; gives what it gives."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)  # noqa: S101 - made by the factory above
        return runner.run(main(loop))
