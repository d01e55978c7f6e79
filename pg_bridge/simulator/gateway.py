"""The pretend Participant Gateway behind its socket: requests in, answers and what comes unasked out.

Synchronous, without a socket. What a PSS reads and writes is told by data (gateway_words.py); what becomes of an SI is
the book's (si_book.py), whose rules a settlement system has on either side. Time comes from the clock that is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any

import msgspec

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.concepts import SI_INPUT, SI_WRITES, EventType, Operation, Refusal, Status
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.simulator.clock import Run, Schedule
from pg_bridge.simulator.counterparties import Counterparties
from pg_bridge.simulator.day import BusinessDay
from pg_bridge.simulator.gateway_differences import DifferenceKind, GatewayDifferences, Moment
from pg_bridge.simulator.gateway_files import GatewayFiles, Report
from pg_bridge.simulator.gateway_image import GatewayImage, read_image, restored_book, take_image
from pg_bridge.simulator.gateway_memory import Memory, Stored
from pg_bridge.simulator.gateway_notices import Notice, Notices
from pg_bridge.simulator.gateway_reading import ASKED, Asked, Fault, RequestReading
from pg_bridge.simulator.gateway_request import (
    ACCEPTED,
    FOUND,
    NOTHING_FOUND,
    REFUSED,
    Answer,
    Done,
    Sent,
    Taken,
)
from pg_bridge.simulator.gateway_words import GatewayWords
from pg_bridge.simulator.gateway_writing import Written
from pg_bridge.simulator.life_cycle import BookRules, Outcome, Si, StatusEvent
from pg_bridge.simulator.si_book import SiBook

#: the deeds that are writes of the book
_WRITES = frozenset(operation.value for operation in SI_WRITES)
_ALL = 1_000_000


class Gateway:
    """The book of a pretend PG and its messages.

    clock: the simulated time, Hong Kong's. day: sessions by market (None: always open). schedule: the runs that the
    clock brings about (None: only those by command). participants: those that have a PSS, so that they get what comes
    unasked and do not answer by themselves (None: all). reports: what may be downloaded, by participant, id and day.
    """

    def __init__(
        self,
        legacy: LegacyProfile,
        words: GatewayWords,
        clock: Callable[[], datetime],
        rules: BookRules,
        seed: int = 0,
        *,
        day: BusinessDay | None = None,
        schedule: Schedule | None = None,
        participants: Collection[str] | None = None,
        reports: Report | None = None,
    ) -> None:
        self.legacy = legacy
        self.words = words
        self.book = SiBook(replace(rules, si_number_form=words.si_number))
        self.day = day or BusinessDay({}, rules.holidays, (), time(13), keeps_hours=False)
        self.counterparties = Counterparties(self.book, self.day, seed, participants or ())
        self.differences = GatewayDifferences(words.differences, legacy.templates, seed)
        self.files = GatewayFiles(self, reports)
        self.notices = Notices()
        self._clock = clock
        self._rules = self.book.rules
        self._seed = seed
        self._schedule = schedule
        self._participants = participants
        now = clock()
        self.memory = Memory(caught_up=now, day=now.date())
        self._next_run = schedule.next_after(now) if schedule is not None else None

    def image(self) -> GatewayImage:
        """Its whole state, to go on from."""
        self.catch_up()
        return take_image(self)

    def restore(self, image: GatewayImage) -> None:
        """Go on where the image was taken; the clock is the caller's. Raises ValueError, with nothing changed."""
        book = restored_book(image, SiBook(self._rules))
        self.book = book
        self.day.keeps_hours, self.day.spells = image.keeps_hours, list(image.weather)
        self.counterparties = Counterparties(book, self.day, self._seed, self._participants or ())
        self.counterparties.restore(image.counterparties)
        self.differences.restore(image.differences, image.made)
        self.notices = Notices(image.notices, image.behind)
        self.memory = read_image(msgspec.json.encode(image)).memory
        self.files.forget()
        if self._schedule is not None:
            self._next_run = self._schedule.next_after(self.memory.caught_up)

    # --- requests

    def take(self, participant: str, terminal: str, template: str, message_type: str, body: bytes) -> list[Answer]:
        """The answers to one request in their order; none to a part of a file that is not its last.

        Never raises for what a PSS sends: a message with faults is refused by an answer that names them all. Raises
        KeyError for a template or message type that no PSS may send: the frame around it is to be refused.
        """
        self.catch_up()
        self.memory.seen.add(participant)
        reading = self.words.readings[template]
        if message_type not in self.legacy.templates[template].message_types:
            raise KeyError(message_type)
        return self._take(Sent(participant, terminal, template, message_type, reading), body)

    def _take(self, sent: Sent, body: bytes) -> list[Answer]:
        now = self._clock()
        checked = self.legacy.templates[sent.template].check(sent.message_type, read(body))
        does = sent.reading.entry.does
        reference = sent.reading.reference(checked, sent.message_type)
        memory = self.memory
        if now.date() != memory.day:
            memory.stored, memory.day = {}, now.date()
        key = f"{sent.participant} {reference}"
        told = hashlib.sha256(body).digest()
        stored = memory.stored.get(key) if does in _WRITES and reference else None
        if stored is not None and stored.told == told:
            return stored.answers
        faults = [
            Fault(finding.code, finding.reason, f"{finding.path} {finding.text}".strip())
            for finding in checked.findings
            if finding.severity == "error"
        ]
        if not faults and stored is not None:
            faults = [Fault(Refusal.REFERENCE_USED, "", "duplicate reference: it was used today")]
        if faults:
            unread = {f"{ASKED}request_reference": reference or None}
            if does == "upload":
                return self.files.refuse(sent, unread, faults, now)
            return self._refuse(sent, unread, faults, now)
        parts = sent.reading.read(checked, sent.message_type, {"today": now.date()})
        if does in ("upload", "download"):
            return self.files.take(sent, parts[0], now)
        wrong = list(dict.fromkeys(fault for part in parts for fault in part.faults))
        if wrong:
            return self._refuse(sent, parts[0].values, wrong, now)
        if does not in _WRITES:
            return self._enquire(sent, parts[0], now)
        answers = [self._instruct(sent, part, now) for part in parts]
        memory.stored[key] = Stored(told, answers)
        return answers

    def _refuse(self, sent: Sent, asked: dict[str, Any], faults: Sequence[Fault], now: datetime) -> list[Answer]:
        return self.answers(sent, asked, now, Done(REFUSED, None, tuple(faults)))

    def _instruct(self, sent: Sent, asked: Asked, now: datetime) -> Answer:
        done = self.instruct(sent, asked, now)
        moment = self._moment(sent, asked.values, now, done.si)
        if done.outcome == REFUSED and self.differences.is_due(DifferenceKind.ACCEPTED_FOR_REFUSED, sent.template):
            self.differences.note(DifferenceKind.ACCEPTED_FOR_REFUSED, sent.template, moment, None, None)
            done = Done(ACCEPTED, done.si, ())
        (answer,) = self.answers(sent, asked.values, now, done)
        return answer

    def instruct(self, sent: Sent, asked: Asked, now: datetime) -> Done:
        """Do one instruction."""
        values = {name.removeprefix(ASKED): value for name, value in asked.values.items()}
        operation = Operation(sent.reading.entry.does)
        si = self.find(sent.participant, str(values["named"])) if "named" in values else None
        if self.differences.is_due(DifferenceKind.REFUSED_FOR_ACCEPTED, sent.template):
            moment = self._moment(sent, asked.values, now, si)
            self.differences.note(DifferenceKind.REFUSED_FOR_ACCEPTED, sent.template, moment, None, None)
            return Done(REFUSED, si, (Fault("", "", self.words.differences.text),))
        if operation is not Operation.SI_ADD and si is None:
            return Done(REFUSED, None, (Fault(Refusal.SI_UNKNOWN, "", "no such SI of this participant"),))
        closed = self.day.refusal(si.stated["market"] if si is not None else values.get("market"), now)
        if closed is not None:
            return Done(REFUSED, si, (Fault(closed[0], "", closed[1]),))
        stated = {concept: values.get(concept) for concept in SI_INPUT} | {"participant_id": sent.participant}
        if si is not None:
            own = si.stated["participant_reference"] if operation is Operation.SI_CHANGE else None
            stated |= {"si_number": si.si_number, "participant_reference": own}
        outcome = self.book.write(operation, stated, now)
        if outcome.si is not None and operation is Operation.SI_ADD:
            entered = outcome.si
            self.memory.named[f"{sent.participant} {stated['participant_reference']}"] = entered.si_number
            self.memory.terminals[entered.si_number] = sent.terminal
        self._publish(now)
        if outcome.si is None:
            return Done(REFUSED, si, tuple(Fault(meaning, "", text) for meaning, text in outcome.refusals))
        return Done(ACCEPTED, outcome.si, ())

    def find(self, participant: str, named: str) -> Si | None:
        """The participant's SI of that number, or the last one under that reference."""
        si = self.book.register.get(self.memory.aliases.get(named, named))
        if si is None:
            si = self.book.register.get(self.memory.named.get(f"{participant} {named}", ""))
        return si if si is not None and si.participant == participant else None

    def _enquire(self, sent: Sent, asked: Asked, now: datetime) -> list[Answer]:
        values = {name.removeprefix(ASKED): value for name, value in asked.values.items()}
        filters = {**values, "participant_id": sent.participant, "request_reference": None, "si_number": None}
        lists = sent.reading.entry.does == "list"
        if not lists and (named := values.get("named")) is not None:
            si = self.find(sent.participant, str(named))
            filters["si_number"] = si.si_number if si is not None else str(named)
        found, _, _ = self.book.register.find(filters, 0, _ALL, now.date())
        if lists:
            sis = [one for one in (self._shown(si, now) for si in found) if self._fits(sent.reading, asked, one)]
            done = Done(FOUND if sis else NOTHING_FOUND, None, ())
            return self.answers(sent, asked.values, now, done, sis=sis)
        last = found[-1] if found else None
        done = Done(NOTHING_FOUND if last is None else FOUND, last, ())
        return self.answers(sent, asked.values, now, done)

    def _fits(self, reading: RequestReading, asked: Asked, si: dict[str, Any]) -> bool:
        return all((wanted := asked.values.get(name)) is None or wanted == make(si) for name, make in reading.filter)

    def _shown(self, si: Si, now: datetime) -> dict[str, Any]:
        return {"today": now.date(), **_of_si(si.values())}

    # --- answers

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
        """The messages that answer a request. others: further values, of files."""
        self.note(sent, asked, now, done)
        writing = self.words.writings[self.legacy.templates[sent.template].answer]
        moment = self._moment(sent, asked, now, done.si)
        told: dict[str, Any] = {}
        if done.si is not None:
            told = _of_si(done.si.values()) if done.outcome != REFUSED else {"si.si_number": done.si.si_number}
            told = self._numbered(told, done.si, writing.entry.template, moment)
        values = {
            "today": now.date(),
            "outcome": done.outcome,
            "refused_for": done.faults[0].code if done.faults else None,
            "faults": [fault.values() for fault in done.faults],
            "sis": sis,
            **asked,
            **told,
            **(others or {}),
        }
        if writing.entry.pages is None:
            values["reference"] = self._reference()
            return [_answer(self.differences.write(writing.write, values, moment))]
        return [_answer(page) for page in writing.write_pages(values, self._own_references())]

    def note(self, sent: Sent, asked: dict[str, Any], now: datetime, done: Done) -> None:
        """Keep what became of a request, for who keeps a ledger."""
        moment = self._moment(sent, asked, now, done.si)
        self.memory.taken.append(
            Taken(
                now,
                sent.participant,
                sent.terminal,
                sent.template,
                sent.reading.entry.does,
                moment.reference,
                moment.si_number,
                done.outcome,
                tuple(fault.code for fault in done.faults),
            )
        )

    def take_taken(self) -> list[Taken]:
        """What became of every request since the last call, in order."""
        taken, self.memory.taken = self.memory.taken, []
        return taken

    def _numbered(self, told: dict[str, Any], si: Si, template: str, moment: Moment) -> dict[str, Any]:
        """The SI's number told otherwise, where that is due."""
        if self.differences.is_due(DifferenceKind.OTHER_SI_NUMBER, template) is None:
            return told
        other = self.words.differences.si_number.format(si.number)
        self.memory.aliases[other] = si.si_number
        self.differences.note(DifferenceKind.OTHER_SI_NUMBER, template, moment, None, None)
        return {**told, "si.si_number": other}

    def _own_references(self) -> Iterator[str]:
        while True:
            yield self._reference()

    def _reference(self) -> str:
        self.memory.references += 1
        return self.words.reference.format(self.memory.references)

    def _moment(self, sent: Sent, asked: dict[str, Any], now: datetime, si: Si | None) -> Moment:
        reference = str(asked.get(f"{ASKED}request_reference") or "")
        return Moment(sent.participant, si.si_number if si is not None else "", reference, now)

    # --- what comes unasked

    def unasked(self) -> list[Notice]:
        """What came due since it was last asked, in the order in which it is to be sent."""
        self.catch_up()
        return self.notices.take(self._clock())

    @property
    def next_due(self) -> datetime | None:
        """When, by the clock, something next happens by itself: a late status, an answer of a counterparty, a run."""
        due = [self.notices.next_due, self.counterparties.next_due, self._next_run]
        return min((moment for moment in due if moment is not None), default=None)

    def run(self, which: Run, si_number: str | None = None) -> int:
        """Do one run now; how many pairs or SIs it moved. si_number: of one SI's pair only."""
        self.catch_up()
        return self._run(which, self._clock(), si_number)

    def command(self, operation: Operation, stated: dict[str, Any]) -> Outcome:
        """Have an SI's own participant do this at a terminal of the PG itself. stated: as for a write of the book."""
        self.catch_up()
        now = self._clock()
        outcome = self.book.write(operation, stated, now)
        self._publish(now)
        return outcome

    def broadcast(self, head: str, text: str, to: Collection[str] = ()) -> int:
        """Tell participants something; to: none: all that have a PSS or sent something. Gives how many there are."""
        now = self._clock()
        whom = sorted(to or self._participants or self.memory.seen)
        writing = self.words.telling["broadcast"]
        for participant in whom:
            values = {"today": now.date(), "broadcast.head": head, "broadcast.text": text}
            written = writing.write({**values, "reference": self._reference()})
            self.notices.put(_notice(participant, None, written, now))
        return len(whom)

    def catch_up(self) -> None:
        """Bring about every run, and every answer of a counterparty, that the clock has passed."""
        now = self._clock()
        if self._schedule is not None and self._next_run is not None and now >= self._next_run:
            for moment, run in self._schedule.between(self.memory.caught_up, now):
                self._answer_until(moment)
                is_idle = run is Run.MATCH and self.book.rules.match_at_once
                if self.day.takes_place(run, moment) and not is_idle:
                    self._run(run, moment)
            self._next_run = self._schedule.next_after(now)
        self._answer_until(now)
        self.memory.caught_up = now

    def _answer_until(self, until: datetime) -> None:
        while (due := self.counterparties.next_due) is not None and due <= until:
            self.counterparties.answer_next()
            self._publish(due)

    def _run(self, which: Run, now: datetime, si_number: str | None = None) -> int:
        if which is Run.MATCH:
            moved = self.book.match_waiting(now)
        elif which is Run.SETTLE:
            moved = self.book.settle(now, si_number)
        elif which is Run.DAY_END:
            moved = self.book.end_day(now)
        else:
            moved = self.book.pay(now, si_number, paid=which is Run.PAY)
        self._publish(now)
        return moved

    def _publish(self, now: datetime) -> None:
        """Tell what happened in the book, and let counterparties answer it."""
        while events := self.book.take_events():
            for event in events:
                if self._participants is None or event.participant in self._participants:
                    self._tell(event, now)
            self.counterparties.see(events, now)
        self.book.touched.clear()
        self.book.register.fresh_uses.clear()

    def _tell(self, event: StatusEvent, now: datetime) -> None:
        # the answer to its input tells an SI's first status
        if event.event_type is EventType.CREATED:
            return
        si_number = str(event.si["si_number"])
        moment = Moment(event.participant, si_number, str(event.si["participant_reference"]), now)
        tells = ["settlement"] if event.new_status is Status.SETTLED else ["status"]
        if tells == ["settlement"]:
            template = self.words.telling["settlement"].entry.template
            if self._is_made(DifferenceKind.STATUS_FOR_CONFIRMATION, template, moment):
                tells = ["status"]
            elif self._is_made(DifferenceKind.STATUS_WITH_CONFIRMATION, template, moment):
                tells = ["status", "settlement"]
        for told in tells:
            self._tell_by(told, event, moment)

    def _tell_by(self, tells: str, event: StatusEvent, moment: Moment) -> None:
        writing = self.words.telling[tells]
        template = writing.entry.template
        if self._is_made(DifferenceKind.STATUS_MISSING, template, moment):
            return
        si = self.book.register.get(moment.si_number)
        values = {"today": moment.at.date(), **_of_si(event.si)}
        if si is not None:
            values = self._numbered(values, si, template, moment)
        values["reference"] = self._reference()
        written = self.differences.write(writing.write, values, moment)
        terminal = self.memory.terminals.get(moment.si_number)
        notice = _notice(moment.participant, terminal, written, moment.at, moment.si_number)
        late = self.differences.is_due(DifferenceKind.STATUS_LATE, template)
        behind = self.differences.is_due(DifferenceKind.STATUS_ORDER, template) if late is None else None
        for kind, order in ((DifferenceKind.STATUS_LATE, late), (DifferenceKind.STATUS_ORDER, behind)):
            if order is not None:
                self.differences.note(kind, template, moment, None, None)
        self.notices.put(
            notice, late_s=late.late_s if late else 0.0, behind_s=behind.late_s if behind is not None else 0.0
        )
        if self._is_made(DifferenceKind.STATUS_EXTRA, template, moment):
            again = writing.write({**values, "reference": self._reference()})
            self.notices.put(_notice(moment.participant, terminal, again, moment.at, moment.si_number))

    def _is_made(self, kind: DifferenceKind, template: str, moment: Moment) -> bool:
        if self.differences.is_due(kind, template) is None:
            return False
        self.differences.note(kind, template, moment, None, None)
        return True


def _of_si(values: dict[str, Any]) -> dict[str, Any]:
    return {f"si.{concept}": value for concept, value in values.items()}


def _answer(written: Written) -> Answer:
    return Answer(written.template, written.message_type, written.body)


def _notice(participant: str, terminal: str | None, written: Written, due: datetime, si_number: str = "") -> Notice:
    return Notice(participant, terminal, written.template, written.message_type, written.body, due, si_number)
