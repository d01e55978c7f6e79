"""The pretend OCP's state: it survives a kill, and a snapshot goes on where it was taken."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pg_bridge.errors import ConfigError
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serving
from tests.doubles.ocp_caller import OcpCaller, Wall, other_side, registrations, rsa_key, shipped_profile, si_entry
from tests.doubles.running_ocp import START, running
from tests.doubles.subscriber import Receiver, subscribed


class RealWall(Wall):
    """The wall's real time."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)


def pem(name: str) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return rsa_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def about(reference: str, number: int, participant: str = "B01234", **changes: object) -> dict:
    return {"requestReference": reference, "participantId": participant, "siNumber": f"I{number:08d}", **changes}


async def write(caller: OcpCaller, verb: str, *entries: dict, count: int) -> bytes:
    """A write whose request id is known, so that it can be said again."""
    reply = await caller.post(
        f"/api/si/instructions/{verb}/v1", {"data": list(entries)}, f"00000000-0000-4000-8000-{count:012d}"
    )
    return reply.content


async def morning(one: OcpCaller, other: OcpCaller) -> list[bytes]:
    """Something of everything: near misses, holds, changes, a maker and a checker, late counterparties, a typhoon."""
    await one.control("counterparties", {"participant": "C00077", "late_s": 100, "mismatch_one_in": 2})
    answers = [
        await write(one, "add", *(si_entry(f"R{n}", quantity=n) for n in range(1, 9)), count=1),
        await write(other, "add", *(other_side(f"S{n}", quantity=n, hold=n == 3) for n in (1, 2, 3)), count=2),
        await write(other, "add", other_side("S4", quantity=4, amount="1.00", paymentInstruction="RDP"), count=3),
        await write(one, "hold", about("H1", 1, hold=True), count=4),
        await write(one, "change", si_entry("C1", quantity=55, participantReference="R5") | about("C1", 5), count=5),
        await write(one, "delete", about("D1", 6), count=6),
        await write(one, "revoke", about("V1", 2), count=7),
        await write(one, "add", *(si_entry(f"T{n}", quantity=n, counterpartyId="C00077") for n in (1, 2)), count=8),
        await write(other, "add", other_side("S9", paymentInstruction="RDP", quantity=77), count=9),
        await write(one, "add", si_entry("R9", paymentInstruction="RDP", quantity=77), count=10),
    ]
    await one.control("rules", {"maker_checker": ["B01234"], "revoke_by_both": True})
    await one.control("lack", {"si_number": "I00000001", "reason": "lack_money"})
    await one.control("faults", {"kind": "broken", "operation": "si_query", "skip": 1})
    await one.control("clock", {"advance_s": 50})
    await one.control("weather", {"weather": "black_rainstorm", "until": "2026-11-23T12:00:00+08:00"})
    return answers


async def afternoon(one: OcpCaller, other: OcpCaller) -> list[bytes]:
    """What follows from it."""
    answers = [
        await write(one, "add", si_entry("R1", quantity=100), count=1),
        await write(one, "add", si_entry("R8", quantity=101), si_entry("N1", quantity=102), count=20),
        await write(other, "revoke", about("V2", 10, "C00019"), count=21),
        await write(other, "add", other_side("S8", quantity=8), other_side("S55", quantity=55), count=22),
        await write(one, "hold", about("H2", 1, hold=False), count=23),
    ]
    for moment in ("23T10:00:00", "25T10:30:00", "25T21:00:00", "26T11:00:00"):
        await one.control("clock", {"jump": f"2026-11-{moment}+08:00"})
        answers += await seen(one, other)
    return answers


async def seen(*callers: OcpCaller) -> list[bytes]:
    """All that can be asked."""
    answers = []
    for caller, participant in zip(callers, ("B01234", "C00019"), strict=True):
        reply = await caller.post("/api/si/instructions/query/v1", {"participantId": participant})
        answers.append(reply.content)
        days = ("2026-11-23", "2026-11-25", "2026-11-26")
        answers += [json.dumps(await caller.events(participant, day)).encode() for day in days]
    for path in ("ledger", "state", "faults", "counterparties", "day", "rules"):
        told = await callers[0].control(path)
        # where the subscriber listens differs from day to day
        told.pop("subscriptions", None)
        answers.append(json.dumps(told).encode())
    return answers


async def test_the_same_day_under_the_same_seed_gives_the_same_bytes() -> None:
    days = []
    for seed in (7, 7, 8):
        async with running(seed=seed, signing_key=pem("simulator")) as (one, other), subscribed(one) as receiver:
            answers = await morning(one, other) + await afternoon(one, other)
            days_of_events = ("2026-11-23", "2026-11-25", "2026-11-26")
            told = [len((await one.events("B01234", day))["data"]) for day in days_of_events]
            delivered = await receiver.until(sum(told))
            days.append((answers, delivered))

    assert days[0] == days[1]
    assert days[0] != days[2]


