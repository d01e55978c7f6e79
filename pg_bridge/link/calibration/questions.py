"""The questions, and when an answer counts as sure: enough frames, no rival, both ends of the field proven."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pg_bridge.link.calibration.codes import Coded
from pg_bridge.link.calibration.controls import Conversation, Seen
from pg_bridge.link.calibration.grid import Claim, Grid
from pg_bridge.link.calibration.numbers import Counted
from pg_bridge.link.calibration.numbers import Sequence as Steps
from pg_bridge.link.calibration.parties import Party
from pg_bridge.link.calibration.sight import Layout, Sighting
from pg_bridge.link.calibration.stream import NOT_USED, Answer, Grade
from pg_bridge.link.calibration.times import Stamped
from pg_bridge.link.calibration.trailer import Trailer
from pg_bridge.link.concepts import SUB_TYPES
from pg_bridge.link.profile import Place, Timestamp

#: fewer frames make nothing sure
LEAST_FRAMES = 6
#: frames or steps of frames that a number or a code rests on
_LEAST_STEPS = 4
_LEAST_SIZES = 3
_LEAST_TEMPLATES = 3
_LEAST_ACKNOWLEDGED = 2
_LEAST_LOG_ONS = 2
_LEAST_SHARE = 0.9
#: of a checksum: digits that agreed, all frames together; fewer may agree by chance
_LEAST_DIGITS = 10

_OTHERS = ("sequence", "length", "timestamp", "session_id", "message_type", "direction")
_EDGES = "columns that never change stand beside it and may belong to it"
_RECORD = {
    "sequence": "Record from the log-on on, at least six frames in one direction.",
    "length": "Record at least six frames with texts of different sizes.",
    "message_type": "Record control messages and settlement instructions in both directions.",
    "template": "Record several functions, with log-on and log-off, in both directions.",
    "direction": "Record both directions, each with control messages and business messages.",
    "possible_duplicate": "Record a message that is sent again: leave one unacknowledged, or break the session.",
    "timestamp": "Record over more than a second, with the capture's own times (pcap).",
    "session_id": "Record two or more sessions from their log-on on.",
    "participant": "Say which participants' ids stand in it: --participant ID.",
    "terminal": "Say which terminals' names stand in it: --terminal NAME.",
    "checksum": "Record at least six frames with different texts.",
    "logon": "Record two sessions from their log-on on.",
    "refused": "Record two log-ons that the PG refuses: of an unknown user, or of one session too many.",
    "logoff": "Record two sessions to their log-off, with heartbeats in between.",
    "heartbeat": "Record an idle session, longer than the time between heartbeats, as pcap.",
    "acknowledge": "Record status changes that come unasked, and what the PSS answers.",
    "refusal": "Record a frame that the PG refuses, for its checksum perhaps.",
    "unsolicited": "Record status changes and confirmations that come unasked, each template twice.",
}
_MORE = "Record more frames."


def _graded(is_sure: bool, frames: int, *, is_known: bool = True) -> Grade:
    if not is_known:
        return "open"
    return "sure" if is_sure and frames >= LEAST_FRAMES else "likely"


def _answer(
    question: str, answer: str, grade: Grade, agree: int, frames: int, rivals: Iterable[str] = (), record: str = ""
) -> Answer:
    return Answer(question, answer, grade, agree, frames, tuple(rivals), "" if grade == "sure" else record)


def blocks(sighting: Sighting) -> list[Answer]:
    """Ids, order and widths of the blocks; line ends."""
    layout = sighting.layout
    if layout is None:
        return []
    agree, seen = sighting.agree, sighting.seen
    grade = _graded(agree >= _LEAST_SHARE * seen, agree)
    ids = ", ".join([*(name for name, _ in layout.header), f"{layout.text} (text)", f"{layout.trailer[0]} (trailer)"])
    others = [_layout_text(other) for other in sighting.others]
    out = [_answer("blocks", ids, grade, agree, seen, others, _MORE)]
    out += [
        _answer(f"width of block {name}", str(width), grade, agree, seen, (), _MORE)
        for name, width in (*layout.header, layout.trailer)
    ]
    # a text without lines shows only how the one that opens it ends
    texts = [row.body for row in sighting.rows if row.body]
    alike = sum(map(layout.agrees_in_lines, texts))
    rivals: list[str] = sorted({other.line_end_name for other in sighting.others} - {layout.line_end_name})
    if alike < len(texts):
        rivals.append("several in one text")
    is_sure = grade == "sure" and not rivals
    return [*out, _answer("line ends", layout.line_end_name, _graded(is_sure, alike), alike, len(texts), rivals, _MORE)]


def _layout_text(layout: Layout) -> str:
    header = " ".join(f"{name}:{width}" for name, width in layout.header)
    return f"{header} {layout.text} {layout.trailer[0]}:{layout.trailer[1]}"


def _field(
    grid: Grid, concept: str, agree: int, frames: int, is_sure: bool, rivals: Sequence[str] = (), more: str = ""
) -> Answer:
    """The answer for one field of the header."""
    claim = grid.found(concept)
    if claim is None:
        return _answer(concept, "not found", "open", 0, len(grid.rows), rivals, _RECORD[concept])
    text = place_text(grid, claim)
    if claim.values:
        text += ", " + ", ".join(f"{name} {value}" for name, value in claim.values.items())
    is_firm = grid.is_bounded(claim)
    if concept in ("sequence", "length") and _may_be_mark(grid, claim.start):
        rivals = [*rivals, "one digit fewer, and a mark of 0 in front: no frame was sent again"]
    told = [*rivals, *([] if is_firm or claim.is_guess else [_EDGES])]
    grade = _graded(is_sure and is_firm and not rivals and agree >= _LEAST_SHARE * frames, len(grid.rows),
                    is_known=not (claim.is_guess and not agree))  # fmt: skip
    if claim.is_guess and grade == "sure":
        grade = "likely"
    return _answer(concept, text + more, grade, agree, frames, told, _RECORD[concept])


def _may_be_mark(grid: Grid, column: int) -> bool:
    """A zero that fills a number may be the mark of possible duplicates, if that was not found elsewhere."""
    mark = grid.found("possible_duplicate")
    return (mark is None or mark.is_guess) and grid.distinct[column] == {"0"}


def place_text(grid: Grid, claim: Claim) -> str:
    """Where a field stands, in words."""
    low = max(edge for edge in grid.edges if edge <= claim.start)
    name = grid.layout.header[grid.edges.index(low)][0]
    return f"block {name}, {claim.start - low + 1} to {claim.end - low}, {claim.end - claim.start}{claim.kind}"


def numbers(
    grid: Grid, sequence: Steps | None, counted: Counted | None, span: tuple[Place, Place, int] | None
) -> list[Answer]:
    """Sequence and length."""
    steps = sequence or Steps(0, 0, 0, ())
    out = [
        _field(
            grid, "sequence", steps.steps, steps.steps + steps.misses, steps.steps >= _LEAST_STEPS, steps.rivals,
            f", +1 a frame, {steps.starts} times from 1" if sequence is not None else "",
        )
    ]  # fmt: skip
    told = counted or Counted(0, 0, 0, 0, ())
    is_sure = told.sizes >= _LEAST_SIZES and told.agree >= LEAST_FRAMES
    out.append(_field(grid, "length", told.agree, told.frames, is_sure, told.rivals))
    length, grade = out[-1], out[-1].grade
    # how many bytes are counted is sure before the width of the field is
    if is_sure and not told.rivals and told.agree >= _LEAST_SHARE * told.frames:
        grade = "sure"
    text = "not found"
    if span is not None:
        text = f"from {span[0]} to {span[1]}, add {span[2]} (the body and {told.extra} bytes)"
    question = "what the length counts"
    return [*out, _answer(question, text, grade, length.agree, length.frames, told.rivals, _RECORD["length"])]


def codes(
    grid: Grid,
    message_type: Coded | None,
    template: Coded | None,
    direction: Coded | None,
    duplicate: Coded | None,
) -> list[Answer]:
    """Message type, template, direction, possible duplicate."""
    none = Coded(0, 0, 0, ())
    out: list[Answer] = []
    for concept, coded, least in (
        ("message_type", message_type, 2),
        ("template", template, _LEAST_TEMPLATES),
        ("direction", direction, 2),
        ("possible_duplicate", duplicate, 2),
    ):
        told = coded or none
        # a mark rests on the frames that were sent again, not on a share of them
        frames = told.agree if concept == "possible_duplicate" else told.frames
        is_sure = told.different >= least and (concept != "possible_duplicate" or told.agree >= 2)
        if concept == "template":
            # what changes from frame to frame may be another field as long as those are not found
            others = [grid.found(other) for other in _OTHERS]
            is_sure = is_sure and all(other is not None and not other.is_guess for other in others)
        out.append(_field(grid, concept, told.agree, frames, is_sure, told.rivals))
    return out


def times(grid: Grid, stamped: Stamped | None, default: Timestamp) -> list[Answer]:
    """The time's field, its format, its zone."""
    if stamped is None:
        return [
            _field(grid, "timestamp", 0, 0, is_sure=False),
            _answer("format of the time", default.format, "open", 0, 0, (), _RECORD["timestamp"]),
            _answer("offset from UTC", f"{default.utc_offset_minutes} minutes", "open", 0, 0, (), _RECORD["timestamp"]),
        ]
    agree, steps = stamped.ascending, stamped.steps
    is_sure = stamped.different > 1 and steps >= _LEAST_STEPS
    field = _field(grid, "timestamp", agree, steps, is_sure, [each for each in stamped.rivals if " at " in each])
    form = _answer(
        "format of the time", stamped.format, _graded(is_sure and not stamped.rivals, len(grid.rows)),
        agree, steps, stamped.rivals, _RECORD["timestamp"],
    )  # fmt: skip
    if stamped.offset_minutes is None:
        offset, grade = default.utc_offset_minutes, _graded(is_sure=False, frames=0, is_known=False)
    else:
        offset = stamped.offset_minutes
        grade = _graded(form.grade == "sure" and stamped.near >= _LEAST_SHARE * stamped.timed, stamped.timed)
    text = f"{offset} minutes"
    zone = _answer("offset from UTC", text, grade, stamped.near, stamped.timed, (), _RECORD["timestamp"])
    return [field, form, zone]


