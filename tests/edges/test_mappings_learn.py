"""`mappings learn` as a person types it, and that the bridge does with the learnt section what was learnt."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pg_bridge.cli.main import app
from pg_bridge.config import Config, read_config
from pg_bridge.errors import BridgeError
from pg_bridge.example_config import EXAMPLE
from pg_bridge.exchange import events as e
from pg_bridge.exchange.entries import Kind
from pg_bridge.link.framing import Framing, Header
from pg_bridge.link.profile import link_profile_of
from pg_bridge.mapping.checks.profile_texts import profile_findings
from tests.doubles.core import Core
from tests.doubles.mapping_files import crlf, shipped

ROOT = Path(__file__).parents[2]
BODY = crlf((ROOT / "tests/messages/mt543_deliver_against_payment.fin").read_text("utf-8"))
UNKNOWN = BODY.replace(b":23G:NEWM\r\n", b":23G:NEWM\r\n:99B::SETT//HIDDEN1\r\n")
PLACE = "XHKCHKH1"
FRAMING = Framing(link_profile_of(shipped()))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["mappings", "learn", *map(str, arguments)])


def frame(body: bytes, number: int = 1, *, participant: str = "B01234", to_pss: str = "") -> bytes:
    direction, template, type_ = ("to_pss", to_pss, "548") if to_pss else ("to_pg", "SI01", "543")
    header = Header(participant, "PSS1", "S000000001", number, direction, type_, template, "20261123093000", False)
    return FRAMING.write(header, body)


def with_reference(body: bytes, reference: str) -> bytes:
    return body.replace(b"B0123400001", reference.encode())


def status_change(place: str) -> bytes:
    """An SI60 as the PG writes it, from the set's own cases."""
    cases = tomllib.loads(shipped()["rules/status-change.cases.toml"])["case"]
    body = next(case["body"] for case in cases if "95P::PSET" in case["body"])
    return crlf(body.replace("XHKCHKH1XXX", place))


def lesson(done: Result) -> Any:
    return json.loads(done.stdout)["lesson"]


