"""What a PSS does wrong: each has its answer in the dialect and an entry; nothing crashes, hangs or is dropped."""

from __future__ import annotations

import asyncio

import pytest

from pg_bridge.cli.world import utc_now
from pg_bridge.errors import SessionError
from pg_bridge.link import events as link
from pg_bridge.link.framing import Framing, Header
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.stack import LINK, Stack, deliver

pytestmark = pytest.mark.asyncio(loop_scope="module")
_FRAMING = Framing(LINK)


def frame(pss: ScriptedPss, sequence: int, body: bytes, template: str = "SI01", message_type: str = "543") -> bytes:
    """A good frame of this session, not counted by it."""
    header = Header(
        pss.participant, "PSS1", pss.session.session_id, sequence, "to_pg", message_type, template,
        "20261124093000", False,
    )  # fmt: skip
    return _FRAMING.write(header, body)


def resummed(raw: bytes) -> bytes:
    """The frame with a right checksum: the sum of the bytes up to the end of block 4."""
    covered = raw[: raw.index(b"-}{5:") + 2]
    return raw[:-11] + b"%010d}" % sum(covered)


async def refused(pss: ScriptedPss, code: str) -> link.RequestRefused:
    event = await pss.wait_for(lambda event: isinstance(event, link.RequestRefused) and event.code == code)
    assert isinstance(event, link.RequestRefused)
    return event


