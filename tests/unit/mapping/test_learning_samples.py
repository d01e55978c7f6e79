"""Samples cut out of streams and files: what is found depends on the bytes alone, and damage hides nothing behind it."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.link.framing import BadFrame, Framing, Header
from pg_bridge.link.profile import LineEnd, link_profile_of
from pg_bridge.mapping.learning.mask import mask, masked_text
from pg_bridge.mapping.learning.sample import CRLF, LF, MIXED, NO_END, Sample, SampleStream, line_ends_of, text_block
from tests.doubles.mapping_files import shipped


@lru_cache(maxsize=1)
def framing() -> Framing:
    return Framing(link_profile_of(shipped()))


def frame(number: int, body: bytes = b":16R:GENL\r\n:16S:GENL\r\n") -> bytes:
    header = Header("B01234", "PSS1", "S000000001", number, "to_pg", "543", "SI01", "20261123093000", False)
    return framing().write(header, body)


def found(*pieces: bytes) -> list[Sample | BadFrame]:
    stream = SampleStream(framing(), "day.bin")
    out = [sample for piece in pieces for sample in stream.feed(piece)]
    left = stream.end()
    return out + ([left] if left is not None else [])


def kinds(samples: list[Sample | BadFrame]) -> list[str]:
    return ["bad" if isinstance(sample, BadFrame) else f"{sample.number}" for sample in samples]


def test_frames_of_a_stream_are_samples_in_order():
    samples = found(frame(1) + b"\r\n" + frame(2) + frame(3))

    assert ["1", "2", "3"] == kinds(samples)
    assert {("B01234", "SI01", "543", CRLF, "20261123093000")} == {
        (sample.participant, sample.template, sample.message_type, sample.line_ends, sample.timestamp)
        for sample in samples
        if isinstance(sample, Sample)
    }


@pytest.mark.parametrize("end", ["CRLF", "LF", "CR"])
def test_line_ends_of_the_framing_are_told_and_bodies_are_alike(end: str):
    silent = link_profile_of(shipped())
    framing_of = Framing(msgspec.structs.replace(silent, lines=LineEnd(end=end, source="assumed")))
    header = Header("B01234", "PSS1", "S000000001", 1, "to_pg", "543", "SI01", "20261123093000", False)
    body = b":16R:GENL\r\n:16S:GENL\r\n"
    samples = list(SampleStream(framing_of, "day.bin").feed(framing_of.write(header, body)))

    assert [(end, body)] == [(sample.line_ends, sample.body) for sample in samples]


def test_what_stands_behind_a_damaged_place_is_found():
    samples = found(frame(1) + b"rubbish {1:" + frame(2) + frame(3).replace(b"{2:I", b"{2:Z") + frame(4))

    assert ["1", "bad", "bad", "4", "bad", "6"] == kinds(samples)


def test_a_file_that_ends_within_a_frame_says_so():
    assert ["1", "bad"] == kinds(found(frame(1) + frame(2)[:-4]))
    assert ["bad"] == kinds(found(b"{1:01B0"))


@given(st.lists(st.integers(0, 700), max_size=6))
def test_any_split_of_the_bytes_gives_the_same(cuts: list[int]):
    stream = frame(1) + b"{1:no frame" + frame(2) + b"\r\n" + frame(3)[:-3] + frame(4)
    ends = sorted({min(cut, len(stream)) for cut in cuts})
    pieces = [stream[start:end] for start, end in zip([0, *ends], [*ends, len(stream)], strict=True)]

    assert kinds(found(stream)) == kinds(found(*pieces))


def test_line_feeds_that_a_copy_made_are_told_and_no_fault():
    (sample,) = found(frame(1).replace(b"\r\n", b"\n"))

    assert isinstance(sample, Sample)
    assert (LF, (), b":16R:GENL\r\n:16S:GENL\r\n") == (sample.line_ends, sample.faults, sample.body)


def test_a_system_that_writes_line_feeds_has_wrong_lengths():
    header, _, rest = frame(1).replace(b"\r\n", b"\n").partition(b"{2:")
    (sample,) = found(header[:-7] + b"000021}" + b"{2:" + rest)

    assert isinstance(sample, Sample)
    assert "length" in sample.faults


@pytest.mark.parametrize(
    ("text", "ends", "body"),
    [
        (b":20:A\r\n:21:B\r\n", CRLF, b":20:A\r\n:21:B\r\n"),
        (b":20:A\n:21:B\n", LF, b":20:A\r\n:21:B\r\n"),
        (b":20:A\r\n:21:B", NO_END, b":20:A\r\n:21:B\r\n"),
        (b":20:A\n:21:B\r\n", MIXED, b":20:A\n:21:B\r\n"),
        (b":20:A\r:21:B\r\n", MIXED, b":20:A\r:21:B\r\n"),
        (b"", CRLF, b""),
    ],
)
def test_line_ends_of_text_blocks_are_told_and_mixed_ones_left(text: bytes, ends: str, body: bytes):
    sample = text_block("one.fin", text, "SI01", "543", "B01234")

    assert (ends, body) == (line_ends_of(text), sample.body)


def test_a_mask_keeps_the_shape_and_nothing_else():
    assert "AAA99999,99" == mask("HKD12345,67")
    assert "Aa. /9" == mask("Xy. /3")
    assert 63 == len(mask("A" * 80))


@given(st.text(st.sampled_from("ABCxyz019/-?:().,'+ "), min_size=1, max_size=40))
def test_a_quoted_value_is_masked_however_it_is_quoted(value: str):
    assert f"{value.translate(str.maketrans('BCxyz01', 'AAaaa99'))!r} is wrong" == masked_text(
        f"{value!r} is wrong", ()
    )


def test_a_value_without_quotes_is_masked_too():
    assert "AAA has 2 decimals, 9999,999 has more" == masked_text(
        "HKD has 2 decimals, 1234,567 has more", ["HKD1234,567"]
    ).replace("HKD", "AAA")
