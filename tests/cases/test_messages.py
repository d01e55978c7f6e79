"""Messages and frames laid down as bytes: each reads as its reading says and is written back byte for byte."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.formats.iso15022.writer import write
from pg_bridge.link.framing import Frame, FrameReader, Framing, Header
from pg_bridge.link.profile import read_link_profile
from tests.doubles.mapping_files import shipped

FOLDER = Path(__file__).parents[1] / "messages"
MESSAGES = sorted(path.name for path in FOLDER.glob("*.fin"))
FRAMES = sorted(path.name for path in FOLDER.glob("*.frame"))
#: where the length stands in a frame: behind `{1:01`, participant 6, terminal 4, session 10, sequence 6
LENGTH = slice(31, 37)


def expectation(name: str) -> dict:
    return tomllib.loads((FOLDER / name).with_suffix(".reading.toml").read_text(encoding="utf-8"))


def text_of(raw: bytes) -> bytes:
    return raw.split(b"{4:\r\n", 1)[1].split(b"-}{5:", 1)[0]


def reading_of(body: bytes) -> list[list[object]]:
    return [[f.line, f.path, f.tag, f.qualifier, f.scheme, f.value] for f in read(body).fields]


@pytest.fixture(scope="module")
def framing() -> Framing:
    return Framing(read_link_profile(shipped()["legacy/framing.toml"]))


def test_there_are_messages_to_read():
    assert (len(MESSAGES), len(FRAMES)) >= (24, 3)


def test_every_reading_has_its_message():
    readings = {path.name.removesuffix(".reading.toml") for path in FOLDER.glob("*.reading.toml")}

    assert readings == {Path(name).stem for name in MESSAGES + FRAMES}


@pytest.mark.parametrize("name", MESSAGES)
def test_message_reads_as_its_reading_says(name: str):
    body = (FOLDER / name).read_bytes()
    expected = expectation(name)

    assert expected["reading"] == reading_of(body)
    assert expected.get("findings", []) == [finding.code for finding in read(body).findings]


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_written_back_byte_for_byte(name: str):
    body = (FOLDER / name).read_bytes()

    assert body == write(read(body).fields)


@pytest.mark.parametrize("name", FRAMES)
def test_frame_counts_and_sums_right(name: str):
    """The length counts from `{4` to `-}` without the opening `:` CR LF; the sum runs from the first brace to `-}`."""
    raw = (FOLDER / name).read_bytes()
    covered, _, trailer = raw.partition(b"{5:")
    counted = covered[covered.index(b"{4:") :]
    total = 0
    for byte in covered:
        total += byte

    assert len(counted) - 3 == int(raw[LENGTH])
    assert b"%010d}" % (total % 10**10) == trailer


@pytest.mark.parametrize("name", FRAMES)
def test_frame_is_read_without_faults(name: str, framing: Framing):
    raw = (FOLDER / name).read_bytes()
    expected = expectation(name)
    (frame,) = FrameReader(framing).feed(raw)

    assert isinstance(frame, Frame)
    assert frame.faults == ()
    assert expected["header"] == {key: getattr(frame, key) for key in expected["header"]}
    assert set(Header._fields) == set(expected["header"])
    assert raw == frame.raw
    assert text_of(raw) == frame.body
    assert expected["reading"] == reading_of(frame.body)


@pytest.mark.parametrize("name", FRAMES)
def test_frame_is_written_back_byte_for_byte(name: str, framing: Framing):
    raw = (FOLDER / name).read_bytes()
    header = Header(**expectation(name)["header"])

    assert raw == framing.write(header, write(read(text_of(raw)).fields))


def test_frames_in_a_stream_of_single_bytes(framing: Framing):
    raws = [(FOLDER / name).read_bytes() for name in FRAMES]
    reader = FrameReader(framing)
    found = []
    for byte in b"\r\n".join(raws):
        found += reader.feed(bytes([byte]))

    assert raws == [frame.raw for frame in found]
