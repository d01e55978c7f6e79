"""Batch files: the parts in which they come on sessions, whole files, and what becomes of their records.

One file of a participant is taken at a time; what comes of another waits. A file is judged whole before anything of
it is entered. Then each of its records is an exchange like any other, and all of them are received as one: a crash
never leaves half a file. The report goes when every record has an outcome, or is known to have none for now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import file_reports as reports
from pg_bridge.exchange import records as r
from pg_bridge.exchange import seeking
from pg_bridge.exchange.exchange import Exchange, part_suffix
from pg_bridge.exchange.judging import Judgement
from pg_bridge.exchange.receipt import Receipt, received
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.exchange.upload import Intake
from pg_bridge.exchange.upload_fold import KEPT_DAYS
from pg_bridge.link.parts import Assembly, Part, read_part
from pg_bridge.mapping.file_rules import Upload
from pg_bridge.mapping.translated import Request

#: findings: another file has this name and day; a day too far from today; its report is not kept any more
OTHER_CONTENT = "PGB-XCH-010"
FAR_DAY = "PGB-XCH-011"
TAKEN_BEFORE = "PGB-XCH-012"

#: parts and files of a participant that may wait for the one under way
MOST_WAITING = 32
#: a fault of the format that the lines of a part tell themselves, and more exactly
_NOT_OF_FORMAT = "PGB-MSG-023"
_MOST_TEXT = 200

_encode = msgspec.json.Encoder().encode


def is_part(event: e.RequestArrived, terms: Terms) -> bool:
    """Whether a request is a part of a file."""
    upload = terms.book.files.upload
    return upload is not None and event.template == upload.template.name


def part_arrived(state: State, event: e.RequestArrived, terms: Terms, now: datetime, note: Note) -> None:
    """A part came on a session."""
    upload, part, findings = _read(event, terms)
    if upload is None or part is None:
        reports.refuse_part(state, event, terms, now, note, findings)
        return
    _take(state, event, part, terms, now, note)


def _read(event: e.RequestArrived, terms: Terms) -> tuple[Upload | None, Part | None, list[Finding]]:
    """The part that a message is, None and every fault where it is none."""
    upload, form = terms.book.files.upload, terms.book.legacy.parts
    if upload is None or form is None:
        return None, None, []
    checked = terms.book.check_message(event.template, event.message_type, event.body)
    fields = checked.values.get(upload.lines.place)
    part: Part | None = None
    own: list[Finding] = []
    if fields:
        part, own = read_part(form, fields[0].value.split("\r\n"), first_line=fields[0].line)
    template = [
        Finding(found.code, found.severity, found.path, found.text[:_MOST_TEXT], found.line, found.reason)
        for found in checked.findings
        if not (own and found.path == upload.lines.place and found.code == _NOT_OF_FORMAT)
    ]
    findings = template + own
    return upload, (None if findings else part), findings


def _intake(state: State, participant: str, terms: Terms) -> Intake:
    intake = state.intakes.get(participant)
    if intake is None:
        form = terms.book.legacy.parts
        if form is None:
            raise ValueError("a set without files in parts takes no files")  # `check` rules it out
        intake = state.intakes[participant] = Intake(Assembly(form))
    return intake


def _take(
    state: State, event: e.RequestArrived, part: Part, terms: Terms, now: datetime, note: Note, *, waited: bool = False
) -> None:
    intake = _intake(state, event.participant, terms)
    day = part.day.isoformat()
    known = state.files.get((event.participant, day, part.name))
    under_way = intake.assembly.under_way
    judged = intake.judging
    is_of_judged = judged is not None and (judged.name, judged.day) == (part.name, day)
    if is_of_judged and judged is not None and judged.session == event.session and part.number < part.of:
        _received(event, part, "again", note, waited=waited)
        note.act(a.NoAnswer(event.session, event.sequence))
        return
    if judged is not None or (under_way is not None and intake.session != event.session):
        _wait(intake, event, part, note, waited=waited)
        return
    if known is not None and under_way is None and known.sha256 == part.hash and part.number > 1:
        # Of a file that is in already, a late part is one sent again; the last one asks for the report.
        _received(event, part, "again", note, waited=waited)
        if part.number < part.of:
            note.act(a.NoAnswer(event.session, event.sequence))
        else:
            _repeat(state, _file_of(event, part, b"", terms), known.sha256, known.exchange, terms, now, note)
        return
    if under_way is None:
        # Parts that are under way follow the form that they began with.
        intake.assembly.form = terms.book.legacy.parts or intake.assembly.form
    step = intake.assembly.take(part)
    match step.kind:
        case "waits":
            _wait(intake, event, part, note, waited=waited)
        case "taken" | "again":
            _received(event, part, step.kind, note, waited=waited)
            note.act(a.NoAnswer(event.session, event.sequence))
            if under_way is None:
                intake.mark += 1
                intake.session = event.session
                note.act(a.WatchParts(event.participant, intake.mark, terms.options.file_within_s))
        case "refused":
            reports.refuse_part(state, event, terms, now, note, step.findings, name=part.name, day=day)
            _go_on(state, event.participant, terms, now, note)
        case "whole":
            _received(event, part, step.kind, note, waited=waited)
            intake.session = ""
            _file(state, _file_of(event, part, step.content, terms), part.hash, terms, now, note)


def _received(event: e.RequestArrived, part: Part, step: str, note: Note, *, waited: bool) -> None:
    note.record(
        r.PartReceived(
            participant=event.participant,
            session=event.session,
            terminal=event.terminal,
            sequence=event.sequence,
            template=event.template,
            name=part.name,
            day=part.day.isoformat(),
            number=part.number,
            of=part.of,
            step=step,
            legacy="" if waited else event.legacy,
        )
    )


def _wait(intake: Intake, event: e.RequestArrived, part: Part, note: Note, *, waited: bool) -> None:
    if not waited and len(intake.waiting) >= MOST_WAITING:
        note.act(a.Refuse(event.session, event.sequence, "ANOTHER FILE IS UNDER WAY, NOTHING WAS DONE"))
        return
    if not waited:
        _received(event, part, "waits", note, waited=False)
    intake.waiting.append(event)


def _file_of(event: e.RequestArrived, part: Part, content: bytes, terms: Terms) -> e.FileArrived:
    upload = terms.book.files.upload
    reference = ""
    if upload is not None:
        fields = terms.book.check_message(event.template, event.message_type, event.body).values
        reference = next((field.value for field in fields.get(upload.reference.place, ())), "")
    return e.FileArrived(
        event.participant,
        part.name,
        part.day.isoformat(),
        content,
        session=event.session,
        terminal=event.terminal,
        sequence=event.sequence,
        reference=reference,
    )


# --- whole files -----------------------------------------------------------------------------------------------------


def _arrived(state: State, event: e.FileArrived, terms: Terms, now: datetime, note: Note) -> None:
    """A file of a drop folder."""
    first = state.exchanges.get(state.claims.get(event.claim, ""))
    if first is not None:
        for ended in reports.to_folders(first, (event.claim,)):
            note.act(ended)
        return
    if terms.book.files.upload is None or terms.book.legacy.parts is None:
        finding = Finding(TAKEN_BEFORE, "error", "", "the mapping set takes no files")
        reports.refuse_file(state, event, terms, now, note, [finding], "")
        return
    intake = _intake(state, event.participant, terms)
    waits = [*intake.waiting, *([intake.judging] if intake.judging is not None else ())]
    if event.claim and any(isinstance(other, e.FileArrived) and other.claim == event.claim for other in waits):
        return
    if intake.judging is not None or intake.assembly.under_way is not None:
        intake.waiting.append(event)
        return
    _file(state, event, hashlib.sha256(event.content).hexdigest(), terms, now, note)


def _file(state: State, event: e.FileArrived, sha256: str, terms: Terms, now: datetime, note: Note) -> None:
    """A whole file: one that came before gets its report, one that may be entered is judged."""
    known = state.files.get((event.participant, event.day, event.name))
    if known is not None and known.sha256 == sha256:
        _repeat(state, event, sha256, known.exchange, terms, now, note)
        _go_on(state, event.participant, terms, now, note)
        return
    wrong: list[Finding] = []
    if known is not None:
        told = f"another file of the name {event.name} and the day {event.day} was taken"
        wrong.append(Finding(OTHER_CONTENT, "error", "", told, remedy="Give the file another name."))
    today = date.fromisoformat(terms.business_date(now))
    if abs((date.fromisoformat(event.day) - today).days) >= KEPT_DAYS:
        told = f"the day {event.day} is not within {KEPT_DAYS - 1} days of today"
        wrong.append(Finding(FAR_DAY, "error", "", told, remedy="Write the day on which the file is sent."))
    if wrong:
        reports.refuse_file(state, event, terms, now, note, wrong, sha256)
        _go_on(state, event.participant, terms, now, note)
        return
    _intake(state, event.participant, terms).judging = event
    note.act(a.Judge(event))


def _repeat(
    state: State, event: e.FileArrived, sha256: str, first_id: str, terms: Terms, now: datetime, note: Note
) -> None:
    first = state.exchanges.get(first_id)
    if first is None:
        told = "this file was entered before; its report is not kept any more"
        finding = Finding(TAKEN_BEFORE, "error", "", told, remedy="Enquire its instructions.")
        reports.refuse_file(state, event, terms, now, note, [finding], sha256)
        return
    note.record(
        r.FileRepeated(
            exchange=first.id,
            participant=event.participant,
            name=event.name,
            sha256=sha256,
            claim=event.claim,
            session=event.session,
            terminal=event.terminal,
            sequence=event.sequence,
            content=event.content if event.claim else b"",
        )
    )
    if event.session:
        reports.asks(state, first, event.session, event.sequence, is_repeat=True)
    reports.tell(state, first, note, claims=(event.claim,) if event.claim else ())


def _judged(state: State, event: e.FileJudged, terms: Terms, now: datetime, note: Note) -> None:
    """A whole file is judged: it is refused, or all its records are entered."""
    file, judgement = event.file, event.judgement
    intake = _intake(state, file.participant, terms)
    intake.judging = None
    sha256 = hashlib.sha256(file.content).hexdigest()
    if judgement.items:
        reports.refuse_judged(state, file, judgement, terms, now, note, sha256)
    else:
        _enter(state, file, judgement, terms, now, note, sha256)
    _go_on(state, file.participant, terms, now, note)


def _enter(
    state: State, file: e.FileArrived, judgement: Judgement, terms: Terms, now: datetime, note: Note, sha256: str
) -> None:
    context = terms.context(file.participant, file.terminal, now)
    business_date = context["business_date"]
    file_id = terms.fresh.exchange_id()
    items: list[r.Item] = []
    entered: list[tuple[str, int, bytes, Request]] = []
    for number, body, request in judgement.records:
        if (file.participant, business_date, request.reference) in state.uses:
            finding = terms.book.duplicate_reference(request.template, request.message_type, request.reference)
            (fault,) = terms.faults_of_findings([finding])
            items.append(r.Item(number, request.reference, fault.code, fault.reason, finding.text))
            continue
        entered.append((f"{file_id}:{number}", number, body, request))
    note.record(
        r.FileReceived(
            exchange=file_id,
            **reports.facts_of(file, terms, business_date, sha256),
            read=judgement.read,
            items=tuple(items),
            layout=judgement.layout,
            records=tuple(
                f"{id_}{part_suffix(part)}"
                for id_, _, _, request in entered
                for part in range(1, len(request.parts) + 1)
            ),
        )
    )
    lanes: dict[tuple[str, str], None] = {}
    to_seek: list[Exchange] = []
    for id_, number, body, request in entered:
        receipt = Receipt(
            file.participant, file.terminal, file.session, file.sequence, business_date, file=file_id, number=number
        )
        text, fingerprint = body.decode("ascii", "replace"), hashlib.sha256(body).hexdigest()
        for record in received(terms, receipt, request, id_, legacy=text, fingerprint=fingerprint):
            note.record(record)
            lanes[record.participant, record.operation] = None
            exchange = state.exchanges[record.exchange]
            if exchange.sought and not exchange.awaits:
                to_seek.append(exchange)
    for exchange in to_seek:
        seeking.seek(state, exchange, terms, note)
    for participant, operation in lanes:
        note.act(a.OpenLane(participant, operation))
    if file.session:
        reports.asks(state, state.exchanges[file_id], file.session, file.sequence, is_repeat=False)


# --- files that end before they are whole ----------------------------------------------------------------------------


def _overdue(state: State, event: e.PartsOverdue, terms: Terms, now: datetime, note: Note) -> None:
    intake = state.intakes.get(event.participant)
    if intake is not None and intake.mark == event.mark and intake.assembly.under_way is not None:
        _drop(state, event.participant, intake, "its parts did not all come in time", terms, now, note)


def _session_ended(state: State, event: e.SessionEnded, terms: Terms, now: datetime, note: Note) -> None:
    intake = state.intakes.get(event.participant)
    if intake is None:
        return
    for waiting in [each for each in intake.waiting if each.session == event.session and event.session]:
        intake.waiting.remove(waiting)
    if intake.session == event.session and intake.assembly.under_way is not None:
        _drop(state, event.participant, intake, "its session ended before it was whole", terms, now, note)


def _drop(state: State, participant: str, intake: Intake, text: str, terms: Terms, now: datetime, note: Note) -> None:
    last = intake.assembly.under_way
    if last is None:
        return
    note.record(
        r.PartsDropped(participant=participant, session=intake.session, name=last.name, parts=last.number, text=text)
    )
    intake.assembly.drop()
    intake.session = ""
    _go_on(state, participant, terms, now, note)


def _go_on(state: State, participant: str, terms: Terms, now: datetime, note: Note) -> None:
    """Take what waited, in its order, until another file is under way."""
    intake = state.intakes.get(participant)
    if intake is None or intake.judging is not None or intake.assembly.under_way is not None:
        return
    waiting = list(intake.waiting)
    intake.waiting.clear()
    while waiting:
        event = waiting.pop(0)
        if isinstance(event, e.FileArrived):
            _arrived(state, event, terms, now, note)
            continue
        _, part, findings = _read(event, terms)
        if part is None:
            reports.refuse_part(state, event, terms, now, note, findings)
        else:
            _take(state, event, part, terms, now, note, waited=True)


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.FileArrived: _arrived,
    e.FileJudged: _judged,
    e.PartsOverdue: _overdue,
    e.SessionEnded: _session_ended,
}
