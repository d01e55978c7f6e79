"""The law of the pretend OCP's state: whatever was done, who goes on from a snapshot or a state file goes on alike."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from tests.doubles.ocp_caller import (
    OTHER_COMPANY,
    OTHER_MACHINE,
    OcpCaller,
    Wall,
    other_side,
    registrations,
    shipped_profile,
    si_entry,
)
from tests.doubles.running_ocp import START
from tests.doubles.state_keys import pem

#: one deed: what is done, and with which of a few choices
Deed = tuple[str, int, int]
COUNTERPARTIES = ("C00019", "C00077")
DEEDS = (
    "deliver", "deliver", "receive", "receive", "change", "delete", "revoke", "hold", "release", "authorise",
    "counterparties", "alone", "rules", "lack", "fault", "clock", "advance", "fast", "run", "weather", "hours", "limits",
    "query", "events", "trades",
)  # fmt: skip
deeds = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 5), st.integers(0, 3)), max_size=14)


@asynccontextmanager
async def playing(**options: Any) -> AsyncIterator[Play]:
    """A pretend OCP without a socket and two companies that are logged in."""
    wall = Wall()
    document = {"registrations": registrations(), "start": START, "clock": "stands", "signing_key": pem("simulator")}
    app = create_app(shipped_profile(), read_options(document | options), wall)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ocp.example", timeout=5) as http:
        try:
            yield Play(OcpCaller(http, wall), OcpCaller(http, wall, OTHER_COMPANY, OTHER_MACHINE))
        finally:
            await app.state.ocp.aclose()


class Play:
    """Does deeds, and keeps what was answered."""

    def __init__(self, one: OcpCaller, other: OcpCaller) -> None:
        self.one, self.other = one, other

    async def log_in(self) -> None:
        await self.one.log_in()
        await self.other.log_in()

    async def do(self, all_of_them: Sequence[Deed], first: int) -> list[bytes]:
        """The answers to these; `first`: the number of the first one."""
        return [await self._do(*deed, number) for number, deed in enumerate(all_of_them, first)]

    async def snapshot(self) -> dict[str, Any]:
        return (await self.one.http.get("/_simulator/snapshot")).json()

    async def rest(self, after: Sequence[Deed]) -> dict[str, Any]:
        """The answers to what comes after, and how it then stands; but for who logged in again in between."""
        return {"answers": await self.do(after, 100), **await self.snapshot(), "assertions": None}

    async def restore(self, snapshot: object) -> None:
        reply = await self.one.http.post("/_simulator/restore", json=snapshot)
        assert 200 == reply.status_code, reply.text
        await self.log_in()

    async def _write(self, caller: OcpCaller, verb: str, entry: dict, number: int) -> bytes:
        request_id = str(uuid.UUID(int=number, version=4))
        path = f"/api/si/instructions/{verb}/v1"
        return (await caller.post(path, {"data": [entry]}, request_id)).content

    async def _do(self, name: str, which: int, how: int, number: int) -> bytes:
        caller, participant = ((self.one, "B01234"), (self.other, "C00019"))[how % 2]
        stated = {"quantity": 100 + which // 2, "amount": f"{1 + which % 2}.00", "hold": how == 3}
        stated["paymentInstruction"] = ("DVP", "RDP", "FOP", "DVP")[how]
        about = {"requestReference": f"A{number}", "participantId": participant, "siNumber": f"I{which + 1:08d}"}
        match name:
            case "deliver":
                entry = si_entry(f"R{number}", **stated, counterpartyId=COUNTERPARTIES[which % 2])
                return await self._write(self.one, "add", entry, number)
            case "receive":
                return await self._write(self.other, "add", other_side(f"S{number}", **stated), number)
            case "change":
                entry = si_entry if caller is self.one else other_side
                changed = entry(f"R{number}", **stated) | about
                found = await self._entry(participant, about["siNumber"])
                return await self._write(
                    caller, "change", changed | {"participantReference": found.get("participantReference", "X")}, number
                )
            case "delete" | "revoke" | "authorise":
                return await self._write(caller, name, about, number)
            case "hold" | "release":
                return await self._write(caller, "hold", about | {"hold": name == "hold"}, number)
            case "query":
                return (await caller.post("/api/si/instructions/query/v1", {"participantId": participant})).content
            case "events":
                asked = {"participantId": participant, "businessDate": f"2026-11-{23 + which}"}
                reply = await caller.http.get("/api/si/status-events/v1", params=asked, headers=caller.headers())
                return reply.content
            case "trades":
                asked = {"tradeDate": "2026-11-23", "market": ("HKMK", "MAMK")[how % 2], "afterSequence": 1000 * which}
                reply = await caller.http.get("/api/trades/v1", params=asked, headers=caller.headers())
                return reply.content
            case _:
                return await self._order(name, which, how)

    async def _entry(self, participant: str, si_number: str) -> dict[str, Any]:
        found = (await self.one.http.get("/_simulator/sis", params={"participant": participant})).json()["sis"]
        return next((entry for entry in found if entry["siNumber"] == si_number), {})

    async def _order(self, name: str, which: int, how: int) -> bytes:
        on = bool(how % 2)
        number = f"I{which + 1:08d}"
        lack: dict[str, Any] = {"si_number": number, "reason": (None, "lack_money", "lack_securities", None)[how]}
        answering = {"participant": ("", "C00077", "C00019")[which % 3], "mismatch_one_in": how, "late_s": which * 40}
        path, order = {
            "counterparties": ("counterparties", answering),
            "rules": ("rules", {"match_at_once": on, "revoke_by_both": not on, "dvp_shares_on_hold": which % 2 == 0,
                                "maker_checker": ["C00019", "C00077"][: how // 2]}),
            "lack": ("lack", lack),
            "fault": ("faults", {"kind": ("broken", "refused", "denied")[which % 3], "skip": how, "count": which}),
            "clock": ("clock", {"mode": "runs" if on else "stands"}),
            "fast": ("clock", {"mode": "runs", "rate": 3600 * (1 + which)}),
            "advance": ("clock", {"advance_s": (30, 1800, 7200, 86_400)[how]}),
            "run": ("run", {"run": ("match", "settle", "pay", "not_paid", "day_end")[which % 5]}),
            "weather": ("weather", {"weather": ("fair", "typhoon", "black_rainstorm", "typhoon")[how]}),
            "hours": ("hours", {"keep": on}),
            "limits": ("limits", {"company_calls": (0, 0, 9, 30)[how]}),
            "alone": ("counterparties", None),
        }[name]  # fmt: skip
        if order is None:
            return (await self.one.http.delete(f"/_simulator/{path}")).content
        return (await self.one.http.post(f"/_simulator/{path}", json=order)).content


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What differs, by name."""
    return {name: (value, other[name]) for name, value in one.items() if other[name] != value}


