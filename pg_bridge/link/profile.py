"""The link profile: frame layout, control messages, refusal codes and timings, read from data.

Shape of the file: mappings/legacy/framing.toml (source: public or assumed, entry by entry).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Literal

import msgspec

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.link.profile_check import link_faults
from pg_bridge.typed_toml import MOST_FAULTS, Lines, read_toml

LINK_FILE = "legacy/framing.toml"

Mismatch = Literal["reject", "warn", "ignore"]
Source = Literal["public", "assumed"]
Place = Literal["frame_open", "text_open", "body_open", "body_close", "text_close"]


class HeaderField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of fixed width: `x` text, left justified, space filled; `n` digits, right justified, zero filled."""

    name: str
    width: int
    kind: Literal["x", "n"]
    concept: str = ""
    value: str = ""
    values: dict[str, str] = {}
    source: Source


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One block of fixed fields, `{id:...}`."""

    block: str
    source: Source
    fields: list[HeaderField]

    @property
    def width(self) -> int:
        """Bytes between the block's colon and its closing brace."""
        return sum(field.width for field in self.fields)


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text block; `largest` counts as the length does. Of CR and LF only what ends a line may stand in it."""

    block: str
    largest: int
    characters: list[str]
    source: Source

    def allowed(self) -> bytes:
        """The bytes allowed between the block's opening and its end."""
        out = bytearray()
        for span in self.characters:
            low, _, high = span.partition("-")
            out += bytes(range(int(low, 16), int(high or low, 16) + 1))
        return bytes(out)


class LineEnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lines end on the wire: those of a text, and the one that opens it."""

    end: Literal["CRLF", "LF", "CR"] = "CRLF"
    source: Source

    @property
    def written(self) -> bytes:
        """The line end in bytes."""
        return {"CRLF": b"\r\n", "LF": b"\n", "CR": b"\r"}[self.end]


class Length(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What the length counts: bytes between two places, plus `add`."""

    from_: Place
    to: Place
    add: int
    mismatch: Mismatch
    source: Source


class Checksum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Which checksum over which bytes, and how many digits of it are kept."""

    algorithm: Literal["sum", "xor", "crc32", "mod97", "none"]
    digits: int
    from_: Place
    to: Place
    mismatch: Mismatch
    source: Source


class Timestamp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the header tells the time."""

    format: str
    utc_offset_minutes: int
    source: Source


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One control template and its sub-message types; an absent one does not exist."""

    template: str
    request: str = ""
    answer: str = ""
    source: Source


class ControlMessages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of control messages."""

    message_type: str
    reference_width: int
    text_width: int
    source: Source
    tags: dict[Literal["reference", "sub_type", "content"], str]
    keys: dict[Literal["user", "credential", "status", "text", "sequence", "code"], str]
    values: dict[Literal["accepted", "refused"], str]
    templates: dict[str, Control]


class Refusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One refusal code: what it means, what follows, whether the refused frame's number counts as used."""

    meaning: str
    then: Literal["close", "go_on"]
    counts: bool
    source: Source


class Unsolicited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates that come unasked and must be acknowledged."""

    templates: list[str]
    source: Source


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times in seconds, counts, and the order of answers."""

    log_on_silence_s: float
    heartbeat_s: float
    heartbeat_answer_s: float
    half_frame_s: float
    acknowledge_s: float
    resend_rounds: int
    window: int
    max_in_flight: int
    answer_order: Literal["request", "any"]
    source: Source


class LinkProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    name: str
    version: str
    header: list[Block]
    text: Text
    lines: LineEnd = LineEnd(source="assumed")
    trailer: Block
    length: Length
    checksum: Checksum
    timestamp: Timestamp
    control: ControlMessages
    refusals: dict[str, Refusal]
    unsolicited: Unsolicited
    limits: Limits

    def code(self, meaning: str) -> str:
        """The refusal code that means `meaning`."""
        return next(code for code, refusal in self.refusals.items() if refusal.meaning == meaning)


def read_link_profile(text: str) -> LinkProfile:
    """Read framing.toml. Raises MappingInvalid with all findings."""
    findings: list[Finding] = []
    profile = _read(text, findings)
    if profile is None or findings:
        raise MappingInvalid("reading the link profile", findings=findings)
    return profile


def link_profile_of(files: Mapping[str, str]) -> LinkProfile:
    """The link profile of a set of files (path below mappings/ to text). Raises MappingInvalid with all findings."""
    if LINK_FILE not in files:
        raise MappingInvalid("reading the link profile", findings=link_findings(files))
    return read_link_profile(files[LINK_FILE])


def link_findings(files: Mapping[str, str]) -> list[Finding]:
    """Everything wrong with the link profile of a set of files (path below mappings/ to text)."""
    if LINK_FILE not in files:
        text, remedy = "the file is missing: it says how a frame looks", "Copy the shipped one and correct it."
        return [Finding("PGB-PRF-021", "error", LINK_FILE, text, remedy=remedy)]
    findings: list[Finding] = []
    _read(files[LINK_FILE], findings)
    return findings


def _read(text: str, findings: list[Finding]) -> LinkProfile | None:
    profile: LinkProfile | None = read_toml(LINK_FILE, text, LinkProfile, findings, "PGB-PRF-022")
    if profile is None:
        return None
    faults = list(islice(link_faults(profile), MOST_FAULTS))
    lines = Lines(text) if faults else None
    for fault in faults:
        line = lines.of(fault.at) if lines is not None else 0
        told = f"{fault.place}: {fault.text}"
        findings.append(Finding("PGB-PRF-023", "error", LINK_FILE, told, line, remedy=fault.remedy))
    return profile
