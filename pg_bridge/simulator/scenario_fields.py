"""What a message that came says, for scenarios: its fields by place. Reads by itself, as a judge must. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pg_bridge.simulator.scenario import Expected

_FIELD = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.DOTALL)
_QUALIFIED = re.compile(r":([A-Z0-9]{4})/(?:/|(?=[A-Z0-9]+/))(.*)", re.DOTALL)
_OPENS, _CLOSES = "16R", "16S"


@dataclass(frozen=True, slots=True)
class Told:
    """One field: the sequences it lies in, joined by `/`; tag; qualifier, empty without one; value."""

    sequences: str
    tag: str
    qualifier: str
    value: str

    def stands_at(self, place: str) -> bool:
        """Whether this is its place; the sequences may be left out."""
        sequences, _, field = place.rpartition("/")
        tag, _, qualifier = field.partition(":")
        return tag == self.tag and qualifier in ("", self.qualifier) and (not sequences or sequences == self.sequences)


def read_fields(text: str) -> list[Told]:
    """The fields of a text block, in order; lines that continue a value are joined by line feeds."""
    fields: list[Told] = []
    open_: list[str] = []
    for tag, raw in _split(text):
        if tag == _OPENS:
            open_.append(raw)
        elif tag == _CLOSES:
            if open_:
                open_.pop()
        else:
            match = _QUALIFIED.fullmatch(raw)
            qualifier, value = (match[1], match[2]) if match else ("", raw)
            fields.append(Told("/".join(open_), tag, qualifier, value))
    return fields


def _split(text: str) -> Iterator[tuple[str, str]]:
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
        if _FIELD.fullmatch(line) and lines:
            yield from _field(lines)
            lines = []
        lines.append(line)
    yield from _field(lines)


def _field(lines: list[str]) -> Iterator[tuple[str, str]]:
    match = _FIELD.fullmatch("\n".join(lines))
    if match:
        yield match[1], match[2]


def values_at(fields: Iterable[Told], place: str) -> list[str]:
    """The values that stand at a place."""
    return [field.value for field in fields if field.stands_at(place)]


def misfits(expected: Expected, text: str, fill: Mapping[str, str]) -> list[str]:
    """In what a message of the right template is not the one expected; empty when it is."""
    fields = read_fields(text)
    found: list[str] = []
    for place, wanted in expected.fields.items():
        values = values_at(fields, place)
        for each in [wanted] if isinstance(wanted, str) else wanted:
            due = filled(each, fill)
            if not any(_is_like(value, due) for value in values):
                found.append(f"{place} is {', '.join(values) or 'not there'}, not {due}")
    found += [f"{place} is there" for place in expected.lacks if values_at(fields, place)]
    plain = text.replace("\r\n", "\n")
    found += [f"it lacks {due}" for due in (filled(each, fill) for each in expected.holds) if due not in plain]
    return found


def _is_like(value: str, due: str) -> bool:
    pieces = [re.escape(piece) for piece in due.split("*")]
    return re.fullmatch(".*".join(pieces), value, re.DOTALL) is not None


def filled(text: str, fill: Mapping[str, str]) -> str:
    """The text with its holes filled; what nothing fills stays."""
    for name, value in fill.items():
        text = text.replace("{" + name + "}", value)
    return text
