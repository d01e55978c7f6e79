"""Frames: bytes of the stream <-> header, text block and trailer, by the link profile.

Strategy: all fields are of fixed width, so everything in front of a body is one regular expression, which checks
marks, constants, codes and digits in one call. The text block ends at the first line that begins with `-}{5:` (braces
stand outside the SWIFT x set); the length is then compared, not used to find the end. Bytes that are no frame are
refused at the first wrong one, and the search for the end goes on where it stopped: what comes out depends on the bytes
alone, not on how they were split, and costs no more a byte at a time. `write` gives only what is read back as it was
given. Where the wire's lines end in LF or CR, bodies are given and taken with CRLF all the same: nothing inside knows
of it. Every count and every place is of the wire's bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from pg_bridge.errors import FramingError
from pg_bridge.link.checksum import ALGORITHMS
from pg_bridge.link.profile import HeaderField, LinkProfile

#: how the lines of a body end, however the wire's do
CRLF = b"\r\n"
#: how much of what is refused is kept
MOST_RAW = 65_536

_CONCEPTS = (
    "participant", "terminal", "session_id", "sequence", "length", "direction", "message_type", "template",
    "timestamp", "possible_duplicate",
)  # fmt: skip
_NUMBERS = ("sequence", "length", "checksum")
_EVERY_BYTE = frozenset(range(256))
_DIGITS = frozenset(b"0123456789")


class Header(NamedTuple):
    """What a frame's headers say. direction: `to_pg` or `to_pss`; timestamp as on the wire."""

    participant: str
    terminal: str
    session_id: str
    sequence: int
    direction: str
    message_type: str
    template: str
    timestamp: str
    possible_duplicate: bool


