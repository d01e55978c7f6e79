"""The pretend OCP without HTTP: its state, and what each operation does with a request's bytes.

Synchronous throughout, so that a call is done whole or not at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from pg_bridge.profiles.concepts import SI_WRITES, EventType, Operation, Refusal
from pg_bridge.profiles.openapi import Document
from pg_bridge.simulator.binding import Refused, write_time
from pg_bridge.simulator.gate import check_signature, read_write_headers
from pg_bridge.simulator.ledger import Done
from pg_bridge.simulator.life_cycle import Outcome
from pg_bridge.simulator.market_calls import MARKET_READS
from pg_bridge.simulator.platform import Platform
from pg_bridge.simulator.push import Subscriber
from pg_bridge.simulator.tokens import Caller

PAGE = 100
#: what states a settlement date
_ENTERS = frozenset({Operation.SI_ADD, Operation.SI_CHANGE})


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to an operation. headers: any spelling of their names is found.

    token_url: where its caller would ask for a token.
    """

    operation: Operation
    headers: Mapping[str, str]
    parameters: Sequence[tuple[str, str]]
    body: bytes
    token_url: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. later: of a long poll, what goes back instead when the waiting is over."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    later: Callable[[], Awaitable[Answer]] | None = None


class PretendOcp(Platform):
    """OCP's operations upon its state."""

    # ---- calls

    def answer(self, call: Call, refusal: Refusal | None = None) -> Answer:
        """Do a call and answer it. `refusal`: every entry is to be refused so.

        Raises OSError where what was done cannot be kept.
        """
        self.catch_up()
        answer = self._answer(call, refusal)
        self.keep()
        return answer

    def _answer(self, call: Call, refusal: Refusal | None) -> Answer:
        if call.operation is Operation.HEALTH:
            return self._ok(call.operation)
        caller = self.admit(call)
        if isinstance(caller, Answer):
            return caller
        if not self.profile.operations[call.operation].writes:
            return self._read(call, caller)
        return self._write(call, caller, self.wall().timestamp(), refusal)

    def admit(self, call: Call) -> Caller | Answer:
        """Who calls, counted among its calls; or why it may not."""
        operation = call.operation
        at = self.wall().timestamp()
        caller = self._caller(call)
        if caller is None:
            return self.failed(
                401, "the token is missing or no longer good", {"WWW-Authenticate": "Bearer"}, operation=operation
            )
        wait_s = max(self.company_limit.wait_s(caller.company, at), self.machine_limit.wait_s(caller.machine, at))
        if wait_s:
            return self.failed(429, "too many calls", {"Retry-After": str(wait_s)}, operation=operation)
        self.company_limit.count(caller.company, at)
        self.machine_limit.count(caller.machine, at)
        functions = self.functions[caller.company]
        if functions is not None and operation not in functions:
            return self.refused(403, [(Refusal.NOT_GRANTED, f"{operation.value} is not granted")], operation)
        return caller

    def failed(
        self,
        status: int,
        text: str,
        headers: Mapping[str, str] | None = None,
        *,
        operation: Operation | None = None,
    ) -> Answer:
        """An answer of the transport: the HTTP status is its code too."""
        names = self.profile.write(
            "envelope",
            {
                "code": str(status),
                "message": text,
                "entries": self.binding.entries(operation, []),
                "total_size": 0,
                "timestamp": write_time(self.clock.now()),
                "next_cursor": self.profile.envelope.first_cursor,
                "errors": [],
            },
        )
        return Answer(status, msgspec.json.encode(names), headers or {})

    def refused(self, status: int, refusals: Sequence[Refused], operation: Operation | None = None) -> Answer:
        """A request refused whole."""
        return Answer(status, self.binding.envelope(self.clock.now(), refusals=refusals, operation=operation))

    def _ok(
        self, operation: Operation, entries: Sequence[Any] = (), total: int | None = None, cursor: int = 0
    ) -> Answer:
        body = self.binding.envelope(self.clock.now(), entries, (), total, cursor, operation=operation)
        fault = self.binding.answer_fault(operation, body)
        if fault is not None:
            return self.failed(500, f"the answer does not fit the OpenAPI document: {fault}", operation=operation)
        return Answer(200, body)

    def _caller(self, call: Call) -> Caller | None:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        return self.tokens.caller(token, self.wall(), call.token_url) if scheme.lower() == "bearer" else None

    def is_ours(self, caller: Caller, participant: object) -> bool:
        """Whether the caller's company may speak for the participant."""
        return isinstance(participant, str) and participant in self._participants_of[caller.company]

    # ---- reads

    def _read(self, call: Call, caller: Caller) -> Answer:
        operation = call.operation
        if operation is Operation.ECHO:
            return self._ok(operation)
        if operation is Operation.CRYPTO_META:
            return self._ok(operation, [self.key.jwk])
        if self.profile.operations[operation].method == "GET":
            document: Any = self.binding.read_parameters(operation, call.parameters)
        else:
            try:
                document = msgspec.json.decode(call.body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return self.refused(400, [(Refusal.FIELD_MALFORMED, "the body is no JSON")], operation)
        if operation in MARKET_READS:
            return self._market_read(operation, caller.company, document)
        asked, refusals = self.binding.read_query(operation, document)
        if refusals:
            return self.refused(400, refusals, operation)
        if operation is Operation.SUBSCRIPTION_QUERY:
            wanted = asked["subscription_url"]
            found = [one for one in self.pusher.subscribers(caller.company) if wanted in (None, one.url)]
            return self._ok(operation, [self._subscription(one) for one in found])
        if not self.is_ours(caller, asked["participant_id"]):
            refusal = (Refusal.NOT_OUR_PARTICIPANT, "not a participant of this company")
            return self.refused(403, [refusal], operation)
        size, after = int(asked["size"] or PAGE), int(asked["cursor"] or 0)
        if operation is Operation.SI_QUERY:
            sis, total, cursor = self.book.register.find(asked, after, size, self.clock.now().date())
            return self._ok(operation, [self.binding.write_si(si.values()) for si in sis], total, cursor)
        log = self.events(asked["participant_id"], asked["business_date"])
        after = max(after, int(asked["after_sequence"] or 0))
        events = log[after : after + size]
        return self._ok(operation, events, len(log), after + size if after + size < len(log) else 0)

    def _market_read(self, operation: Operation, company: str, document: Any) -> Answer:
        found = self.market.answer(operation, company, document)
        if found.refusals:
            return self.refused(400, found.refusals, operation)
        answer = self._ok(operation, found.entries, found.total, found.cursor)
        if operation is not Operation.TRADES or found.entries:
            return answer
        awaited = self.market.awaited(company, document)
        if awaited is None:
            return answer

        async def later() -> Answer:
            await self.market.wait(awaited)
            return self._ok(operation, *self.market.answer(operation, company, document)[:3])

        return replace(answer, later=later)

    # ---- writes

    def _write(self, call: Call, caller: Caller, at: float, refusal: Refusal | None) -> Answer:
        operation = call.operation
        spec = self.profile.operations[operation]
        request_id, refusals = read_write_headers(self.profile.headers, call.headers, at)
        refusals += check_signature(
            self.profile.headers,
            call.headers,
            spec.method,
            spec.path,
            call.body,
            self.tokens.keys_of(caller.machine, self.wall()),
            self.profile.token.algorithm,
        )
        if refusals:
            return self.refused(400, refusals, operation)
        today = self.clock.now().timestamp()
        given = self.request_ids.answer(caller.company, request_id, today)
        if given is not None:
            if given:
                return Answer(200, given)
            return self.refused(200, [(Refusal.REQUEST_ID_REPEATED, "the request id was used before")], operation)
        try:
            document = msgspec.json.decode(call.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.refused(400, [(Refusal.FIELD_MALFORMED, "the body is no JSON")], operation)
        if operation not in SI_WRITES:
            answer = self._subscribe(operation, caller, document)
        else:
            entries = self.profile.get("request", "entries", document) if spec.bulk else [document]
            if not isinstance(entries, list) or not entries:
                return self.refused(400, [(Refusal.FIELD_MISSING, "the request has no entries")], operation)
            if len(entries) > spec.most:
                return self.refused(400, [(Refusal.TOO_MANY_ENTRIES, f"more than {spec.most} entries")], operation)
            read = [self.binding.read_entry(operation, entry) for entry in entries]
            closed = self._why_closed(read)
            if closed and all(closed):
                return self.refused(200, list(dict.fromkeys(filter(None, closed))), operation)
            for (_, faults), why in zip(read, closed, strict=False):
                faults += [why] if why is not None else []
            now = self.clock.now()
            if self.day.keeps_hours and operation in _ENTERS:
                self._find_too_late(read)
            done = [
                self._write_entry(operation, caller, request_id, stated, faults, refusal, now)
                for stated, faults in read
            ]
            answer = self._ok(operation, done)
            self.publish(now)
        # an answer that does not fit its schema is none, but the work is done
        if answer.status != 400:
            self.request_ids.use(caller.company, request_id, today, answer.body)
        return answer

    def _why_closed(self, read: Sequence[tuple[dict[str, Any], list[Refused]]]) -> list[Refused | None]:
        """Of each entry: why its market takes no instruction now. Empty where no market is ever closed."""
        if not self.day.keeps_hours and not self.day.spells:
            return []
        now = self.clock.now()
        found = []
        for stated, refusals in read:
            si = None if refusals else self.book.register.get(stated["si_number"])
            market = stated["market"] or (si.stated["market"] if si is not None else None)
            found.append(None if refusals else self.day.refusal(market, now))
        return found

    def _find_too_late(self, read: Sequence[tuple[dict[str, Any], list[Refused]]]) -> None:
        now = self.clock.now()
        for stated, refusals in read:
            if not refusals:
                why = self.day.too_late(stated["market"], stated["payment_instruction"], stated["settlement_date"], now)
                refusals += [why] if why is not None else []

    def _limit(self, caller: Caller, stated: Mapping[str, Any]) -> Decimal | None:
        """What the caller may let go at once for this participant, in Hong Kong dollars."""
        limits = self.transaction_limits
        if not limits:
            return None
        return min(
            (limits[name] for name in (caller.machine, stated["participant_id"]) if name in limits), default=None
        )

    def _write_entry(
        self,
        operation: Operation,
        caller: Caller,
        request_id: str,
        stated: dict[str, Any],
        refusals: list[Refused],
        refusal: Refusal | None,
        now: datetime,
    ) -> Document:
        if refusal is not None:
            refusals.append((refusal, "refused by order"))
        if not refusals and not self.is_ours(caller, stated["participant_id"]):
            refusals.append((Refusal.NOT_OUR_PARTICIPANT, "not a participant of this company"))
        if refusals:
            return self.binding.write_answer(stated, Outcome(None, tuple(refusals)))
        outcome = self.book.write(operation, stated, now, self._limit(caller, stated))
        si = outcome.si
        if si is not None:
            self.ledger.append(
                Done(
                    position=len(self.ledger) + 1,
                    at=self.binding.write_moment(now),
                    operation=operation.value,
                    request_id=request_id,
                    company=caller.company,
                    machine=caller.machine,
                    participant=si.participant,
                    request_reference=stated["request_reference"],
                    participant_reference=si.stated["participant_reference"],
                    si_number=si.si_number,
                    status=si.status.value,
                )
            )
        return self.binding.write_answer(stated, outcome)

    # ---- subscriptions

    def _subscribe(self, operation: Operation, caller: Caller, document: Any) -> Answer:
        asked, refusals = self.binding.read_query(operation, document)
        if refusals:
            return self.refused(400, refusals, operation)
        url, key_id = asked["subscription_url"], asked["subscription_key_id"]
        known = {one.url for one in self.pusher.subscribers(caller.company)}
        if operation is not Operation.SUBSCRIPTION_ADD and url not in known:
            return self.refused(400, [(Refusal.FIELD_OUT_OF_RANGE, "no subscription of this URL")], operation)
        if key_id not in (None, self.key.kid):
            return self.refused(400, [(Refusal.FIELD_OUT_OF_RANGE, "no key of this id")], operation)
        if operation is Operation.SUBSCRIPTION_INVALIDATE:
            ended = self.pusher.unsubscribe(caller.company, url)
            return self._ok(operation, [self._subscription(ended)] if ended else [])
        meanings = [self.profile.meaning("event_type", code) for code in asked["subscription_events"] or ()]
        types = frozenset(meaning for meaning in meanings if isinstance(meaning, EventType))
        subscriber = self.pusher.subscribe(caller.company, url, types, key_id)
        return self._ok(operation, [self._subscription(subscriber)])

    def _subscription(self, subscriber: Subscriber) -> Document:
        return self.profile.write(
            "subscription",
            {
                "subscription_url": subscriber.url,
                "subscription_events": sorted(self.profile.code("event_type", one) for one in subscriber.event_types),
                "subscription_key_id": subscriber.key_id,
            },
        )
