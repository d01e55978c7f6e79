"""Whether a link profile can be a frame at all: widths, constants, codes, places, controls, limits.

Every fault says which entry of framing.toml it is of, and what to do.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pg_bridge.link import concepts as c
from pg_bridge.typed_toml import nearest, shown

if TYPE_CHECKING:
    from pg_bridge.link.profile import Block, ControlMessages, HeaderField, Limits, LinkProfile

#: no limit is larger, in seconds or in number
MOST = 1_000_000
#: characters of a fixed field, digits of a number in one, characters of a control's line
MOST_WIDTH = 256
MOST_DIGITS = 18
MOST_LINE = 10_000
#: a time zone is less than a day away
MOST_OFFSET = 24 * 60
#: no opening or closing of a block is as long as this
MOST_ADDED = 1000
#: the colons, slashes and line ends of a control message, and what the length counts around it
MOST_MARKS = 40

_NAME = re.compile(r"[A-Z0-9]{1,16}")
_TAG = re.compile(r"[0-9]{2}[A-Z]?")
_PLAIN = re.compile(r"[ -z|~]*")
_DIGITS = re.compile(r"[0-9]*")
_SPAN = re.compile(r"([0-9A-Fa-f]{2})(?:-([0-9A-Fa-f]{2}))?")
_TIME = re.compile(r"(?:%[YymdHMSj]|[ -$&-z|~])*")
_SOME_TIME = datetime(2026, 11, 23, 9, 30, 15)  # noqa: DTZ001 - only its width is looked at


class LinkFault(NamedTuple):
    """One fault. at: the entry's path in the file; place: how a person names it; remedy: what to do."""

    at: str
    place: str
    text: str
    remedy: str


def link_faults(profile: LinkProfile) -> Iterator[LinkFault]:
    """Everything wrong with a profile whose entries are of the right types."""
    blocks = [(f"header[{number}]", block) for number, block in enumerate(profile.header)]
    yield from _names(profile)
    yield from _bound(profile)
    for at, block in (*blocks, ("trailer", profile.trailer)):
        yield from _block(at, block, "trailer" if at == "trailer" else block.block)
    fields = {
        field.concept: (f"{at}.fields[{number}]", field)
        for at, block in blocks
        for number, field in enumerate(block.fields)
        if field.concept
    }
    yield from _coded(fields)
    yield from _trailer(profile)
    if any(field.width > MOST_WIDTH for _, field in fields.values()):
        return  # what depends on widths makes no sense
    yield from _spans(profile)
    yield from _text(profile, fields)
    yield from _timestamp(profile, fields)
    yield from _limits(profile.limits, fields)
    yield from _refusals(profile)
    yield from _control(profile.control)
    yield from _fits(profile, fields)


Fields = Mapping[str, tuple[str, "HeaderField"]]


def _names(profile: LinkProfile) -> Iterator[LinkFault]:
    for name in ("name", "version"):
        if not getattr(profile, name):
            yield LinkFault(name, name, "it is empty", f"Give the profile a {name}.")
    blocks = [(f"header[{number}].block", block.block) for number, block in enumerate(profile.header)]
    blocks += [("text.block", profile.text.block), ("trailer.block", profile.trailer.block)]
    seen: set[str] = set()
    for at, name in blocks:
        place = at.partition("[")[0].partition(".")[0]
        if not _NAME.fullmatch(name):
            remedy = "Write one to sixteen capital letters or digits, as they stand behind the brace."
            yield LinkFault(at, place, f"{shown(name)!r} is no name of a block", remedy)
        if name in seen:
            remedy = "Give each block, the text block and the trailer their own name."
            yield LinkFault(at, place, f"a second block {shown(name)}", remedy)
        seen.add(name)