def with_section(section: str) -> Config:
    """The example configuration with the learnt section in place of its own."""
    before, _, rest = EXAMPLE.partition("[participants.B01234]")
    return read_config(f"{before}{section}\n[pss]{rest.partition('[pss]')[2]}", {})


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A recorded stream: a good message, two with an unknown field, and a status change from the PG."""
    path = tmp_path / "day.bin"
    path.write_bytes(
        frame(BODY)
        + frame(with_reference(UNKNOWN, "R2"), 2)
        + frame(with_reference(UNKNOWN, "R3"), 3)
        + frame(status_change(PLACE), 4, to_pss="SI60")
    )
    return path


def test_messages_that_would_pass_end_well(tmp_path: Path):
    path = tmp_path / "one.bin"
    path.write_bytes(frame(BODY))
    done = run(path)

    assert 0 == done.exit_code
    assert "Nothing would be refused." in done.stdout
    assert "lenient = false" in done.stdout


def test_tables_say_what_is_used_and_what_to_do(day: Path):
    done = run(day)

    assert 1 == done.exit_code
    assert "B01234: 3 messages" in done.stdout
    assert "1 from the PG" in done.stdout
    assert "GENL/99B:SETT" in done.stdout
    assert "lenient = true" in done.stdout
    assert "The strict profile would refuse 2 of 3 messages, the lenient one 0." in done.stdout
    assert "HIDDEN1" not in done.stdout


def test_values_are_shown_when_asked_for(day: Path):
    assert "HIDDEN1" in run(day, "--show-values").stdout


def test_judged_by_the_lenient_profile_nothing_is_left(day: Path):
    assert (1, 0) == (run(day).exit_code, run(day, "--lenient").exit_code)


def test_the_learnt_section_makes_the_bridge_carry_what_was_learnt(day: Path, tmp_path: Path):
    out = tmp_path / "participant.toml"
    told = lesson(run(day, "--out", out, "--json"))
    config = with_section(out.read_text("utf-8"))
    own = config.participants["B01234"]
    core = Core(
        lenient_participants=frozenset(name for name, entry in config.participants.items() if entry.lenient),
        profiles={name: entry.profile for name, entry in config.participants.items()},
    )
    core.offer(e.RequestArrived("S1", "B01234", "PSS1", 2, "SI01", "543", UNKNOWN.decode(), UNKNOWN))
    (received,) = [entry for entry in core.entries if entry.kind is Kind.INSTRUCTION_RECEIVED]
    carried = {name.removeprefix("unknown:") for name in received.body()["carried"] if name.startswith("unknown:")}

    assert own.lenient
    assert {"place_of_settlement": PLACE} == own.profile
    assert [] == profile_findings(core.terms.book, "B01234", own.profile)
    assert carried == {unknown["name"] for use in told["uses"] for unknown in use["unknown"]}
    assert (
        0
        == run(
            day, "-c", write(tmp_path / "bridge.toml", EXAMPLE.replace("lenient = false", "lenient = true"))
        ).exit_code
    )


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_a_text_that_the_pg_writes_two_ways_is_not_chosen(day: Path):
    day.write_bytes(day.read_bytes() + frame(status_change("XHKCHKH1XXX"), 5, to_pss="SI60"))

    assert [] == lesson(run(day, "--json"))["texts"]


def test_a_section_never_takes_the_place_of_a_file(day: Path, tmp_path: Path):
    out = write(tmp_path / "bridge.toml", "mine")
    done = run(day, "--out", out)

    assert "is there already" in str(done.exception)
    assert "mine" == out.read_text("utf-8")


def test_a_folder_of_streams_and_text_blocks(day: Path, tmp_path: Path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more/si.fin").write_bytes(with_reference(BODY, "R9").replace(b"\r\n", b"\n"))
    (tmp_path / ".hidden").write_bytes(b"nothing")
    done = run(tmp_path, "--participant", "B01234", "--template", "SI01", "--message-type", "543", "--json")
    (use,) = lesson(done)["uses"]

    assert 4 == use["messages"]
    assert {"CRLF": 3, "LF": 1} == use["line_ends"]


def test_a_default_stock_account_is_a_text_of_the_participant(tmp_path: Path):
    """The account is optional for who has a default account, by data and configuration alone."""
    sample = tmp_path / "day.bin"
    sample.write_bytes(frame(BODY.replace(b":97A::SAFE//00000001\r\n", b"")))
    config = EXAMPLE.replace("profile = {} ", 'profile = { stock_account = "00000007" } ')
    own = write(tmp_path / "bridge.toml", config)
    without_own = lesson(run(sample, "--json"))
    said = "the own stock account is missing, and the participant has no default account"

    assert [said] == [cause["text"] for cause in without_own["causes"]]
    assert 0 == run(sample, "-c", own).exit_code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.bin",), "there is no nowhere.bin"),
        (("FOLDER",), "the folders hold no files"),
        (("BLOCK",), "name its --template"),
        (("BLOCK", "--template", "SI01", "--message-type", "543"), "name the --participant"),
        (("BLOCK", "--template", "SI60"), "a PSS sends no SI60"),
        (("BLOCK", "--template", "SI01", "--message-type", "548"), "is none of MT548"),
        (("BLOCK", "--participant", "B1"), "has 6 characters"),
        (("TWO",), "of B01234 and of C00019"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, arguments: tuple[str, ...], said: str):
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "BLOCK").write_bytes(BODY)
    (tmp_path / "TWO").write_bytes(frame(BODY) + frame(BODY, participant="C00019"))
    done = run(
        *(
            tmp_path / name if name.isupper() and "-" not in name and (tmp_path / name).exists() else name
            for name in arguments
        )
    )

    assert isinstance(done.exception, BridgeError)
    assert said in str(done.exception)


def test_bytes_that_are_nothing_known_are_refused_and_never_fatal(tmp_path: Path):
    path = tmp_path / "junk.bin"
    path.write_bytes(b"{9:" + bytes(range(256)) * 20)
    done = run(path, "--json")

    assert 1 == done.exit_code
    assert {"PGB-LRN-001"} == {cause["code"] for cause in lesson(done)["causes"]}
