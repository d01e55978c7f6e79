"""`pg-bridge simulate pg` as a process: what `pg-bridge send` and PSSs of every kind get from it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pg_bridge.cli.backstage import Elsewhere
from pg_bridge.cli.own_stage import Set
from pg_bridge.cli.scenario_playing import How, play_there
from pg_bridge.cli.simulate_pss import FOLDER, read_scenarios
from pg_bridge.cli.world import mappings_folder, utc_now
from pg_bridge.link.framing import Framing, Header
from pg_bridge.simulator.pss import ScriptedPss
from pg_bridge.simulator.scenario_stage import OcpControl, Place
from tests.doubles.batch import tag_based, today
from tests.doubles.mapping_files import shipped
from tests.doubles.running_pg import AtThePg, pg_here, pg_process
from tests.doubles.stack import deliver

#: scenarios that need nothing of OCP: each is played against the pretend PG as it is
PLAYED = (
    "authorise-several", "authorise", "change-refused", "change", "delete", "enquire", "fail-and-settle-later",
    "frame-refused", "heartbeat", "hold-and-release", "hold-refused", "input-and-match", "input-free-of-payment",
    "input-on-hold", "list-in-pages", "list", "no-acknowledgement", "pss-cut", "purge", "refused-bad-message",
    "refused-download", "refused-duplicate-reference", "refused-market-closed", "refused-outside-hours",
    "refused-past-day", "refused-typhoon", "refused-wrong-state", "revoke-by-both", "second-log-on",
    "second-session", "settle-against-payment", "settle-real-time", "upload-a-file", "upload-refused",
    "why-unmatched", "window",
)  # fmt: skip
SCENARIOS = {
    name: scenario for name in PLAYED for scenario in read_scenarios([str(mappings_folder() / FOLDER / f"{name}.toml")])
}
SHIPPED = Set(shipped(), str(mappings_folder()))
pytestmark = pytest.mark.asyncio(loop_scope="module")


def _frame(there: AtThePg, message_type: str, template: str, body: bytes) -> bytes:
    header = Header("B01234", "PSS1", "S1", 2, "to_pg", message_type, template, "20261123093000", False)
    return Framing(there.link).write(header, body)


def _send(there: AtThePg, folder: Path, *frames: bytes, upload: bytes = b"") -> list[dict[str, Any]]:
    """What `pg-bridge send` tells of these frames, and of a file that is uploaded behind them."""
    file = folder / "frames"
    file.write_bytes(b"".join(frames))
    batch = folder / "BATCH"
    batch.write_bytes(upload)
    more = ("--upload", str(batch)) if upload else ()
    done = subprocess.run(
        [sys.executable, "-m", "pg_bridge", "send", str(file), "--to", there.where["pss"], "--json", "--wait", "10",
         "--listen", "0.5", *more], capture_output=True, timeout=60,
    )  # fmt: skip
    assert b"" == done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


async def test_send_has_every_function_answered(tmp_path: Path) -> None:
    reports = tmp_path / "reports" / "B01234" / f"{today():%Y%m%d}"
    reports.mkdir(parents=True)
    (reports / "CSESM01").write_bytes(b"A REPORT\r\n")
    async with pg_process(tmp_path, "--reports", str(tmp_path / "reports"), "--maker-checker", "B01234") as there:
        words, buyer = there.words, await there.pss("C00019")

        def instruction(template: str, body: bytes) -> bytes:
            return _frame(there, "543", template, body)

        def about(what: str, reference: str, named: str) -> bytes:
            function = "NEWM" if what == "SI03" else "CANC"
            return instruction(what, words.about(words.deliver(reference, function=function), named))

        def blocks(template: str, what: str, reference: str, *named: str) -> bytes:
            return _frame(there, "530", template, words.blocks(what, reference, *named))

        download = f":20:DOWN1\r\n:12:011\r\n:77E:REPT/CSESM01\r\nDATE/{today():%Y%m%d}\r\n".encode()
        listing = (
            ":16R:GENL\n:20C::SEME//L1\n:23G:NEWM\n:13A::REQU//537\n:97A::SAFE//00000001\n:16S:GENL\n"
            ":16R:BYSTAREA\n:35B:/HK/00005\n:16S:BYSTAREA\n"
        )
        first = await asyncio.to_thread(
            _send,
            there,
            tmp_path,
            instruction("SI01", words.deliver("R1")),
            instruction("SI01", words.deliver("R2")),
            blocks("SI02", "authorisation", "A1", "R1", "R2"),
            about("SI03", "C1", "R1"),
            blocks("SI02", "authorisation", "A2", "R1"),
            about("SI04", "D1", "R2"),
            _frame(there, "549", "SI07", words.enquiry("E1", related="R1")),
            _frame(there, "549", "SI08", listing.replace("\n", "\r\n").encode()),
            _frame(there, "598", "FL02", download),
            upload=tag_based(words.deliver("F1")),
        )
        words.send_receive(buyer, "B1")
        await buyer.message("SI60", "MACH")
        second = await asyncio.to_thread(
            _send,
            there,
            tmp_path,
            blocks("SI06", "hold", "H1", "R1"),
            blocks("SI06", "release", "H2", "R1"),
            about("SI05", "V1", "R1"),
        )
        state = await there.control("state")

    answered = [one["template"] for one in (*first, *second) if one["what"] == "answer"]
    assert ["SI51", "SI51", "SI52", "SI52", "SI53", "SI52", "SI54", "T03A", "SI58", "FL52", "FL51", "SI56", "SI56",
            "SI55"] == answered  # fmt: skip
    assert {"refused": 0, "unanswered": 0} == {name: first[-1][name] for name in ("refused", "unanswered")}
    assert {"refused": 0, "unanswered": 0} == {name: second[-1][name] for name in ("refused", "unanswered")}
    assert "SI60" in {one["template"] for one in second if one["what"] == "unasked"}
    assert {} == state["waiting"]


async def test_what_is_refused_names_every_fault_and_the_session_goes_on(tmp_path: Path) -> None:
    async with pg_process(tmp_path) as there:
        pss = await there.pss()
        body = (
            deliver("R1")
            .replace(b":36B::SETT//UNIT/1000,", b":36B::SETT//UNIT/0,")
            .replace(b":22F::SETR//TRAD\r\n", b"")
        )
        pss.send("543", "SI01", body)
        refused = await pss.message("SI51", "RELA//R1")
        there.words.send_deliver(pss, "R2")
        await pss.message("SI51", "RELA//R2", "PACK")

        assert 2 <= refused.text.count(":24B::REJT//")
        assert 1 == len((await there.control("ledger"))["done"])


async def test_a_pss_that_is_cut_gets_what_it_did_not_acknowledge_again_and_a_repeat_enters_nothing(
    tmp_path: Path,
) -> None:
    async with pg_process(tmp_path) as there:
        seller, buyer = await there.pss(acknowledges=False), await there.pss("C00019")
        there.words.send_deliver(seller, "S1")
        answer = await seller.message("SI51")
        there.words.send_receive(buyer, "B1")
        told = await seller.message("SI60", "MACH")
        seller.abort()
        again = await there.pss()
        copy = await again.message("SI60", "MACH")
        there.words.send_deliver(again, "S1", possible_duplicate=True)
        repeated = await again.message("SI51", "RELA//S1")
        ledger = (await there.control("ledger"))["done"]

        assert (told.frame.body, True) == (copy.frame.body, copy.frame.possible_duplicate)
        assert answer.frame.body == repeated.frame.body
        assert ["S1", "B1"] == [line["request_reference"] for line in ledger]


async def test_a_day_goes_to_settlement_under_a_fast_clock(tmp_path: Path) -> None:
    start = f"{today():%Y-%m-%d}T09:00:00+08:00"
    async with pg_process(tmp_path, "--start", start, clock="runs", rate=100_000) as there:
        seller, buyer = await there.pss(), await there.pss("C00019")
        there.words.send_deliver(seller, "S1")
        there.words.send_receive(buyer, "B1")
        await seller.message("SI61", "RELA//S1", timeout_s=20)
        await buyer.message("SI61", "RELA//B1", timeout_s=20)

        assert ("547", "545") == (seller.received[-1].frame.message_type, buyer.received[-1].frame.message_type)
        assert {"settled": 2} == (await there.control("state"))["statuses"]


_START = f"{today():%Y-%m-%d}T09:30:00+08:00"


async def _traffic(there: AtThePg) -> list[bytes]:
    """Every byte that a PSS is sent on a day that is always the same."""
    await there.control("differences", {"kind": "other_amount", "share": 0.5})
    await there.control("counterparties", {"participant": "C00019", "mismatch_one_in": 3})
    pss = await there.pss()
    for number in range(20):
        there.words.send_deliver(pss, f"R{number}", stock=f"{number + 1:05d}")
        await pss.message("SI51", f"RELA//R{number}\r\n")
    there.words.send_list(pss, "L1")
    await pss.message("SI58", "L1")
    await there.control("clock", {"advance_s": 4 * 86_400})
    await there.control("broadcast", {"head": "NOTICE", "text": "THE END"})
    await pss.message("BC60")
    return [one.frame.raw for one in pss.received]


async def test_the_same_seed_and_traffic_give_the_same_bytes(tmp_path: Path) -> None:
    async with pg_process(tmp_path, "--seed", "1", "--start", _START) as there:
        first = await _traffic(there)
    async with pg_here(seed=1, start=_START) as there:
        again = await _traffic(there)
    async with pg_here(seed=2, start=_START) as there:
        other = await _traffic(there)

    assert 40 < len(first)
    assert first == again
    assert first != other


async def test_two_hundred_sessions_are_served_at_once_over_two_nodes(tmp_path: Path) -> None:
    async with pg_process(tmp_path, "--secondary-port", "0") as there:

        async def one(number: int) -> ScriptedPss:
            pss = await there.pss(f"B{number // 4:05d}", f"PSS{number % 4}", node="secondary" if number % 2 else "pss")
            for each in range(3):
                there.words.send_deliver(pss, f"R{number % 4}{each}")
                await pss.message("SI51", f"RELA//R{number % 4}{each}\r\n", timeout_s=30)
            return pss

        await asyncio.gather(*(one(number) for number in range(200)))
        state = await there.control("state")

        assert (200, 600) == (len(state["sessions"]), state["sis"])


@pytest.mark.parametrize("set_name", ["shipped", "legacy_b"])
async def test_both_shapes_of_pg_speak(set_name: str, tmp_path: Path) -> None:
    async with pg_process(tmp_path, set_name=set_name) as there:
        words, seller, buyer = there.words, await there.pss(), await there.pss("C00019")
        words.send_deliver(seller, "S1")
        words.send_receive(buyer, "B1")
        await seller.message(words.template["answer"], words.holds("related", "S1"), words.holds("accepted"))
        await buyer.message(words.template["told"], words.holds("related", "B1"), words.holds("matched"))
        words.send_enquiry(seller, "E1", related="S1")

        assert await seller.message(words.template["standing"], words.holds("related", "S1"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing() -> AsyncIterator[AtThePg]:
    """A pretend PG that all scenarios share which do not move the day."""
    async with pg_here() as there:
        yield there


@pytest.mark.parametrize("name", [name for name in PLAYED if not SCENARIOS[name].file.moves_day])
async def test_a_scenario_goes_against_the_pretend_pg_as_it_is(name: str, standing: AtThePg) -> None:
    assert [] == await _played(standing, name)


@pytest.mark.parametrize("name", [name for name in PLAYED if SCENARIOS[name].file.moves_day])
async def test_a_scenario_that_moves_the_day_goes_against_the_pretend_pg_as_it_is(name: str) -> None:
    async with pg_here() as there:
        assert [] == await _played(there, name)


async def _played(there: AtThePg, name: str) -> list[str]:
    """What was wrong."""
    place = Place((there.address(),), OcpControl(there.url), Elsewhere(), utc_now)
    playing = await play_there([SCENARIOS[name]], SHIPPED, place, How(f"P{PLAYED.index(name):02d}"))
    wrong = [
        told for run in playing.runs for told in (*run["wrong"], *(w for step in run["steps"] for w in step["wrong"]))
    ]
    return wrong if wrong or all(run["good"] for run in playing.runs) else ["not every step was played"]


async def test_simulate_pss_plays_against_it(tmp_path: Path) -> None:
    async with pg_process(tmp_path) as there:
        command = [sys.executable, "-m", "pg_bridge", "simulate", "pss", "input-and-match", "revoke-by-both"]
        where = ["--to", there.where["pss"], "--ocp", there.url]
        done = await asyncio.to_thread(subprocess.run, [*command, *where], capture_output=True, timeout=60)

    assert 0 == done.returncode, done.stderr
    assert b"2 of 2 scenarios are as they should be." in done.stdout