def _bound(profile: LinkProfile) -> Iterator[LinkFault]:
    seen: set[str] = set()
    for number, block in enumerate(profile.header):
        for index, field in enumerate(block.fields):
            at = f"header[{number}].fields[{index}]"
            if not field.concept:
                continue
            if field.concept not in c.HEADER_CONCEPTS:
                remedy = nearest(field.concept, sorted(c.HEADER_CONCEPTS))
                yield LinkFault(at, "header", f"there is no concept {shown(field.concept)}", remedy)
            if field.concept in seen:
                remedy = "Take the concept out of one of the two fields."
                yield LinkFault(at, "header", f"{shown(field.concept)} is bound twice", remedy)
            seen.add(field.concept)
    for name in sorted(c.HEADER_CONCEPTS - seen):
        remedy = f'Give the field that holds it `concept = "{name}"`.'
        yield LinkFault("header[0]", "header", f"{name} is not bound", remedy)


def _block(at: str, block: Block, name: str) -> Iterator[LinkFault]:
    names: set[str] = set()
    if not block.fields:
        yield LinkFault(f"{at}.fields", name, "the block has no fields", "Give it fields, or take it out.")
    for number, field in enumerate(block.fields):
        here, place = f"{at}.fields[{number}]", f"{name}.{shown(field.name)}"
        if field.name in names:
            yield LinkFault(here, place, "the field stands twice in its block", "Give the fields different names.")
        names.add(field.name)
        if not 1 <= field.width <= MOST_WIDTH:
            remedy = "Say how many characters the field has."
            yield LinkFault(here, place, f"the width must be at least 1 and at most {MOST_WIDTH}", remedy)
        elif field.kind == "n" and field.width > MOST_DIGITS and field.concept:
            text = f"a number has at most {MOST_DIGITS} digits"
            yield LinkFault(here, place, text, 'Make the field narrower, or its `kind` "x".')
        if not field.concept and len(field.value) != field.width:
            remedy = "Write the value as it stands in the frame, filled, or correct the width."
            yield LinkFault(here, place, "a constant must be as long as its width", remedy)
        if field.concept and field.value:
            remedy = "Take out the concept or the value."
            yield LinkFault(here, place, "a field with a concept has no constant value", remedy)
        if field.values and field.concept not in c.CODED:
            remedy = f"Take `values` out; they are for {' and '.join(c.CODED)}."
            yield LinkFault(here, place, "the concept has no values of its own", remedy)
        for text in (field.value, *field.values.values()):
            if field.kind == "n" and not _DIGITS.fullmatch(text):
                remedy = 'Write digits, or make the field\'s `kind` "x".'
                yield LinkFault(here, place, f"a value of kind n is of digits, not {shown(text)!r}", remedy)
            elif not _PLAIN.fullmatch(text):
                remedy = "Write letters, digits and signs of ASCII, no braces."
                yield LinkFault(here, place, "its value must be ASCII, without braces", remedy)
        for text in field.values.values():
            if len(text) > field.width:
                remedy = "Shorten it, or widen the field."
                yield LinkFault(here, place, "a value is longer than the width", remedy)
            if not text:
                yield LinkFault(here, place, "a value is empty", "Write the code as it stands in the frame.")


def _coded(fields: Fields) -> Iterator[LinkFault]:
    for concept, names in c.CODED.items():
        if concept not in fields:
            continue
        at, field = fields[concept]
        if set(field.values) != set(names):
            remedy = f"Write `values = {{ {names[0]} = ..., {names[1]} = ... }}`."
            yield LinkFault(at, concept, f"its values must name {' and '.join(names)}", remedy)
        if len({_filled(field, text) for text in field.values.values()}) < len(field.values):
            yield LinkFault(at, concept, "two of its values are written alike", "Give each meaning its own code.")
    for concept in ("sequence", "length"):
        if concept in fields and fields[concept][1].kind != "n":
            yield LinkFault(fields[concept][0], concept, "it must be of kind n", 'Write `kind = "n"`.')


def _filled(field: HeaderField, text: str) -> str:
    width = min(field.width, MOST_WIDTH)
    return text.rjust(width, "0") if field.kind == "n" else text.ljust(width)


