"""Reports that a PSS downloads: what was read becomes the answer, one frame a part; what is not there, a refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.kinds.reports import ReportRead
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.link.parts import Part, PartsForm, write_part
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.field import Sources
from pg_bridge.mapping.translated import Written


def asking(exchange: Exchange) -> a.Ask | a.ReadReport:
    """What answers an enquiry: a question to OCP, or a report of our own."""
    return a.Ask(exchange.id) if exchange.operation else a.ReadReport(exchange.id)


def form_name(form: PartsForm) -> str:
    """What tells how pieces are cut and written as lines."""
    return f"{form.keys['data']}/{form.line}/{form.part}"


def write_report(book: MappingBook, function: str, sources: Sources, read: e.ReportFound | ReportRead) -> Written:
    """The messages of a report, one a part, each without its lines of data. Raises MappingError."""
    form = book.legacy.parts
    parts = []
    for number in range(1, read.parts + 1):
        part = Part(read.name, date.fromisoformat(read.day), number, read.parts, read.size, read.hash, "")
        lines = write_part(form, part, is_report=True) if form is not None else []
        parts.append(book.write_answer(function, {**sources, "report": {"part": "\r\n".join(lines)}}))
    # Each is written as the first is: its lineage tells of all.
    further = tuple(msgspec.structs.replace(part, lineage=()) for part in parts[1:])
    return msgspec.structs.replace(parts[0], more=further)


def _found(state: State, event: e.ReportFound, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or exchange.stage is Stage.ANSWERED:
        return
    note.record(
        ReportRead(
            exchange=exchange.id,
            participant=exchange.participant,
            name=event.name,
            day=event.day,
            size=event.size,
            hash=event.hash,
            copy=event.copy,
            form=event.form,
            parts=event.parts,
        )
    )
    conclude(
        state,
        exchange,
        terms,
        now,
        note,
        outcome="found",
        write=lambda sources: write_report(terms.book, exchange.function, sources, event),
        data=[f"{event.copy}/{number}" for number in range(1, event.parts + 1)],
    )


def _refused(state: State, event: e.ReportRefused, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or exchange.stage is Stage.ANSWERED:
        return
    fault = terms.fault(event.code, event.code, event.text)
    conclude(state, exchange, terms, now, note, outcome="refused", faults=(fault,))


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.ReportFound: _found,
    e.ReportRefused: _refused,
}
