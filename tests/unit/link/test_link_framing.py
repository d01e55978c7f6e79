"""Frames byte for byte, however the stream is split, and whatever is wrong with it."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import FramingError
from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing, Header
from tests.doubles.link_pair import BODY, shipped_profile

# block 1: version 01, participant B01234, terminal PSS1, no session id yet, sequence 1, length 46;
# block 2: to the PG, 598 LGON, 09:30:00, no duplicate; block 4: :20: :12: :77E:; block 5: checksum 6226
VECTOR = (
    b"{1:01B01234PSS1          000001000046}{2:I598LGON20261123093000N}"
    b"{4:\r\n:20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n-}{5:0000006226}"
)
FRAMING = Framing(shipped_profile())
HEADER = Header("B01234", "PSS1", "S000000001", 7, "to_pg", "543", "SI01", "20261123093000", False)


def read(data: bytes, piece: int = 0) -> list[Frame | BadFrame]:
    reader = FrameReader(FRAMING)
    size = piece or max(1, len(data))
    return [frame for start in range(0, len(data), size) for frame in reader.feed(data[start : start + size])]


def test_vector_reads_field_by_field() -> None:
    (frame,) = read(VECTOR)

    assert isinstance(frame, Frame)
    assert len(VECTOR) == 128
    assert (frame.participant, frame.terminal, frame.session_id, frame.sequence) == ("B01234", "PSS1", "", 1)
    assert (frame.direction, frame.message_type, frame.template) == ("to_pg", "598", "LGON")
    assert (frame.timestamp, frame.possible_duplicate) == ("20261123093000", False)
    assert frame.body == b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n"
    assert frame.raw == VECTOR
    assert frame.faults == ()


def test_vector_is_written_byte_for_byte() -> None:
    header = Header("B01234", "PSS1", "", 1, "to_pg", "598", "LGON", "20261123093000", False)

    assert FRAMING.write(header, b":20:B0123400001\r\n:12:001\r\n:77E:USER/OPS1\r\n") == VECTOR


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 127, 129])
def test_crlf_between_frames_is_tolerated_however_split(piece: int) -> None:
    stream = VECTOR + b"\r\n" + VECTOR + VECTOR

    assert [frame.raw for frame in read(stream, piece)] == [VECTOR] * 3


def test_half_a_frame_is_seen() -> None:
    reader = FrameReader(FRAMING)
    reader.feed(VECTOR[:-1])
    assert reader.in_frame
    reader.feed(VECTOR[-1:])
    assert not reader.in_frame


def test_empty_body_is_read_back() -> None:
    (frame,) = read(FRAMING.write(HEADER, b""))

    assert isinstance(frame, Frame)
    assert (frame.body, frame.faults) == (b"", ())


LINES = st.text(st.sampled_from("ABCxyz019 :/-,.+'()?\\|~=_"), max_size=40).map(lambda text: text.encode() + b"\r\n")
NAME = st.text("ABCXYZ0189", min_size=1)


@settings(max_examples=150, deadline=None)
@given(
    participant=NAME.filter(lambda name: len(name) <= 6),
    sequence=st.integers(1, 999_999),
    duplicate=st.booleans(),
    direction=st.sampled_from(["to_pg", "to_pss"]),
    lines=st.lists(LINES, max_size=8),
)
def test_read_is_the_inverse_of_write(participant, sequence, duplicate, direction, lines) -> None:  # type: ignore[no-untyped-def]
    header = Header(participant, "T1", "S1", sequence, direction, "543", "SI01", "20261123093000", duplicate)
    body = b"".join(lines)

    (frame,) = read(FRAMING.write(header, body))

    assert isinstance(frame, Frame)
    assert header == Header(*frame[:9])
    assert (body, ()) == (frame.body, frame.faults)


@settings(max_examples=150, deadline=None)
@given(cuts=st.lists(st.integers(0, 3 * 128), max_size=12))
def test_any_split_gives_the_same_frames(cuts: list[int]) -> None:
    stream = VECTOR * 3
    edges = [0, *sorted(cuts), len(stream)]
    reader = FrameReader(FRAMING)
    found = [f for a, b in itertools.pairwise(edges) for f in reader.feed(stream[a:b])]

    assert read(stream) == found


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 2 * 128 - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_mutated_bytes_never_raise_and_every_refusal_is_named(changes: list[tuple[int, int]]) -> None:
    stream = bytearray(VECTOR * 2)
    for at, byte in changes:
        stream[at] = byte

    for frame in read(bytes(stream)):
        if isinstance(frame, BadFrame):
            assert frame.meaning in ("frame", "size")
            assert frame.text
        else:
            assert set(frame.faults) <= {"length", "checksum", "character"}


@settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 2 * 128 - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_mutated_bytes_give_the_same_however_split(changes: list[tuple[int, int]]) -> None:
    stream = bytearray(VECTOR * 2)
    for at, byte in changes:
        stream[at] = byte

    whole = read(bytes(stream))

    assert whole == read(bytes(stream), 1)
    assert whole == read(bytes(stream), 7)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"000046}", b"000047}", "length"),
        (b"{5:0000006226}", b"{5:0000006227}", "checksum"),
        (b"USER", b"US\xc3R", "character"),
        (b"USER", b"US{R", "character"),
        (b"USER", b"US\x00R", "character"),
    ],
)
def test_fault_is_named(old: bytes, new: bytes, fault: str) -> None:
    (frame,) = read(VECTOR.replace(old, new))

    assert isinstance(frame, Frame)
    assert fault in frame.faults


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        VECTOR.replace(b"000001", b" 00001", 1),
        VECTOR.replace(b"000001", b"+00001", 1),
        VECTOR.replace(b"}{2:", b"}{3:"),
        VECTOR.replace(b"{2:I", b"{2:X"),
        VECTOR.replace(b"000N}", b"000Q}"),
        VECTOR.replace(b"0000006226", b"00000062 6"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    (bad,) = read(data)

    assert isinstance(bad, BadFrame)
    assert bad.meaning == "frame"


def test_garbage_is_refused_at_once_and_nothing_is_read_behind_it() -> None:
    reader = FrameReader(FRAMING)

    assert [bad.meaning for bad in reader.feed(b"HEL") if isinstance(bad, BadFrame)] == ["frame"]
    assert reader.feed(VECTOR) == []


def test_two_mebibytes_without_an_end_are_refused_as_too_large() -> None:
    (bad,) = read(VECTOR[:70] + b"A" * (2 << 20), 65536)

    assert isinstance(bad, BadFrame)
    assert bad.meaning == "size"


def test_largest_text_is_read_and_one_byte_more_is_not() -> None:
    body = b"A" * (999_999 - 6) + b"\r\n"  # {4: and -} are counted, less 3 and the CRLF counts: 4 + 2
    (frame,) = read(FRAMING.write(HEADER, body))

    assert isinstance(frame, Frame)
    (bad,) = read(frame.raw.replace(b"\r\nA", b"\r\nAA", 1))
    assert isinstance(bad, BadFrame)
    assert bad.meaning == "size"


def test_too_large_gives_the_same_event_however_split() -> None:
    data = VECTOR[:70] + b"A" * (2 << 20)

    (bad,) = read(data)

    assert [bad] == read(data, 65536)
    assert len(bad.raw) == 65_536


def test_no_frame_gives_the_same_event_however_split() -> None:
    data = b"{1:01GARBAGE that goes on and on and on, and then some more of it\r\n"

    assert read(data) == read(data, 1)


def test_body_with_the_end_mark_is_not_written() -> None:
    with pytest.raises(FramingError):
        FRAMING.write(HEADER, BODY + b"-}{5:0000000000}\r\n")


def test_body_outside_the_character_set_is_not_written() -> None:
    with pytest.raises(FramingError):
        FRAMING.write(HEADER, b":70E::SPRO//\xe9\r\n")


def test_header_value_outside_ascii_is_a_framing_error() -> None:
    with pytest.raises(FramingError):
        FRAMING.write(HEADER._replace(participant="B\u00e91234"), BODY)
