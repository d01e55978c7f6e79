"""Whether the files of the legacy profile are well-formed: what is declared, told apart, allowed and shown.

Every fault says which entry of its file it is of, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pg_bridge.formats.iso15022.rules import CHECKS, FormatError, compile_format
from pg_bridge.profiles.concepts import TEMPLATE_CONCEPTS
from pg_bridge.profiles.template_file import FieldEntry, Head, SequenceEntry, TableEntry, TemplateFile
from pg_bridge.typed_toml import nearest, shown

#: which way the messages of an effect go
DIRECTIONS = {"instruct": "I", "enquire": "I", "answer": "O", "unsolicited": "O"}
#: sequences, fields: more, no message has
MOST_ENTRIES = 1000

_TYPE = re.compile(r"[0-9]{3}")
_NAME = re.compile(r"[A-Z0-9]{1,16}")
_TAG = re.compile(r"[0-9]{2}[A-Z]?")
_QUALIFIER = re.compile(r"[A-Z0-9]{4}")
_SCHEME = re.compile(r"[A-Z0-9]{1,8}")
_STEP = re.compile(r"[A-Z0-9]{1,16}(?:\[[0-9]{2}[A-Z]?(?::[A-Z0-9]{4})?\])?")
#: tags that open and close sequences
_MARKS = ("16R", "16S")


class FileFault(NamedTuple):
    """One fault. at: the entry's path in the file; text: with the place, if it is of one; remedy: what to do."""

    at: str
    text: str
    remedy: str


def template_faults(file: TemplateFile) -> Iterator[FileFault]:
    """Everything wrong with one template file, by itself."""
    head = file.template
    yield from _head(head)
    for name, entries in (("sequence", len(file.sequence)), ("field", len(file.field))):
        if entries > MOST_ENTRIES:
            text = f"the template has {entries} entries of {name}, {MOST_ENTRIES} are the most"
            yield FileFault(f"{name}[{MOST_ENTRIES}]", text, "Take out what no message has.")
            return
    types = _Types(file)
    yield from _sequences(file, types)
    yield from _fields(file, types)
    for type_ in dict.fromkeys(head.message_types):
        yield from _told_apart(file, types, type_)


class _Types:
    """In which message types sequences and fields can stand, by their own types and those of all around them."""

    def __init__(self, file: TemplateFile) -> None:
        self.every = frozenset(file.template.message_types)
        self.of: dict[str, frozenset[str]] = {"": self.every}
        for sequence in file.sequence:
            around = self.of.get(sequence.parent, self.every)
            own = frozenset(sequence.types) or self.every
            self.of.setdefault(sequence.path, around & own)

    def field(self, field: FieldEntry) -> frozenset[str]:
        """Where a field can stand."""
        return self.of.get(field.path, self.every) & (frozenset(field.types) or self.every)


def _head(head: Head) -> Iterator[FileFault]:
    if not _NAME.fullmatch(head.name):
        remedy = "Write capital letters and digits, as the header of a frame has it."
        yield FileFault("template.name", f"{shown(head.name)!r} is no name of a template", remedy)
    if not head.message_types:
        yield FileFault("template.message_types", "it has no message types", "Name at least one.")
    if len(set(head.message_types)) < len(head.message_types):
        yield FileFault("template.message_types", "a message type stands twice", "Take one of them out.")
    for type_ in head.message_types[:MOST_ENTRIES]:
        if not _TYPE.fullmatch(type_):
            yield FileFault("template.message_types", f"{shown(type_)!r} is no message type", "Write three digits.")
    due = DIRECTIONS[head.effect]
    if head.direction != due:
        text = f"a template of the effect {head.effect} goes in the direction {due}"
        yield FileFault("template.direction", text, f'Write `direction = "{due}"`, or correct the effect.')
    if head.answer and due == "O":
        yield FileFault("template.answer", "only a request has an answer", "Take `answer` out.")
    if head.more is not None and head.effect != "answer":
        yield FileFault("template.more", "only an answer takes several messages", "Take `more` out.")
    if not head.function:
        yield FileFault("template.function", "it is of no function", "Name the business function.")