async def test_a_snapshot_goes_on_where_it_was_taken() -> None:
    key = pem("simulator")
    async with running(seed=7, signing_key=key) as (one, other):
        await morning(one, other)
        snapshot = (await one.http.get("/_simulator/snapshot")).content
        expected = await afternoon(one, other)
        # back to where it was, in the same process
        restored = await one.http.post("/_simulator/restore", content=snapshot)
        assert 200 == restored.status_code, restored.text
        await one.log_in()
        await other.log_in()
        again = await afternoon(one, other)
    async with running(seed=7, signing_key=key) as (one, other):
        await one.add(si_entry("X1"))
        await one.http.post("/_simulator/restore", content=snapshot)
        await one.log_in()
        await other.log_in()
        elsewhere = await afternoon(one, other)

    assert expected == again == elsewhere


async def test_the_state_file_goes_on_after_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "state")
    async with running(seed=7) as (one, other):
        await morning(one, other)
        expected = await afternoon(one, other)
    async with running(seed=7, state_file=file) as (one, other):
        await morning(one, other)
        before = (await one.http.get("/_simulator/snapshot")).json()
        key = (await one.http.get("/api/crypto/meta", headers=one.headers())).json()
    async with running(seed=7, state_file=file) as (one, other):
        after = (await one.http.get("/_simulator/snapshot")).json()

        # who uses the new one logged in there, and asked
        for grown in ("assertions", "company_counts"):
            assert Counter(map(tuple, before.pop(grown))) <= Counter(map(tuple, after.pop(grown)))
        assert before == after
        assert key == (await one.http.get("/api/crypto/meta", headers=one.headers())).json()
        assert expected == await afternoon(one, other)


async def test_who_waits_longest_and_who_is_near_whom_are_known_after_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "state")
    async with running(state_file=file) as (one, other):
        await one.add(si_entry("R1"), si_entry("R2"))
        # a change puts the first behind the second
        for count, quantity in enumerate((9, 1000)):
            changed = si_entry(f"C{count}", quantity=quantity, participantReference="R1") | about(f"C{count}", 1)
            await write(one, "change", changed, count=count)
        await one.add(si_entry("R3", stockCode="00011", isin=None, settlementDate="2026-11-26", quantity=5))
        await one.add(si_entry("R4", stockCode="00011", isin=None, settlementDate="2026-11-26", quantity=6))
        await other.add(other_side("S1", stockCode="00011", isin=None, settlementDate="2026-11-26", quantity=7))
        # told again to be near, to the other one, for the same reason: that is no news
        await write(one, "delete", about("D1", 3), count=10)
    async with running(state_file=file) as (one, other):
        await write(one, "delete", about("D2", 4), count=11)
        await other.add(other_side("S2"))
        alone = (await other.query(participantId="C00019"))["data"][0]
        matched = (await one.query(participantId="B01234", status="MATCHED"))["data"]

    assert ("S1", "AWAIT_COUNTERPARTY") == (alone["participantReference"], alone["reasonCode"])
    assert ["R2"] == [entry["participantReference"] for entry in matched]


async def test_a_running_clock_ran_on_while_it_was_down(tmp_path: Path) -> None:
    file, wall = str(tmp_path / "state"), Wall()
    async with running(wall=wall, state_file=file, clock="runs", rate=60.0) as (one, other):
        await one.add(si_entry("R1", settlementDate="2026-11-23"))
        await other.add(other_side("S1", settlementDate="2026-11-23"))
    wall.pass_s(60)
    async with running(wall=wall, state_file=file) as (one, _):
        settled = (await one.events("B01234"))["data"][-1]

        assert "2026-11-23T10:30:00+08:00" == (await one.control("clock"))["now"]
        assert ("SETTLED", "2026-11-23T10:30:00.000+08:00") == (settled["eventType"], settled["occurredAt"])


async def test_reset_and_restore_hold_after_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "state")
    async with running(state_file=file) as (one, _):
        await one.add(si_entry("R1"), si_entry("R2", quantity=5))
        snapshot = (await one.http.get("/_simulator/snapshot")).content
        await one.control("reset", {})
        await one.log_in()
        await one.add(si_entry("R3"))
    async with running(state_file=file) as (one, _):
        after_reset = [entry["participantReference"] for entry in (await one.query(participantId="B01234"))["data"]]
        await one.http.post("/_simulator/restore", content=snapshot)
    async with running(state_file=file) as (one, _):
        restored = [entry["participantReference"] for entry in (await one.query(participantId="B01234"))["data"]]

    assert (["R3"], ["R1", "R2"]) == (after_reset, restored)


async def test_what_a_subscriber_did_not_take_is_delivered_after_the_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "state")
    receiver = Receiver()
    async with serving(receiver.app) as url:
        async with running(state_file=file) as (one, _):
            await one.post("/api/si/subscriptions/add/v1", {"url": f"{url}/events"})
            await one.add(si_entry("R1"))
            first = await receiver.sequences(1)
            receiver.refuses = True
            await one.add(*(si_entry(f"R{n}", quantity=n) for n in (2, 3)))
            await receiver.next()
            before = await one.http.get("/_simulator/pushes")
        receiver.forget()
        receiver.refuses = False
        async with running(state_file=file):
            later = await receiver.sequences(2)

    assert ([1], [2, 3]) == (first, later)
    assert 200 == before.status_code


