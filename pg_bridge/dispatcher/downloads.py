"""Reports on their way to the PSSs: read piece by piece, journaled once, handed to sessions as fast as they take them.

Strategy: a report is first read through for its hash, then again, piece by piece; each piece becomes an entry as the
lines that its part will have. When all are durable the answer is decided. A frame that ends in a piece is completed
from its entry when its session has room. So memory holds a few pieces for each session, however large a report is, and
what goes again after a break are the same bytes, whatever became of the file.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import msgspec

from pg_bridge import telemetry
from pg_bridge.dispatcher.loop import Loop
from pg_bridge.errors import JournalError, ReportError, ReportMissing
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.delivery_fold import queue_answer
from pg_bridge.exchange.entries import Kind, Position, Stored
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.kinds.reports import ReportPiece, ReportRead
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.ports import Journal, OpenReport, Reports, Sessions
from pg_bridge.exchange.reports import form_name
from pg_bridge.link.parts import PartsForm, data_lines, piece_size

#: how often a session that has no room is looked at again, in seconds
_LOOK_S = 0.02

#: participant, hash, form
_Copy = tuple[str, str, str]


class Downloads:
    """Reads reports for enquiries, and hands frames that end in pieces of them to sessions, in order."""

    def __init__(
        self, loop: Loop, journal: Journal, reports: Reports | None, spawn: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self._loop = loop
        self._journal = journal
        self._reports = reports
        self._spawn = spawn
        self.sessions: Sessions | None = None
        #: the exchange that read it -> number of a piece -> its entry
        self._pieces: dict[str, dict[int, Position]] = {}
        #: what was read whole -> the exchange that has its pieces
        self._copies: dict[_Copy, str] = {}
        #: one report of a participant is read at a time
        self._turns: dict[str, asyncio.Lock] = {}
        self._queues: dict[str, deque[a.Answer | Delivery]] = {}
        self._log = telemetry.logger()

    # --- reading -------------------------------------------------------------------------------------------

    def recall(self, stored: Stored) -> None:
        """Take in an entry of the journal when it is replayed."""
        entry = stored.entry
        if entry.kind is Kind.REPORT_PIECE:
            self._pieces.setdefault(entry.exchange, {})[int(entry.references["piece"])] = stored.position
        elif entry.kind is Kind.REPORT_READ:
            record = r.read_entry(entry)
            if isinstance(record, ReportRead):
                self._copies[record.participant, record.hash, record.form] = record.copy

    def forget(self) -> None:
        """Let go of the pieces of exchanges that are forgotten and whose copies no answer still brings."""
        needed = set(self._loop.state.exchanges)
        for exchange in self._loop.state.exchanges.values():
            needed.update(reply.data.rpartition("/")[0] for _, reply in exchange.frames if reply.data)
        self._pieces = {copy: pieces for copy, pieces in self._pieces.items() if copy in needed}
        self._copies = {key: copy for key, copy in self._copies.items() if copy in self._pieces}

    async def read(self, exchange_id: str) -> None:
        """Read the report that an enquiry asks for; what was found, or why not, is offered."""
        exchange = self._loop.state.exchanges.get(exchange_id)
        if exchange is None or exchange.stage is Stage.ANSWERED:
            return
        async with self._turns.setdefault(exchange.participant, asyncio.Lock()):
            event: e.Event
            try:
                event = await self._read(exchange)
            except ReportError as error:
                event = e.ReportRefused(exchange_id, error.code, str(error))
            self._loop.offer(event)

    async def _read(self, exchange: Exchange) -> e.ReportFound:
        document = msgspec.json.decode(exchange.document)
        name, day = str(document["name"]), str(document["day"])
        form = self._loop.sets.of_exchange(exchange).terms.book.legacy.parts
        if self._reports is None or form is None:
            raise ReportMissing("no reports are kept here")
        report = await self._reports.open(exchange.participant, day.replace("-", ""), name, form.most(is_report=True))
        try:
            of = max(1, -(-report.size // piece_size(form)))
            key = exchange.participant, report.hash, form_name(form)
            copy = self._copies.get(key)
            if copy is None or len(self._pieces.get(copy, ())) < of:
                await self._keep(exchange, report, form, of)
                copy = self._copies[key] = exchange.id
            return e.ReportFound(exchange.id, name, day, report.size, report.hash, copy, key[2], of)
        finally:
            await report.close()

    async def _keep(self, exchange: Exchange, report: OpenReport, form: PartsForm, of: int) -> None:
        """Journal the pieces of a report, one after another. Raises ReportError where it is not what it was."""
        size = piece_size(form)
        digest = hashlib.sha256()
        pieces = self._pieces.setdefault(exchange.id, {})
        for number in range(1, of + 1):
            piece = await report.read((number - 1) * size, size)
            digest.update(piece)
            lines = "\r\n".join(data_lines(form, piece))
            self._loop.note(
                ReportPiece(exchange=exchange.id, participant=exchange.participant, number=number, lines=lines)
            )
            pieces[number] = await self._loop.durable()
        if digest.hexdigest() != report.hash:
            raise ReportError("the report is being written; ask for it again later")

    # --- handing to sessions -------------------------------------------------------------------------------

    def hand(self, session: str, item: a.Answer | Delivery) -> None:
        """Give a session a frame that ends in a piece, behind those that wait for it already."""
        queue = self._queues.get(session)
        if queue is not None:
            queue.append(item)
            return
        self._queues[session] = deque([item])
        self._spawn(self._serve(session))

    async def _serve(self, session: str) -> None:
        queue = self._queues[session]
        is_gone = False
        try:
            while queue:
                item = queue.popleft()
                if isinstance(item, a.Answer) and is_gone and item.token is None:
                    continue  # the last frame of the answer sees to all of it
                await self._room(session, is_delivery=isinstance(item, Delivery))
                reply = await self._whole(item.reply)
                if isinstance(item, Delivery):
                    self._deliver(session, replace(item, reply=reply))
                else:
                    is_gone = not self._answer(replace(item, reply=reply))
        except JournalError as error:
            # What was handed over stays queued in the state: it goes again at the next log-on.
            self._log.error(telemetry.EVENT_FAILED, session=session, error=str(error))
        finally:
            del self._queues[session]

    async def _room(self, session: str, *, is_delivery: bool) -> None:
        """Return when the session has room for a large frame, or is gone."""
        while self.sessions is not None and not self.sessions.has_room(session, is_delivery=is_delivery):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)  # what makes room (a socket, an acknowledgement, an answer) tells nobody here

    async def _whole(self, reply: r.Reply) -> r.Reply:
        """The message with the lines of its piece. Raises JournalError when they cannot be read."""
        copy, _, number = reply.data.rpartition("/")
        position = self._pieces.get(copy, {}).get(int(number))
        if position is None:
            raise JournalError(f"reading the piece {reply.data} of a report: its entry is not known")
        record = r.read_entry((await self._journal.read(position)).entry)
        lines = record.lines if isinstance(record, ReportPiece) else ""
        return r.Reply(reply.template, reply.message_type, f"{reply.body}{lines}\r\n" if lines else reply.body)

    def _deliver(self, session: str, delivery: Delivery) -> None:
        if self.sessions is not None and self.sessions.deliver(session, delivery):
            return
        outbox = self._loop.state.outbox(delivery.participant)
        if outbox.sent.get(delivery.id) == session:
            del outbox.sent[delivery.id]
        self._loop.session_freed(delivery.participant)

    def _answer(self, answer: a.Answer) -> bool:
        """Answer the request; False when its session is gone."""
        if self.sessions is not None and self.sessions.answer(answer):
            return True
        self.unanswered(answer)
        return False

    def unanswered(self, answer: a.Answer) -> None:
        """The session of an answer is gone: the whole of it became deliveries then, or becomes them now."""
        exchange = self._loop.state.exchanges.get(answer.token or "")
        if exchange is not None and not exchange.has_left:
            queue_answer(self._loop.state, exchange)
            self._loop.session_freed(exchange.participant)