def _sequences(file: TemplateFile, types: _Types) -> Iterator[FileFault]:
    known = {""}
    filled = {field.path for field in file.field} | {sequence.parent for sequence in file.sequence}
    for number, sequence in enumerate(file.sequence):
        at, path = f"sequence[{number}]", shown(sequence.path)
        if not all(_STEP.fullmatch(step) for step in sequence.path.split("/")):
            remedy = "Write names of sequences joined by /, a first field that tells them apart in brackets."
            yield FileFault(f"{at}.path", f"{path}: this is no path of a sequence", remedy)
        elif sequence.parent not in known:
            text = f"{path}: the sequence stands in {shown(sequence.parent)}, which is not declared before it"
            yield FileFault(f"{at}.path", text, "Declare the outer sequence above it, or correct the path.")
        if sequence.path in known:
            text = f"{path}: the sequence is declared twice"
            yield FileFault(at, text, "Take one out, or correct its path.")
        known.add(sequence.path)
        yield from _unknown_types(sequence, at, path, types)
        if sequence.path not in filled:
            yield FileFault(at, f"{path}: the sequence has no fields", "Declare its fields, or take it out.")


def _unknown_types(entry: SequenceEntry | FieldEntry, at: str, place: str, types: _Types) -> Iterator[FileFault]:
    for type_ in sorted(set(entry.types) - types.every)[:MOST_ENTRIES]:
        remedy = nearest(type_, sorted(types.every))
        yield FileFault(f"{at}.types", f"{place}: MT{shown(type_)} is no message type of this template", remedy)
    stands = types.of.get(entry.path) if isinstance(entry, SequenceEntry) else types.field(entry)
    if types.every and not stands:
        text = f"{place}: there is no message type in which it can stand"
        yield FileFault(f"{at}.types", text, "Correct its `types`, or those of the sequences around it.")


def _fields(file: TemplateFile, types: _Types) -> Iterator[FileFault]:
    known = {sequence.path for sequence in file.sequence} | {""}
    paths = sorted(known - {""})
    reading: dict[tuple[str, str], int] = {}
    concepts: dict[tuple[str, str], str] = {}
    for number, field in enumerate(file.field):
        at, place = f"field[{number}]", shown(field.place)
        if field.path not in known:
            text = f"{place}: the field stands in {shown(field.path)}, which is not declared"
            yield FileFault(f"{at}.path", text, nearest(field.path, paths))
        yield from _name(field, at, place)
        yield from _unknown_types(field, at, place, types)
        yield from _format(field, at, place)
        for type_ in sorted(types.field(field)):
            if reading.setdefault((type_, field.place), number) != number:
                text = f"{place}: the field is declared twice for MT{type_}"
                yield FileFault(at, text, "Take one out, or give both `types` that do not overlap.")
                break
        if field.concept:
            if field.concept not in TEMPLATE_CONCEPTS:
                remedy = nearest(field.concept, list(TEMPLATE_CONCEPTS))
                yield FileFault(f"{at}.concept", f"{place}: there is no concept {shown(field.concept)}", remedy)
            for type_ in sorted(types.field(field)):
                other = concepts.setdefault((type_, field.concept), field.place)
                if other != field.place:
                    text = f"{place}: {shown(field.concept)} is bound to {shown(other)} already"
                    yield FileFault(f"{at}.concept", text, "Take the concept out of one of the two.")
                    break


