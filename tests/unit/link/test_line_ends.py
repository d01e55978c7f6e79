"""Lines of the wire that end in CRLF, LF or CR: inside they are CRLF, on the wire byte for byte, and all counts fit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.errors import FramingError, MappingInvalid
from pg_bridge.link import events as e
from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing, Header
from pg_bridge.link.pg_session import PgSession
from pg_bridge.link.profile import LinkProfile, read_link_profile
from pg_bridge.link.pss_session import PssSession
from tests.doubles import framing_file
from tests.doubles.link_pair import BODY, REQUESTS, START
from tests.doubles.random_framing import LINE_ENDS, random_framing

ENDS = {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r"}
# the log-on of the known vector: with one byte a line end, what is counted has three bytes less than its 46 (the line
# end that opens the text is not counted), and `add` leaves out `:` and one byte; the sum lacks four CR or four LF
HEADER = Header("B01234", "PSS1", "", 1, "to_pg", "598", "LGON", "20261123093000", False)
LOG_ON = b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n"
VECTORS = {
    "CRLF": b"{1:01B01234PSS1          000001000046}{2:I598LGON20261123093000N}{4:\r\n"
    b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n-}{5:0000006226}",
    "LF": b"{1:01B01234PSS1          000001000043}{2:I598LGON20261123093000N}{4:\n"
    b":20:B0123400001\n:12:001\n:77E:USER/OPS1\n-}{5:0000006171}",
    "CR": b"{1:01B01234PSS1          000001000043}{2:I598LGON20261123093000N}{4:\r"
    b":20:B0123400001\r:12:001\r:77E:USER/OPS1\r-}{5:0000006183}",
}


def profile_with(end: str) -> LinkProfile:
    """The shipped profile with other line ends: `:` and one line end are not counted."""
    return framing_file.profile(('end = "CRLF"', f'end = "{end}"'), ("add = -3 ", f"add = {-1 - len(ENDS[end])} "))


def one(raw: bytes, framing: Framing) -> Frame:
    (frame,) = FrameReader(framing).feed(raw)
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.parametrize("end", LINE_ENDS)
def test_known_frame_both_ways(end: str) -> None:
    framing = Framing(profile_with(end))

    assert VECTORS[end] == framing.write(HEADER, LOG_ON)
    assert Frame(*HEADER, LOG_ON, VECTORS[end], ()) == one(VECTORS[end], framing)


@pytest.mark.parametrize("end", LINE_ENDS)
def test_text_without_lines_both_ways(end: str) -> None:
    framing = Framing(profile_with(end))
    raw = framing.write(HEADER, b"")

    assert b"{4:" + ENDS[end] + b"-}{5:" in raw
    assert (b"", ()) == (one(raw, framing).body, one(raw, framing).faults)


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize("other", LINE_ENDS)
def test_frame_with_other_line_ends_is_never_taken_for_a_good_one(end: str, other: str) -> None:
    if other == end:
        return
    found = FrameReader(Framing(profile_with(end))).feed(VECTORS[other])

    assert not any(isinstance(frame, Frame) and not frame.faults for frame in found)


@pytest.mark.parametrize(("end", "stray"), [("LF", b"\r"), ("CR", b"\n"), ("LF", b"\r\r")])
def test_cr_or_lf_that_ends_no_line_is_a_fault_and_never_written(end: str, stray: bytes) -> None:
    framing = Framing(profile_with(end))
    raw = VECTORS[end].replace(b"OPS1", b"OPS" + stray)

    assert "character" in one(raw, framing).faults
    with pytest.raises(FramingError):
        framing.write(HEADER, LOG_ON.replace(b"OPS1", b"OPS" + stray))


@pytest.mark.parametrize("end", LINE_ENDS)
def test_largest_text_is_counted_in_bytes_of_the_wire(end: str) -> None:
    framing = Framing(profile_with(end))
    counted = 999_999 - 4 - len(ENDS[end])  # `{4` and `-}`, and the body's one line end
    raw = framing.write(HEADER, b"A" * counted + b"\r\n")
    (bad,) = FrameReader(framing).feed(raw.replace(b"AA", b"AAA", 1))

    assert () == one(raw, framing).faults
    assert isinstance(bad, BadFrame)
    assert "size" == bad.meaning
    with pytest.raises(FramingError):
        framing.write(HEADER, b"A" * (counted + 1) + b"\r\n")


_bodies = st.lists(st.text("ABC :/-", max_size=20), max_size=6).map(
    lambda lines: "".join(f"{line}\r\n" for line in (":20:A", *lines)).encode()
)


@given(st.integers(0, 10**6), st.sampled_from(LINE_ENDS), _bodies, st.lists(st.integers(0, 500), max_size=8))
def test_in_any_framing_what_is_written_is_read_however_split(
    seed: int, end: str, body: bytes, cuts: list[int]
) -> None:
    made = random_framing(seed)
    framing = Framing(made)
    widths = {field.concept: field.width for block in made.header for field in block.fields}
    header = Header("B01234", "PSS1", "S1", 7, "to_pg", "543", "SI01", "2" * widths["timestamp"], False)
    raw = framing.write(header, body)
    stream = raw + ENDS[end] + raw
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = FrameReader(framing)
    found = [frame for low, high in pairwise(edges) for frame in reader.feed(stream[low:high])]

    assert [Frame(*header, body, raw, ())] * 2 == found
    assert body.count(b"\r\n") + 1 == raw.count(ENDS[made.lines.end])


@pytest.mark.parametrize("end", LINE_ENDS)
def test_whole_conversation_by_any_line_ends(end: str) -> None:
    profile = profile_with(end)
    pg = PgSession(profile, session_id="S000000001", request_templates=REQUESTS)
    pss = PssSession(profile, participant="B01234", terminal="PSS1")
    pss.log_on("OPS1", "SECRET", "L1", START)
    (asked,) = pg.receive_data(pss.data_to_send(), START)
    pg.accept_log_on(START)
    pss.receive_data(pg.data_to_send(), START)
    pss.send("543", "SI01", BODY, START)
    (request,) = pg.receive_data(pss.data_to_send(), START)
    pg.answer(2, "548", "SI51", BODY, START)
    pg.deliver("D1", "548", "SI60", BODY, START)
    sent = pg.data_to_send()
    answer, update = pss.receive_data(sent, START)

    assert isinstance(asked, e.LogOnAsked)
    assert ("OPS1", "SECRET") == (asked.user, asked.credential)
    assert isinstance(request, e.RequestReceived)
    assert isinstance(answer, e.AnswerReceived)
    assert isinstance(update, e.UnsolicitedReceived)
    assert [BODY] * 3 == [one.frame.body for one in (request, answer, update)]
    assert BODY.replace(b"\r\n", ENDS[end]) in sent
    assert end == "CRLF" or b"\r\n" not in sent
    assert [e.DeliveryAcknowledged("D1")] == pg.receive_data(pss.data_to_send(), START)


def test_a_file_that_does_not_say_it_means_crlf() -> None:
    silent = framing_file.edited(('[lines]\nend = "CRLF"\nsource = "public"\n', ""))

    assert b"\r\n" == read_link_profile(silent).lines.written


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('end = "CRLF"', 'end = "NEL"'),
        ('["0A", "0D", "20-7A"', '["0A", "20-7A"'),
    ],
)
def test_line_end_that_cannot_be_is_a_finding(old: str, new: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        read_link_profile(framing_file.edited((old, new)))

    assert all(finding.line and finding.remedy for finding in caught.value.findings)


def test_the_other_sign_need_not_be_among_the_characters() -> None:
    text = framing_file.edited(('end = "CRLF"', 'end = "LF"'), ('["0A", "0D", "20-7A"', '["0A", "20-7A"'))

    assert Framing(read_link_profile(text)).opening