def _trailer(profile: LinkProfile) -> Iterator[LinkFault]:
    bound = [field for field in profile.trailer.fields if field.concept == c.CHECKSUM]
    remedy = f'Give the field that holds it `concept = "{c.CHECKSUM}"`.'
    if len(bound) != 1:
        yield LinkFault("trailer.fields", "trailer", "the checksum must be bound once", remedy)
    elif bound[0].width != profile.checksum.digits:
        text = "it must be as many as the trailer's field is wide"
        yield LinkFault("checksum.digits", "checksum.digits", text, f"Write {bound[0].width}, or correct the width.")
    for number, field in enumerate(profile.trailer.fields):
        at = f"trailer.fields[{number}]"
        if field.concept not in (c.CHECKSUM, ""):
            yield LinkFault(at, "trailer", f"there is no concept {shown(field.concept)}", remedy)
        if field.concept and field.kind != "n":
            yield LinkFault(at, "trailer", "the checksum must be of kind n", 'Write `kind = "n"`.')


def _spans(profile: LinkProfile) -> Iterator[LinkFault]:
    for name, span in (("length", profile.length), ("checksum", profile.checksum)):
        if c.PLACES.index(span.from_) >= c.PLACES.index(span.to):
            remedy = f"The order is {', '.join(c.PLACES)}."
            yield LinkFault(name, name, "`from` must lie before `to`", remedy)
    length = profile.length
    text_open = sum(block.width + len(block.block) + 3 for block in profile.header)
    body_open = text_open + len(profile.text.block) + 2 + len(profile.lines.written)
    places = dict(zip(c.PLACES, (0, text_open, body_open, body_open, body_open + 2), strict=True))
    counted = places[length.to] - places[length.from_]
    if not -MOST_ADDED <= length.add <= MOST_ADDED:
        text = f"it must be at least -{MOST_ADDED} and at most {MOST_ADDED}"
        yield LinkFault("length.add", "length.add", text, "Count the bytes that the length leaves out or adds.")
    elif counted > 0 > counted + length.add:
        text = f"the length of an empty text would be {counted + length.add}"
        yield LinkFault("length.add", "length.add", text, "Count the bytes between the two places again.")


def _text(profile: LinkProfile, fields: Fields) -> Iterator[LinkFault]:
    at, remedy = "text.characters", "Give bytes or spans of bytes in hexadecimal, like 0A or 20-7A."
    allowed: set[int] = set()
    for span in profile.text.characters:
        match = _SPAN.fullmatch(span)
        if match is None:
            yield LinkFault(at, at, f"{shown(span)!r} is no byte and no span of bytes", remedy)
            return
        low, high = int(match[1], 16), int(match[2] or match[1], 16)
        if high < low:
            yield LinkFault(at, at, f"the span {span} ends before it begins", "Turn it round.")
        allowed |= set(range(low, high + 1))
    line_end = profile.lines.written
    if not {*line_end, *b" 0123456789"} <= allowed:
        names = profile.lines.end.replace("CRLF", "CR, LF")
        needed = ", ".join(f"{byte:02X}" for byte in sorted(line_end))
        text = f"{names}, the space and the digits must be among them"
        yield LinkFault(at, at, text, f"Add {needed}, 20 and 30-39.")
    else:
        used = "".join(_written(profile))
        foreign = sorted({sign for sign in used if ord(sign) not in allowed})
        if foreign:
            text = f"{shown(' '.join(foreign))} is not among them, but names and codes of this file are written with it"
            yield LinkFault(at, at, text, "Add its byte, or correct the name.")
    width = fields["length"][1].width if "length" in fields else 0
    if 0 < width <= MOST_DIGITS and not 1 <= profile.text.largest < 10**width:
        text = "it must be at least 1 and fit the length's field"
        remedy = f"Write at most {10**width - 1}, or widen the field of the length."
        yield LinkFault("text.largest", "text.largest", text, remedy)


def _written(profile: LinkProfile) -> Iterator[str]:
    """Every text of the profile that is written into frames."""
    for block in (*profile.header, profile.trailer):
        for field in block.fields:
            yield from (field.value, *field.values.values())
    control = profile.control
    yield from control.tags.values()
    yield from control.keys.values()
    yield from control.values.values()
    for spec in control.templates.values():
        yield from (spec.template, spec.request, spec.answer)
    yield from profile.refusals