def _name(field: FieldEntry, at: str, place: str) -> Iterator[FileFault]:
    if not _TAG.fullmatch(field.tag) and field.tag not in _MARKS:
        yield FileFault(f"{at}.tag", f"{place}: {shown(field.tag)!r} is no tag", "Write two digits and a letter.")
    if field.tag in _MARKS:
        remedy = "Declare a `[[sequence]]` in place of the field."
        yield FileFault(f"{at}.tag", f"{place}: {field.tag} marks a sequence", remedy)
    if field.qualifier and not _QUALIFIER.fullmatch(field.qualifier):
        text = f"{place}: {shown(field.qualifier)!r} is no qualifier"
        yield FileFault(f"{at}.qualifier", text, "Write four capital letters or digits.")
    if field.scheme and not _SCHEME.fullmatch(field.scheme):
        text = f"{place}: {shown(field.scheme)!r} is no data source scheme"
        yield FileFault(f"{at}.scheme", text, "Write one to eight capital letters or digits.")
    if field.scheme and not field.qualifier:
        text = f"{place}: a field without a qualifier has no data source scheme"
        yield FileFault(f"{at}.scheme", text, "Give it a qualifier, or take the scheme out.")
    if field.reason and not _QUALIFIER.fullmatch(field.reason):
        text = f"{place}: {shown(field.reason)!r} is no reason code"
        yield FileFault(f"{at}.reason", text, "Write the four characters of the 24B code.")


def _format(field: FieldEntry, at: str, place: str) -> Iterator[FileFault]:
    for name in field.checks:
        if name not in CHECKS:
            text = f"{place}: there is no check {shown(name)}; there are {', '.join(sorted(CHECKS))}"
            yield FileFault(f"{at}.checks", text, nearest(name, sorted(CHECKS)))
    try:
        fits = compile_format(field.format).fullmatch
    except FormatError as error:
        remedy = "Write it as ISO 15022 does, like 16x, 4!c, 15d, 10*35x or [8c]."
        yield FileFault(f"{at}.format", f"{place}: {error}", remedy)
        return
    told = 0
    for value in field.values:
        if fits(value) is None:
            told += 1
            if told > MOST_ENTRIES:
                break
            text = f"{place}: the value {shown(value)!r} is not of the format {shown(field.format)}"
            yield FileFault(f"{at}.values", text, "Correct the value or the format.")
    if len(set(field.values)) < len(field.values):
        yield FileFault(f"{at}.values", f"{place}: a value stands twice", "Take one of them out.")
    if not field.sample:
        return
    sample = field.sample.replace("\r\n", "\n").replace("\n", "\r\n")
    if fits(sample) is None:
        text = f"{place}: the sample {shown(field.sample)!r} is not of the format {shown(field.format)}"
        yield FileFault(f"{at}.sample", text, "Correct the sample or the format.")
    elif field.values and sample not in field.values:
        text = f"{place}: the sample {shown(field.sample)!r} is none of its values"
        yield FileFault(f"{at}.sample", text, "Correct the sample, or add it to `values`.")
    for name in field.checks:
        if name in CHECKS and fits(sample) is not None and not CHECKS[name][0](sample):
            text = f"{place}: the sample {shown(field.sample)!r} is not {CHECKS[name][1]}"
            yield FileFault(f"{at}.sample", text, "Correct the sample or the check.")


def _told_apart(file: TemplateFile, types: _Types, type_: str) -> Iterator[FileFault]:
    """Sequences of one name in one sequence are told apart by their first field, and that field comes first."""
    fields: dict[str, list[FieldEntry]] = {}
    for field in file.field:
        if type_ in types.field(field):
            fields.setdefault(field.path, []).append(field)
    alike: dict[tuple[str, str], list[tuple[int, SequenceEntry]]] = {}
    seen: set[str] = set()
    for number, sequence in enumerate(file.sequence):
        if sequence.path in seen or type_ not in types.of[sequence.path]:
            continue
        seen.add(sequence.path)
        alike.setdefault((sequence.parent, sequence.name), []).append((number, sequence))
        if sequence.discriminator:
            yield from _comes_first(sequence, number, fields.get(sequence.path, ()), type_)
    for group in alike.values():
        kept: dict[str, str] = {}
        for number, sequence in group if len(group) > 1 else ():
            own = sequence.discriminator
            tag = own.partition(":")[0]
            # `95R` and `95R:REAG` say the same of a sequence that begins with 95R:REAG
            other = kept.get(own) or kept.get(tag) or (kept.get(f"{tag}:") if own == tag else None)
            if not own:
                text = f"{shown(sequence.path)}: others have its name in MT{type_}, and no first field tells it apart"
                yield FileFault(f"sequence[{number}].path", text, "Write its first field in brackets behind its name.")
            elif other:
                text = f"{shown(sequence.path)}: its first field does not tell it from {shown(other)} in MT{type_}"
                remedy = "Name first fields that differ, with their qualifiers where the tag is the same."
                yield FileFault(f"sequence[{number}].path", text, remedy)
            kept[own] = sequence.path
            kept[f"{tag}:"] = sequence.path


