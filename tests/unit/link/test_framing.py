"""Frames: the known vector both ways, every fault, and any split of the stream."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.errors import FramingError
from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing, Header
from tests.doubles import framing_file

FRAMING = Framing(framing_file.profile())

# A log-on request of participant B01234 at terminal PSS1, user OPS1; no session id yet, sequence 1, 46 bytes counted.
VECTOR = (
    b"{1:01B01234PSS1          000001000046}{2:I598LGON20261123093000N}{4:\r\n"
    b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n-}{5:0000006226}"
)
VECTOR_HEADER = Header("B01234", "PSS1", "", 1, "to_pg", "598", "LGON", "20261123093000", False)
VECTOR_BODY = b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n"


def read_all(data: bytes, framing: Framing = FRAMING) -> list[Frame | BadFrame]:
    return FrameReader(framing).feed(data)


def one(data: bytes, framing: Framing = FRAMING) -> Frame:
    (frame,) = read_all(data, framing)
    assert isinstance(frame, Frame)
    return frame


def bad(data: bytes) -> BadFrame:
    found = read_all(data)
    assert isinstance(found[-1], BadFrame)
    return found[-1]


def sealed(raw: bytes) -> bytes:
    """`raw` with the sum that its bytes now have."""
    covered = raw[: raw.index(b"-}{5:") + 2]
    return covered + b"{5:%010d}" % sum(covered)


def test_vector_has_128_bytes() -> None:
    assert len(VECTOR) == 128


def test_vector_is_read() -> None:
    expected = Frame(*VECTOR_HEADER, VECTOR_BODY, VECTOR, ())

    assert [expected] == read_all(VECTOR)


def test_vector_is_written() -> None:
    assert FRAMING.write(VECTOR_HEADER, VECTOR_BODY) == VECTOR


# --- faults --------------------------------------------------------------------------------------------------


def test_wrong_length_is_a_fault() -> None:
    frame = one(sealed(VECTOR.replace(b"000046}", b"000047}")))

    assert frame.faults == ("length",)
    assert frame.body == VECTOR_BODY


def test_wrong_checksum_is_a_fault() -> None:
    assert one(VECTOR.replace(b"6226}", b"6227}")).faults == ("checksum",)


@pytest.mark.parametrize("byte", [b"{", b"}", b"\x00", b"\t", b"\x7f", b"\x80", b"\xff"])
def test_byte_outside_the_set_is_a_fault(byte: bytes) -> None:
    assert one(sealed(VECTOR.replace(b"OPS1", b"OPS" + byte))).faults == ("character",)


@pytest.mark.parametrize("byte", [b"=", b"~", b"|", b"@", b"\n"])
def test_byte_inside_the_set_is_none(byte: bytes) -> None:
    assert one(sealed(VECTOR.replace(b"OPS1", b"OPS" + byte))).faults == ()


@pytest.mark.parametrize("byte", [b"\xe9", b"\x00", b"\r", b"{"])
def test_byte_outside_the_set_in_the_header_is_a_fault(byte: bytes) -> None:
    assert one(sealed(VECTOR.replace(b"PSS1 ", b"PSS" + byte + b" "))).faults == ("character",)


def test_all_faults_are_told() -> None:
    frame = one(VECTOR.replace(b"000046}", b"000045}").replace(b"OPS1", b"OPS{"))

    assert frame.faults == ("length", "checksum", "character")


@pytest.mark.parametrize("block", ["length", "checksum"])
@pytest.mark.parametrize(("setting", "faults"), [("reject", True), ("warn", True), ("ignore", False)])
def test_mismatch_setting_decides_what_is_told(block: str, setting: str, faults: bool) -> None:
    text = framing_file.TEXT
    at = text.index(f"[{block}]")
    old = 'mismatch = "reject"'
    where = text.index(old, at)
    edited = text[:where] + f'mismatch = "{setting}"' + text[where + len(old) :]
    framing = Framing(framing_file.read_link_profile(edited))
    raw = sealed(VECTOR.replace(b"000046}", b"000047}")) if block == "length" else VECTOR.replace(b"6226}", b"6225}")

    assert ((block,) if faults else ()) == one(raw, framing).faults


# --- what is no frame ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\x00",
        b"{2:",
        VECTOR.replace(b"{2:", b"{3:"),
        VECTOR.replace(b"}{4:", b"){4:"),
        VECTOR.replace(b"{4:\r\n", b"{4:\n\r"),
        VECTOR.replace(b"000001000046", b"00000x000046"),
        VECTOR.replace(b"000001000046", b"00000100 046"),
        VECTOR.replace(b"000001000046", b"-00001000046"),
        VECTOR.replace(b"{1:01", b"{1:ab"),
        VECTOR.replace(b"{1:01", b"{1:02"),
        VECTOR.replace(b"{2:I598", b"{2:X598"),
        VECTOR.replace(b"{2:I598", b"{2:I5A8"),
        VECTOR.replace(b"93000N}", b"93000?}"),
        VECTOR.replace(b"0000006226}", b"000000622 }"),
        VECTOR.replace(b"0000006226}", b"0000006226)"),
        VECTOR.replace(b"0000006226}", b"00000006226}"),
    ],
)
def test_no_frame_is_told_and_ends_the_reading(raw: bytes) -> None:
    reader = FrameReader(FRAMING)

    found = reader.feed(raw)

    assert [item.meaning for item in found if isinstance(item, BadFrame)] == ["frame"]
    assert reader.feed(VECTOR) == []
    assert not reader.in_frame


def test_good_frames_before_garbage_are_given() -> None:
    first, second = read_all(VECTOR + b"garbage")

    assert isinstance(first, Frame)
    assert isinstance(second, BadFrame)
    assert b"garbage".startswith(second.raw)


def test_garbage_is_told_at_its_first_byte() -> None:
    assert bad(b"{1:0X").text


def body_counting(counted: int) -> bytes:
    # counted: the opening `{4` and the closing `-}` are in it, `:<CRLF>` is not
    return b"A" * (counted - 4 - 2) + b"\r\n"


def test_largest_text_is_taken() -> None:
    raw = FRAMING.write(VECTOR_HEADER, body_counting(999_999))

    assert b"999999}" in raw[:40]
    assert one(raw).faults == ()


def test_one_byte_more_is_too_large() -> None:
    raw = FRAMING.write(VECTOR_HEADER, body_counting(999_999)).replace(b"AA", b"AAA", 1)

    assert bad(raw).meaning == "size"


def test_writing_a_text_too_large_is_refused() -> None:
    with pytest.raises(FramingError):
        FRAMING.write(VECTOR_HEADER, body_counting(1_000_000))


def test_stream_without_an_end_stays_bounded_and_quick() -> None:
    reader = FrameReader(FRAMING)
    found: list[Frame | BadFrame] = []
    started = time.perf_counter()
    found += reader.feed(VECTOR[: FRAMING.body_open])
    for _ in range(32):
        found += reader.feed(b"B" * 65_536)
        assert len(reader._buffer) <= 999_999 + 2 * 65_536
    took_s = time.perf_counter() - started

    (only,) = found
    assert isinstance(only, BadFrame)
    assert only.meaning == "size"
    assert not reader.in_frame
    assert took_s < 0.5


# --- what is tolerated ---------------------------------------------------------------------------------------


def test_empty_body_both_ways() -> None:
    raw = FRAMING.write(VECTOR_HEADER, b"")
    frame = one(raw)

    assert b"{4:\r\n-}{5:" in raw
    assert b"000004}" in raw
    assert (frame.body, frame.faults) == (b"", ())


@pytest.mark.parametrize("between", [b"", b"\r\n", b"\n", b"\r\n\r\n\r\n"])
def test_crlf_between_frames_is_skipped(between: bytes) -> None:
    reader = FrameReader(FRAMING)

    found = reader.feed(between + VECTOR + between + VECTOR + between)

    assert [frame.raw for frame in found] == [VECTOR, VECTOR]
    assert not reader.in_frame


def test_in_frame_from_the_first_byte_to_the_last() -> None:
    reader = FrameReader(FRAMING)

    assert not reader.in_frame
    reader.feed(VECTOR[:1])
    assert reader.in_frame
    reader.feed(VECTOR[1:-1])
    assert reader.in_frame
    reader.feed(VECTOR[-1:])
    assert not reader.in_frame


# --- writing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        VECTOR_HEADER._replace(participant="B012345"),
        VECTOR_HEADER._replace(terminal="PSS10"),
        VECTOR_HEADER._replace(session_id="S" * 11),
        VECTOR_HEADER._replace(sequence=1_000_000),
        VECTOR_HEADER._replace(template="LOGON"),
        VECTOR_HEADER._replace(participant="B\xe9"),
        VECTOR_HEADER._replace(terminal="P}"),
    ],
)
def test_header_value_that_does_not_fit_is_never_sent(header: Header) -> None:
    with pytest.raises(FramingError):
        FRAMING.write(header, b"")


@pytest.mark.parametrize("body", [b":20:A", b":20:A\n", b":20:{\r\n", b":20:\xff\r\n", b"\r\n-}{5:0000000000}\r\n"])
def test_body_that_would_break_the_frame_is_never_sent(body: bytes) -> None:
    with pytest.raises(FramingError):
        FRAMING.write(VECTOR_HEADER, body)


# --- checksums -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "digits", "compute"),
    [
        ("sum", 10, sum),
        ("xor", 3, lambda data: reduce(xor, data)),
        ("crc32", 10, zlib.crc32),
        ("mod97", 2, lambda data: int.from_bytes(data, "big") % 97),
        ("none", 4, lambda data: 0),
        ("crc32", 6, lambda data: zlib.crc32(data) % 10**6),
    ],
)
def test_checksum_by_data(algorithm: str, digits: int, compute: Callable[[bytes], int]) -> None:
    framing = Framing(
        framing_file.profile(
            ('algorithm = "sum"', f'algorithm = "{algorithm}"'),
            ("digits = 10", f"digits = {digits}"),
            ('concept = "checksum", width = 10', f'concept = "checksum", width = {digits}'),
        )
    )

    raw = framing.write(VECTOR_HEADER, VECTOR_BODY)
    covered = raw[: raw.index(b"-}{5:") + 2]

    assert b"{5:%0*d}" % (digits, compute(covered)) == raw[len(covered) :]
    assert one(raw, framing).faults == ()


def test_checksum_none_compares_nothing() -> None:
    framing = Framing(framing_file.profile(('algorithm = "sum"', 'algorithm = "none"')))

    assert one(VECTOR.replace(b"6226}", b"9999}"), framing).faults == ()


def test_checksum_over_the_body_alone() -> None:
    text = framing_file.TEXT
    at = text.index("[checksum]")
    tail = (
        text[at:].replace('from = "frame_open"', 'from = "body_open"').replace('to = "text_close"', 'to = "body_close"')
    )
    framing = Framing(framing_file.read_link_profile(text[:at] + tail))

    raw = framing.write(VECTOR_HEADER, VECTOR_BODY)

    assert raw.endswith(b"{5:%010d}" % sum(VECTOR_BODY))
    assert one(raw, framing).faults == ()


# --- properties ----------------------------------------------------------------------------------------------

_words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1)
_line_bytes = bytes([*range(0x20, 0x7B), 0x7C, 0x7E])
_bodies = st.lists(
    st.binary(max_size=40).map(lambda raw: bytes(_line_bytes[b % len(_line_bytes)] for b in raw)), max_size=6
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
_headers = st.builds(
    Header,
    participant=_words.map(lambda text: text[:6]),
    terminal=_words.map(lambda text: text[:4]),
    session_id=st.one_of(st.just(""), _words.map(lambda text: text[:10])),
    sequence=st.integers(1, 999_999),
    direction=st.sampled_from(["to_pg", "to_pss"]),
    message_type=st.integers(0, 999).map("{:03d}".format),
    template=_words.map(lambda text: text[:4]),
    timestamp=st.datetimes().map(lambda at: f"{at:%Y%m%d%H%M%S}".rjust(14, "0")),
    possible_duplicate=st.booleans(),
)


@given(_headers, _bodies)
def test_what_is_written_is_read(header: Header, body: bytes) -> None:
    raw = FRAMING.write(header, body)

    assert Frame(*header, body, raw, ()) == one(raw)


@given(st.lists(st.tuples(_headers, _bodies), min_size=1, max_size=4), st.lists(st.integers(0, 2_000), max_size=12))
def test_any_split_gives_the_same_frames(messages: list[tuple[Header, bytes]], cuts: list[int]) -> None:
    stream = b"\r\n".join(FRAMING.write(header, body) for header, body in messages)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = FrameReader(FRAMING)
    found = [frame for low, high in pairwise(edges) for frame in reader.feed(stream[low:high])]

    assert read_all(stream) == found
    assert len(messages) == len(found)


def test_byte_by_byte_gives_the_same_frames() -> None:
    stream = VECTOR + b"\r\n" + VECTOR
    reader = FrameReader(FRAMING)

    assert read_all(stream) == [frame for byte in stream for frame in reader.feed(bytes([byte]))]


@given(st.lists(st.tuples(st.integers(0, 2 * len(VECTOR) - 1), st.integers(0, 255)), min_size=1, max_size=6), st.data())
def test_changed_bytes_never_raise_and_split_does_not_matter(
    changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    stream = bytearray(VECTOR + VECTOR)
    for at, byte in changes:
        stream[at] = byte
    cut = data.draw(st.integers(0, len(stream)))
    reader = FrameReader(FRAMING)
    whole = read_all(bytes(stream))
    pieces = reader.feed(bytes(stream[:cut])) + reader.feed(bytes(stream[cut:]))

    def told(found: list[Frame | BadFrame]) -> list[object]:
        return [item if isinstance(item, Frame) else item.meaning for item in found]

    assert told(whole) == told(pieces)


@given(st.binary(max_size=200))
def test_any_bytes_never_raise(data: bytes) -> None:
    read_all(data)
    read_all(VECTOR[:68] + data)
