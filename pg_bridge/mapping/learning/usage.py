"""Counting how the messages of one template and message type are written. Memory is bounded, whatever comes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.model import Field, Message
from pg_bridge.mapping.learning import lesson as le
from pg_bridge.mapping.learning.mask import mask, shown
from pg_bridge.mapping.places import places_of
from pg_bridge.profiles.template import Checked, FieldSpec, SequenceSpec, Template

#: findings of the template check that say how a message differs from the template
UNKNOWN_FIELD = "PGB-MSG-024"
NOT_OF_THIS_TYPE = "PGB-MSG-027"
OUT_OF_ORDER = "PGB-MSG-025"
NO_SUCH_CODE = "PGB-MSG-026"
#: names and values kept of one template: what is beyond is counted with the last
MOST_NAMES = 200
MOST_CODES = 50
MOST_SAMPLES = 3
BEYOND = "(others)"

#: a format that holds nothing but a code
_CODE = "4!c"
_ZERO_FILLED = re.compile("0[0-9][0-9,]*")
_DECIMAL = re.compile(r"[^0-9]*(?=[0-9])")


class _FieldTally:
    """One field of the template."""

    __slots__ = ("codes", "leading", "lines", "messages", "narrow", "samples", "slashes", "spec", "times", "trailing",
                 "wide", "zeros")  # fmt: skip

    def __init__(self, spec: FieldSpec) -> None:
        self.spec = spec
        self.messages = self.times = self.wide = self.leading = self.trailing = self.zeros = self.slashes = 0
        self.narrow = 1_000_000_000
        self.lines = 0
        self.codes: Counter[str] | None = Counter() if spec.values or spec.format == _CODE else None
        self.samples: dict[str, None] = {}

    def add(self, field: Field, *, shows_values: bool) -> None:
        value = field.value
        width, lines = _measure(value)
        self.times += 1
        self.wide = max(self.wide, width)
        self.narrow = min(self.narrow, width)
        self.lines = max(self.lines, lines)
        self.leading += value[:1] == " "
        self.trailing += value[-1:] == " "
        spec = self.spec
        digits = _DECIMAL.sub("", value, count=1) if spec.format.endswith("d") else value
        if digits[:1] == "0" and _ZERO_FILLED.fullmatch(digits):
            self.zeros += 1
        if field.qualifier and not field.scheme and field.raw[5:7] != "//":
            self.slashes += 1
        if self.codes is not None:
            # A code tells nothing of a client; what is no code at all may.
            code = value if shows_values or spec.pattern.fullmatch(value) else mask(value)
            self.codes[code if code in self.codes or len(self.codes) < MOST_CODES else BEYOND] += 1
        elif len(self.samples) < MOST_SAMPLES:
            self.samples[shown(value) if shows_values else mask(value)] = None

    def told(self) -> le.FieldUse:
        return le.FieldUse(
            place=self.spec.place,
            meaning=self.spec.meaning,
            mandatory=self.spec.mandatory,
            format=self.spec.format,
            messages=self.messages,
            times=self.times,
            narrowest=self.narrow,
            widest=self.wide,
            most_lines=self.lines,
            codes=dict(self.codes.most_common()) if self.codes is not None else {},
            leading_spaces=self.leading,
            trailing_spaces=self.trailing,
            zero_filled=self.zeros,
            single_slashes=self.slashes,
            samples=tuple(self.samples),
        )


class _UnknownTally:
    """One field that the template does not have."""

    __slots__ = ("carried", "samples", "times", "wide")

    def __init__(self) -> None:
        self.times = self.carried = self.wide = 0
        self.samples: dict[str, None] = {}


class Usage:
    """One template in one message type."""

    def __init__(self, template: Template, message_type: str, *, shows_values: bool) -> None:
        self._template = template
        self._type = message_type
        self._shows_values = shows_values
        self._messages = self.refused = self.refused_leniently = 0
        self._ends: Counter[str] = Counter()
        self._fields = {place: _FieldTally(spec) for place, spec in places_of(template, message_type).items()}
        self._sequences = {spec.path: spec for spec in _sequences(template.root, message_type)}
        #: of each place, the sequences that stand when it does
        self._around = {place: _around(place, self._sequences) for place in self._fields}
        self._standing: Counter[str] = Counter()
        self._unknown: dict[str, _UnknownTally] = {}
        self._orders: Counter[tuple[str, str]] = Counter()

    def add(self, message: Message, checked: Checked, line_ends: str, *, is_carried: bool) -> None:
        """Count one message. checked: as the lenient profile sees it; is_carried: it would take the message."""
        self._messages += 1
        self._ends[line_ends] += 1
        standing: set[str] = set()
        for place, fields in checked.values.items():
            tally = self._fields[place]
            tally.messages += 1
            standing.update(self._around[place])
            for field in fields:
                tally.add(field, shows_values=self._shows_values)
        self._standing.update(standing)
        if checked.unknown:
            elsewhere = {finding.line for finding in checked.findings if finding.code == NOT_OF_THIS_TYPE}
            self._add_unknown(
                (field for field in checked.unknown if field.line not in elsewhere), is_carried=is_carried
            )
        for finding in checked.findings:
            if finding.code == OUT_OF_ORDER:
                order = shown(finding.path), _before(message, checked, finding)
                self._orders[order if order in self._orders or len(self._orders) < MOST_NAMES else (BEYOND, "")] += 1

    def _add_unknown(self, fields: Iterable[Field], *, is_carried: bool) -> None:
        for field in fields:
            if not field.tag:
                continue  # a stray line is told as a fault of the syntax
            name = field_name(field)
            if name not in self._unknown and len(self._unknown) >= MOST_NAMES:
                name = BEYOND
            tally = self._unknown.setdefault(name, _UnknownTally())
            tally.times += 1
            tally.carried += is_carried
            tally.wide = max(tally.wide, _measure(field.value)[0])
            if len(tally.samples) < MOST_SAMPLES:
                tally.samples[shown(field.value) if self._shows_values else mask(field.value)] = None

    def told(self) -> le.TemplateUse:
        """What was counted; fields in the template's order."""
        unused = [path for path in self._sequences if path not in self._standing]
        never = unused + [
            place
            for place, tally in self._fields.items()
            if not tally.messages and not any(path in unused for path in self._around[place])
        ]
        return le.TemplateUse(
            template=self._template.name,
            message_type=self._type,
            meaning=self._template.meaning,
            messages=self._messages,
            refused=self.refused,
            refused_leniently=self.refused_leniently,
            line_ends=dict(self._ends.most_common()),
            fields=tuple(tally.told() for tally in self._fields.values() if tally.messages),
            sequences=tuple(
                le.SequenceUse(path=path, mandatory=spec.mandatory, messages=self._standing[path])
                for path, spec in self._sequences.items()
                if path in self._standing
            ),
            never_used=tuple(never),
            unknown=tuple(
                le.UnknownUse(
                    name=name,
                    times=tally.times,
                    carried=tally.carried,
                    widest=tally.wide,
                    samples=tuple(tally.samples),
                )
                for name, tally in sorted(self._unknown.items(), key=lambda item: -item[1].times)
            ),
            orders=tuple(
                le.OrderUse(place=place, behind=behind, times=times)
                for (place, behind), times in self._orders.most_common()
            ),
        )


def field_name(field: Field) -> str:
    """How an unknown field is named: the sequences it stands in, tag and qualifier."""
    return shown(f"{field.path}/{field.tag}:{field.qualifier}".strip("/").rstrip(":"))


def _measure(value: str) -> tuple[int, int]:
    """Characters of the widest line, and lines."""
    if "\r\n" not in value:
        return len(value), 1
    lines = value.split("\r\n")
    return max(map(len, lines)), len(lines)


def _sequences(spec: SequenceSpec, message_type: str) -> list[SequenceSpec]:
    found: list[SequenceSpec] = []
    for item in spec.items:
        if isinstance(item, SequenceSpec) and message_type in item.types:
            found += [item, *_sequences(item, message_type)]
    return found


def _around(place: str, paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if place.startswith(f"{path}/"))


def _before(message: Message, checked: Checked, finding: Finding) -> str:
    """The place that stands right before what is out of order; a sequence that ended there by its name."""
    place_of = {field.line: place for place, fields in checked.values.items() for field in fields}
    last = ""
    for field in message.fields:
        if field.line >= finding.line:
            break
        if field.line in place_of:
            last = place_of[field.line]
        elif field.tag == "16S":
            last = shown(f"{field.path}/{field.value}".strip("/"))
    return last
