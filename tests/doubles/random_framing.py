"""Framings made by chance that differ in everything a calibration asks, and what of a calibration is true of one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from pg_bridge.link.calibration.calibrate import Calibration
from pg_bridge.link.calibration.stream import NOT_USED
from pg_bridge.link.framing import Framing
from pg_bridge.link.profile import Block, Checksum, Control, HeaderField, Length, LineEnd, LinkProfile, Timestamp
from tests.doubles import framing_file
from tests.doubles.recorded_traffic import START

LINE_ENDS: tuple[Any, ...] = ("CRLF", "LF", "CR")
_FORMATS = ("%Y%m%d%H%M%S", "%y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d %H:%M:%S", "%Y%j%H%M%S", "%d/%m/%Y %H:%M:%S")
_PLACES: tuple[Any, ...] = ("frame_open", "text_open", "body_open", "body_close", "text_close")


def random_framing(seed: int) -> LinkProfile:
    """A framing by chance; the same seed gives the same."""
    chance = random.Random(seed)
    base = framing_file.profile()
    ids = chance.choice([("1", "2", "4", "5"), ("A1", "A2", "T", "Z"), ("H", "K", "B", "E"), ("01", "02", "03", "04")])
    length, names = _length(chance), _names(chance)
    template = max(4, *map(len, names)) + chance.randrange(3)
    written = chance.choice(_FORMATS)
    stamp = len(_stamp(written))
    fields: list[HeaderField] = [
        _field("participant", 6 + chance.choice([0, 0, 2, 4])),
        _field("terminal", 4 + chance.choice([0, 2, 4])),
        _field("session_id", chance.choice([8, 10, 12])),
        _field("sequence", chance.choice([4, 5, 6, 8]), "n"),
        _field("length", chance.choice([5, 6, 7]), "n"),
        _field("direction", 1, values=chance.choice([{"to_pg": "I", "to_pss": "O"}, {"to_pg": "1", "to_pss": "2"}, {"to_pg": "R", "to_pss": "A"}])),
        _field("message_type", *chance.choice([(3, "n"), (3, "x"), (4, "x")])),
        _field("template", template),
        _field("timestamp", stamp, "n" if _stamp(written).isdigit() else "x"),
        _field("possible_duplicate", 1, values=chance.choice([{"yes": "Y", "no": "N"}, {"yes": "1", "no": "0"}, {"yes": "D", "no": "-"}])),
    ]  # fmt: skip
    for number in range(chance.randrange(3)):
        value = chance.choice(["01", "V2", "PGB", "10", "X"])
        fields.append(HeaderField(name=f"c{number}", width=len(value), kind="x", value=value, source="assumed"))
    chance.shuffle(fields)
    cut = chance.randrange(1, len(fields))
    width = next(field.width for field in fields if field.concept == "length")
    trailer, checksum = _trailer(chance, ids[3])
    business = [name.ljust(template, "X") if chance.random() < 0.3 else name for name in ("SI60", "SI61")]
    return msgspec.structs.replace(
        base,
        header=[
            Block(block=ids[0], source="assumed", fields=fields[:cut]),
            Block(block=ids[1], source="assumed", fields=fields[cut:]),
        ],
        text=msgspec.structs.replace(base.text, block=ids[2], largest=min(999_999, 10**width - 1)),
        trailer=trailer,
        length=length,
        checksum=checksum,
        timestamp=Timestamp(format=written, utc_offset_minutes=chance.choice([480, 0, -300]), source="assumed"),
        control=msgspec.structs.replace(
            base.control,
            message_type=chance.choice(["598", "599", "999"]),
            tags=chance.choice([base.control.tags, {"reference": "20C", "sub_type": "12A", "content": "79"}]),
            templates={
                name: Control(template=code, request=spec.request, answer=spec.answer, source="assumed")
                for (name, spec), code in zip(base.control.templates.items(), names, strict=True)
            },
        ),
        unsolicited=msgspec.structs.replace(base.unsolicited, templates=business),
        lines=LineEnd(end=chance.choice(LINE_ENDS), source="assumed"),
    )


def _stamp(written: str) -> str:
    return START.strftime(written)


def _field(concept: str, width: int, kind: Any = "x", values: dict[str, str] | None = None) -> HeaderField:
    return HeaderField(name=concept, concept=concept, width=width, kind=kind, values=values or {}, source="assumed")


def _names(chance: random.Random) -> list[str]:
    """Five names of control templates, no two alike."""
    width = chance.choice([2, 4, 5, 6, 8])
    names: set[str] = set()
    while len(names) < 5:
        names.add("".join(chance.choices("ABCDEFGHKLMNPQRTUVWXYZ23456789", k=max(2, width - chance.randrange(3)))))
    return sorted(names)


def different_framings(count: int) -> list[LinkProfile]:
    """Framings of which no two agree in block widths, order of fields, length, checksum or a template's name."""
    chosen: list[LinkProfile] = []
    seed = 0
    while len(chosen) < count:
        seed += 1
        framing = random_framing(seed)
        # a constant that ends in 0 may stand before a number, and is then part of its filling for all that is seen
        plain = all(not field.value.endswith("0") for block in framing.header for field in block.fields)
        if plain and all(not _alike(framing, other) for other in chosen):
            chosen.append(framing)
    return chosen