def _comes_first(sequence: SequenceEntry, number: int, fields: Sequence[FieldEntry], type_: str) -> Iterator[FileFault]:
    tag, _, qualifier = sequence.discriminator.partition(":")
    if not fields:
        text = f"{shown(sequence.path)}: it has no field {sequence.discriminator} in MT{type_}"
        yield FileFault(f"sequence[{number}].path", text, "Declare that field, or correct the brackets.")
    elif fields[0].tag != tag or (qualifier and fields[0].qualifier != qualifier):
        first = shown(fields[0].place.rpartition("/")[2])
        text = f"{shown(sequence.path)}: it begins with {first} in MT{type_}, not with {sequence.discriminator}"
        yield FileFault(f"sequence[{number}].path", text, "Name its first field in the brackets.")


def table_faults(name: str, table: TableEntry) -> Iterator[FileFault]:
    """Everything wrong with one code table. Places are below its name."""
    known = shown(name)
    if not table.entries and not table.ranges and table.default is None:
        yield FileFault(name, f"{known}: the table is empty", "Give it entries, ranges or a default.")
    for key, code in table.entries.items():
        if not code:
            remedy = "Write the code, or take the entry out."
            yield FileFault(f"{name}.entries.{key}", f"{known}: the code of {shown(key)!r} is empty", remedy)
    if table.default == "":
        yield FileFault(f"{name}.default", f"{known}: the default is empty", "Write the code, or take it out.")
    written: dict[str, str] = {}
    keys = sorted(table.entries) if table.preferred else []
    for key in table.preferred:
        if key not in table.entries:
            text = f"{known}: the preferred {shown(key)!r} is no key of its entries"
            yield FileFault(f"{name}.preferred", text, nearest(key, keys))
            continue
        other = written.setdefault(table.entries[key], key)
        if other != key:
            text = f"{known}: {shown(other)!r} and {shown(key)!r} are both preferred for {shown(table.entries[key])}"
            yield FileFault(f"{name}.preferred", text, "Prefer one of them.")
    yield from _ranges(name, table)


def _ranges(name: str, table: TableEntry) -> Iterator[FileFault]:
    known = shown(name)
    sound: list[tuple[str, str, int]] = []
    for number, span in enumerate(table.ranges):
        at = f"{name}.ranges[{number}]"
        told = f"{known}: the range from {shown(span.from_)!r} to {shown(span.to)!r}"
        if not span.code:
            yield FileFault(at, f"{told} has no code", "Write its code.")
        if not span.from_ or len(span.from_) != len(span.to):
            yield FileFault(at, f"{told} has ends of different lengths", "Write both ends with the same length.")
        elif span.from_ > span.to:
            yield FileFault(at, f"{told} is reversed", "Write the lower end as `from`.")
        else:
            sound.append((span.from_, span.to, number))
    furthest: dict[int, tuple[str, str]] = {}
    for low, high, number in sorted(sound):
        before = furthest.get(len(low))
        if before is not None and low <= before[1]:
            text = f"{known}: the range from {shown(low)!r} overlaps the one from {shown(before[0])!r}"
            yield FileFault(f"{name}.ranges[{number}]", text, "Let every key lie in one range only.")
        if before is None or high > before[1]:
            furthest[len(low)] = (low, high)