def _timestamp(profile: LinkProfile, fields: Fields) -> Iterator[LinkFault]:
    at, written = "timestamp.format", profile.timestamp.format
    if len(written) > MOST_WIDTH or not _TIME.fullmatch(written):
        remedy = "Write %Y, %y, %m, %d, %j, %H, %M, %S and signs between them."
        yield LinkFault(at, at, f"{shown(written)!r} is no format of a time", remedy)
    elif "timestamp" in fields:
        field = fields["timestamp"][1]
        stamp = _SOME_TIME.strftime(written)
        if len(stamp) != field.width:
            text = f"it makes {len(stamp)} characters, the header's field has {field.width}"
            yield LinkFault(at, at, text, "Correct the format or the field's width.")
        if field.kind == "n" and not _DIGITS.fullmatch(stamp):
            text = "it makes more than digits, the header's field is of kind n"
            yield LinkFault(at, at, text, 'Take the other signs out, or make the field\'s `kind` "x".')
    if not -MOST_OFFSET < profile.timestamp.utc_offset_minutes < MOST_OFFSET:
        place = "timestamp.utc_offset_minutes"
        yield LinkFault(place, place, "it must be less than a day", "Hong Kong is 480 minutes from UTC.")


def _limits(limits: Limits, fields: Fields) -> Iterator[LinkFault]:
    for name in ("resend_rounds", "window", "max_in_flight"):
        if not 1 <= getattr(limits, name) <= MOST:
            at = f"limits.{name}"
            yield LinkFault(at, at, f"it must be at least 1 and at most {MOST:,}", "Write such a number.")
    for name in ("log_on_silence_s", "heartbeat_s", "heartbeat_answer_s", "half_frame_s", "acknowledge_s"):
        seconds = getattr(limits, name)
        if not (math.isfinite(seconds) and 0 < seconds <= MOST):
            at = f"limits.{name}"
            yield LinkFault(at, at, f"it must be above 0 and at most {MOST:,}", "Write such a number of seconds.")
    width = fields["sequence"][1].width if "sequence" in fields else MOST_DIGITS
    if 0 < width <= MOST_DIGITS and limits.window >= 10**width:
        text = "more frames would be under way than there are sequence numbers"
        yield LinkFault("limits.window", "limits.window", text, "Make it smaller, or widen the field of the sequence.")


def _refusals(profile: LinkProfile) -> Iterator[LinkFault]:
    told = Counter(refusal.meaning for refusal in profile.refusals.values())
    for code, refusal in profile.refusals.items():
        at = f"refusals.{code}"
        if not _NAME.fullmatch(code):
            text = f"{shown(code)!r} is no code"
            yield LinkFault(at, "refusals", text, "Write one to sixteen capital letters or digits.")
        if refusal.meaning not in c.MEANINGS:
            remedy = nearest(refusal.meaning, sorted(c.MEANINGS))
            yield LinkFault(at, "refusals", f"there is no meaning {shown(refusal.meaning)}", remedy)
        elif told[refusal.meaning] > 1:
            remedy = "Take all but one of them out."
            yield LinkFault(at, "refusals", f"several codes mean {refusal.meaning}", remedy)
    for meaning in sorted(c.MEANINGS - set(told)):
        remedy = f'Write a code with `meaning = "{meaning}"`.'
        yield LinkFault("refusals", "refusals", f"no code means {meaning}", remedy)


