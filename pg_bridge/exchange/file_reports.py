"""The reports that answer files: written when a file is refused, or when every record of it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from pg_bridge.errors import Finding, MappingError
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.delivery_fold import queue_answer
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.judging import Judgement
from pg_bridge.exchange.outcome import told as tell_sessions
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms, answer_sources, request_of

#: the finding of a record whose outcome is not known
IN_DOUBT = "PGB-XCH-013"
_UNKNOWN = "the outcome at OCP is not known; it is neither accepted nor refused"
#: the name of a file whose name cannot be read
_NO_NAME = "-"
_NOT_WRITTEN = "NO REPORT CAN BE WRITTEN, NOTHING WAS DONE"


def facts_of(file: e.FileArrived, terms: Terms, business_date: str, sha256: str) -> dict[str, Any]:
    """What a record says of a file and where it came from."""
    upload = terms.book.files.upload
    return {
        "participant": file.participant,
        "name": file.name,
        "day": file.day,
        "size": len(file.content),
        "sha256": sha256,
        "claim": file.claim,
        "session": file.session,
        "terminal": file.terminal,
        "sequence": file.sequence,
        "function": upload.function if upload is not None else "",
        "template": upload.template.name if upload is not None else "",
        "message_type": upload.template.message_types[0] if upload is not None else "",
        "reference": file.reference,
        "business_date": business_date,
        "content": file.content if file.claim else b"",
        "mapping": upload.mapping if upload is not None else "",
    }


# --- refused files ---------------------------------------------------------------------------------------------------


def refuse_part(
    state: State,
    event: e.RequestArrived,
    terms: Terms,
    now: datetime,
    note: Note,
    findings: Sequence[Finding],
    *,
    name: str = "",
    day: str = "",
) -> None:
    """Refuse a part, or the file that it was to complete, with every fault."""
    upload = terms.book.files.upload
    reference = ""
    if upload is not None:
        fields = terms.book.check_message(event.template, event.message_type, event.body).values
        stated = next((field.value for field in fields.get(upload.reference.place, ())), "")
        reference = stated if upload.reference.pattern.fullmatch(stated) else ""
    file = e.FileArrived(
        event.participant,
        name,
        day,
        b"",
        session=event.session,
        terminal=event.terminal,
        sequence=event.sequence,
        reference=reference,
    )
    _refuse(state, file, 0, _items(terms, findings), terms, now, note, "", legacy=event.legacy)


def refuse_file(
    state: State,
    file: e.FileArrived,
    terms: Terms,
    now: datetime,
    note: Note,
    findings: Sequence[Finding],
    sha256: str,
) -> None:
    """Refuse a whole file for what it is, unread."""
    _refuse(state, file, 0, _items(terms, findings), terms, now, note, sha256)


def refuse_judged(
    state: State, file: e.FileArrived, judgement: Judgement, terms: Terms, now: datetime, note: Note, sha256: str
) -> None:
    """Refuse a file for what is wrong in it."""
    _refuse(state, file, judgement.read, judgement.items, terms, now, note, sha256)


def _items(terms: Terms, findings: Sequence[Finding]) -> list[r.Item]:
    return [
        r.Item(0, "", fault.code, fault.reason, f"line {found.line}: {fault.text}" if found.line else fault.text)
        for found in findings
        for fault in terms.faults_of_findings([found])
    ]


def _refuse(
    state: State,
    file: e.FileArrived,
    read: int,
    items: Sequence[r.Item],
    terms: Terms,
    now: datetime,
    note: Note,
    sha256: str,
    *,
    legacy: str = "",
) -> None:
    facts = facts_of(file, terms, terms.business_date(now), sha256)
    request = {
        "reference": file.reference or None,
        "message_type": facts["message_type"],
        "template": facts["template"],
        "carried": {},
    }
    try:
        told = _Told(
            file.participant, file.terminal, facts["function"], "refused", file.name or _NO_NAME, read, 0, read
        )
        replies = _written(terms, now, request, told, items)
    except MappingError as error:
        if file.session:
            note.act(a.Refuse(file.session, file.sequence, _NOT_WRITTEN))
        note.record(
            r.RequestParked(
                participant=file.participant,
                session=file.session,
                sequence=file.sequence,
                template=facts["template"],
                legacy=legacy,
                findings=error.told(file.name),
            )
        )
        return
    exchange_id = terms.fresh.exchange_id()
    note.record(
        r.FileRefused(
            exchange=exchange_id,
            **facts,
            read=read,
            items=tuple(items),
            reply=replies[0],
            more=tuple(replies[1:]),
            legacy=legacy,
        )
    )
    exchange = state.exchanges[exchange_id]
    if file.session:
        asks(state, exchange, file.session, file.sequence, is_repeat=False)
    tell(state, exchange, note, claims=exchange.claims)


class _Told(NamedTuple):
    """What the head of a report says, and to whom."""

    participant: str
    terminal: str
    function: str
    outcome: str
    name: str
    read: int
    accepted: int
    refused: int


# --- reports ---------------------------------------------------------------------------------------------------------


def report(state: State, terms: Terms, now: datetime, note: Note) -> None:
    """Write the reports of all files whose records have ended."""
    for id_ in list(state.reports_due):
        upload, exchange = state.uploads.get(id_), state.exchanges[id_]
        if upload is None or exchange.reply is not None:
            del state.reports_due[id_]
            continue
        refused = {item.number for item in upload.items if not item.is_doubt}
        doubtful = {item.number for item in upload.items if item.is_doubt} - refused
        accepted = upload.read - len(refused) - len(doubtful)
        outcome = "refused" if len(refused) == upload.read else "accepted" if accepted == upload.read else "partly"
        doubt = terms.fault(IN_DOUBT, IN_DOUBT, _UNKNOWN)
        items = sorted(
            (
                r.Item(item.number, item.reference, doubt.code, doubt.reason, doubt.text, is_doubt=True)
                if item.is_doubt
                else item
                for item in upload.items
            ),
            key=lambda item: item.number,
        )
        try:
            told = _Told(
                exchange.participant,
                exchange.terminal,
                exchange.function,
                outcome,
                upload.name,
                upload.read,
                accepted,
                len(refused),
            )
            request = {**request_of(exchange), "reference": exchange.reference or None}
            replies = _written(terms, now, request, told, items)
        except MappingError as error:
            # All outcomes stand in the journal; a mapping file needs correction before they can be told.
            text = f"its records have ended, and the report cannot be written: {error}"
            note.record(
                r.ExchangeInDoubt(
                    exchange=id_,
                    participant=exchange.participant,
                    reference=exchange.reference,
                    request_id="",
                    text=text,
                )
            )
            continue
        note.record(
            r.ExchangeAnswered(
                exchange=id_,
                participant=exchange.participant,
                reference=exchange.reference,
                outcome=outcome,
                reply=replies[0],
                more=tuple(replies[1:]),
                mapping=terms.book.files.upload.mapping if terms.book.files.upload is not None else "",
            )
        )
        tell(state, exchange, note, claims=exchange.claims)


def _written(
    terms: Terms, now: datetime, request: dict[str, Any], told: _Told, items: Sequence[r.Item]
) -> list[r.Reply]:
    """The messages of a report, each with its share of the items. Raises MappingError."""
    upload = terms.book.files.upload
    most = upload.items if upload is not None else 1
    context = terms.context(told.participant, told.terminal, now)
    sources = answer_sources(context=context, request=request, outcome=told.outcome)
    replies = []
    for start in range(0, max(1, len(items)), most):
        share = [msgspec.structs.asdict(item) for item in items[start : start + most]]
        file = {"name": told.name, "read": told.read, "accepted": told.accepted, "refused": told.refused}
        written = terms.book.write_answer(told.function, {**sources, "file": {**file, "items": share}})
        replies.append(r.Reply(written.template, written.message_type, written.body.decode("ascii")))
    return replies


def asks(state: State, exchange: Exchange, session: str, sequence: int, *, is_repeat: bool) -> None:
    """A session waits for the answer of an exchange."""
    exchange.askers.append((session, sequence, is_repeat))
    state.asked.setdefault(session, {})[exchange.id] = None


def tell(state: State, exchange: Exchange, note: Note, *, claims: Sequence[str] = ()) -> None:
    """Give the report, if it is there, to the sessions that ask for it and for the claims of drop folders."""
    if exchange.reply is None:
        return
    for ended in to_folders(exchange, claims):
        note.act(ended)
    if exchange.askers:
        tell_sessions(state, exchange, note)
    elif exchange.session and not exchange.has_left:
        queue_answer(state, exchange)
        note.act(a.Pump(exchange.participant))


def to_folders(exchange: Exchange, claims: Sequence[str]) -> list[a.FileEnded]:
    """The report for claims of drop folders; nothing while there is none."""
    if exchange.reply is None:
        return []
    body = "".join(reply.body for _, reply in exchange.frames)
    reply = r.Reply(exchange.reply.template, exchange.reply.message_type, body)
    return [
        a.FileEnded(exchange.id, exchange.participant, claim, exchange.file_name, exchange.outcome, reply)
        for claim in claims
    ]
