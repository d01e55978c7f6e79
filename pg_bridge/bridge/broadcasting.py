"""The operator tells participants something: fulfils console's broadcast port."""

from __future__ import annotations

from collections.abc import Collection

from pg_bridge import telemetry
from pg_bridge.console.control import Broadcast, BroadcastAsked, Told
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import Finding, JournalFull, MappingError
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.broadcasts import NOT_SENT, broadcast_findings
from pg_bridge.exchange.kinds.broadcasts import BroadcastRefused
from pg_bridge.pss.listener import Listener

#: findings of one refused broadcast that are journaled whole
MOST_JOURNALED = 100


class Broadcasting:
    """Checks a broadcast, has one delivery to each participant queued, says who is on. participants: all configured."""

    def __init__(self, dispatcher: Dispatcher, listener: Listener, participants: Collection[str]) -> None:
        self._dispatcher = dispatcher
        self._listener = listener
        self._participants = participants
        self._log = telemetry.logger()

    async def broadcast(self, asked: BroadcastAsked, who: r.Who) -> Broadcast:
        """Send one to all participants, or to those named. Raises JournalError; JournalFull: nothing was sent."""
        head, text = asked.head, asked.text.replace("\r\n", "\n").rstrip("\n")
        participants = tuple(dict.fromkeys(asked.to or self._participants))
        findings = [*self._unknown(participants), *broadcast_findings(head, text)]
        dispatcher = self._dispatcher
        if dispatcher.is_full:
            raise JournalFull("broadcasting: the journal is busy, nothing was sent")
        fresh = dispatcher.terms.fresh
        id_ = fresh.exchange_id()
        if not findings:
            try:
                dispatcher.offer(e.BroadcastGiven(id_, head, text, participants, who))
            except MappingError as error:
                findings = list(error.findings) or [Finding(error.code, "error", "", str(error))]
        if findings:
            dispatcher.note(
                BroadcastRefused(
                    exchange=id_,
                    who=who,
                    head=head,
                    text=text,
                    participants=participants,
                    findings=tuple(findings[:MOST_JOURNALED]),
                )
            )
            self._log.warning(telemetry.BROADCAST_REFUSED, user=who.user, by=who.by, findings=len(findings))
            position = await dispatcher.durable()
            return Broadcast(verdict="refused", broadcast=id_, position=position, told=[], findings=findings)
        # Before it is durable, so that whoever logs on meanwhile is told as one for whom it waited.
        told = [Told(participant, bool(self._listener.seats(participant))) for participant in participants]
        position = await dispatcher.durable()
        self._log.info(telemetry.BROADCAST_ORDERED, user=who.user, by=who.by, participants=len(participants))
        return Broadcast(verdict="sent", broadcast=id_, position=position, told=told, findings=[])

    def _unknown(self, participants: Collection[str]) -> list[Finding]:
        known = ", ".join(self._participants)
        return [
            Finding(
                NOT_SENT, "error", "to", f"{name[:40]!r} is no configured participant", remedy=f"There are {known}."
            )
            for name in participants
            if name not in self._participants
        ]
