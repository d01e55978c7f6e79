"""`mappings calibrate` in this process, on files: what it prints, what it writes, its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pg_bridge.cli.main import app
from pg_bridge.cli.world import mappings_folder
from pg_bridge.errors import ConfigError
from pg_bridge.link.profile import read_link_profile
from tests.doubles import framing_file
from tests.doubles.packets import ACK, SYN, ethernet, pcap, pcapng, tcp
from tests.doubles.random_framing import different_framings
from tests.doubles.recorded_traffic import Traffic, two_callers

KNOWN = ("--participant", "B01234", "--participant", "C00019", "--terminal", "PSS1", "--terminal", "K2")
PG = ("10.1.1.1", 9000)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["mappings", "calibrate", *map(str, arguments)])


def facts(done: Result) -> Any:
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    traffic = Traffic(framing_file.profile())
    traffic.story(two_callers(traffic.profile))
    return traffic


def packets_of(traffic: Traffic) -> list[tuple[float, bytes]]:
    """Both sessions as packets of 50 bytes, each third one sent again, each two of a kind in the wrong order."""
    out: list[tuple[float, bytes]] = []
    numbers: dict[tuple[str, str], int] = {}
    ports: dict[str, int] = {}
    for sent in traffic.sent:
        pss = ("10.1.1.2", ports.setdefault(sent.connection, 40001 + len(ports)))
        source, target = (pss, PG) if sent.side == "to_pg" else (PG, pss)
        at = sent.at.timestamp()
        if (sent.connection, "to_pg") not in numbers:
            out += [(at, ethernet(tcp(pss, PG, 7, flags=SYN))), (at, ethernet(tcp(PG, pss, 70, flags=SYN | ACK)))]
            numbers |= {(sent.connection, "to_pg"): 8, (sent.connection, "to_pss"): 71}
        key = (sent.connection, sent.side)
        parts = []
        for start in range(0, len(sent.raw), 50):
            part = sent.raw[start : start + 50]
            parts.append((at, ethernet(tcp(source, target, numbers[key], part))))
            numbers[key] += len(part)
        out += [*parts[1::2], *parts[::2], *parts[::3]]
    return out


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_a_network_capture_gives_the_shipped_framing_and_a_set_that_checks(
    traffic: Traffic, tmp_path: Path, form: Any
) -> None:
    capture, out = tmp_path / "monday.pcap", tmp_path / "framing.toml"
    capture.write_bytes(form(packets_of(traffic)))
    done = run(capture, *KNOWN, "--out", out, "--json")
    told = facts(done)
    shutil.copytree(mappings_folder(), tmp_path / "set")
    shutil.copy(out, tmp_path / "set/legacy/framing.toml")
    checked = CliRunner().invoke(app, ["mappings", "check", str(tmp_path / "set")])

    assert (76, 0, 4) == (told["frames"], told["damaged"], len(told["streams"]))
    assert ["value for refused"] == [a["question"] for a in told["answers"] if "sure" != a["grade"]]
    assert (1, 0) == (done.exit_code, checked.exit_code), checked.stdout
    written = read_link_profile(out.read_text("utf-8"))
    assert framing_file.profile().checksum == written.checksum
    assert framing_file.profile().timestamp == written.timestamp


@pytest.mark.parametrize("end", ["CRLF", "LF", "CR"])
def test_where_nothing_is_left_in_doubt_the_exit_code_is_0(end: str, tmp_path: Path) -> None:
    truth = framing_file.profile(('end = "CRLF"', f'end = "{end}"'))
    traffic = Traffic(truth)
    traffic.story(two_callers(truth))
    for number in range(2):
        (caller, _) = two_callers(truth)
        caller.connection = f"in vain {number}"
        traffic.refused_log_on(caller)
    capture, out = tmp_path / "monday.pcap", tmp_path / "framing.toml"
    capture.write_bytes(pcap(packets_of(traffic)))
    done = run(capture, *KNOWN, "--out", out)
    again = run(capture, *KNOWN, "--json")
    written = read_link_profile(out.read_text("utf-8"))

    assert 0 == done.exit_code, done.stdout
    assert (0, True) == (again.exit_code, facts(again)["sure"])
    assert (end, truth.length.add, truth.checksum) == (written.lines.end, written.length.add, written.checksum)
    assert "To settle" not in done.stdout


def test_raw_streams_of_both_directions_are_read_by_their_names(traffic: Traffic, tmp_path: Path) -> None:
    for stream in traffic.streams(noise=(b"\r\n",)):
        ending = ".in" if stream.side == "to_pg" else ".out"
        (tmp_path / f"{stream.connection}{ending}").write_bytes(stream.pieces[0].data)
    done = run(*sorted(tmp_path.iterdir()), *KNOWN)

    assert 1 == done.exit_code
    assert "sum from frame_open to text_close" in done.stdout
    assert "To settle" in done.stdout
    assert "not enough frames to tell" in done.stdout


def test_three_frames_are_not_enough_and_it_says_what_to_record(traffic: Traffic, tmp_path: Path) -> None:
    capture = tmp_path / "short.in"
    capture.write_bytes(b"".join(sent.raw for sent in traffic.sent if sent.side == "to_pg")[:390])
    done = run(capture)

    assert 1 == done.exit_code
    assert "not enough frames to tell" in done.stdout
    assert "0 of " in done.stdout.splitlines()[-1]
    assert "Record" in done.stdout


def test_another_framing_comes_out_as_its_own_file(tmp_path: Path) -> None:
    (truth,) = different_framings(1)
    traffic = Traffic(truth)
    callers = two_callers(truth)
    traffic.story(callers)
    for stream in traffic.streams():
        ending = ".in" if stream.side == "to_pg" else ".out"
        (tmp_path / f"{stream.connection}{ending}").write_bytes(stream.pieces[0].data)
    known = [word for c in callers for word in ("--participant", c.participant, "--terminal", c.terminal)]
    captures = sorted(tmp_path.iterdir())
    run(*captures, *known, "--out", tmp_path / "found.toml")
    written = read_link_profile((tmp_path / "found.toml").read_text("utf-8"))

    assert [block.width for block in truth.header] == [block.width for block in written.header]
    assert truth.control.templates == written.control.templates


def test_an_existing_file_is_kept_unless_forced(traffic: Traffic, tmp_path: Path) -> None:
    capture, out = tmp_path / "monday.pcap", tmp_path / "framing.toml"
    capture.write_bytes(pcap(packets_of(traffic)))
    out.write_text("mine", "utf-8")
    refused = run(capture, "--out", out)
    kept = out.read_text("utf-8")
    run(capture, "--out", out, "--force")

    assert isinstance(refused.exception, ConfigError)
    assert "mine" == kept
    assert "calibrate" in out.read_text("utf-8")


def test_a_capture_without_a_frame_says_so(tmp_path: Path) -> None:
    capture = tmp_path / "web.pcap"
    capture.write_bytes(pcap([(1.0, ethernet(tcp(PG, ("10.1.1.2", 80), 1, b"GET / HTTP/1.1\r\n\r\n")))]))
    done = run(capture, "--json")

    assert 1 == done.exit_code
    assert (0, "") == (facts(done)["frames"], facts(done)["framing"])
    assert facts(done)["faults"]
