"""Frames: bytes of the stream <-> header, text block and trailer, by the link profile.

Strategy: all fields are of fixed width, so a header is slices at offsets computed once. The text block ends at the
first CRLF`-}{5:` (braces stand outside the SWIFT x set); the length is then compared, not used to find the end.
The reader remembers how far it has searched, so that a frame fed a byte at a time costs no more than one in one piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pg_bridge.errors import FramingError
from pg_bridge.link.profile import HeaderField, LinkProfile


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
    """One frame read. body: the text block's lines, each ending in CRLF. faults: meanings (length, checksum, character)."""

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
    """Bytes that are no frame; nothing behind them can be read. meaning: `frame` or `size`."""

    meaning: str
    text: str
    raw: bytes


class _Slot(NamedTuple):
    field: HeaderField
    start: int
    end: int


class Framing:
    """The frame layout, compiled from the profile."""

    def __init__(self, profile: LinkProfile) -> None:
        self.profile = profile
        self._literals: list[tuple[int, bytes]] = []
        self._slots: dict[str, _Slot] = {}
        self._constants: list[_Slot] = []
        at = 0
        for block in profile.header:
            opening = b"{%b:" % block.block.encode()
            self._literals.append((at, opening))
            at += len(opening)
            for field in block.fields:
                slot = _Slot(field, at, at + field.width)
                if field.concept:
                    self._slots[field.concept] = slot
                else:
                    self._constants.append(slot)
                at += field.width
            self._literals.append((at, b"}"))
            at += 1
        self.text_open = at
        opening = b"{%b:\r\n" % profile.text.block.encode()
        self._literals.append((at, opening))
        self.body_open = at + len(opening)
        self.end_mark = b"\r\n-}{%b:" % profile.trailer.block.encode()
        self.trailer_width = profile.trailer.width
        template = bytearray(b" " * self.body_open)
        for start, literal in self._literals:
            template[start : start + len(literal)] = literal
        for slot in self._constants:
            template[slot.start : slot.end] = slot.field.value.encode()
        self._blank = bytes(template)
        self._allowed = profile.text.allowed()
        self._checksum = _CHECKSUMS[profile.checksum.algorithm]
        self._modulus = 10**profile.checksum.digits
        trailer_at = 0
        for field in profile.trailer.fields:
            if field.concept == "checksum":
                break
            trailer_at += field.width
        self._checksum_at = trailer_at
        self._to_pg = self._slots["direction"].field.values
        self._directions = {value: name for name, value in self._to_pg.items()}
        self._duplicates = {
            value: name == "yes" for name, value in self._slots["possible_duplicate"].field.values.items()
        }
        #: the header fields that are slices of text, in the order of Header
        self._texts = [self._slots[name] for name in ("participant", "terminal", "session_id")]

    # --- reading -------------------------------------------------------------------------------------------

    def prefix_fault(self, data: bytes | bytearray) -> str:
        """Why `data` (perhaps incomplete) cannot begin a frame; empty when it can."""
        size = len(data)
        for start, literal in self._literals:
            if start >= size:
                break
            there = bytes(data[start : start + len(literal)])
            if not literal.startswith(there):
                return f"{literal!r} is due at byte {start + 1}, {there!r} stands there"
        for slot in (*self._slots.values(), *self._constants):
            if slot.end > size or slot.field.kind != "n":
                continue
            value = bytes(data[slot.start : slot.end])
            if not value.isdigit():
                return f"{slot.field.name} is not of {slot.field.width} digits: {value!r}"
        return ""

    def read(self, raw: bytes, mark: int) -> Frame | BadFrame:
        """The frame in `raw`, whose text block's end mark stands at `mark`. The prefix must have been checked."""
        slots = self._slots
        body_close = mark + 2
        text_close = body_close + 2
        texts = []
        for slot in self._texts:
            texts.append(raw[slot.start : slot.end].decode("latin-1").rstrip(" "))
        type_, template = slots["message_type"], slots["template"]
        direction = self._directions.get(raw[slots["direction"].start : slots["direction"].end].decode("latin-1"))
        duplicate = self._duplicates.get(
            raw[slots["possible_duplicate"].start : slots["possible_duplicate"].end].decode("latin-1")
        )
        if direction is None or duplicate is None:
            which = "direction" if direction is None else "possible duplicate"
            return BadFrame("frame", f"the {which} of the header is none of its codes", raw)
        places = {
            "frame_open": 0,
            "text_open": self.text_open,
            "body_open": self.body_open,
            "body_close": body_close,
            "text_close": text_close,
        }
        profile = self.profile
        faults: tuple[str, ...] = ()
        counted = places[profile.length.to] - places[profile.length.from_] + profile.length.add
        if counted > profile.text.largest:
            return BadFrame(
                "size",
                f"the text block counts {counted} bytes, at most {profile.text.largest} are taken",
                raw,
            )
        length = slots["length"]
        if int(raw[length.start : length.end]) != counted and profile.length.mismatch != "ignore":
            faults = ("length",)
        checksum = profile.checksum
        trailer = raw[mark + len(self.end_mark) : -1]
        claimed = trailer[self._checksum_at : self._checksum_at + checksum.digits]
        if not claimed.isdigit():
            return BadFrame("frame", f"the checksum is not of {checksum.digits} digits: {claimed!r}", raw)
        if checksum.algorithm != "none" and checksum.mismatch != "ignore":
            computed = self._checksum(raw[places[checksum.from_] : places[checksum.to]]) % self._modulus
            if int(claimed) != computed:
                faults += ("checksum",)
        # The body ends with the CRLF of the end mark, unless it is empty.
        body = raw[self.body_open : body_close]
        if body.translate(None, self._allowed) or not raw[: self.text_open].isascii():
            faults += ("character",)
        return Frame(
            texts[0],
            texts[1],
            texts[2],
            int(raw[slots["sequence"].start : slots["sequence"].end]),
            direction,
            raw[type_.start : type_.end].decode("latin-1"),
            raw[template.start : template.end].decode("latin-1").rstrip(" "),
            raw[slots["timestamp"].start : slots["timestamp"].end].decode("latin-1"),
            duplicate,
            body,
            raw,
            faults,
        )

    # --- writing -------------------------------------------------------------------------------------------

    def write(self, header: Header, body: bytes) -> bytes:
        """The bytes of a frame. `body`: lines, each ending in CRLF, or nothing. Raises FramingError.

        A value wider than its field or a body that would break the frame is our own fault, never sent.
        """
        if body and not body.endswith(b"\r\n"):
            raise FramingError("writing a frame: the body's last line does not end in CRLF")
        out = bytearray(self._blank)
        slots = self._slots
        for name, value in (
            ("participant", header.participant),
            ("terminal", header.terminal),
            ("session_id", header.session_id),
            ("sequence", str(header.sequence)),
            ("direction", self._to_pg[header.direction]),
            ("message_type", header.message_type),
            ("template", header.template),
            ("timestamp", header.timestamp),
            (
                "possible_duplicate",
                slots["possible_duplicate"].field.values["yes" if header.possible_duplicate else "no"],
            ),
        ):
            slot = slots[name]
            width = slot.field.width
            if len(value) > width:
                raise FramingError(f"writing a frame: {slot.field.name} takes {width} characters, not {value!r}")
            filled = value.ljust(width) if slot.field.kind == "x" else value.rjust(width, "0")
            out[slot.start : slot.end] = filled.encode("ascii")
        profile = self.profile
        body_close = self.body_open + len(body)
        places = {
            "frame_open": 0,
            "text_open": self.text_open,
            "body_open": self.body_open,
            "body_close": body_close,
            "text_close": body_close + 2,
        }
        counted = places[profile.length.to] - places[profile.length.from_] + profile.length.add
        if counted > profile.text.largest:
            raise FramingError(f"writing a frame: its text block counts {counted} bytes")
        length = slots["length"]
        out[length.start : length.end] = str(counted).rjust(length.field.width, "0").encode()
        out += body
        out += self.end_mark[2:4]
        covered = out[places[profile.checksum.from_] : places[profile.checksum.to]]
        total = self._checksum(covered) % self._modulus
        out += self.end_mark[4:]
        for field in profile.trailer.fields:
            value = str(total) if field.concept == "checksum" else field.value
            out += value.rjust(field.width, "0" if field.kind == "n" else " ").encode()
        out += b"}"
        return bytes(out)