async def closed(pss: ScriptedPss) -> None:
    await pss.wait_for(lambda event: isinstance(event, link.Closed))


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("LENG", lambda raw: raw[:31] + b"000007" + raw[37:]),
        ("CHKS", lambda raw: raw[:-11] + b"0000000000}"),
        ("CHAR", lambda raw: resummed(raw.replace(b"//BAD1", b"//\xe9AD1", 1))),
    ],
)
async def test_spoilt_frame_is_named_and_the_session_goes_on(code: str, spoil, shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    raw = frame(pss, 2, deliver("BAD1"))
    spoilt = spoil(raw)
    assert spoilt != raw
    pss.send_bytes(spoilt)
    event = await refused(pss, code)
    pss.session._sent_sequence = 2
    pss.send("543", "SI01", deliver(f"OK{code}"))
    await pss.message("SI51", f":20C::RELA//OK{code}")
    await pss.log_off()

    assert 2 == event.sequence
    assert shared_stack.entries(kind="frame_refused")


async def test_unknown_template_is_named(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    pss.send("543", "XX99", deliver("TMPL1"))
    await refused(pss, "TMPL")
    await pss.log_off()


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("SEQN", lambda pss: frame(pss, 7, deliver("SEQ1"))),
        ("SESS", lambda pss: frame(pss, 2, deliver("SES1")).replace(pss.session.session_id.encode(), b"0000000000")),
        ("FRAM", lambda _: b"this is no frame at all\r\n"),
        ("SIZE", lambda pss: frame(pss, 2, deliver("SIZ1"))[:80] + b"A" * 2_097_152),
    ],
)
async def test_what_cannot_be_read_on_closes_the_session(code: str, make, shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    pss.send_bytes(make(pss))
    await refused(pss, code)
    await closed(pss)
    again = await shared_stack.pss()
    await again.log_off()


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n\r\n", b"{1:99", b"\x00" * 100])
async def test_no_log_on_closes_without_a_word(first: bytes, shared_stack: Stack) -> None:
    reader, writer = await asyncio.open_connection(shared_stack.host, shared_stack.port)
    writer.write(first)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert b"" == answer
    assert await shared_stack.eventually(lambda: shared_stack.entries(kind="session_refused"))


async def test_unknown_participant_may_not_log_on(shared_stack: Stack) -> None:
    pss = ScriptedPss(LINK, participant="X99999", terminal="PSS1", clock=utc_now)
    await pss.connect(shared_stack.host, shared_stack.port)
    with pytest.raises(SessionError, match="PARTICIPANT UNKNOWN"):
        await pss.log_on()


async def test_second_log_on_of_a_terminal_ends_the_first(shared_stack: Stack) -> None:
    first = await shared_stack.pss()
    second = await shared_stack.pss()
    await closed(first)
    second.send("543", "SI01", deliver("SECOND"))
    await second.message("SI51", ":20C::RELA//SECOND")
    await second.log_off()


async def test_half_a_frame_and_a_cut_is_nothing(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    pss.send_bytes(frame(pss, 2, deliver("HALF1"))[:300])
    pss.abort()
    again = await shared_stack.pss()
    await again.log_off()

    assert [] == await shared_stack.entered("HALF1")


@pytest.mark.parametrize(
    ("name", "change", "codes"),
    [
        ("MISSING", lambda b: b.replace(b":97A::SAFE//00000001\r\n", b""), ["SAFE"]),
        ("DOUBLED", lambda b: b.replace(b":23G:NEWM\r\n", b":23G:NEWM\r\n:23G:NEWM\r\n"), ["NARR"]),
        ("MISPLACED", lambda b: b.replace(b":23G:NEWM\r\n", b"").replace(b":20C:", b":23G:NEWM\r\n:20C:", 1), ["NARR"]),
        ("MALFORMED", lambda b: b.replace(b"UNIT/1000,", b"UNIT/1.000"), ["DQUA"]),
        ("UNKNOWN", lambda b: b.replace(b":23G:NEWM\r\n", b":23G:NEWM\r\n:99B::TOSE//001\r\n"), ["NARR"]),
        (
            "THREE",
            lambda b: (
                b.replace(b"UNIT/1000,", b"UNIT/0,")
                .replace(b"/HK/00005", b"/HK/5")
                .replace(b"SETR//TRAD", b"SETR//NONE")
            ),
            ["DQUA", "DSEC", "SETR"],
        ),
    ],
)
async def test_message_with_faults_is_refused_with_all_of_them(name: str, change, codes, shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    body = deliver(name)
    changed = change(body)
    assert changed != body
    pss.send("543", "SI01", changed)
    holds = [f":24B::REJT//{code}" for code in codes]
    answer = await pss.message("SI51", f":20C::RELA//{name}", ":25D::IPRC//REJT", *holds)
    await pss.log_off()

    assert len(codes) <= answer.text.count(":16R:REAS")
    assert [] == await shared_stack.entered(name)
    assert shared_stack.entries(kind="message_refused", reference=name)


async def test_same_reference_same_body_gets_the_stored_answer(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    pss.send("543", "SI01", deliver("TWICE"))
    first = await pss.message("SI51", ":20C::RELA//TWICE")
    pss.send("543", "SI01", deliver("TWICE"))
    second = await pss.message("SI51", ":20C::RELA//TWICE", after=1)
    await pss.log_off()

    assert first.text == second.text
    assert not first.frame.possible_duplicate
    assert second.frame.possible_duplicate
    assert 1 == len(await shared_stack.entered("TWICE"))


async def test_same_reference_other_body_is_refused(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    pss.send("543", "SI01", deliver("OTHER"))
    await pss.message("SI51", ":20C::RELA//OTHER", "PACK")
    pss.send("543", "SI01", deliver("OTHER", quantity="2000,"))
    await pss.message("SI51", ":20C::RELA//OTHER", ":24B::REJT//NARR", "duplicate reference")
    await pss.log_off()

    assert 1 == len(await shared_stack.entered("OTHER"))


async def test_sixty_four_in_flight_come_back_in_order(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    references = [f"ORD{number:04d}" for number in range(150)]
    for reference in references:
        pss.send("543", "SI01", deliver(reference, stock="00999"))
    await pss.message("SI51", ":20C::RELA//ORD0149", timeout_s=20)
    await pss.log_off()
    order = [got.text.split("RELA//")[1][:7] for got in pss.received if got.frame.template == "SI51"]

    assert references == order


async def test_reference_that_is_none_is_refused_without_it(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    pss.send("543", "SI01", deliver("LONGERTHAN16CHARACTERS"))
    await pss.message("SI51", ":20C::RELA//NONREF", ":25D::IPRC//REJT", "LONGERTHAN16CHARACTERS")
    await pss.log_off()
