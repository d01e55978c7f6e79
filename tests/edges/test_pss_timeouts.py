"""What time does to a session on a real socket: heartbeats, half frames, silence, acknowledgements that do not come.

The clock is told how late it is, and the listener is told to look after its sessions: nothing waits for real time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pg_bridge.link import events as link
from pg_bridge.pss.listener import Listener
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.desk_stub import DeafPss, NotingDesk, delivery, listening, until
from tests.doubles.link_pair import BODY
from tests.doubles.ocp_world import FakeClock


class Evening:
    """A listener, its desk, and a clock that both of them and the PSSs go by."""

    def __init__(self, listener: Listener, desk: NotingDesk, clock: FakeClock) -> None:
        self.listener = listener
        self.desk = desk
        self.clock = clock

    def later(self, seconds: float) -> None:
        """So much later, the bridge looks after its sessions."""
        self.clock.forward(seconds)
        self.listener.look_after()

    async def pss(self, **options: bool) -> ScriptedPss:
        """A PSS that is logged on."""
        pss = ScriptedPss(self.listener.profile, participant="B01234", clock=self.clock, **options)
        await pss.connect(*self.listener.address)
        await pss.log_on()
        return pss


@asynccontextmanager
async def evening(**limits: object) -> AsyncIterator[Evening]:
    desk, clock = NotingDesk(BODY.decode()), FakeClock()
    async with listening(desk, limits, clock=clock, drain_s=0.0) as listener:
        yield Evening(listener, desk, clock)


async def test_no_log_on_ends_the_connection_after_ten_seconds() -> None:
    async with evening() as at:
        pss = DeafPss(at.listener)
        await pss.dial()
        await until(lambda: bool(at.listener.connections))
        at.later(9.9)
        before = list(at.desk.refusals)
        at.later(0.1)
        got = await pss.read()
        pss.close()

    assert [] == before
    assert ["no log-on came"] == at.desk.refusals
    assert b"" == got


async def test_heartbeat_without_an_answer_ends_the_session() -> None:
    async with evening() as at:
        pss = DeafPss(at.listener)
        await pss.log_on()
        at.later(30)
        got = await pss.read_until(b"HBEA")
        at.later(9.9)
        before = list(at.desk.ends)
        at.later(0.1)
        await at.desk.until(lambda: bool(at.desk.ends))
        pss.close()

    assert b"HBEA" in got
    assert [] == before
    assert ["a heartbeat was not answered"] == at.desk.ends


async def test_session_whose_heartbeats_are_answered_stays_on() -> None:
    async with evening() as at:
        pss = DeafPss(at.listener)
        await pss.log_on()
        for _ in range(3):
            at.later(30)
            await pss.read_until(b":12:003")
            await pss.send("598", "HBEA", b":20:H1\r\n:12:103\r\n")
            # a request behind it: when that is answered, the heartbeat's answer was read
            await pss.send("543", "SI01", BODY)
            await pss.read_until(b"SI51")
            at.later(10)
        ends = list(at.desk.ends)
        pss.close()

    assert [] == ends


async def test_heartbeat_that_the_pss_asks_is_answered_and_both_stay_on() -> None:
    async with evening() as at:
        pss = await at.pss()
        sent = []
        for _ in range(3):
            at.clock.forward(30)
            pss.tick()
            # what is sent behind the heartbeat is answered behind it
            sent.append(pss.send("543", "SI01", BODY))
            await pss.wait_for(lambda event: isinstance(event, link.AnswerReceived), after=len(pss.events))
            at.clock.forward(10)
            pss.tick()
        is_on = pss.is_connected and not at.desk.ends

    assert is_on
    # the numbers of both sides: its log-on is 1, then a heartbeat and a request in turn, each answered by one frame
    assert [3, 5, 7] == sent == [got.frame.sequence for got in pss.received]


async def test_pss_whose_heartbeat_is_not_answered_hangs_up() -> None:
    async with evening() as at:
        pss = await at.pss()
        (connection,) = at.listener.connections
        connection.pause_writing()  # as from a slow reader nothing is read from it any more
        at.clock.forward(30)
        pss.tick()
        at.clock.forward(10)
        pss.tick()
        event = await pss.wait_for(lambda event: isinstance(event, link.Closed))

    assert link.Closed("a heartbeat was not answered") == event


async def test_half_a_frame_and_then_ten_seconds_of_silence_end_the_session() -> None:
    async with evening() as at:
        pss = DeafPss(at.listener)
        await pss.log_on()
        (connection,) = at.listener.connections
        await pss.send_bytes(b"{1:01")
        await until(lambda: connection.session.next_due() == at.clock.now + timedelta(seconds=10))
        at.later(9.9)
        before = list(at.desk.ends)
        at.later(0.1)
        await at.desk.until(lambda: bool(at.desk.ends))
        pss.close()

    assert [] == before
    assert ["half a frame, then silence"] == at.desk.ends


async def test_unacknowledged_deliveries_go_again_in_order_marked_and_then_the_session_ends() -> None:
    async with evening(heartbeat_s=1_000) as at:
        pss = await at.pss(acknowledges=False)
        for name in ("D1", "D2"):
            assert at.listener.deliver(at.desk.sessions[0], delivery(name, BODY.decode()))
        for copies in (2, 4, 6, 8):
            await until(lambda copies=copies: copies == len(pss.received))
            at.later(30)
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        await at.desk.until(lambda: bool(at.desk.ends))

    assert [False] * 2 + [True] * 6 == [got.frame.possible_duplicate for got in pss.received]
    assert list(range(2, 10)) == [got.frame.sequence for got in pss.received]
    assert {BODY} == {got.frame.body for got in pss.received}
    assert ["nothing was acknowledged in 3 rounds"] == at.desk.ends


async def test_any_copy_may_be_acknowledged_and_then_nothing_goes_again() -> None:
    async with evening(heartbeat_s=1_000) as at:
        pss = await at.pss(acknowledges=False)
        at.listener.deliver(at.desk.sessions[0], delivery("D1", BODY.decode()))
        await until(lambda: len(pss.received) == 1)
        at.later(30)
        await until(lambda: len(pss.received) == 2)
        pss.session.acknowledge(pss.received[0].frame.sequence, at.clock())
        pss.flush()
        await at.desk.until(lambda: ["D1"] == at.desk.acknowledgements)
        at.later(60)
        pss.send("543", "SI01", BODY)
        await pss.message("SI51")

    assert ["SI60", "SI60", "SI51"] == [got.frame.template for got in pss.received]


async def test_no_more_than_the_window_goes_out_unacknowledged() -> None:
    async with evening(window=3) as at:
        pss = await at.pss(acknowledges=False)
        session = at.desk.sessions[0]
        given = [at.listener.deliver(session, delivery(f"D{number}", BODY.decode())) for number in range(5)]
        await until(lambda: len(pss.received) == 3)
        pss.session.acknowledge(pss.received[1].frame.sequence, at.clock())
        pss.flush()
        await at.desk.until(lambda: ["D1"] == at.desk.acknowledgements)
        again = [at.listener.deliver(session, delivery(f"D{number}", BODY.decode())) for number in (3, 4)]
        await until(lambda: len(pss.received) == 4)

    assert [True, True, True, False, False] == given
    assert [True, False] == again