class Frame(NamedTuple):
    """One frame read. body: the text block's lines, each ending in CRLF; raw: the bytes as they stood on the wire.

    faults: meanings (length, checksum, character).
    """

    participant: str
    terminal: str
    session_id: str
    sequence: int
    direction: str
    message_type: str
    template: str
    timestamp: str
    possible_duplicate: bool
    body: bytes
    raw: bytes
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Bytes that are no frame; nothing behind them can be read. meaning: `frame` or `size`.

    size: how many bytes were read up to the one that decided; raw: these, at most 64 KiB of them.
    """

    meaning: str
    text: str
    raw: bytes
    size: int = 0


class _Due(NamedTuple):
    """What may stand at one byte of a frame."""

    allowed: frozenset[int]
    name: str


class Framing:
    """The frame layout, compiled from the profile."""

    def __init__(self, profile: LinkProfile) -> None:
        self.profile = profile
        text = profile.text
        line_end = profile.lines.written
        self._line_end = line_end
        self._is_crlf = line_end == CRLF
        # a CR or LF that ends no line could not be told from a line end when the body is written back
        self._allowed = bytes(byte for byte in text.allowed() if byte in line_end or byte not in CRLF)
        opened = f"{{{text.block}:{line_end.decode()}"
        opening: list[str | HeaderField] = []
        for block in profile.header:
            opening += [f"{{{block.block}:", *block.fields, "}"]
        opening.append(opened)
        trailer: list[str | HeaderField] = [*profile.trailer.fields, "}"]
        self.text_open = sum(block.width + len(block.block) + 3 for block in profile.header)
        self.body_open = self.text_open + len(opened)
        trailer_opened = f"{{{profile.trailer.block}:".encode()
        self.end_mark = line_end + b"-}" + trailer_opened
        self._end_line = b"-}" + trailer_opened
        self.line_end_size = len(line_end)
        self.trailer_size = profile.trailer.width + 1
        # x fields hold characters of the set; a header that holds others is a frame still, with a fault
        printable = "".join(re.escape(chr(byte)) for byte in self._allowed if 0x20 <= byte <= 0x7E)
        self.opening = re.compile(_pattern(opening, f"[{printable}]"))
        self.loose_opening = re.compile(_pattern(opening, "."), re.DOTALL)
        self.trailer = re.compile(_pattern(trailer, f"[{printable}]").encode())
        #: for each byte of the opening and of the trailer: what is due there
        self.opening_due = _due(opening)
        self.trailer_due = _due(trailer)
        self._format = "".join(map(_format, opening))
        self._trailer_format = trailer_opened + "".join(map(_format, trailer)).encode()
        self._fields = {field.concept: field for block in profile.header for field in block.fields if field.concept}
        concepts = list(self._fields)
        self._reading = itemgetter(*(concepts.index(name) for name in _CONCEPTS))
        self._writing = itemgetter(*(_CONCEPTS.index(name) for name in concepts))
        directions, duplicates = self._fields["direction"], self._fields["possible_duplicate"]
        self._directions = {_filled(directions, code): name for name, code in directions.values.items()}
        self._duplicates = {_filled(duplicates, code): name == "yes" for name, code in duplicates.values.items()}
        self._direction_codes = directions.values
        self._duplicate_codes = (duplicates.values["no"], duplicates.values["yes"])
        # the length counts _length_base bytes, and with _length_grows those in front of the body's end
        length, checksum = profile.length, profile.checksum
        start, start_grows = self._place(length.from_)
        end, end_grows = self._place(length.to)
        self._length_base, self._length_grows = end - start + length.add, end_grows - start_grows
        self._compares_length = length.mismatch != "ignore"
        self._covered_from, self._covered_to = self._place(checksum.from_), self._place(checksum.to)
        self._checksum = ALGORITHMS[checksum.algorithm]
        self._compares_checksum = checksum.algorithm != "none" and checksum.mismatch != "ignore"
        self._modulus: int = 10**checksum.digits
        #: where the body of the largest text ends, from the frame's first byte
        self.largest_close = text.largest - self._length_base if self._length_grows else self.body_open + text.largest
        self._can_hold_end = not self.end_mark.translate(None, self._allowed)

    def _place(self, name: str) -> tuple[int, int]:
        """A place of the profile: so many bytes, behind the end of the body (1) or the start of the frame (0)."""
        return {
            "frame_open": (0, 0),
            "text_open": (self.text_open, 0),
            "body_open": (self.body_open, 0),
            "body_close": (0, 1),
            "text_close": (2, 1),
        }[name]

    # --- reading -------------------------------------------------------------------------------------------

    def read(self, raw: bytes, values: tuple[str, ...], body_close: int, claimed: bytes, *, is_loose: bool) -> Frame:
        """The frame that `raw` is. `values`: the groups of its opening, in which is_loose says foreign bytes stand."""
        (participant, terminal, session_id, sequence, length, direction, message_type, template, timestamp,
         duplicate) = self._reading(values)  # fmt: skip
        faults: tuple[str, ...] = ()
        if self._compares_length and int(length) != self._length_base + self._length_grows * body_close:
            faults = ("length",)
        if self._compares_checksum and int(claimed) != self._sum(raw, body_close):
            faults += ("checksum",)
        body = raw[self.body_open : body_close]
        if is_loose or body.translate(None, self._allowed):
            faults += ("character",)
        if not self._is_crlf:
            body = body.replace(self._line_end, CRLF)
        return Frame(
            participant.rstrip(" "),
            terminal.rstrip(" "),
            session_id.rstrip(" "),
            int(sequence),
            self._directions[direction],
            message_type.rstrip(" "),
            template.rstrip(" "),
            timestamp.rstrip(" "),
            self._duplicates[duplicate],
            body,
            raw,
            faults,
        )

    def _sum(self, raw: bytes, body_close: int) -> int:
        start, start_grows = self._covered_from
        end, end_grows = self._covered_to
        return self._checksum(raw[start + start_grows * body_close : end + end_grows * body_close]) % self._modulus

    # --- writing -------------------------------------------------------------------------------------------

    def write(self, header: Header, body: bytes) -> bytes:
        """The bytes of a frame. `body`: lines, each ending in CRLF, or nothing. Raises FramingError.

        A value that does not fit its field or a body that would break the frame is our own fault, never sent.
        """
        self.check_body(body)
        if not self._is_crlf:
            body = body.replace(CRLF, self._line_end)
        (participant, terminal, session_id, sequence, direction, message_type, template, timestamp,
         duplicate) = header  # fmt: skip
        body_close = self.body_open + len(body)
        values = (
            participant, terminal, session_id, sequence, self._length_base + self._length_grows * body_close,
            self._direction_codes.get(direction, ""), message_type, template, timestamp,
            self._duplicate_codes[duplicate],
        )  # fmt: skip
        opening: str = self._format % self._writing(values)
        if self.opening.fullmatch(opening) is None:
            raise FramingError(f"writing a frame: {self._misfit(values)}")
        covered = b"%b%b-}" % (opening.encode("ascii"), body)
        return covered + self._trailer_format % self._sum(covered, body_close)

    def check_body(self, body: bytes) -> None:
        """Raise FramingError when `body`, lines ending in CRLF, cannot stand in a text block."""
        if body and not body.endswith(CRLF):
            raise FramingError("writing a frame: the body's last line does not end in CRLF")
        if not self._is_crlf:
            if sum(map(body.count, (b"\r", b"\n"))) != 2 * body.count(CRLF):
                raise FramingError("writing a frame: its body holds a CR or LF that ends no line")
            body = body.replace(CRLF, self._line_end)
        foreign = body.translate(None, self._allowed)
        if foreign:
            raise FramingError(f"writing a frame: its body holds {foreign[:10]!r}, outside the character set")
        if self.body_open + len(body) > self.largest_close:
            raise FramingError(f"writing a frame: a body of {len(body)} bytes is over the limit")
        if self._can_hold_end and (body.startswith(self._end_line) or self.end_mark in body):
            raise FramingError("writing a frame: a line of its body looks like the body's end")

    def _misfit(self, values: tuple[object, ...]) -> str:
        for concept, value in zip(_CONCEPTS, values, strict=True):
            field = self._fields[concept]
            fits = re.fullmatch(_pattern([field], "[ -z|~]"), _format(field) % value)
            if fits is None:
                return f"{field.name} takes {field.width} characters of kind {field.kind}, not {value!r}"
        return "a value of its header holds a character outside the set"


class FrameReader:
    """Cuts a stream into frames. After a BadFrame it reads no more."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        #: less than one frame
        self._buffer = bytearray()
        self._is_dead = False
        # of the frame in the buffer: bytes found possible, its opening once complete, how far its end was searched
        self._judged = 0
        self._opening: tuple[str, ...] | None = None
        self._is_loose = False
        self._searched = 0

    @property
    def in_frame(self) -> bool:
        """Half a frame is buffered."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Take bytes; give what they complete."""
        found: list[Frame | BadFrame] = []
        if self._is_dead:
            return found
        buffer = self._buffer
        # whole frames in one piece are cut from `data` itself, never copied into the buffer
        source: bytes | bytearray = data
        if buffer:
            buffer += data
            source = buffer
        start, size = 0, len(source)
        while start < size:
            if source[start] in b"\r\n":
                start += 1  # tolerated between frames
                continue
            frame = self._next(source, start, size)
            if frame is None:
                break
            found.append(frame)
            self._judged, self._opening = 0, None
            if isinstance(frame, BadFrame):
                self._is_dead = True
                start = size
                break
            start += len(frame.raw)
        if source is buffer:
            del buffer[:start]
        elif start < size:
            buffer += data[start:]
        return found

    def _next(self, source: bytes | bytearray, start: int, size: int) -> Frame | BadFrame | None:
        """The frame at `start`; None when it is not complete."""
        framing = self._framing
        if self._opening is None:
            bad = self._open(source, start, size)
            if bad is not None or self._opening is None:
                return bad
        limit = framing.largest_close - framing.line_end_size + len(framing.end_mark)
        mark = source.find(framing.end_mark, start + self._searched, start + limit)
        if mark < 0:
            if size - start >= limit:
                text = f"the text block counts more than {framing.profile.text.largest} bytes"
                return _bad("size", text, source, start, limit)
            self._searched = max(self._searched, size - start - len(framing.end_mark) + 1)
            return None
        self._searched = mark - start
        trailer_open = mark + len(framing.end_mark)
        end = trailer_open + framing.trailer_size
        trailer = framing.trailer.match(source, trailer_open, end) if end <= size else None
        if trailer is None:
            bad = _judge(source, start, trailer_open, min(end, size), framing.trailer_due, 0)
            if bad is None and end <= size:
                bad = _bad("frame", "the trailer is none of the profile's", source, start, end - start)
            return bad
        # the line end found is that of the body's last line, or the one that opens an empty body
        raw = bytes(source[start:end])
        body_close = mark + framing.line_end_size - start
        return framing.read(raw, self._opening, body_close, trailer[1], is_loose=self._is_loose)

    def _open(self, source: bytes | bytearray, start: int, size: int) -> BadFrame | None:
        """Read the opening, or refuse it at its first wrong byte; what was judged before is not judged again."""
        framing = self._framing
        body_open = start + framing.body_open
        if size >= body_open:
            text = source[start:body_open].decode("latin-1")
            opening = framing.opening.match(text)
            self._is_loose = opening is None
            if opening is None:
                opening = framing.loose_opening.match(text)
            if opening is not None:
                self._opening = opening.groups()
                self._searched = framing.body_open - framing.line_end_size
                return None
        bad = _judge(source, start, start, min(size, body_open), framing.opening_due, self._judged)
        self._judged = size - start
        if bad is None and size >= body_open:
            bad = _bad("frame", "a code of the header is none of the profile's", source, start, framing.body_open)
        return bad


