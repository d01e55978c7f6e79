"""A PSS that does not read, on real sockets: held back, given nothing more, and disconnected with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pg_bridge.exchange.actions import Answer
from pg_bridge.exchange.record import Reply
from pg_bridge.pss.listener import Listener
from tests.doubles.desk_stub import DeafPss, NotingDesk, delivery, listening
from tests.doubles.link_pair import BODY
from tests.doubles.ocp_world import FakeClock

#: large enough that a few fill what the kernel holds for a socket
_LONG = ":70E::SPRO//" + "A" * 60 + "\r\n"
_TEXT = _LONG * 3_000


@asynccontextmanager
async def deaf(desk: NotingDesk, **options: Any) -> AsyncIterator[tuple[Listener, DeafPss]]:
    """A listener with a PSS logged on that has not read since."""
    async with listening(desk, pause_unsent=100_000, resume_unsent=20_000, **options) as listener:
        pss = DeafPss(listener)
        await pss.log_on()
        try:
            yield listener, pss
        finally:
            pss.close()


async def flood(pss: DeafPss, desk: NotingDesk) -> None:
    """Ask, and never read, until the session is over or a whole socket's worth of requests waits."""
    for _ in range(60_000):
        if desk.ends:
            return
        await pss.send("543", "SI01", BODY)


async def test_silent_reader_is_disconnected_after_the_time_set_and_the_reason_is_told() -> None:
    desk, clock = NotingDesk(_TEXT), FakeClock()
    async with deaf(desk, clock=clock, slow_reader_s=30.0, most_unsent=50_000_000) as (listener, pss):
        flooding = asyncio.create_task(flood(pss, desk))
        (connection,) = listener.connections
        await desk.until(lambda: not connection.session.wants_data)
        clock.forward(29.9)
        listener.look_after()
        before = list(desk.ends)
        clock.forward(0.1)
        listener.look_after()
        await desk.until(lambda: bool(desk.ends))
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)

    assert [] == before
    assert 1 == len(desk.ends)
    assert "the PSS does not read" in desk.ends[0]
    assert "after 30 s" in desk.ends[0]


async def test_silent_reader_is_read_from_and_delivered_to_only_when_it_reads_again() -> None:
    desk = NotingDesk(_TEXT)
    async with deaf(desk, slow_reader_s=60.0, most_unsent=50_000_000) as (listener, pss):
        flooding = asyncio.create_task(flood(pss, desk))
        (connection,) = listener.connections
        await desk.until(lambda: not connection.session.wants_data)
        taken = len(desk.requests)
        seat = listener.seats("B01234")[0]
        is_given = connection.deliver(delivery("D1", BODY.decode()))
        # Another session goes on meanwhile, all the way there and back, while this one sends.
        other = DeafPss(listener, terminal="PSS2")
        await other.log_on()
        await other.send("543", "SI01", BODY)
        await other.read()
        other.close()
        taken_meanwhile = sum(asked.frame.session_id == seat.session for asked in desk.requests)
        desk.waiting.append(delivery("D1", BODY.decode()))
        reading = asyncio.create_task(pss.read_until(b"SI60"))
        await desk.until(lambda: not desk.waiting)
        got = await reading
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)

    assert (taken, 0, False) == (taken_meanwhile, seat.window_free, is_given)
    assert taken < len(desk.requests)
    assert b"SI60" in got


async def test_what_waits_for_a_session_is_bounded() -> None:
    desk = NotingDesk(_TEXT)
    async with deaf(desk, slow_reader_s=60.0, most_unsent=100_000) as (_, pss):
        flooding = asyncio.create_task(flood(pss, desk))
        await desk.until(lambda: bool(desk.ends))
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)

    assert "bytes wait for it" in desk.ends[0]


async def test_answer_of_many_messages_is_written_as_it_is_read_and_ends_no_session() -> None:
    """Forty messages of 200 KB, far more than may wait for a PSS that does not read."""
    desk = NotingDesk("")
    async with deaf(desk, slow_reader_s=60.0, most_unsent=1_000_000) as (listener, pss):
        await pss.send("543", "SI01", BODY)
        await desk.until(lambda: bool(desk.requests))
        asked = desk.requests[0].frame
        reply = Reply("SI51", "548", _TEXT)
        for number in range(40):
            is_last = number == 39
            token = "X1" if is_last else None
            listener.answer(Answer(asked.session_id, asked.sequence, token, reply, is_last=is_last))
        (connection,) = listener.connections
        before = connection._unsent
        await pss.read_until(b"{1:01B01234PSS1" + asked.session_id.encode() + b"000041")
        ended = list(desk.ends)

    assert before < 1_000_000
    assert [] == ended
