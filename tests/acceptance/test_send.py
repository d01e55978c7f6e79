"""`pg-bridge send` against the real bridge: what it prints, what it acknowledges, how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.cli.send_outcome import refusal_signs
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.records import read_entry
from pg_bridge.link.framing import Frame, FrameReader, Framing, Header
from tests.doubles.batch import tag_based
from tests.doubles.certificates import Authority
from tests.doubles.mapping_sets import set_files
from tests.doubles.stack import LINK, Stack, deliver, enquiry, receive

pytestmark = pytest.mark.asyncio(loop_scope="module")
AS_SI01 = ("--template", "SI01", "--message-type", "543", "--participant", "B01234", "--wait", "8", "--listen", "0")


def send(made: Stack, *arguments: str, piped: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pg_bridge", "send", *arguments, "--to", f"{made.host}:{made.port}"]
    return subprocess.run(command, input=piped, capture_output=True, timeout=60)


def facts(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return msgspec.json.decode(done.stdout)


def as_frame(body: bytes, template: str = "SI01", message_type: str = "543") -> bytes:
    header = Header("B01234", "PSS1", "S1", 2, "to_pg", message_type, template, "20261123093000", False)
    return Framing(LINK).write(header, body)


async def test_standard_input_is_answered_in_bytes_and_fields(shared_stack: Stack) -> None:
    done = send(shared_stack, "-", *AS_SI01, "--json", piped=deliver("PIPE1", stock="00201"))
    answer, *_, outcome = facts(done)

    assert 0 == done.returncode, done.stderr
    assert ("answer", "SI51", "accepted", 2) == tuple(answer[n] for n in ("what", "template", "outcome", "request"))
    assert answer["bytes"].startswith("{1:01B01234PSS1")
    assert {"path": "GENL/STAT", "tag": "25D", "qualifier": "IPRC", "value": "PACK"} in answer["fields"]
    assert (1, 1, 0, 0) == tuple(outcome[name] for name in ("sent", "accepted", "refused", "unanswered"))


async def test_people_see_bytes_and_a_table(shared_stack: Stack) -> None:
    done = send(shared_stack, "-", *AS_SI01, piped=deliver("PIPE2", stock="00202"))
    text = done.stdout.decode()

    assert 0 == done.returncode, done.stderr
    assert ":25D::IPRC//PACK\n" in text
    assert any(
        line.split()[1::2][:4] == ["GENL/STAT", "25D", "IPRC", "PACK"] for line in text.splitlines() if "│" in line
    )
    assert "--- 1 sent, 1 accepted, 0 refused, 0 unanswered" in text


async def test_raw_is_the_frames_alone(shared_stack: Stack) -> None:
    done = send(shared_stack, "-", *AS_SI01, "--raw", piped=deliver("PIPE3", stock="00203"))
    frames = FrameReader(Framing(LINK)).feed(done.stdout)

    assert 0 == done.returncode, done.stderr
    assert ["SI51"] == [frame.template for frame in frames if isinstance(frame, Frame)]


async def test_several_files_frames_and_blocks_over_several_sessions_at_a_rate(
    shared_stack: Stack, tmp_path: Path
) -> None:
    frames, blocks = tmp_path / "frames.fin", tmp_path / "blocks.fin"
    frames.write_bytes(b"\r\n".join(as_frame(deliver(f"MANYF{n}", stock=f"0021{n}")) for n in range(3)))
    blocks.write_bytes(b"\n".join(b"{4:\n%b-}" % deliver(f"MANYB{n}", stock=f"0022{n}") for n in range(3)))
    done = send(shared_stack, str(frames), str(blocks), *AS_SI01, "--sessions", "3", "--rate", "40", "--json")
    answers = [fact for fact in facts(done) if fact["what"] == "answer"]

    assert 0 == done.returncode, done.stderr
    assert 6 == len(answers)
    assert {"P001", "P002", "P003"} == {answer["terminal"] for answer in answers}


async def test_what_comes_unasked_is_printed_and_acknowledged(shared_stack: Stack) -> None:
    seller, buyer = deliver("UNASKED1", stock="00231"), receive("UNASKED2", stock="00231")
    assert 0 == send(shared_stack, "-", *AS_SI01, piped=seller).returncode
    as_buyer = (
        "--template",
        "SI01",
        "--message-type",
        "541",
        "--participant",
        "C00019",
        "--wait",
        "8",
        "--listen",
        "1",
    )
    done = send(shared_stack, "-", *as_buyer, "--json", piped=buyer)
    told = [fact for fact in facts(done) if fact["what"] == "unasked" and "UNASKED2" in fact["text"]]
    entries = shared_stack.entries(kind="delivery_acknowledged", participant="C00019")

    assert 0 == done.returncode, done.stderr
    assert ["SI60"] == [fact["template"] for fact in told]
    assert [] != [entry for entry in entries if read_entry(entry).delivery]


async def test_refused_message_ends_in_one(shared_stack: Stack) -> None:
    bad = deliver("REFUSED1").replace(b":36B::SETT//UNIT/1000,", b":36B::SETT//UNIT/0,")
    done = send(shared_stack, "-", *AS_SI01, "--json", piped=bad)

    assert 1 == done.returncode, done.stderr
    assert [("answer", "refused")] == [(f["what"], f["outcome"]) for f in facts(done) if f["what"] == "answer"]


async def test_refused_frame_ends_in_one(shared_stack: Stack) -> None:
    done = send(shared_stack, "-", "--listen", "0", "--json", piped=as_frame(deliver("FRAME1"), template="XX99"))

    assert 1 == done.returncode, done.stderr
    assert ["refused"] == [fact["what"] for fact in facts(done)[:-1]]


async def test_nothing_found_is_no_acceptance(shared_stack: Stack) -> None:
    asked = as_frame(enquiry("ASKED1", related="NEVERSEEN"), "SI07", "549")
    done = send(shared_stack, "-", "--listen", "0", "--json", piped=asked)

    assert 1 == done.returncode, done.stderr
    assert 1 == facts(done)[-1]["refused"]


async def test_stored_answer_of_a_message_sent_twice_is_its_answer(shared_stack: Stack) -> None:
    body = deliver("AGAIN1", stock="00241")
    first = send(shared_stack, "-", *AS_SI01, piped=body)
    second = send(shared_stack, "-", *AS_SI01, "--json", piped=body)
    answer = facts(second)[0]

    assert (0, 0) == (first.returncode, second.returncode), second.stderr
    assert ("answer", True, "accepted") == (answer["what"], answer["possible_duplicate"], answer["outcome"])


async def test_unanswered_message_ends_in_one(shared_stack: Stack) -> None:
    await shared_stack.fault("si_add", "late", delay_s=3)
    done = send(shared_stack, "-", *AS_SI01, "--wait", "0.2", "--json", piped=deliver("LATE1", stock="00251"))
    outcome = facts(done)[-1]
    again = await shared_stack.pss()
    await again.message("SI51", "RELA//LATE1")
    await again.log_off()

    assert 1 == done.returncode, done.stderr
    assert (1, 1) == (outcome["sent"], outcome["unanswered"])


@pytest.mark.parametrize(
    ("arguments", "piped", "told"),
    [
        (("-", "--raw", "--json"), b"", "--raw"),
        (("-", "-"), b"", "once"),
        (("-",), b"", "text block"),
        (("-",), b"{1:01B", "no end"),
        (("-",), b"{1:99B", "frame 1 is none"),
        (("-", *AS_SI01), b"", "empty"),
        (("-", *AS_SI01), b"{4:\n:20C:\n", "no end"),
        (("-", "--terminal", "TOOLONG"), b"", "terminal"),
        (("-", "--tls-key", "none.pem"), b"", "--tls-ca"),
        (("-", "--sessions", "0"), b"", "sessions"),
        (("none.fin", *AS_SI01), b"", "none.fin"),
    ],
)
async def test_wrong_use_is_told_before_anything_is_dialled(
    arguments: tuple[str, ...], piped: bytes, told: str
) -> None:
    done = CliRunner().invoke(app, ["send", *arguments, "--to", "127.0.0.1:1"], input=piped)

    assert isinstance(done.exception, ConfigError) or 2 == done.exit_code
    assert told in f"{done.exception} {done.output}"


@pytest.mark.parametrize("set_name", ["shipped", "both_b"])
async def test_what_a_refusal_looks_like_is_in_the_set(set_name: str) -> None:
    signs = refusal_signs(set_files(set_name))

    assert 2 <= len({template for template, *_ in signs})


async def test_by_tls_with_a_client_certificate_and_not_without(tmp_path: Path) -> None:
    ca = Authority(tmp_path, "ca")
    certificate, key = ca.sign("bridge")
    own_certificate, own_key = ca.sign("pss")
    made = Stack(tmp_path)
    made.pss_settings = f'tls_certificate = "{certificate}"\ntls_key = "{key}"\ntls_client_ca = "{ca.ca_file}"\n'
    shows = ("--tls-certificate", str(own_certificate), "--tls-key", str(own_key))
    try:
        await made.start_ocp()
        await made.start_bridge()
        trusting = ("-", *AS_SI01, "--tls-ca", str(ca.ca_file))
        done = send(made, *trusting, *shows, piped=deliver("TLS1"))
        without = send(made, *trusting, piped=deliver("TLS2"))
        entered = [len(await made.entered(reference)) for reference in ("TLS1", "TLS2")]
    finally:
        await made.stop()
    (refused,) = [read_entry(entry) for entry in made.entries(kind="session_refused")]

    assert 0 == done.returncode, done.stderr
    assert 1 == without.returncode
    assert b"PGB-" in without.stderr
    assert [1, 0] == entered
    assert "TLS was not agreed: peer did not return a certificate" == refused.text
    assert refused.address.startswith("127.0.0.1:")


def listing(reference: str, stock: str) -> bytes:
    """The text block of a list of the SIs of a stock."""
    lines = [
        ":16R:GENL", f":20C::SEME//{reference}", ":23G:NEWM", ":13A::REQU//537", ":97A::SAFE//00000001", ":16S:GENL",
        ":16R:BYSTAREA", f":35B:/HK/{stock}", ":16S:BYSTAREA",
    ]  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


async def test_answer_of_several_messages_is_waited_for_to_its_last(shared_stack: Stack, tmp_path: Path) -> None:
    inputs, asking = tmp_path / "inputs.fin", tmp_path / "asking.fin"
    inputs.write_bytes(b"\r\n".join(as_frame(deliver(f"PAGE{number:03d}", stock="00241")) for number in range(101)))
    asking.write_bytes(as_frame(listing("PAGES", "00241"), "SI08", "549"))
    assert 0 == send(shared_stack, str(inputs), *AS_SI01).returncode
    done = send(shared_stack, str(asking), *AS_SI01, "--json")
    *answers, outcome = [fact for fact in facts(done) if fact["what"] in ("answer", "outcome")]
    pages = [fact for fact in answers if fact["template"] == "SI58"]

    assert 0 == done.returncode, done.stderr
    assert ["00001/MORE", "00002/LAST"] == [fact["text"].split(":28E:")[1].split("\r\n")[0] for fact in pages]
    assert {2} == {fact["request"] for fact in pages}
    assert (1, 1, 0, 0) == tuple(outcome[name] for name in ("sent", "accepted", "refused", "unanswered"))


async def test_each_block_of_a_message_is_answered_by_itself(shared_stack: Stack, tmp_path: Path) -> None:
    hold = shared_stack.words.blocks("hold", "BLOCKS", "NOSUCH1", "NOSUCH2", "NOSUCH3")
    faulty = hold.replace(b"SEME//BLOCKS", b"SEME//FAULTY").replace(b":20C::PREV//NOSUCH2\r\n", b"")
    frames = tmp_path / "frames.fin"
    frames.write_bytes(
        b"\r\n".join([
            as_frame(hold, "SI06", "530"), as_frame(faulty, "SI06", "530"), as_frame(deliver("BEHIND", stock="00242")),
        ])
    )  # fmt: skip
    done = send(shared_stack, str(frames), *AS_SI01, "--json")
    answers = [fact for fact in facts(done) if fact["what"] == "answer"]

    assert [(2, "refused")] * 3 + [(3, "refused"), (4, "accepted")] == [
        (fact["request"], fact["outcome"]) for fact in answers
    ]


async def test_a_batch_file_goes_in_parts_and_its_report_is_the_answer(shared_stack: Stack, tmp_path: Path) -> None:
    good, bad = tmp_path / "SEND-UP1", tmp_path / "SEND-UP2"
    good.write_bytes(tag_based(*(deliver(f"SENDUP{number:02d}", stock="00203") for number in range(3))))
    bad.write_bytes(tag_based(deliver("SENDUP99", quantity="x,")))
    to = ("--participant", "B01234", "--wait", "8", "--listen", "0", "--json")
    done = send(shared_stack, "--upload", str(good), *to)
    refused = send(shared_stack, "--upload", str(bad), "--upload-name", "OTHER", *to)

    assert (0, 1) == (done.returncode, refused.returncode), done.stderr + refused.stderr
    assert "FILE/SEND-UP1\r\nSTAT/ACCP\r\nREAD/3" in facts(done)[0]["text"]
    assert "FILE/OTHER\r\nSTAT/REJT" in facts(refused)[0]["text"]
    assert "refused" == facts(refused)[0]["outcome"]
