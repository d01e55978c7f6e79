"""What is handed to sessions, and what becomes of it: written, left, acknowledged, or gone with the session.

Whoever asks for deliveries in between, none is handed over before its own entry is durable.
"""

from __future__ import annotations

from collections.abc import Sequence

from pg_bridge import telemetry
from pg_bridge.dispatcher.committing import Committer
from pg_bridge.dispatcher.downloads import Downloads
from pg_bridge.dispatcher.loop import Loop
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.delivery_fold import queue_answer, release
from pg_bridge.exchange.outbound import choose
from pg_bridge.exchange.ports import Sessions


class Handing:
    """Gives sessions answers and deliveries, and notes what it hears of them. Without sessions it gives nothing."""

    def __init__(self, loop: Loop, committer: Committer, downloads: Downloads) -> None:
        self._loop = loop
        self._state = loop.state
        self._committer = committer
        self._downloads = downloads
        self._sessions: Sessions | None = None
        self._log = telemetry.logger()

    def begin(self, sessions: Sessions) -> None:
        """From now on there are sessions."""
        self._sessions = self._downloads.sessions = sessions

    # --- to the sessions -----------------------------------------------------------------------------------

    def answer(self, answer: a.Answer) -> None:
        """Answer a request; an answer whose session is gone becomes deliveries."""
        if answer.reply.data:
            self._downloads.hand(answer.session, answer)
        elif self._sessions is not None and not self._sessions.answer(answer):
            self._downloads.unanswered(answer)

    def pass_over(self, passed: a.NoAnswer) -> None:
        """A request gets no answer of its own."""
        if self._sessions is not None:
            self._sessions.pass_over(passed)

    def refuse(self, refusal: a.Refuse) -> None:
        """Refuse the frame of a request."""
        if self._sessions is not None:
            self._sessions.refuse(refusal)

    def pump(self, participant: str) -> None:
        """Give sessions what may go. Whoever calls: a delivery whose entry is not durable stays until the `Pump` of
        its own decision, which acts when it is.
        """
        if self._sessions is None:
            return
        outbox = self._state.outbox(participant)
        if len(outbox.queue) == len(outbox.sent):
            return
        for session, delivery in choose(outbox, self._sessions.seats(participant), self._committer.durable_records):
            if delivery.reply.data:
                outbox.sent[delivery.id] = session
                self._downloads.hand(session, delivery)
            elif self._sessions.deliver(session, delivery):
                outbox.sent[delivery.id] = session

    # --- from the sessions ---------------------------------------------------------------------------------

    def session_opened(self, record: r.SessionOpened) -> None:
        """A PSS logged on: what waits for its participant may go."""
        self._loop.note(record)
        self._log.info(telemetry.SESSION_OPENED, participant=record.participant, terminal=record.terminal)
        self.session_freed(record.participant)

    def session_freed(self, participant: str) -> None:
        """A session that took no deliveries takes some again."""
        self._committer.gather(actions=[a.Pump(participant)])

    def session_closed(self, record: r.SessionClosed) -> None:
        """A session ended: what it was sent and did not acknowledge goes again; unleft answers become deliveries."""
        outbox = self._state.outbox(record.participant)
        for delivery_id in [id_ for id_, session in outbox.sent.items() if session == record.session]:
            del outbox.sent[delivery_id]
            outbox.queue[delivery_id].is_copy = True
        for exchange_id in self._state.asked.pop(record.session, {}):
            exchange = self._state.exchanges[exchange_id]
            exchange.askers = [asker for asker in exchange.askers if asker[0] != record.session]
            if exchange.reply is not None and not exchange.has_left:
                queue_answer(self._state, exchange)
        self._loop.note(record)
        if record.participant in self._state.intakes:
            self._loop.offer(e.SessionEnded(record.participant, record.session))
        self._log.info(telemetry.SESSION_CLOSED, participant=record.participant, reason=record.reason)
        self.session_freed(record.participant)

    def answer_written(self, exchange_id: str) -> None:
        """A copy of the exchange's answer was given to the socket: its updates may follow."""
        exchange = self._state.exchanges.get(exchange_id)
        if exchange is not None:
            exchange.is_sent = True
            if exchange.held:
                release(self._state, exchange)
                self.pump(exchange.participant)

    def answers_left(self, session: str, exchanges: Sequence[str]) -> None:
        """These answers are known to have left."""
        asked = self._state.asked.get(session, {})
        fresh = [id_ for id_ in exchanges if asked.pop(id_, 0) is None]
        if fresh:
            self._loop.note(r.AnswersLeft(exchanges=tuple(fresh)))

    def delivery_acknowledged(self, delivery: str, participant: str) -> None:
        """The PSS acknowledged a delivery."""
        found = self._state.outbox(participant).queue.get(delivery)
        self._loop.note(
            r.DeliveryAcknowledged(
                exchange=found.exchange if found is not None else "",
                participant=participant,
                delivery=delivery,
            )
        )
        self.pump(participant)