class FrameReader:
    """Cuts a stream into frames. After a BadFrame it reads no more."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._buffer = bytearray()
        self._searched = framing.body_open - 2
        self._is_checked = False
        self._is_dead = False
        largest = framing.profile.text.largest
        self._most = framing.body_open + largest + 64 + framing.trailer_width

    @property
    def in_frame(self) -> bool:
        """Half a frame is buffered."""
        return bool(self._buffer) and not self._is_dead

    def feed(self, data: bytes) -> list[Frame | BadFrame]:
        """Take bytes; give what they complete."""
        found: list[Frame | BadFrame] = []
        if self._is_dead:
            return found
        buffer = self._buffer
        buffer += data
        framing = self._framing
        while buffer and not self._is_dead:
            if not self._is_checked:
                if buffer[:1] in (b"\r", b"\n"):
                    skipped = buffer.lstrip(b"\r\n")
                    buffer[:] = skipped
                    continue
                fault = framing.prefix_fault(buffer)
                if fault:
                    found.append(self._die("frame", fault))
                    break
                if len(buffer) < framing.body_open:
                    break
                self._is_checked = True
            mark = buffer.find(framing.end_mark, self._searched)
            if mark < 0:
                self._searched = max(framing.body_open - 2, len(buffer) - len(framing.end_mark) + 1)
                if len(buffer) > self._most:
                    found.append(self._die("size", f"no end after {len(buffer)} bytes"))
                break
            end = mark + len(framing.end_mark) + framing.trailer_width + 1
            if len(buffer) < end:
                break
            raw = bytes(buffer[:end])
            if raw[-1:] != b"}":
                found.append(self._die("frame", "the trailer is not closed where it should be"))
                break
            del buffer[:end]
            self._searched = framing.body_open - 2
            self._is_checked = False
            frame = framing.read(raw, mark)
            found.append(frame)
            if isinstance(frame, BadFrame):
                self._is_dead = True
                buffer.clear()
        return found

    def _die(self, meaning: str, text: str) -> BadFrame:
        raw = bytes(self._buffer)
        self._buffer.clear()
        self._is_dead = True
        return BadFrame(meaning, text, raw)


def _xor(data: bytes | bytearray) -> int:
    # All bytes xored: fold the number that they are, halves upon each other.
    number, size = int.from_bytes(data, "big"), len(data)
    while size > 1:
        half = (size + 1) // 2
        number = (number >> (8 * half)) ^ (number & ((1 << (8 * half)) - 1))
        size = half
    return number


_CHECKSUMS: dict[str, Callable[[bytes | bytearray], int]] = {
    "sum": sum,
    "xor": _xor,
    "crc32": zlib.crc32,
    "mod97": lambda data: int.from_bytes(data, "big") % 97,
    "none": lambda data: 0,
}
