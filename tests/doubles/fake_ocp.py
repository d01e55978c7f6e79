"""An OCP in memory behind exchange.ports.Ocp; held to the same contract as the real client and the pretend OCP.

Enters SIs, finds them, tells their events, refuses a used request id, and fails when told, before or after its work.
It matches and settles nothing by itself: `tell` says what became of an SI.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pg_bridge.errors import OcpError, OcpRefused
from pg_bridge.profiles.concepts import SI_ENTRY, SI_INPUT, EventType, Operation, Reason, Refusal, Status
from pg_bridge.profiles.ocp import OcpProfile

Json = dict[str, Any]
_OF_MANY = frozenset({Operation.SI_AUTHORISE, Operation.SI_HOLD})
HONG_KONG = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Done:
    """One entry of a write that was really done."""

    operation: Operation
    request_id: str
    request_reference: str
    si_number: str


@dataclass(frozen=True)
class Called:
    """One call as it came, whatever became of it; `body` is empty for a query."""

    operation: Operation
    participant: str
    request_id: str
    body: bytes


@dataclass
class _Failure:
    error: OcpError
    after_work: bool
    operation: Operation | None
    times: int


class FakeOcp:
    """Fulfils exchange.ports.Ocp. `clock` gives now, aware."""

    def __init__(self, profile: OcpProfile, clock: Callable[[], datetime]) -> None:
        self.profile = profile
        self.clock = clock
        self.ledger: list[Done] = []
        self.called: list[Called] = []
        #: SI number -> its concepts, codes being OCP's own
        self.instructions: dict[str, Json] = {}
        self.subscriptions: list[Json] = []
        self._events: dict[tuple[str, str], list[Json]] = {}
        self._used_ids: set[str] = set()
        #: (participant, date, request reference): what used it, by operation and SI number where many may share it
        self._used_references: dict[tuple[str, str, str], list[tuple[Operation, Any] | None]] = {}
        self._entered: dict[str, str] = {}
        self._failures: list[_Failure] = []

    # --- what tests tell it

    def fail_next(
        self, error: OcpError, *, after_work: bool = False, operation: Operation | None = None, times: int = 1
    ) -> None:
        """Let the next calls (of `operation`, or any) end with `error`; `after_work`: having done what was asked."""
        self._failures.append(_Failure(error, after_work, operation, times))

    def tell(self, si_number: str, event: EventType, status: Status, reason: Reason | None = None) -> Json:
        """Give an SI another status; the event as OCP would push it."""
        si = self.instructions[si_number]
        previous = si["status"]
        si["status"] = self.profile.code("status", status)
        si["reason_code"] = self.profile.code("reason", reason) if reason else None
        si["reason_text"] = reason.value.replace("_", " ") if reason else None
        si["version"] += 1
        si["updated_at"] = self._time()
        return self._tell(si, event, previous)

    # --- the port

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[Json]:
        """As exchange.ports.Ocp."""
        self.called.append(Called(operation, participant, request_id, body))
        failure = self._failure(operation)
        if failure is not None and not failure.after_work:
            raise failure.error
        if request_id in self._used_ids:
            raise self._refused(Refusal.REQUEST_ID_REPEATED, "the request id was used before")
        spec = self.profile.operations[operation]
        document = json.loads(body)
        entries = self.profile.get("request", "entries", document) if spec.bulk else [document]
        if len(entries) > spec.most:
            raise self._refused(Refusal.TOO_MANY_ENTRIES, f"more than {spec.most} entries")
        self._used_ids.add(request_id)
        if operation in (Operation.SUBSCRIPTION_ADD, Operation.SUBSCRIPTION_CHANGE):
            answers = [self._subscribe(entry) for entry in entries]
        else:
            answers = [self._do(operation, request_id, self.profile.read("si", entry)) for entry in entries]
        if failure is not None:
            raise failure.error
        return answers

    async def ask(self, operation: Operation, participant: str, document: Mapping[str, Any]) -> list[Json]:
        """As exchange.ports.Ocp."""
        self.called.append(Called(operation, participant, "", b""))
        failure = self._failure(operation)
        if failure is not None:
            raise failure.error
        if operation is Operation.SI_QUERY:
            return self._find(self.profile.read("query", document))
        if operation is Operation.STATUS_EVENTS:
            asked = self.profile.read("events_query", document)
            events = self._events.get((asked["participant_id"], asked["business_date"]), [])
            return events[int(asked["after_sequence"] or 0) :]
        if operation is Operation.SUBSCRIPTION_QUERY:
            return list(self.subscriptions)
        return []

    # --- its work

    def _failure(self, operation: Operation) -> _Failure | None:
        for failure in self._failures:
            if failure.operation in (None, operation):
                failure.times -= 1
                if not failure.times:
                    self._failures.remove(failure)
                return failure
        return None

    def _refused(self, refusal: Refusal, text: str) -> OcpRefused:
        code = self.profile.code("refusal", refusal)
        return OcpRefused(f"refused whole with {code}", refusals=[(code, text)])

    def _do(self, operation: Operation, request_id: str, stated: Json) -> Json:
        today = self._today()
        reference = str(stated["request_reference"])
        use = (str(stated["participant_id"]), today, reference)
        # One message may authorise or hold many SIs under its reference.
        of_many = (operation, stated["si_number"]) if operation in _OF_MANY else None
        used = self._used_references.get(use, [])
        if any(of_many is None or other is None or other[0] != operation or other == of_many for other in used):
            return self._answer(stated, None, Refusal.REFERENCE_USED)
        if operation is Operation.SI_ADD:
            si = self._enter(stated)
        else:
            known = self.instructions.get(str(stated["si_number"]))
            if known is None or known["participant_id"] != stated["participant_id"]:
                return self._answer(stated, None, Refusal.SI_UNKNOWN)
            si = known
            si["last_request_reference"] = reference
            if operation is Operation.SI_HOLD:
                si["hold"] = si["hold_own"] = stated["hold"]
            elif operation is Operation.SI_DELETE:
                si["status"] = self.profile.code("status", Status.DELETED)
            si["version"] += 1
        self._used_references.setdefault(use, []).append(of_many)
        self.ledger.append(Done(operation, request_id, reference, si["si_number"]))
        if operation is Operation.SI_ADD:
            self._tell(si, EventType.CREATED, None)
        return self._answer(stated, si)

    def _enter(self, stated: Json) -> Json:
        si: Json = dict.fromkeys(SI_ENTRY) | {concept: stated[concept] for concept in SI_INPUT}
        now = self._time()
        si |= {
            "si_number": f"I{len(self.instructions) + 1:08d}",
            "status": self.profile.code("status", Status.UNMATCHED),
            "version": 1,
            "hold": bool(stated["hold"]),
            "hold_own": bool(stated["hold"]),
            "hold_counterparty": False,
            "revoke_own": False,
            "revoke_counterparty": False,
            "last_request_reference": stated["request_reference"],
            "reason_code": self.profile.code("reason", Reason.AWAIT_COUNTERPARTY),
            "created_at": now,
            "updated_at": now,
        }
        self.instructions[si["si_number"]] = si
        self._entered[si["si_number"]] = self._today()
        return si

    def _answer(self, stated: Json, si: Json | None, refusal: Refusal | None = None) -> Json:
        errors = []
        if refusal is not None:
            error = {"record_error_code": self.profile.code("refusal", refusal), "record_error_message": refusal.value}
            errors.append(self.profile.write("record_error", error))
        return self.profile.write(
            "answer",
            {
                "request_reference": stated["request_reference"],
                "participant_reference": (si or stated)["participant_reference"],
                "si_number": si and si["si_number"],
                "status": si and si["status"],
                "version": si and si["version"],
                "record_errors": errors,
            },
        )

    def _find(self, asked: Json) -> list[Json]:
        found = []
        for number, si in self.instructions.items():
            same = all(
                asked[concept] in (None, si[concept])
                for concept in ("participant_id", "si_number", "participant_reference", "status")
            )
            requested = asked["request_reference"] in (None, si["request_reference"], si["last_request_reference"])
            if same and requested and asked["business_date"] in (None, self._entered[number]):
                found.append(self.profile.write("si", si))
        return found

    def _tell(self, si: Json, event: EventType, previous: str | None) -> Json:
        date = self._today()
        events = self._events.setdefault((si["participant_id"], date), [])
        values = {
            "si": self.profile.write("si", si),
            "event_id": f"{si['participant_id']}-{date}-{len(events) + 1}",
            "event_sequence": len(events) + 1,
            "event_business_date": date,
            "event_type": self.profile.code("event_type", event),
            "occurred_at": self._time(),
            "previous_status": previous,
            "new_status": si["status"],
            "event_reason_code": si["reason_code"],
            "event_reason_text": si["reason_text"],
            "schema_version": "1",
        }
        events.append(self.profile.write("event", values))
        return events[-1]

    def _subscribe(self, entry: Json) -> Json:
        url = self.profile.get("subscription", "subscription_url", entry)
        others = [one for one in self.subscriptions if self.profile.get("subscription", "subscription_url", one) != url]
        self.subscriptions = [*others, entry]
        return entry

    def _today(self) -> str:
        return self.clock().astimezone(HONG_KONG).date().isoformat()

    def _time(self) -> str:
        return self.clock().astimezone(HONG_KONG).isoformat(timespec="milliseconds")