HOURS = {"market_hours": {"HKMK": {"sessions": [["08:00:00", "15:45:00"], ["17:00:00", "19:00:00"]]}}}


def law(play: Callable[[list[Deed], list[Deed]], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Try it with many days, each cut in two."""

    @settings(
        max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
    )
    @given(before=deeds, after=deeds)
    def tried(before: list[Deed], after: list[Deed]) -> None:
        asyncio.run(play(before, after))

    return tried


def test_who_goes_on_from_a_snapshot_answers_as_who_never_stopped() -> None:
    async def play(before: list[Deed], after: list[Deed]) -> None:
        async with playing(seed=7, **HOURS) as ocp:
            await ocp.log_in()
            await ocp.do(before, 1)
            snapshot = await ocp.snapshot()
            expected = await ocp.rest(after)
            await ocp.restore(snapshot)
            again = await ocp.rest(after)
        async with playing(seed=8, **HOURS) as ocp:
            await ocp.restore(snapshot)
            elsewhere = await ocp.rest(after)

        assert {} == differing(expected, again)
        assert {} == differing(expected, elsewhere)

    law(play)()


def test_who_goes_on_from_the_state_file_of_one_that_was_killed_answers_as_who_never_stopped() -> None:
    async def play(before: list[Deed], after: list[Deed]) -> None:
        with TemporaryDirectory() as folder:
            file, copy = Path(folder) / "state", Path(folder) / "copy"
            async with playing(seed=7, state_file=str(file), **HOURS) as ocp:
                await ocp.log_in()
                await ocp.do(before, 1)
                copy.write_bytes(file.read_bytes())
                expected = await ocp.rest(after)
            async with playing(state_file=str(copy), **HOURS) as ocp:
                await ocp.log_in()
                elsewhere = await ocp.rest(after)

        assert {} == differing(expected, elsewhere)

    law(play)()