def parties(grid: Grid, session: Party | None, found: dict[str, Party | None]) -> list[Answer]:
    """Session id, participant, terminal."""
    out: list[Answer] = []
    for concept, party in (("session_id", session), *found.items()):
        told = party or Party(0, 0, is_sure=False)
        out.append(_field(grid, concept, told.agree, told.agree or len(grid.rows), told.is_sure, told.rivals))
    return out


def constants(grid: Grid, faults: Sequence[str]) -> list[Answer]:
    """What is left of the headers."""
    kept = [f"'{grid.rows[0].header[start:end]}'" for start, end in grid.free_runs()]
    text = ", ".join(kept) or "none"
    known = all(not claim.is_guess for claim in grid.claims) and all(map(grid.is_bounded, grid.claims))
    grade = _graded(known and not faults, len(grid.rows))
    return [_answer("constants", text, grade, len(grid.rows), len(grid.rows), faults, _MORE)]


def checksum(layout: Layout, trailer: Trailer | None, frames: int) -> list[Answer]:
    """Algorithm, range, digits."""
    if trailer is None:
        text = "none of the algorithms known, over no range"
        return [_answer("checksum", text, "open", 0, frames, (), _RECORD["checksum"])]
    digits = trailer.end - trailer.start
    text = f"block {layout.trailer[0]}, {trailer.start + 1} to {trailer.end}, {digits}n: {trailer.algorithm}"
    if trailer.algorithm != "none":
        text += f" from {trailer.from_} to {trailer.to}"
    enough = trailer.agree * min(digits, 2) >= _LEAST_DIGITS and trailer.agree >= _LEAST_SHARE * frames
    grade = _graded(enough and not trailer.rivals, trailer.agree)
    return [_answer("checksum", text, grade, trailer.agree, frames, trailer.rivals, _RECORD["checksum"])]