@pytest.mark.parametrize("cut", [1, 20])
async def test_a_last_line_that_is_cut_was_not_answered(tmp_path: Path, cut) -> None:
    file = tmp_path / "state"
    async with running(state_file=str(file)) as (one, _):
        await one.add(si_entry("R1"))
        await one.add(si_entry("R2", quantity=5))
    file.write_bytes(file.read_bytes()[:-cut])
    async with running(state_file=str(file)) as (one, _):
        assert 1 == (await one.query(participantId="B01234"))["totalSize"]
        assert "0" == (await one.add(si_entry("R2", quantity=5))).json()["code"]


async def test_a_state_that_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "state"

    def begin() -> None:
        create_app(shipped_profile(), read_options({"state_file": str(file), "start": START}), Wall())

    file.write_text("no state\n")
    with pytest.raises(ConfigError, match="line 1"):
        begin()
    file.write_text('{"form": "another", "signing_key": ""}\n')
    with pytest.raises(ConfigError, match="its form is 'another'"):
        begin()
    file.unlink()
    async with running(state_file=str(file)):
        with pytest.raises(ConfigError, match="another simulator"):
            begin()
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], '{"sis": 3}', ""]))
    with pytest.raises(ConfigError, match="line 2"):
        begin()
    file.write_text("\n".join([lines[0], lines[1].replace('"profile":"', '"profile":"not-'), ""]))
    with pytest.raises(ConfigError, match="not-ocp-default"):
        begin()
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError):
        begin()


async def test_a_snapshot_that_does_not_fit_is_refused_by_name_and_changes_nothing() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1"))
        await other.add(other_side("S1"))
        good = (await one.http.get("/_simulator/snapshot")).json()

        def changed(**members: object) -> dict:
            return good | members

        lonely = [{**good["sis"][0], "partner": 9}, good["sis"][1]]
        mute = [{**good["sis"][0], "stated": {}}, good["sis"][1]]
        cases = [
            ({"sis": 3}, 422, "$.sis"),
            (changed(tokens=[]), 422, "tokens"),
            (changed(profile="another"), 409, "another"),
            (changed(clock=None), 409, "clock"),
            (changed(sis=good["sis"][1:]), 409, "SI 1"),
            (changed(sis=lonely), 409, "SI 9"),
            (changed(sis=mute), 409, "does not state"),
            (changed(uses=[{**good["uses"][0], "number": 7}]), 409, "SI 7"),
        ]
        for document, status, name in cases:
            reply = await one.http.post("/_simulator/restore", json=document)

            assert status == reply.status_code, name
            assert name in reply.json()["detail"]
        broken = await one.http.post("/_simulator/restore", content=b"{")

        assert 422 == broken.status_code
        assert good == (await one.http.get("/_simulator/snapshot")).json()


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[tuple[OcpCaller, subprocess.Popen[bytes]]]:
    """`simulate ocp --state`, killed in the end."""
    (folder / "registrations.json").write_text(json.dumps(registrations()))
    command = [sys.executable, "-m", "pg_bridge", "simulate", "ocp", "--port", "0", "--calls", "0"]
    command += ["--state", str(folder / "state"), "--registrations", str(folder / "registrations.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running_one:  # noqa: ASYNC220
        assert running_one.stdout is not None
        try:
            line = await asyncio.to_thread(running_one.stdout.readline)
            async with httpx.AsyncClient(base_url=json.loads(line)["listening"], timeout=20, trust_env=False) as http:
                yield OcpCaller(http, RealWall()), running_one
        finally:
            running_one.send_signal(signal.SIGKILL)


async def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    day = datetime.now(UTC).date().isoformat()
    due = "2099-11-25"
    answered: dict[str, str] = {}
    for life in range(3):
        async with process(tmp_path) as (one, running_one):
            await one.log_in()

            async def enter(reference: str, enough: int, one: OcpCaller = one) -> None:
                try:
                    reply = await one.add(si_entry(reference, tradeDate=day, settlementDate=due))
                except httpx.HTTPError:
                    return
                entry = reply.json()["data"][0]
                answered[reference] = entry["siNumber"]
                if len(answered) == enough:
                    running_one.send_signal(signal.SIGKILL)

            await asyncio.gather(*(enter(f"L{life}R{number}", 40 * (life + 1)) for number in range(80)))
    async with process(tmp_path) as (one, _):
        await one.log_in()
        found = await one.query(participantId="B01234", size=1000)
        ledger = (await one.control("ledger"))["done"]
        numbers = {entry["participantReference"]: entry["siNumber"] for entry in found["data"]}

        assert 120 <= len(answered)
        assert answered.items() <= numbers.items()
        assert numbers == {done["request_reference"]: done["si_number"] for done in ledger}
        assert [f"I{n:08d}" for n in range(1, len(numbers) + 1)] == sorted(numbers.values())
