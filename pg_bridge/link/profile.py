"""The link profile: frame layout, control messages, refusal codes and timings, read from data.

Shape of the file: mappings/legacy/framing.toml (source: public or assumed, entry by entry).
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from typing import Literal

import msgspec

from pg_bridge.errors import Finding, MappingInvalid

LINK_FILE = "legacy/framing.toml"
#: no limit is larger, in seconds or in number
MOST = 1_000_000

#: what Python understands of a header; each must be bound, or the frame cannot be used
HEADER_CONCEPTS = frozenset(
    {
        "participant",
        "terminal",
        "session_id",
        "sequence",
        "length",
        "direction",
        "message_type",
        "template",
        "timestamp",
        "possible_duplicate",
    }
)
#: control -> the sub-message types that it must have
SUB_TYPES = {
    "logon": ("request", "answer"),
    "logoff": ("request", "answer"),
    "heartbeat": ("request", "answer"),
    "acknowledge": ("request",),
    "refusal": ("answer",),
}
CONTROLS = frozenset(SUB_TYPES)
MEANINGS = frozenset({"frame", "size", "sequence", "session", "length", "checksum", "character", "template", "busy"})
PLACES = ("frame_open", "text_open", "body_open", "body_close", "text_close")

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
    """The text block; `largest` counts as the length does."""

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
    try:
        profile = msgspec.convert(tomllib.loads(text), LinkProfile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        finding = Finding("PGB-PRF-022", "error", LINK_FILE, str(error))
        raise MappingInvalid("reading the link profile", findings=(finding,)) from error
    texts = _faults(profile)
    if texts:
        findings = [Finding("PGB-PRF-023", "error", f"{LINK_FILE}:{place}", why) for place, why in texts]
        raise MappingInvalid("reading the link profile", findings=findings)
    return profile


def _faults(profile: LinkProfile) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    bound = [field.concept for block in profile.header for field in block.fields if field.concept]
    faults += [("header", f"{name} is not bound") for name in sorted(HEADER_CONCEPTS - set(bound))]
    faults += [("header", f"there is no concept {name}") for name in sorted(set(bound) - HEADER_CONCEPTS)]
    faults += [("header", f"{name} is bound twice") for name in sorted({n for n in bound if bound.count(n) > 1})]
    for block in (*profile.header, profile.trailer):
        for field in block.fields:
            place = f"{block.block}.{field.name}"
            if field.width < 1:
                faults.append((place, "the width must be at least 1"))
            if not field.concept and len(field.value) != field.width:
                faults.append((place, "a constant must be as long as its width"))
            if any(len(value) > field.width for value in field.values.values()):
                faults.append((place, "a value is longer than the width"))
            if not all(text.isascii() for text in (field.value, *field.values.values())):
                faults.append((place, "its value must be ASCII"))
    fields = {field.concept: field for block in profile.header for field in block.fields}
    for concept, names in (("direction", {"to_pg", "to_pss"}), ("possible_duplicate", {"yes", "no"})):
        if concept in fields and set(fields[concept].values) != names:
            faults.append((concept, f"its values must name {' and '.join(sorted(names))}"))
        if concept in fields and len(set(fields[concept].values.values())) < len(fields[concept].values):
            faults.append((concept, "two of its values are written alike"))
    for concept in ("sequence", "length"):
        if concept in fields and fields[concept].kind != "n":
            faults.append((concept, "it must be of kind n"))
    trailer = [field.concept for field in profile.trailer.fields]
    if trailer.count("checksum") != 1:
        faults.append(("trailer", "the checksum must be bound once"))
    elif next(f for f in profile.trailer.fields if f.concept == "checksum").width != profile.checksum.digits:
        faults.append(("checksum.digits", "it must be as many as the trailer's field is wide"))
    faults += [("trailer", f"there is no concept {name}") for name in sorted(set(trailer) - {"checksum", ""})]
    if any(field.concept and field.kind != "n" for field in profile.trailer.fields):
        faults.append(("trailer", "the checksum must be of kind n"))
    for name, span in (("length", profile.length), ("checksum", profile.checksum)):
        if PLACES.index(span.from_) >= PLACES.index(span.to):
            faults.append((name, "`from` must lie before `to`"))
    faults += _text_faults(profile)
    faults += _limit_faults(profile.limits)
    told = [refusal.meaning for refusal in profile.refusals.values()]
    meanings = set(told)
    faults += [("refusals", f"several codes mean {name}") for name in sorted(meanings) if told.count(name) > 1]
    faults += [("refusals", f"no code means {name}") for name in sorted(MEANINGS - meanings)]
    faults += [("refusals", f"there is no meaning {name}") for name in sorted(meanings - MEANINGS)]
    return faults + _control_faults(profile.control)


def _text_faults(profile: LinkProfile) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    try:
        allowed = profile.text.allowed()
    except ValueError:
        faults.append(("text.characters", "give bytes or spans of bytes in hexadecimal, like 0A or 20-7A"))
    else:
        if not set(b"\r\n 0123456789") <= set(allowed):
            faults.append(("text.characters", "CR, LF, the space and the digits must be among them"))
    width = next((f.width for block in profile.header for f in block.fields if f.concept == "length"), 0)
    if not 1 <= profile.text.largest < 10**width:
        faults.append(("text.largest", "it must be at least 1 and fit the length's field"))
    return faults


def _limit_faults(limits: Limits) -> list[tuple[str, str]]:
    faults = [
        (f"limits.{name}", f"it must be at least 1 and at most {MOST:,}")
        for name in ("resend_rounds", "window", "max_in_flight")
        if not 1 <= getattr(limits, name) <= MOST
    ]
    return faults + [
        (f"limits.{name}", f"it must be above 0 and at most {MOST:,}")
        for name in ("log_on_silence_s", "heartbeat_s", "heartbeat_answer_s", "half_frame_s", "acknowledge_s")
        if not 0 < getattr(limits, name) <= MOST
    ]


def _control_faults(control: ControlMessages) -> list[tuple[str, str]]:
    faults = [("control", f"{name} is not bound") for name in sorted(CONTROLS - set(control.templates))]
    for name, spec in control.templates.items():
        if name not in CONTROLS:
            faults.append(("control", f"there is no control {name}"))
        faults += [
            (f"control.{name}", f"it has no {kind}") for kind in SUB_TYPES.get(name, ()) if not getattr(spec, kind)
        ]
    if len({spec.template for spec in control.templates.values()}) < len(control.templates):
        faults.append(("control.templates", "two controls have one template"))
    sections: tuple[tuple[str, Collection[str], set[str]], ...] = (
        ("tags", control.tags, {"reference", "sub_type", "content"}),
        ("keys", control.keys, {"user", "credential", "status", "text", "sequence", "code"}),
        ("values", control.values, {"accepted", "refused"}),
    )
    for place, bound, names in sections:
        faults += [(f"control.{place}", f"{name} is not bound") for name in sorted(names - set(bound))]
    if len(set(control.keys.values())) < len(control.keys):
        faults.append(("control.keys", "two keys are written alike"))
    return faults
