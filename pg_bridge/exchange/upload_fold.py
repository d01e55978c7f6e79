"""How the records of batch files change the state; part of `fold.apply`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange, Stage, set_of
from pg_bridge.exchange.state import State
from pg_bridge.exchange.upload import KnownFile, Upload

#: the effect of the exchange of a file, and of one that is refused
UPLOAD = "upload"
_REFUSE = "refuse"
#: how long it is known that a file was entered, and the report of a drop folder's file is kept for its claim
KEPT_DAYS = 31


def _file(state: State, record: r.FileReceived | r.FileRefused, at_us: int, effect: str) -> Exchange:
    exchange = state.exchanges[record.exchange] = Exchange(
        id=record.exchange,
        participant=record.participant,
        terminal=record.terminal,
        session=record.session,
        sequence=record.sequence,
        effect=effect,
        function=record.function,
        operation="",
        template=record.template,
        message_type=record.message_type,
        reference=record.reference,
        business_date=record.business_date,
        carried={},
        document=b"",
        received_us=at_us,
        translated_by=set_of(record.mapping),
        ends_by=set_of(record.mapping),
        file_name=record.name,
    )
    if record.claim:
        exchange.claims.append(record.claim)
        state.claims[record.claim] = record.exchange
    return exchange


def file_received(state: State, record: r.FileReceived, at_us: int) -> None:
    """A whole file was taken; its records follow, each as a request."""
    _file(state, record, at_us, UPLOAD)
    state.uploads[record.exchange] = Upload(
        record.exchange, record.name, record.read, record.records, list(record.items), set()
    )
    known = KnownFile(record.sha256, record.exchange, record.business_date)
    state.files[record.participant, record.day, record.name] = known
    if not record.records:
        state.reports_due[record.exchange] = None


def file_refused(state: State, record: r.FileRefused, at_us: int) -> None:
    """A file was refused: its report is an answer like any other."""
    exchange = _file(state, record, at_us, _REFUSE)
    exchange.stage = Stage.ANSWERED
    exchange.outcome = "refused"
    exchange.reply = record.reply
    exchange.more = record.more


def file_repeated(state: State, record: r.FileRepeated, at_us: int) -> None:
    """A file came again: a further claim waits for its report."""
    if record.claim:
        state.claims[record.claim] = record.exchange
        state.exchanges[record.exchange].claims.append(record.claim)


def record_ended(state: State, exchange: Exchange, faults: Sequence[r.Fault]) -> None:
    """A record of a file has its outcome; with faults, it was refused."""
    upload = state.uploads.get(exchange.file)
    if upload is None:
        return
    doubts = [item for item in upload.items if item.number == exchange.number and item.is_doubt]
    for item in doubts:
        upload.items.remove(item)
    upload.items += [
        r.Item(exchange.number, exchange.reference, fault.code, fault.reason, fault.text) for fault in faults
    ]
    _ended(state, upload, exchange)


def record_in_doubt(state: State, exchange: Exchange, text: str) -> None:
    """Nobody knows the outcome of a record; the report says so."""
    upload = state.uploads.get(exchange.file)
    if upload is not None:
        upload.items.append(r.Item(exchange.number, exchange.reference, "", "", text, is_doubt=True))
        _ended(state, upload, exchange)


def _ended(state: State, upload: Upload, exchange: Exchange) -> None:
    upload.open.discard(exchange.id)
    if not upload.open and state.exchanges[upload.id].reply is None:
        state.reports_due[upload.id] = None


def report_made(state: State, exchange: Exchange) -> None:
    """The report is there. What is learnt later of a record in doubt is told by itself."""
    state.reports_due.pop(exchange.id, None)
    upload = state.uploads.get(exchange.id)
    for id_ in upload.records if upload is not None else ():
        record = state.exchanges.get(id_)
        if record is not None and record.stage is Stage.IN_DOUBT:
            record.is_awaited = True


def file_has_left(state: State, exchange: Exchange) -> None:
    """The report of a file has left, and with it the answer to each of its records."""
    upload = state.uploads.pop(exchange.id, None)
    for id_ in upload.records if upload is not None else ():
        record = state.exchanges.get(id_)
        if record is not None:
            record.has_left = True


def forget_files(state: State, before: str) -> None:
    """Let go of files that were entered, and of claims whose reports left, long before `before`."""
    long_before = (date.fromisoformat(before) - timedelta(days=KEPT_DAYS)).isoformat()
    for key in [key for key, known in state.files.items() if known.taken_on < long_before]:
        if state.files[key].exchange not in state.uploads:
            del state.files[key]
    for claim, id_ in list(state.claims.items()):
        exchange = state.exchanges.get(id_)
        if exchange is None:
            del state.claims[claim]
        elif exchange.has_left and exchange.business_date < long_before:
            del state.claims[claim]
            exchange.claims.remove(claim)
