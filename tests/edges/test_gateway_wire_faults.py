"""Each fault of the pretend PG's wire, as a PSS meets it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pg_bridge.errors import SessionError
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from pg_bridge.simulator.wire_faults import OF_A_FRAME, WireFault, WireFaultKind, WireFaults
from tests.doubles.pg_desk import LINK, AtTheDoor, at_the_door


def _body(text: str) -> bytes:
    return f":20C::SEME//{text}\r\n".encode()


def _order(there: AtTheDoor, kind: WireFaultKind, **more: Any) -> int:
    return there.door.order(WireFault(kind=kind, **more))


def _send(pss: ScriptedPss, text: str = "R1") -> None:
    pss.send("543", "SI01", _body(text))


async def _closed(pss: ScriptedPss) -> None:
    await pss.wait_for(lambda event: isinstance(event, link.Closed), 5)


async def test_a_connection_is_turned_away_and_the_next_one_is_not() -> None:
    async with at_the_door() as there:
        _order(there, WireFaultKind.TURNED_AWAY)
        with pytest.raises(SessionError):
            await there.pss()

        assert (await there.pss()).session.is_logged_on


async def test_a_log_on_is_refused_or_not_answered() -> None:
    async with at_the_door() as there:
        _order(there, WireFaultKind.LOG_ON_REFUSED, participant="B01234")
        with pytest.raises(SessionError, match="REFUSED BY ORDER"):
            await there.pss()
        _order(there, WireFaultKind.LOG_ON_UNANSWERED)
        silent = await there.dialled("B01234")
        with pytest.raises(SessionError, match="no answer"):
            await silent.log_on(timeout_s=0.1)


@pytest.mark.parametrize(("kind", "done"), [(WireFaultKind.CUT_BEFORE, 0), (WireFaultKind.CUT_AFTER, 1)])
async def test_a_cut_at_a_request_leaves_it_undone_or_its_answer_for_the_next_log_on(kind, done) -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, kind, skip=1)
        _send(pss, "R1")
        await pss.message("SI51", "R1")
        _send(pss, "R2")
        await _closed(pss)
        again = await there.pss()
        _send(again, "R3")
        await again.message("SI51", "R3")

        assert 2 + done == len(there.desk.taken)
        # R1 had not surely left
        came = [one for one in again.received if "R1" not in one.text]
        assert [("R2", True)] * done + [("R3", False)] == sorted(
            (one.text.strip()[-2:], one.frame.possible_duplicate) for one in came
        )


async def test_a_busy_request_is_refused_undone() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.BUSY)
        _send(pss)
        refused = await pss.wait_for(lambda event: isinstance(event, link.RequestRefused))

        assert LINK.code("busy") == refused.code
        assert [] == there.desk.taken


async def test_a_late_answer_holds_up_those_behind_it_and_fills_the_window() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.LATE, delay_s=0)
        for number in range(80):
            _send(pss, f"R{number:02d}")
        await there.until(lambda: len(there.desk.taken) == LINK.limits.max_in_flight)
        there.tell("B01234", "N1")
        before = (len(there.desk.taken), len(pss.received))
        there.door.faults.clear()
        await pss.message("SI51", "R79")
        await pss.message("SI60", "N1")
        answers = [one.text.strip()[-3:] for one in pss.received if one.frame.template == "SI51"]

        assert (LINK.limits.max_in_flight, 0) == before
        assert [f"R{n:02d}" for n in range(80)] == answers


async def test_a_late_answer_whose_session_ends_comes_at_the_next_log_on() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.LATE, delay_s=0)
        _send(pss)
        await there.until(lambda: there.desk.taken)
        pss.abort()
        again = await there.pss()
        got = await again.message("SI51", "R1")

        assert got.frame.possible_duplicate


async def test_it_stops_reading_until_told() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.STOP_READING, delay_s=0)
        _send(pss, "R1")
        await pss.message("SI51", "R1")
        _send(pss, "R2")
        for _ in range(50):
            await asyncio.sleep(0)
        before = len(there.desk.taken)
        there.door.faults.clear()
        await pss.message("SI51", "R2")

        assert 1 == before


async def test_a_frame_is_cut_in_its_middle() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.CUT_WITHIN, template="SI51")
        _send(pss)
        await _closed(pss)
        again = await there.pss()
        got = await again.message("SI51", "R1")

        assert [] == pss.received
        assert pss.session._reader.in_frame
        assert got.frame.possible_duplicate


@pytest.mark.parametrize("kind", [WireFaultKind.SLOW, WireFaultKind.SILENCE])
async def test_a_frame_comes_slowly_or_after_a_silence_and_whole(kind) -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, kind, delay_s=0.2)
        began = asyncio.get_running_loop().time()
        _send(pss, "R1")
        _send(pss, "R2")
        await pss.message("SI51", "R2")

        assert 0.15 < asyncio.get_running_loop().time() - began
        assert 2 == len(pss.received)


async def test_silence_of_heartbeats_is_ordered_by_their_template() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        template = LINK.control.templates["heartbeat"].template
        _order(there, WireFaultKind.LOST, template=template, count=0)
        there.wall.pass_s(31)
        pss.tick()
        _send(pss)
        await pss.message("SI51")
        there.wall.pass_s(31)
        pss.tick()
        there.wall.pass_s(10)
        pss.tick()
        await _closed(pss)

        assert [WireFaultKind.LOST] == [fault.kind for fault, _, _ in there.door.faults.orders()]


async def test_a_lost_answer_is_never_sent_and_the_conversation_goes_on() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.LOST)
        _send(pss, "R1")
        _send(pss, "R2")
        await pss.message("SI51", "R2")

        assert ["R2"] == [one.text.strip()[-2:] for one in pss.received]
        assert pss.is_connected


@pytest.mark.parametrize("kind", [WireFaultKind.BAD_CHECKSUM, WireFaultKind.BAD_LENGTH])
async def test_a_frame_has_a_wrong_checksum_or_length(kind) -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, kind)
        _send(pss)
        refused = await pss.wait_for(lambda event: isinstance(event, link.FrameRefused))

        assert kind.value.removeprefix("bad_") == refused.meaning


@pytest.mark.parametrize("kind", [WireFaultKind.BAD_SEQUENCE, WireFaultKind.TWICE])
async def test_a_wrong_number_ends_the_session_at_the_pss(kind) -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, kind)
        _send(pss)
        refused = await pss.wait_for(lambda event: isinstance(event, link.FrameRefused))

        assert "sequence" == refused.meaning


async def test_an_answer_comes_again_in_a_frame_of_its_own() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        _order(there, WireFaultKind.AGAIN)
        _send(pss, "R1")
        _send(pss, "R2")
        await pss.message("SI51", "R2")

        assert ["R1", "R1", "R2"] == [one.text.strip()[-2:] for one in pss.received]
        assert not any(one.frame.possible_duplicate for one in pss.received)


async def test_a_session_is_cut_at_once_and_another_is_not() -> None:
    async with at_the_door() as there:
        one, other = await there.pss("B01234"), await there.pss("C00019")
        met = _order(there, WireFaultKind.CUT, participant="B01234")
        await _closed(one)

        assert 1 == met
        assert other.is_connected


async def test_it_goes_away_and_comes_back_on_its_own_ports() -> None:
    async with at_the_door(ports=(0, 0)) as there:
        pss = await there.pss()
        addresses = there.door.addresses
        _order(there, WireFaultKind.AWAY, delay_s=0)
        await _closed(pss)
        with pytest.raises(SessionError, match="dialling"):
            await there.pss()
        there.door.faults.clear()
        await there.until(lambda: not there.door.is_away)

        assert addresses == there.door.addresses
        assert (await there.pss(node=1)).session.is_logged_on


def test_a_share_goes_wrong_as_the_seed_says() -> None:
    def chosen(seed: int) -> list[bool]:
        faults = WireFaults(seed)
        faults.order(WireFault(kind=WireFaultKind.LOST, share=0.25, count=0))
        return [faults.next_of(OF_A_FRAME) is not None for _ in range(400)]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)
    assert 60 < sum(chosen(1)) < 140


def test_a_fault_counts_what_it_concerns_only() -> None:
    faults = WireFaults(0)
    faults.order(WireFault(kind=WireFaultKind.LOST, participant="B01234", template="SI60", skip=1, count=1))
    met = [
        faults.next_of(OF_A_FRAME, "C00019", "PSS1", "SI60"),
        faults.next_of(OF_A_FRAME, "B01234", "PSS1", "SI51"),
        faults.next_of(OF_A_FRAME, "B01234", "PSS1", "SI60"),
        faults.next_of(OF_A_FRAME, "B01234", "PSS1", "SI60"),
        faults.next_of(OF_A_FRAME, "B01234", "PSS1", "SI60"),
    ]

    assert [False, False, False, True, False] == [one is not None for one in met]