def _judge(
    source: bytes | bytearray, start: int, at: int, end: int, due: tuple[_Due, ...], judged: int
) -> BadFrame | None:
    """What stands from `at` to `end`, byte by byte: the refusal at the first that is not due."""
    for index in range(judged, end - at):
        if source[at + index] not in due[index].allowed:
            size = at + index + 1 - start
            there = bytes(source[at + index : at + index + 1])
            text = f"{due[index].name} is due at byte {size}, {there!r} stands there"
            return _bad("frame", text, source, start, size)
    return None


def _bad(meaning: str, text: str, source: bytes | bytearray, start: int, size: int) -> BadFrame:
    return BadFrame(meaning, text, bytes(source[start : start + min(size, MOST_RAW)]), size)


def _filled(field: HeaderField, value: str) -> str:
    return value.ljust(field.width) if field.kind == "x" else value.rjust(field.width, "0")


def _pattern(parts: Iterable[str | HeaderField], any_text: str) -> str:
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(re.escape(part))
        elif not part.concept:
            out.append(re.escape(part.value))
        elif part.values:
            out.append(f"({'|'.join(re.escape(_filled(part, code)) for code in part.values.values())})")
        else:
            out.append(f"({'[0-9]' if part.kind == 'n' else any_text}{{{part.width}}})")
    return "".join(out)


def _due(parts: Iterable[str | HeaderField]) -> tuple[_Due, ...]:
    out: list[_Due] = []
    for part in parts:
        if isinstance(part, str):
            out += [_Due(frozenset((byte,)), repr(part)) for byte in part.encode()]
        elif part.values or not part.concept:
            codes = [_filled(part, code) for code in part.values.values()] or [part.value]
            name = f"{part.name} ({', '.join(codes)})"
            out += [_Due(frozenset(ord(code[index]) for code in codes), name) for index in range(part.width)]
        elif part.kind == "n":
            out += [_Due(_DIGITS, f"a digit of {part.name}")] * part.width
        else:
            out += [_Due(_EVERY_BYTE, part.name)] * part.width
    return tuple(out)


def _format(part: str | HeaderField) -> str:
    if isinstance(part, str):
        return part.replace("%", "%%")
    if not part.concept:
        return part.value.replace("%", "%%")
    return f"%0{part.width}d" if part.concept in _NUMBERS else f"%-{part.width}s"