def _alike(one: LinkProfile, other: LinkProfile) -> bool:
    facts: list[tuple[Any, Any]] = [
        *((left.width, right.width) for left, right in zip(one.header, other.header, strict=True)),
        (list(_fields(one)), list(_fields(other))),
        (_counts(one), _counts(other)),
        (_sums(one)[:3], _sums(other)[:3]),
        (one.trailer.width, other.trailer.width) if _sums(one)[0] == _sums(other)[0] else (0, 1),
    ]
    names = [{spec.template for spec in profile.control.templates.values()} for profile in (one, other)]
    return any(left == right for left, right in facts) or bool(names[0] & names[1])


def _length(chance: random.Random) -> Length:
    from_ = chance.choice(_PLACES[:3])
    to = chance.choice(_PLACES[3:])
    return Length(from_=from_, to=to, add=chance.choice([0, 0, -3, 2, 10]), mismatch="reject", source="assumed")


def _trailer(chance: random.Random, name: str) -> tuple[Block, Checksum]:
    algorithm: Any = chance.choice(["sum", "xor", "crc32", "mod97", "sum", "crc32", "none"])
    digits = {"sum": chance.choice([4, 6, 10]), "xor": 3, "crc32": chance.choice([8, 10]), "mod97": 2, "none": 5}[
        algorithm
    ]
    low, high = chance.choice([(0, 4), (0, 3), (1, 4), (1, 3), (2, 3), (2, 4)])
    mark = [HeaderField(name="mark", width=2, kind="x", value="CK", source="assumed")] if chance.random() < 0.5 else []
    field = HeaderField(name="check", concept="checksum", width=digits, kind="n", source="assumed")
    return Block(block=name, source="assumed", fields=[*mark, field]), Checksum(
        algorithm=algorithm, digits=digits, from_=_PLACES[low], to=_PLACES[high], mismatch="reject", source="assumed"
    )


def untrue(calibration: Calibration, truth: LinkProfile, *, only_sure: bool = True) -> list[str]:
    """The answers (those that are called sure) that are not true of the framing."""
    profile = calibration.profile
    grades = {answer.question: answer.grade for answer in calibration.answers if answer.answer != NOT_USED}
    wrong = []
    for question, right, told in _facts(truth, profile, calibration):
        if right != told and question in grades and (grades[question] == "sure" or not only_sure):
            wrong.append(f"{question}: {told!r}, but it is {right!r}")
    return wrong


def _facts(truth: LinkProfile, profile: LinkProfile | None, calibration: Calibration) -> Iterator[tuple[str, Any, Any]]:
    if profile is None:
        told = {answer.question: answer.answer for answer in calibration.answers}
        yield "blocks", _blocks_text(truth), told.get("blocks")
        for concept, (place, _) in _fields(truth).items():
            yield (
                concept,
                place,
                told.get(concept, "").partition(",")[0] + "," + told.get(concept, "").partition(",")[2].split(",")[0],
            )
        return
    yield "blocks", [b.block for b in truth.header], [b.block for b in profile.header]
    yield "blocks", (truth.text.block, truth.trailer.block), (profile.text.block, profile.trailer.block)
    yield "line ends", truth.lines.end, profile.lines.end
    for mine, other in zip((*truth.header, truth.trailer), (*profile.header, profile.trailer), strict=False):
        yield f"width of block {mine.block}", mine.width, other.width
    fields, found = _fields(truth), _fields(profile)
    for concept, right in fields.items():
        yield concept, right, found.get(concept)
    yield "constants", _constants(truth), _constants(profile)
    yield "what the length counts", _counts(truth), _counts(profile)
    yield "format of the time", truth.timestamp.format, profile.timestamp.format
    yield "offset from UTC", truth.timestamp.utc_offset_minutes, profile.timestamp.utc_offset_minutes
    yield "checksum", _sums(truth), _sums(profile)
    yield "control message type", truth.control.message_type, profile.control.message_type
    for group, word in (("tags", "tag of the"), ("keys", "key of the"), ("values", "value for")):
        for concept, written in getattr(truth.control, group).items():
            yield f"{word} {concept}", written, getattr(profile.control, group)[concept]
    # that there are no others is not said
    there, told = set(truth.unsolicited.templates), set(profile.unsolicited.templates)
    yield "unsolicited templates", sorted(told & there), sorted(told)
    for name, spec in truth.control.templates.items():
        yield f"template of {name}", spec, profile.control.templates[name]


def _blocks_text(truth: LinkProfile) -> str:
    return ", ".join(
        [*(b.block for b in truth.header), f"{truth.text.block} (text)", f"{truth.trailer.block} (trailer)"]
    )


def _fields(profile: LinkProfile) -> dict[str, tuple[str, dict[str, str]]]:
    """Concept -> where it stands, and its codes."""
    out = {}
    for block in profile.header:
        at = 1
        for field in block.fields:
            if field.concept:
                out[field.concept] = (f"block {block.block}, {at} to {at + field.width - 1}", field.values)
            at += field.width
    return out


def _constants(profile: LinkProfile) -> list[str]:
    """The constants of each block, those beside each other as one."""
    return [
        "".join(field.value if not field.concept else "|" for field in block.fields).strip("|")
        for block in profile.header
    ]


def _counts(profile: LinkProfile) -> int:
    framing = Framing(profile)
    return framing._length_base + framing.body_open


def _sums(profile: LinkProfile) -> Any:
    check = profile.checksum
    covered = (check.from_, check.to) if check.algorithm != "none" else ()
    return check.algorithm, check.digits, covered, [(f.concept, f.width, f.value) for f in profile.trailer.fields]