def _control(control: ControlMessages) -> Iterator[LinkFault]:
    for name in sorted(c.CONTROLS - set(control.templates)):
        remedy = f"Write `{name} = {{ template = ..., ... }}`."
        yield LinkFault("control.templates", "control", f"{name} is not bound", remedy)
    seen: dict[str, str] = {}
    for name, spec in control.templates.items():
        at, place = f"control.templates.{name}", f"control.{shown(name)}"
        if name not in c.CONTROLS:
            remedy = nearest(name, sorted(c.CONTROLS))
            yield LinkFault(at, "control", f"there is no control {shown(name)}", remedy)
        for kind in c.SUB_TYPES.get(name, ()):
            if not getattr(spec, kind):
                yield LinkFault(at, place, f"it has no {kind}", f"Give the sub-message type of its {kind}.")
        if spec.request and spec.request == spec.answer:
            remedy = "Give them different sub-message types."
            yield LinkFault(at, place, "its request and its answer are written alike", remedy)
        if spec.template in seen:
            text = f"two controls have one template: {seen[spec.template]} and {shown(name)}"
            yield LinkFault(at, "control.templates", text, "Give each control its own template.")
        seen[spec.template] = name
        yield from _named(at, place, (spec.template, *filter(None, (spec.request, spec.answer))))
    sections: tuple[tuple[str, Mapping[str, str], Collection[str]], ...] = (
        ("tags", {str(k): v for k, v in control.tags.items()}, c.CONTROL_TAGS),
        ("keys", {str(k): v for k, v in control.keys.items()}, c.CONTROL_KEYS),
        ("values", {str(k): v for k, v in control.values.items()}, c.CONTROL_VALUES),
    )
    for name, bound, names in sections:
        at = f"control.{name}"
        for each in names:
            if each not in bound:
                yield LinkFault(at, at, f"{each} is not bound", f"Write `{each} = ...`.")
        if len(set(bound.values())) < len(bound):
            yield LinkFault(at, at, f"two {name} are written alike", "Write each of them in its own way.")
        if name == "tags":
            for tag in bound.values():
                if not _TAG.fullmatch(tag):
                    remedy = "Write two digits, and a letter where it has one."
                    yield LinkFault(at, at, f"{shown(tag)!r} is no tag", remedy)
        else:
            yield from _named(at, at, bound.values())
    for name in ("reference_width", "text_width"):
        if not 1 <= getattr(control, name) <= MOST_LINE:
            at = f"control.{name}"
            yield LinkFault(at, at, f"it must be at least 1 and at most {MOST_LINE:,}", "Write such a number.")


def _named(at: str, place: str, names: Iterable[str]) -> Iterator[LinkFault]:
    for name in names:
        if not _NAME.fullmatch(name):
            text = f"{shown(name)!r} is no name on the wire"
            yield LinkFault(at, place, text, "Write one to sixteen capital letters or digits.")


def _fits(profile: LinkProfile, fields: Fields) -> Iterator[LinkFault]:
    """What goes into a header's field has room there."""
    wanted = [("message_type", "control.message_type", "control.message_type", profile.control.message_type)]
    wanted += [
        ("template", f"control.templates.{name}", f"control.{shown(name)}", spec.template)
        for name, spec in profile.control.templates.items()
    ]
    unsolicited = profile.unsolicited.templates
    wanted += [
        ("template", f"unsolicited.templates[{number}]", "unsolicited.templates", name)
        for number, name in enumerate(unsolicited)
    ]
    for concept, at, place, text in wanted:
        if concept not in fields:
            continue
        field = fields[concept][1]
        # digits are not filled: a message type of two is another than one of three
        least = field.width if field.kind == "n" else 1
        if not least <= len(text) <= field.width or (field.kind == "n" and not _DIGITS.fullmatch(text)):
            told = f"{shown(text)!r} does not fit the header's {concept}, {field.width} of kind {field.kind}"
            yield LinkFault(at, place, told, "Correct it, or the header's field.")
    control = profile.control
    # the longest control message is a refusal: reference, sub-message type, code, text
    written = [*control.tags.values(), *control.keys.values(), *profile.refusals]
    written += [spec.answer for spec in control.templates.values()]
    needed = control.reference_width + control.text_width + 5 * max(map(len, written), default=0) + MOST_MARKS
    if profile.text.largest < needed:
        text = f"a control message has up to {needed} bytes"
        yield LinkFault("text.largest", "text.largest", text, f"Write at least {needed}, or a smaller text_width.")
    controls = {spec.template for spec in control.templates.values()}
    seen: set[str] = set()
    for number, name in enumerate(unsolicited):
        at = f"unsolicited.templates[{number}]"
        if name in controls:
            yield LinkFault(at, "unsolicited.templates", f"{shown(name)} is a control", "Take it out.")
        if name in seen:
            yield LinkFault(at, "unsolicited.templates", f"{shown(name)} stands twice", "Take one out.")
        seen.add(name)
