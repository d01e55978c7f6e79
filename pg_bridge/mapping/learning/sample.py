"""Samples: messages given to learn from, cut out of recorded streams or taken as text blocks.

A stream is read as the bridge would read it, but for one thing: the bridge closes the connection at bytes that are no
frame, and here the search goes on at the next frame, so that one damaged place does not hide what stands behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing

#: names of line ends
CRLF, LF, MIXED, NO_END = "CRLF", "LF", "mixed", "none at the end"
#: bytes taken at once: what follows bytes that are no frame is copied, and they may come one after another
_SLICE = 4096


class Sample(NamedTuple):
    """One message. body: lines, each ending in CRLF unless the message itself is wrong.

    file, number: where it was found, the number from 1. line_ends: one of the names above, as found. faults: of its
    frame, as the framing tells them. timestamp: as its header has it; empty: not known. is_to_pss: the PG sent it.
    """

    file: str
    number: int
    participant: str
    template: str
    message_type: str
    body: bytes
    line_ends: str = CRLF
    faults: tuple[str, ...] = ()
    timestamp: str = ""
    is_to_pss: bool = False


def line_ends_of(text: bytes) -> str:
    """How the lines of a text block end; `none at the end` where only the last has none, as when it is cut out."""
    pairs, feeds, returns = text.count(b"\r\n"), text.count(b"\n"), text.count(b"\r")
    if pairs != returns or (pairs and feeds != pairs):
        return MIXED
    if text and not text.endswith(b"\n"):
        return NO_END
    return LF if feeds > pairs else CRLF


def text_block(file: str, text: bytes, template: str, message_type: str, participant: str) -> Sample:
    """A file that holds the lines of one text block. Line feeds become CRLF, and a last line gets its end.

    Both are what editors and copies do to a file, so they are told, not judged; mixed line ends are left as they are.
    """
    ends = line_ends_of(text)
    body = text
    if ends != MIXED:
        body = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if body and not body.endswith(b"\r\n"):
            body += b"\r\n"
    return Sample(file, 1, participant, template, message_type, body, ends)


class SampleStream:
    """Many frames one after another, in pieces of any size; gives samples and what is no frame.

    A file whose lines end in bare line feeds was changed when it was copied, if the lengths that its frames state count
    CRLF: it is read with CRLF, and the samples say `LF`. Where a system really writes line feeds its lengths are wrong.
    """

    def __init__(self, framing: Framing, file: str) -> None:
        self._framing = framing
        self._file = file
        self._reader = FrameReader(framing)
        self._mark = f"{{{framing.profile.header[0].block}:".encode()
        #: of the frame that is not complete yet, and what follows it: to go on from when it turns out to be none
        self._pending = bytearray()
        self._is_lost = False
        self._is_crlf = framing.profile.lines.written == b"\r\n"
        self._has_feeds_only: bool | None = None
        self._number = 0

    def feed(self, data: bytes) -> Iterator[Sample | BadFrame]:
        """Take bytes; give what they complete."""
        if self._has_feeds_only is None and b"\n" in data:
            self._has_feeds_only = self._is_crlf and b"\r" not in data
        if self._has_feeds_only:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for start in range(0, len(data), _SLICE):
            yield from self._feed(data[start : start + _SLICE])

    def _feed(self, data: bytes) -> Iterator[Sample | BadFrame]:
        while data:
            if self._is_lost:
                data = self._find(data)
                if not data:
                    return
            self._pending += data
            bad: BadFrame | None = None
            for found in self._reader.feed(data):
                self._skip_line_ends()
                if isinstance(found, BadFrame):
                    bad = found
                    break
                del self._pending[: len(found.raw)]
                yield self._sample(found)
            if bad is None:
                return
            yield bad
            self._number += 1
            # What decided may itself open a frame; nothing before it does.
            data = bytes(self._pending[max(1, bad.size - 1) :])
            self._pending.clear()
            self._reader, self._is_lost = FrameReader(self._framing), True

    def end(self) -> BadFrame | None:
        """The stream is over; gives what is left where it ends within a frame."""
        if not self._reader.in_frame:
            return None
        return BadFrame("frame", "the file ends within a frame", b"", len(self._pending))

    def _find(self, data: bytes) -> bytes:
        """What follows from the next frame's opening on, which may be split between two pieces."""
        data = bytes(self._pending) + data
        self._pending.clear()
        at = data.find(self._mark)
        if at < 0:
            self._pending += data[-(len(self._mark) - 1) :]
            return b""
        self._is_lost = False
        return data[at:]

    def _skip_line_ends(self) -> None:
        skipped = len(self._pending) - len(self._pending.lstrip(b"\r\n"))
        if skipped:
            del self._pending[:skipped]

    def _line_ends(self, frame: Frame) -> str:
        """As they were on the wire; a body has CRLF whatever its frame had."""
        found = line_ends_of(frame.body)
        return found if self._is_crlf or found != CRLF else self._framing.profile.lines.end

    def _sample(self, frame: Frame) -> Sample:
        self._number += 1
        feeds_only = bool(self._has_feeds_only)
        return Sample(
            self._file,
            self._number,
            frame.participant,
            frame.template,
            frame.message_type,
            frame.body,
            LF if feeds_only else self._line_ends(frame),
            frame.faults,
            frame.timestamp,
            frame.direction == "to_pss",
        )
