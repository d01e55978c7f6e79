"""Reconciliations on command: fulfils console's port."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from pg_bridge.console.reconciliations import LastReconciled, Reconciliation
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.exchange.records import Who


class Reconciliations:
    """Has the dispatcher compare. participants: all configured."""

    def __init__(self, dispatcher: Dispatcher, participants: Collection[str], clock: Callable[[], datetime]) -> None:
        self._dispatcher = dispatcher
        self._participants = participants
        self._clock = clock

    def participants(self) -> Sequence[LastReconciled]:
        """All participants, each with the day of its last one."""
        last = self._dispatcher.state.reconciled
        return [LastReconciled(participant=name, business_date=last.get(name, "")) for name in self._participants]

    async def reconcile(self, participant: str, who: Who) -> Reconciliation | None:
        """Compare one participant's open SIs. Raises JournalError, OcpError."""
        if participant not in self._participants:
            return None
        dispatcher = self._dispatcher
        today = dispatcher.terms.business_date(self._clock())
        done, findings = await dispatcher.reconciling.reconcile(participant, today, who)
        position = await dispatcher.durable()
        return Reconciliation(
            participant=participant,
            business_date=today,
            open=done.open,
            agreed=done.agreed,
            disagreed=done.disagreed,
            unknown=done.unknown,
            position=position,
            findings=findings,
        )
