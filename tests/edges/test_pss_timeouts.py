"""What time does to a session on a real socket: heartbeats, half frames, silence, acknowledgements that do not come."""

from __future__ import annotations

from pg_bridge.cli.world import utc_now
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.desk_stub import DeafPss, NotingDesk, delivery, listening
from tests.doubles.link_pair import BODY


async def test_no_log_on_ends_the_connection() -> None:
    desk = NotingDesk()
    async with listening(desk, {"log_on_silence_s": 0.2}) as listener:
        pss = DeafPss(listener)
        await pss.dial()
        await desk.until(lambda: bool(desk.refusals))
        got = await pss.read()
        pss.close()

    assert ["no log-on came"] == desk.refusals
    assert b"" == got


async def test_heartbeat_without_an_answer_ends_the_session() -> None:
    desk = NotingDesk()
    async with listening(desk, {"heartbeat_s": 0.2, "heartbeat_answer_s": 0.2}) as listener:
        pss = DeafPss(listener)
        await pss.log_on()
        got = await pss.read_until(b"HBEA")
        await desk.until(lambda: bool(desk.ends))
        pss.close()

    assert b":12:003" in got
    assert ["a heartbeat was not answered"] == desk.ends


async def test_session_whose_heartbeats_are_answered_stays_on() -> None:
    desk = NotingDesk()
    async with listening(desk, {"heartbeat_s": 0.1, "heartbeat_answer_s": 8}) as listener:
        pss = DeafPss(listener)
        await pss.log_on()
        # The next is asked only when the one before was answered.
        for _ in range(3):
            await pss.read_until(b":12:003")
            await pss.send("598", "HBEA", b":20:H1\r\n:12:103\r\n")
        await pss.read_until(b":12:003")
        ends = list(desk.ends)
        pss.close()

    assert [] == ends


async def test_half_a_frame_and_then_silence_ends_the_session() -> None:
    desk = NotingDesk()
    async with listening(desk, {"half_frame_s": 0.2}) as listener:
        pss = DeafPss(listener)
        await pss.log_on()
        await pss.send_bytes(b"{1:01")
        await desk.until(lambda: bool(desk.ends))
        pss.close()

    assert ["half a frame, then silence"] == desk.ends


async def test_unacknowledged_delivery_goes_again_marked_and_then_the_session_ends() -> None:
    desk = NotingDesk()
    async with listening(desk, {"acknowledge_s": 0.1, "resend_rounds": 2}) as listener:
        pss = ScriptedPss(listener.profile, participant="B01234", terminal="PSS1", acknowledges=False, clock=utc_now)
        await pss.connect(*listener.address)
        await pss.log_on()
        listener.deliver(desk.sessions[0], delivery("D1", BODY.decode()))
        listener.deliver(desk.sessions[0], delivery("D2", BODY.decode()))
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        await desk.until(lambda: bool(desk.ends))

    assert [False, False, True, True, True, True] == [got.frame.possible_duplicate for got in pss.received]
    assert list(range(2, 8)) == [got.frame.sequence for got in pss.received]
    assert ["nothing was acknowledged in 2 rounds"] == desk.ends
