"""The PSS side of the throughput benchmark: lean, so that it is not what is measured; frames are made beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.link import events as link
from pg_bridge.link.framing import Framing, Header
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.pss import ScriptedPss

_MARK = b"SI51"


class _Counter(asyncio.Protocol):
    """Takes over a logged-on connection: sends prepared frames, `window` in flight, counts answers."""

    def __init__(self, transport: asyncio.Transport, frames: Sequence[bytes], window: int) -> None:
        self._transport = transport
        self._frames = frames
        self._window = window
        self._next = 0
        self._answered = 0
        self._tail = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        transport.set_protocol(self)

    def go(self) -> None:
        """Fill the window."""
        self._send(self._window)

    def _send(self, count: int) -> None:
        batch = self._frames[self._next : self._next + count]
        if batch:
            self._next += len(batch)
            self._transport.write(b"".join(batch))

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        count = data.count(_MARK)
        self._tail = data[-3:]
        if count:
            self._answered += count
            if self._answered >= len(self._frames):
                if not self.done.done():
                    self.done.set_result(None)
            else:
                self._send(count)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the bridge closed the connection"))


def instruction(reference: str) -> bytes:
    """The text block of an MT543."""
    day = (utc_now().astimezone(HONG_KONG) + timedelta(days=2)).strftime("%Y%m%d")
    lines = (
        ":16R:GENL", f":20C::SEME//{reference}", ":23G:NEWM", ":98A::PREP//20261123", ":16R:LINK",
        ":20C::POOL//202611230000001", ":16S:LINK", ":16S:GENL", ":16R:TRADDET", ":98A::TRAD//20261123",
        f":98A::SETT//{day}", ":35B:ISIN HK0005000002", "/HK/00005", ":70E::SPRO//REMARKS", ":16S:TRADDET",
        ":16R:FIAC", ":36B::SETT//UNIT/1000,", ":97A::SAFE//00000001", ":16S:FIAC", ":16R:SETDET", ":22F::SETR//TRAD",
        ":22F::RTGS//NRTG", ":16R:SETPRTY", ":95R::REAG/CCAS/C00019", ":97A::SAFE//CLIENT0001", ":16S:SETPRTY",
        ":16R:SETPRTY", ":95P::PSET//XHKCHKH1XXX", ":16S:SETPRTY", ":16R:AMT", ":19A::SETT//HKD12345,67", ":16S:AMT",
        ":16S:SETDET", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("ascii")


async def run_load(
    profile: LinkProfile, host: str, port: int, *, participants: Sequence[str], sessions: int, each: int, window: int
) -> float:
    """Send `each` instructions on every session; gives the seconds from the first to the last answer."""
    framing = Framing(profile)
    counters = []
    for number in range(sessions):
        pss = ScriptedPss(
            profile,
            participant=participants[number % len(participants)],
            terminal=f"T{number // len(participants):03d}",
            clock=utc_now,
        )
        await pss.connect(host, port)
        await pss.log_on()
        await pss.wait_for(lambda event: isinstance(event, link.LoggedOn))
        frames = [
            framing.write(
                Header(
                    pss.participant, f"T{number // len(participants):03d}", pss.session.session_id, 2 + index, "to_pg",
                    "543", "SI01", "20261123093000", False,
                ),
                instruction(f"L{number:02d}{index:08d}"),
            )
            for index in range(each)
        ]  # fmt: skip
        counters.append(_Counter(pss._transport, frames, window))
    loop = asyncio.get_running_loop()
    began = loop.time()
    for counter in counters:
        counter.go()
    await asyncio.gather(*(counter.done for counter in counters))
    took = loop.time() - began
    for counter in counters:
        counter._transport.close()
    return took
