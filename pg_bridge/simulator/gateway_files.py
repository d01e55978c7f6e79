"""Files at the pretend gateway: uploads that come in parts and are answered by a control report, and reports to fetch.

A file is refused whole for the least fault of its form or of a record; else each record is an instruction of its own,
and the control report names those that were refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from pg_bridge.errors import Finding
from pg_bridge.formats import tag_based
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.formats.tag_based import TagBasedForm
from pg_bridge.link.parts import Assembly, read_part, split, write_part
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.tag_based import TEMPLATE
from pg_bridge.simulator.gateway_memory import Memory
from pg_bridge.simulator.gateway_reading import ASKED, UNREADABLE, Asked, Fault
from pg_bridge.simulator.gateway_request import FOUND, REFUSED, Answer, Done, Sent
from pg_bridge.simulator.gateway_words import GatewayWords

#: what a participant may download: by participant, id of the report and day; None: there is none
Report = Callable[[str, str, date], bytes | None]
#: so long a file may wait for its next part
UNFINISHED = timedelta(minutes=10)
#: findings that say what a message type may not have; with none of them a text block is of that type
_OF_SHAPE = frozenset({"PGB-MSG-021", "PGB-MSG-022", "PGB-MSG-024", "PGB-MSG-025", "PGB-MSG-027"})


class Desk(Protocol):
    """What a file needs of the gateway that takes it."""

    @property
    def legacy(self) -> LegacyProfile:
        """The templates and forms of files."""
        ...

    @property
    def words(self) -> GatewayWords:
        """How messages are read and written."""
        ...

    @property
    def memory(self) -> Memory:
        """What it remembers beside its book."""
        ...

    def instruct(self, sent: Sent, asked: Asked, now: datetime) -> Done:
        """Do one instruction."""
        ...

    def note(self, sent: Sent, asked: dict[str, Any], now: datetime, done: Done) -> None:
        """Keep what became of it."""
        ...

    def answers(
        self,
        sent: Sent,
        asked: dict[str, Any],
        now: datetime,
        done: Done,
        *,
        sis: Sequence[dict[str, Any]] = (),
        others: dict[str, Any] | None = None,
    ) -> list[Answer]:
        """The messages that answer a request."""
        ...


class _Record(NamedTuple):
    number: int
    sent: Sent
    asked: Asked


class _Item(NamedTuple):
    """One refused record, or fault of the file (number 0)."""

    number: int
    reference: str
    fault: Fault


class GatewayFiles:
    """The files under way, by participant, and the reports of those that are done."""

    def __init__(self, desk: Desk, reports: Report | None) -> None:
        self._desk = desk
        self._reports = reports
        #: participant, name and day of a file under way -> its parts, and when the last one came
        self._under_way: dict[tuple[str, str, date], tuple[Assembly, datetime]] = {}

    def take(self, sent: Sent, asked: Asked, now: datetime) -> list[Answer]:
        """The answers to a part of an upload, or to the request for a report."""
        if sent.reading.entry.does == "upload":
            return self._upload(sent, asked, now)
        return self._download(sent, asked, now)

    def refuse(self, sent: Sent, asked: dict[str, Any], faults: Sequence[Fault], now: datetime) -> list[Answer]:
        """The control report of a part that is no good message."""
        return self._report(sent, Asked(asked, ()), now, "", [_Item(0, "", fault) for fault in faults])

    def forget(self) -> None:
        """Forget every file under way."""
        self._under_way.clear()

    def drop(self, participant: str) -> None:
        """Forget the files of a participant that are under way: its session has ended."""
        for key in [key for key in self._under_way if key[0] == participant]:
            del self._under_way[key]

    # --- uploads

    def _upload(self, sent: Sent, asked: Asked, now: datetime) -> list[Answer]:
        form = self._desk.legacy.parts
        lines = str(asked.values.get(f"{ASKED}lines") or "").split("\r\n")
        if form is None:
            return self._report(sent, asked, now, "", [_Item(0, "", Fault(UNREADABLE, "", "no files are taken"))])
        part, findings = read_part(form, lines)
        if part is None:
            return self._report(sent, asked, now, "", [_Item(0, "", fault) for fault in _faults(findings)])
        done = self._desk.memory.files.get(_key(sent.participant, part.day, part.hash))
        if done is not None:
            return self._answers(sent, asked, now, done) if part.number == part.of else []
        key = (sent.participant, part.name, part.day)
        assembly, last = self._under_way.get(key, (Assembly(form), now))
        if now - last > UNFINISHED:
            assembly.drop()
        step = assembly.take(part)
        self._under_way[key] = (assembly, now)
        if step.kind in ("whole", "refused"):
            del self._under_way[key]
        if step.kind in ("taken", "again"):
            return []
        if step.kind == "refused":
            return self._report(sent, asked, now, part.name, [_Item(0, "", fault) for fault in _faults(step.findings)])
        values = self._judge(sent, part.name, step.content, now)
        self._desk.memory.files[_key(sent.participant, part.day, part.hash)] = values
        return self._answers(sent, asked, now, values)

    def _judge(self, sent: Sent, name: str, content: bytes, now: datetime) -> dict[str, Any]:
        records, items, count = self._records(sent, content, now)
        if items:
            return _values(name, count, 0, items)
        for record in records:
            done = self._desk.instruct(record.sent, record.asked, now)
            self._desk.note(record.sent, record.asked.values, now, done)
            items += [_Item(record.number, _reference(record.asked), fault) for fault in done.faults[:1]]
        return _values(name, count, count - len(items), items)

    def _records(self, sent: Sent, content: bytes, now: datetime) -> tuple[list[_Record], list[_Item], int]:
        """The records of a file without a fault; else every fault. And how many records there are."""
        forms = self._desk.legacy.forms_of(content[:8192].partition(b"\n")[0] + b"\n")
        form = next((each for each in forms if isinstance(each, TagBasedForm)), None)
        if form is None:
            told = "its first line tells no form that is known"
            return [], [_Item(0, "", Fault(UNREADABLE, "", told))], 0
        file = tag_based.read(form, content)
        items = [_Item(0, "", fault) for fault in _faults(file.findings)]
        template = file.head.get(TEMPLATE, "")
        reading = self._desk.words.readings.get(template)
        if reading is None or not reading.entry.does.startswith("si_"):
            items = items or [_Item(0, "", Fault(UNREADABLE, "", f"{template} is no instruction"))]
            return [], items, len(file.blocks)
        records: list[_Record] = []
        references: dict[str, int] = {}
        for number, block in enumerate(file.blocks, 1):
            found = self._record(sent._replace(template=template, reading=reading), number, block.body, now)
            for one in found:
                if isinstance(one, _Item):
                    items.append(one)
                    continue
                records.append(one)
                reference = _reference(one.asked)
                other = references.setdefault(reference, number)
                if other != number:
                    told = f"duplicate reference: {reference} is that of record {other}, too"
                    items.append(_Item(number, reference, Fault(UNREADABLE, "", told)))
        return records, items, len(file.blocks)

    def _record(self, sent: Sent, number: int, body: bytes, now: datetime) -> Sequence[_Record | _Item]:
        template = self._desk.legacy.templates[sent.template]
        message = read(body)
        checks = {type_: template.check(type_, message) for type_ in template.message_types}
        misfits = {type_: sum(each.code in _OF_SHAPE for each in found.findings) for type_, found in checks.items()}
        type_ = min(misfits, key=lambda each: misfits[each])
        checked = checks[type_]
        reference = sent.reading.reference(checked, type_)
        if checked.findings:
            return [_Item(number, reference, fault) for fault in _faults(checked.findings)]
        of_type = sent._replace(message_type=type_)
        found: list[_Record | _Item] = []
        for asked in sent.reading.read(checked, type_, {"today": now.date()}):
            found += [_Item(number, reference, fault) for fault in asked.faults]
            if not asked.faults:
                found.append(_Record(number, of_type, asked))
        return found

    def _report(self, sent: Sent, asked: Asked, now: datetime, name: str, items: list[_Item]) -> list[Answer]:
        return self._answers(sent, asked, now, _values(name or "-", 0, 0, items))

    def _answers(self, sent: Sent, asked: Asked, now: datetime, values: dict[str, Any]) -> list[Answer]:
        done = Done(str(values["file.outcome"]), None, ())
        return self._desk.answers(sent, asked.values, now, done, others=values)

    # --- downloads

    def _download(self, sent: Sent, asked: Asked, now: datetime) -> list[Answer]:
        form = self._desk.legacy.parts
        report, day = asked.values.get(f"{ASKED}report"), asked.values.get(f"{ASKED}day")
        content = None
        if self._reports is not None and form is not None and report is not None and day is not None:
            content = self._reports(sent.participant, str(report), day)
        if content is None or form is None or day is None:
            told = f"there is no report {report} of {day}"
            fault = Fault(UNREADABLE, "", told)
            return self._desk.answers(sent, asked.values, now, Done(REFUSED, None, (fault,)))
        answers: list[Answer] = []
        for part in split(form, str(report), day, content):
            lines = "\r\n".join(write_part(form, part, is_report=True))
            others = {"part.lines": lines}
            answers += self._desk.answers(sent, asked.values, now, Done(FOUND, None, ()), others=others)
        return answers


def _key(participant: str, day: date, told: str) -> str:
    return f"{participant} {day} {told}"


def _values(name: str, read_: int, accepted: int, items: Sequence[_Item]) -> dict[str, Any]:
    refused = read_ - accepted
    outcome = "accepted" if not items else "partly" if accepted else "refused"
    return {
        "file.name": name,
        "file.outcome": outcome,
        "file.read": read_,
        "file.accepted": accepted,
        "file.refused": refused,
        "items": [
            {
                "item.number": item.number,
                "item.reference": item.reference,
                "item.text": item.fault.text,
                **item.fault.values(),
            }
            for item in items
        ],
    }


def _faults(findings: Sequence[Finding]) -> list[Fault]:
    return [
        Fault(each.code, each.reason, (f"line {each.line}: " if each.line else "") + f"{each.path} {each.text}".strip())
        for each in findings
        if each.severity == "error"
    ]


def _reference(asked: Asked) -> str:
    return str(asked.values.get(f"{ASKED}request_reference") or "")
