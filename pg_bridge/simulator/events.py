"""The making of status events: numbered per participant and business day, from 1 without gaps. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime

from pg_bridge.profiles.concepts import EventType, Reason, Status
from pg_bridge.simulator.life_cycle import REASON_TEXTS, Si, StatusEvent


class Teller:
    """Tells what happened to an SI, and keeps it until it is taken."""

    def __init__(self) -> None:
        self._sequences: defaultdict[tuple[str, date], int] = defaultdict(int)
        self._count = 0
        self._events: list[StatusEvent] = []
        #: the SIs that changed since they were last taken away, by number, for who keeps the state
        self.touched: dict[int, Si] = {}

    def restore(self, sequences: Mapping[tuple[str, date], int]) -> None:
        """Go on behind these sequences of participants' days."""
        self._sequences.update(sequences)
        self._count = sum(sequences.values())

    def take(self) -> list[StatusEvent]:
        """The events since the last call, in the order they happened."""
        events, self._events = self._events, []
        return events

    def tell(
        self,
        si: Si,
        previous: Status | None,
        event_type: EventType,
        reason: Reason | None,
        now: datetime,
        text: str | None = None,
    ) -> None:
        """Count one change of `si`, now as it should be told, and tell its participant."""
        self.touched[si.number] = si
        si.version += 1
        si.updated_at = now
        si.reason = reason
        si.reason_text = text or (REASON_TEXTS[reason] if reason else None)
        day = (si.participant, now.date())
        self._sequences[day] += 1
        self._count += 1
        self._events.append(
            StatusEvent(
                event_id=f"EV{self._count:010d}",
                participant=si.participant,
                sequence=self._sequences[day],
                business_date=now.date(),
                event_type=event_type,
                occurred_at=now,
                previous_status=previous,
                new_status=si.status,
                reason=si.reason,
                reason_text=si.reason_text,
                si=si.values(),
            )
        )
