"""200 sessions of two participants at once: order per session and per SI, and nothing of one session in another."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from pg_bridge.journal.verify import verify
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.stack import Stack, deliver, receive, weekday_after

_SESSIONS = 100
_EACH = 3
_RELATED = re.compile(r":20C::RELA//(\w+)")


def number_of(side: str, session: int, index: int) -> str:
    return f"{side}{session:03d}N{index}"


async def log_all_on(made: Stack, participant: str) -> list[ScriptedPss]:
    return await asyncio.gather(*(made.pss(participant, f"T{number:03d}") for number in range(_SESSIONS)))


def send_all(sellers: list[ScriptedPss], buyers: list[ScriptedPss]) -> None:
    """Each session has its requests in flight before any answer can have come."""
    for session, (seller, buyer) in enumerate(zip(sellers, buyers, strict=True)):
        for index in range(_EACH):
            stock = f"{10 + session * _EACH + index:05d}"
            seller.send("543", "SI01", deliver(number_of("S", session, index), stock=stock))
            buyer.send("541", "SI01", receive(number_of("B", session, index), stock=stock))


async def told_all(sessions: list[ScriptedPss], side: str, template: str, *holds: str) -> None:
    for session, pss in enumerate(sessions):
        for index in range(_EACH):
            reference = number_of(side, session, index)
            await pss.message(template, f":20C::RELA//{reference}\r\n", *holds, timeout_s=30)


async def test_each_session_gets_its_own_in_order(tmp_path: Path) -> None:
    made = Stack(tmp_path)
    made.pss_settings = f"max_sessions_per_participant = {_SESSIONS}\n"
    try:
        await made.start_ocp()
        await made.start_bridge()
        sellers, buyers = await log_all_on(made, "B01234"), await log_all_on(made, "C00019")
        sides = (("S", sellers), ("B", buyers))
        send_all(sellers, buyers)
        for side, sessions in sides:
            await told_all(sessions, side, "SI51", "PACK")
            await told_all(sessions, side, "SI60", ":25D::MTCH//MACH")
        await made.control("clock", {"jump": f"{weekday_after(2).isoformat()}T10:30:01+08:00"})
        for side, sessions in sides:
            await told_all(sessions, side, "SI61")
        await asyncio.gather(*(pss.log_off() for _, sessions in sides for pss in sessions))
        ledger = (await made.control("ledger"))["done"]
    finally:
        await made.stop()

    assert 2 * _SESSIONS * _EACH == len(ledger) == len({line["request_reference"] for line in ledger})
    for side, sessions in sides:
        for session, pss in enumerate(sessions):
            own = [number_of(side, session, index) for index in range(_EACH)]
            got = [(_RELATED.search(one.text)[1], one) for one in pss.received]
            told = {name: [one.frame.template for other, one in got if other == name] for name in own}
            assert own == [name for name, one in got if one.is_answer]
            assert set(own) == {name for name, _ in got}
            assert {name: ["SI51", "SI60", "SI61"] for name in own} == told
            assert not any(one.frame.possible_duplicate for _, one in got)
    assert () == verify(made.journal).findings
