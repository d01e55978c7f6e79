"""The link profile of what was found; what was not is the default's, cut so that it fits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from pg_bridge.link.calibration.controls import Conversation, Seen
from pg_bridge.link.calibration.grid import Grid
from pg_bridge.link.calibration.numbers import Counted
from pg_bridge.link.calibration.times import Stamped
from pg_bridge.link.calibration.trailer import Trailer
from pg_bridge.link.concepts import CHECKSUM, SUB_TYPES
from pg_bridge.link.profile import (
    Block,
    Checksum,
    Control,
    ControlMessages,
    HeaderField,
    Length,
    LineEnd,
    LinkProfile,
    Place,
    Text,
    Timestamp,
    Unsolicited,
)


class Found:
    """What was found of header and trailer."""

    def __init__(self, grid: Grid, trailer: Trailer | None) -> None:
        self.grid = grid
        self.trailer = trailer
        self.stamped: Stamped | None = None
        self.counted: Counted | None = None
        self.span: tuple[Place, Place, int] | None = None


def profile_of(found: Found, conversation: Conversation, default: LinkProfile) -> LinkProfile:
    """The whole profile."""
    grid, stamped = found.grid, found.stamped
    length = default.length
    if found.span is not None:
        from_, to, add = found.span
        length = Length(from_=from_, to=to, add=add, mismatch=length.mismatch, source="assumed")
    timestamp = default.timestamp
    if stamped is not None:
        offset = timestamp.utc_offset_minutes if stamped.offset_minutes is None else stamped.offset_minutes
        timestamp = Timestamp(format=stamped.format, utc_offset_minutes=offset, source="assumed")
    trailer, checksum = _trailer(found, default)
    control = _control(found, conversation, default)
    return LinkProfile(
        name="calibrated",
        version="1",
        header=_header(grid),
        text=_text(found, default),
        lines=LineEnd(end=grid.layout.line_end_name, source="assumed"),
        trailer=trailer,
        length=length,
        checksum=checksum,
        timestamp=timestamp,
        control=control,
        refusals=default.refusals,
        unsolicited=_unsolicited(found, conversation, control, default),
        limits=msgspec.structs.replace(
            default.limits, window=min(default.limits.window, 10 ** _width(grid, "sequence") - 1)
        ),
    )


def _width(grid: Grid, concept: str) -> int:
    claim = grid.found(concept)
    return claim.end - claim.start if claim is not None else 1


def _header(grid: Grid) -> list[Block]:
    constants = [(start, end) for start, end in grid.free_runs()]
    blocks: list[Block] = []
    for (name, _), low, high in zip(grid.layout.header, grid.edges, grid.edges[1:], strict=False):
        fields: list[tuple[int, HeaderField]] = [
            (claim.start, HeaderField(name=claim.concept, concept=claim.concept, width=claim.end - claim.start,
                                      kind=claim.kind, values=claim.values, source="assumed"))
            for claim in grid.claims
            if low <= claim.start < high
        ]  # fmt: skip
        fields += [
            (start, _constant(f"constant_{start - low + 1}", grid.rows[0].header[start:end]))
            for start, end in constants
            if low <= start < high
        ]
        fields.sort(key=lambda one: one[0])
        blocks.append(Block(block=name, source="assumed", fields=[field for _, field in fields]))
    return blocks


def _constant(name: str, value: str) -> HeaderField:
    kind: Any = "n" if value.isdigit() else "x"
    return HeaderField(name=name, width=len(value), kind=kind, value=value, source="assumed")


def _text(found: Found, default: LinkProfile) -> Text:
    allowed = set(default.text.allowed())
    seen = set(allowed)
    for row in found.grid.rows:
        seen.update(row.body)
    characters = default.text.characters if seen == allowed else _spans(sorted(seen))
    largest = min(default.text.largest, 10 ** _width(found.grid, "length") - 1)
    return Text(block=found.grid.layout.text, largest=largest, characters=characters, source="assumed")


def _spans(signs: Iterable[int]) -> list[str]:
    spans: list[list[int]] = []
    for sign in signs:
        if spans and spans[-1][1] == sign - 1:
            spans[-1][1] = sign
        else:
            spans.append([sign, sign])
    return [f"{low:02X}" if low == high else f"{low:02X}-{high:02X}" for low, high in spans]


def _trailer(found: Found, default: LinkProfile) -> tuple[Block, Checksum]:
    layout, rows, trailer = found.grid.layout, found.grid.rows, found.trailer
    start, end = (trailer.start, trailer.end) if trailer is not None else _digits(found.grid)
    written = rows[0].trailer
    fields = [HeaderField(name=CHECKSUM, concept=CHECKSUM, width=end - start, kind="n", source="assumed")]
    if start:
        fields.insert(0, _constant("constant_1", written[:start]))
    if end < len(written):
        fields.append(_constant(f"constant_{end + 1}", written[end:]))
    checksum = default.checksum
    return Block(block=layout.trailer[0], source="assumed", fields=fields), Checksum(
        algorithm=trailer.algorithm if trailer is not None else "none",
        digits=end - start,
        from_=trailer.from_ if trailer is not None else checksum.from_,
        to=trailer.to if trailer is not None else checksum.to,
        mismatch=checksum.mismatch if trailer is not None else "ignore",
        source="assumed",
    )


def _digits(grid: Grid) -> tuple[int, int]:
    """The longest stretch of digits of a trailer that nothing known makes; the whole where there is none."""
    width = grid.layout.trailer[1]
    digits = [all(row.trailer[column].isdigit() for row in grid.rows) for column in range(width)]
    runs = [
        (end - start, start, end)
        for start in range(width)
        for end in range(start + 1, min(start + 18, width) + 1)
        if all(digits[start:end])
    ]
    return max(runs)[1:] if runs else (0, width)


def _control(found: Found, conversation: Conversation, default: LinkProfile) -> ControlMessages:
    shape = default.control
    room = _width(found.grid, "template")
    names = {name: control.template.value for name, control in conversation.controls.items()}
    taken = set(names.values()) | {name for name, _ in conversation.unsolicited}
    templates: dict[str, Control] = {}
    for name, usual in shape.templates.items():
        seen = conversation.controls.get(name)
        template = names.get(name) or _fitted(usual.template, room, taken)
        taken.add(template)
        request = (seen.request if seen is not None else "") or usual.request
        answer = (seen.answer if seen is not None else "") or usual.answer
        wants = SUB_TYPES.get(name, ())
        templates[name] = Control(
            template=template,
            request=request if "request" in wants else "",
            answer=answer if "answer" in wants else "",
            source="assumed",
        )
    message_type = conversation.message_type.value if conversation.message_type is not None else shape.message_type
    return ControlMessages(
        message_type=message_type,
        reference_width=max(shape.reference_width, conversation.reference_width),
        text_width=shape.text_width,
        source="assumed",
        tags=_merged(shape.tags, conversation.tags),
        keys=_merged(shape.keys, conversation.keys),
        values=_merged(shape.values, conversation.values),
        templates=templates,
    )


def _merged(usual: Any, seen: dict[str, Seen]) -> Any:
    """What was seen, and the default's for the rest, unless that is taken."""
    taken = {each.value for each in seen.values()}
    out: dict[str, str] = {}
    for concept, value in usual.items():
        if concept in seen:
            out[concept] = seen[concept].value
            continue
        out[concept] = value if value not in taken else f"{value[:15]}X"
        taken.add(out[concept])
    return out


def _fitted(name: str, width: int, taken: set[str]) -> str:
    """A name cut to the width, and unlike those taken."""
    cut = name[:width]
    number = 0
    while cut in taken:
        number += 1
        cut = f"{name[: max(0, width - len(str(number)))]}{number}"
    return cut


def _unsolicited(
    found: Found, conversation: Conversation, control: ControlMessages, default: LinkProfile
) -> Unsolicited:
    controls = {spec.template for spec in control.templates.values()}
    names = [name for name, _ in conversation.unsolicited]
    if not names:
        room = _width(found.grid, "template")
        names = [name for name in default.unsolicited.templates if len(name) <= room and name not in controls]
    return Unsolicited(templates=names, source="assumed")
