"""What the runs of one retranslation share: the new set, the state so far, and writing a message again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingError, MappingMissing
from pg_bridge.exchange import records as r
from pg_bridge.exchange.entries import Stored
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.given import Leniency, reference_used, references_in
from pg_bridge.exchange.kinds.broadcasts import BroadcastOrdered
from pg_bridge.exchange.kinds.reports import ReportRead
from pg_bridge.exchange.outcome import findings_of as findings_of_all
from pg_bridge.exchange.outcome import page_place
from pg_bridge.exchange.retranslated import (
    MESSAGES,
    WHOLE,
    Difference,
    Retranslated,
    Way,
    finding_differences,
    reply_differences,
)
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import NO_PROFILES, Options, Profiles, Terms, request_of
from pg_bridge.link.framing import Framing
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.translated import Request, Written

#: stands for our own reference where the record does not tell which one it was
NO_REFERENCE = "NOTRECORDED"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


class Recorded:
    """Fresh ids that are none: the references that were recorded, in order; behind the last, that one again."""

    def __init__(self) -> None:
        self._values = [NO_REFERENCE]
        self._given = 0

    @property
    def value(self) -> str:
        """The first one."""
        return self._values[0]

    @value.setter
    def value(self, value: str) -> None:
        self.set_all([value])

    def set_all(self, values: Sequence[str]) -> None:
        """These are given from now on."""
        self._values = list(values) or [NO_REFERENCE]
        self._given = 0

    def reference(self) -> str:
        """The next recorded one."""
        self._given += 1
        return self._values[min(self._given, len(self._values)) - 1]

    def exchange_id(self) -> str:
        """None: nothing new begins."""
        return ""

    request_id = delivery_id = exchange_id


class Event(msgspec.Struct):
    """An event that was told, or not, by the entry behind it."""

    position: int
    at_us: int
    participant: str
    event_id: str
    document: Json
    is_snapshot: bool = False


class Rerun:
    """The new set and what is known so far.

    framing: of the set that the frames came in, where it is known. profiles: participant -> its own `profile.*` texts.
    """

    def __init__(self, book: MappingBook, framing: Framing | None, profiles: Profiles = NO_PROFILES) -> None:
        self.book = book
        self.framing = framing
        self.reference = Recorded()
        self.terms = Terms(book, self.reference, Options(profiles=profiles))
        self.state = State()
        self.leniency = Leniency()
        #: session -> its terminal
        self.terminals: dict[str, str] = {}
        #: exchange -> what the new set carries of its request, where that differs
        self.carried: dict[str, dict[str, str]] = {}
        #: exchange -> its outcome, which the next entry tells late
        self.late: dict[str, r.ExchangeAnswered] = {}
        self.reports: dict[str, ReportRead] = {}
        self.broadcasts: dict[str, BroadcastOrdered] = {}
        self.event: Event | None = None
        #: the last message's blocks, each an instruction, as the new set reads them: this one's and those behind it
        self.further: tuple[Request, ...] = ()

    def context(self, participant: str, terminal: str, at_us: int) -> Json:
        """What rules might derive values from, then."""
        return self.terms.context(participant, terminal, _EPOCH + timedelta(microseconds=at_us))

    def request_of(self, exchange: Exchange) -> Json:
        """What an answer may know of its request; what is carried, as the new set carries it."""
        request = request_of(exchange)
        kept = self.carried.get(exchange.id)
        return request if kept is None else request | {"carried": kept}

    def reply(
        self,
        about: Retranslated,
        was: r.Reply,
        lineage: Sequence[Lineage],
        findings: Sequence[Finding],
        write: Callable[[], Written],
    ) -> Retranslated:
        """A message written again and held against the recorded one."""
        return self.replies(about, (was,), lineage, findings, write)

    def replies(
        self,
        about: Retranslated,
        was: Sequence[r.Reply],
        lineage: Sequence[Lineage],
        findings: Sequence[Finding],
        write: Callable[[], Written],
    ) -> Retranslated:
        """All messages of an answer written again and held against the recorded ones, each against its own."""
        try:
            now = self.written_again(was[0], lineage, write)
        except MappingError as error:
            return outcome_of(about, [Difference(what=WHOLE, was="written", is_=failure_of(error))])
        differences = []
        if len(was) != len(now.pages):
            differences.append(Difference(what=MESSAGES, was=str(len(was)), is_=str(len(now.pages))))
        for number, (one, page) in enumerate(zip(was, now.pages, strict=False), 1):
            differences += [
                msgspec.structs.replace(each, what=page_place(number, each.what))
                for each in reply_differences(self.book, one, page)
            ]
        return outcome_of(about, differences + finding_differences(findings, findings_of_all(now)))

    def written_again(self, was: r.Reply, lineage: Sequence[Lineage], write: Callable[[], Written]) -> Written:
        """The message with the references of ours that it had. Raises MappingError."""
        known = references_in(lineage)
        self.reference.set_all(known)
        written = write()
        if not known:
            self.reference.value = reference_used(self.book, was, written) or NO_REFERENCE
            written = write()
        return written


def is_refused(request: Request) -> bool:
    """Whether a request has faults."""
    return any(finding.severity == "error" for finding in request.findings)


def findings_of(error: MappingError, path: str) -> Sequence[Finding]:
    """The findings of a translation that failed."""
    return error.told(path)


def failure_of(error: MappingError) -> str:
    """What becomes of a message that no rule can translate."""
    return f"{'not served' if isinstance(error, MappingMissing) else 'parked'}: {error}"


def about_of(stored: Stored, way: Way, function: str, reference: str) -> Retranslated:
    """What is known of a translation before it is run."""
    return Retranslated(
        position=stored.position,
        way=way,
        function=function,
        participant=stored.entry.participant,
        reference=reference,
        exchange=stored.entry.exchange,
    )


def of_exchange(about: Retranslated, exchange: Exchange) -> Retranslated:
    """The same, with the function of its exchange."""
    return msgspec.structs.replace(about, function=exchange.function)


def outcome_of(about: Retranslated, differences: Sequence[Difference] = (), *, not_run: str = "") -> Retranslated:
    """The same, with what came out."""
    if not differences and not not_run:
        return about
    return msgspec.structs.replace(about, differences=tuple(differences), not_run=not_run)


def not_run(stored: Stored, way: Way, why: str) -> Retranslated:
    """A translation that cannot be run again."""
    return outcome_of(about_of(stored, way, "", ""), not_run=why)