def controls(conversation: Conversation, frames: int, before: Sequence[Answer]) -> list[Answer]:
    """Control messages: message type, tags, keys, values, templates; what must be acknowledged.

    Nothing of them is surer than the fields of the header that they were read by, as answered `before`.
    """
    unsure = {answer.question: answer.record for answer in before if answer.grade != "sure"}
    out: list[Answer] = []
    for answer in _controls(conversation):
        rests_on: tuple[str, ...] = ("message_type",) if answer.question == "control message type" else ()
        if answer.question.startswith(("template of", "key of", "value for")):
            rests_on = ("template", "sequence", "direction")
        if answer.question == "unsolicited templates":
            rests_on = ("template", "sequence", "direction", "possible_duplicate")
        weak = [unsure[name] for name in rests_on if name in unsure]
        if answer.grade == "sure" and (weak or frames < LEAST_FRAMES):
            answer = answer._replace(grade="likely", record=weak[0] if weak else _MORE)
        out.append(answer)
    return out


def _controls(conversation: Conversation) -> list[Answer]:
    out = [_learned("control message type", conversation.message_type, _RECORD["logon"])]
    out += [
        _learned(f"tag of the {name}", conversation.tags.get(name), _RECORD["logon"])
        for name in ("reference", "sub_type", "content")
    ]
    for name, record in (
        ("user", "logon"), ("credential", "logon"), ("status", "logon"), ("text", "refusal"),
        ("sequence", "acknowledge"), ("code", "refusal"),
    ):  # fmt: skip
        seen, log_ons = conversation.keys.get(name), conversation.log_ons
        if seen is None and name == "credential" and log_ons:
            # an optional key, which no capture of a PSS that does not use it can show
            seen = Seen(NOT_USED, "sure" if log_ons >= _LEAST_LOG_ONS else "likely", log_ons)
        out.append(_learned(f"key of the {name}", seen, _RECORD[record]))
    out += [
        _learned(f"value for {name}", conversation.values.get(name), _RECORD[record])
        for name, record in (("accepted", "logon"), ("refused", "refused"))
    ]
    for name in SUB_TYPES:
        control = conversation.controls.get(name)
        if control is None:
            out.append(_learned(f"template of {name}", None, _RECORD[name]))
            continue
        seen = control.template
        missing = [kind for kind in SUB_TYPES[name] if not getattr(control, kind)]
        grade: Grade = "likely" if missing else seen.grade
        kinds = ", ".join(f"{kind} {getattr(control, kind) or 'not seen'}" for kind in SUB_TYPES[name])
        text = f"{seen.value}, {kinds}"
        out.append(_answer(f"template of {name}", text, grade, seen.times, seen.times, (), _RECORD[name]))
    if conversation.unsolicited:
        # that there are no others no capture can show
        names = "at least " + ", ".join(name for name, _ in conversation.unsolicited)
        counts = [count for _, count in conversation.unsolicited]
        grade = "sure" if min(counts) >= _LEAST_ACKNOWLEDGED else "likely"
        out.append(_answer("unsolicited templates", names, grade, sum(counts), sum(counts), (), _RECORD["unsolicited"]))
    else:
        out.append(_learned("unsolicited templates", None, _RECORD["unsolicited"]))
    return out


def _learned(question: str, seen: Seen | None, record: str) -> Answer:
    if seen is None:
        return _answer(question, "not seen", "open", 0, 0, (), record)
    return _answer(question, seen.value, seen.grade, seen.times, seen.times, (), record)
