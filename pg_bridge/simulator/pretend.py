"""The pretend OCP without HTTP: its state, and what each operation does with a request's bytes.

Synchronous throughout, so that a call is done whole or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.concepts import SI_WRITES, EventType, Operation, Refusal
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.openapi import Document
from pg_bridge.simulator.binding import Binding, Refused, write_time
from pg_bridge.simulator.clock import Run, SimulatedClock, build_schedule
from pg_bridge.simulator.faults import Faults
from pg_bridge.simulator.gate import CallLimit, RequestIds, check_signature, read_write_headers
from pg_bridge.simulator.keys import SigningKey
from pg_bridge.simulator.ledger import Done, Ledger
from pg_bridge.simulator.life_cycle import Outcome
from pg_bridge.simulator.market_calls import MARKET_READS, MarketCalls
from pg_bridge.simulator.options import SimulatorOptions
from pg_bridge.simulator.push import Pusher, Subscriber
from pg_bridge.simulator.si_book import SiBook
from pg_bridge.simulator.streams import Place, Streams, Told
from pg_bridge.simulator.tokens import Caller, TokenDoor

PAGE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to an operation. headers: any spelling of their names is found."""

    operation: Operation
    headers: Mapping[str, str]
    parameters: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. later: of a long poll, what goes back instead when the waiting is over."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    later: Callable[[], Awaitable[Answer]] | None = None


class PretendOcp:
    """OCP's state and operations. `wall`: the real time, aware."""

    def __init__(self, profile: OcpProfile, options: SimulatorOptions, wall: Callable[[], datetime]) -> None:
        self.profile = profile
        self.options = options
        self.wall = wall
        self.binding = Binding(profile)
        self.key = SigningKey(options.signing_key, profile.push.algorithm)
        self.clock = SimulatedClock(wall, options.start, options.rate if options.clock == "runs" else 0.0)
        try:
            self._schedule = build_schedule(options.matching_runs, options.settlement_runs, options.day_end)
        except ValueError as error:
            raise ConfigError(f"reading the simulator's times of runs: {error}") from error
        self._companies = options.registrations.companies
        self._companies_of: defaultdict[str, set[str]] = defaultdict(set)
        for name, company in self._companies.items():
            for participant in company.participants:
                self._companies_of[participant].add(name)
        self.market = MarketCalls(
            self.binding, options, self.clock, lambda company: self._companies[company].participants
        )
        self.ledger = Ledger(Path(options.ledger_file) if options.ledger_file else None)
        self.faults = Faults()
        self.streams = Streams(self.faults)
        self.pusher = Pusher(
            profile,
            self.key,
            self.faults,
            wall,
            # for ids of deliveries, which must repeat from the seed
            Random(options.seed),  # noqa: S311
            options.push_waits_s,
            options.push_gives_up_s,
        )
        limits = profile.limits
        calls = limits.company_calls if options.company_calls is None else options.company_calls
        self.company_limit = CallLimit(calls, limits.company_period_s)
        calls = limits.machine_calls if options.machine_calls is None else options.machine_calls
        self.machine_limit = CallLimit(calls, limits.machine_period_s)
        self._begin()

    def _begin(self) -> None:
        self.tokens = TokenDoor(self.profile.token, self.options.registrations, self.key, self.options.token_life_s)
        rules = self.options.book_rules()
        self.book = SiBook(replace(rules, **self.market.book_rules()) if self.options.reference_data else rules)
        self._request_ids = RequestIds(self.profile.limits.request_id_life_s, self.options.replay_request_ids)
        self._log: defaultdict[tuple[str, date], list[msgspec.Raw]] = defaultdict(list)
        self._caught_up = self.clock.now()
        self._next_run = self._schedule.next_after(self._caught_up)

    def reset(self) -> None:
        """Begin with an empty book, ledger and log, no faults, tokens or used ids; clock and subscriptions stay."""
        self.faults.clear()
        self.ledger.clear()
        self.company_limit.forget()
        self.machine_limit.forget()
        self.market.forget()
        self.streams.forget()
        self._begin()

    def end_waiting(self) -> None:
        """Answer those that wait, end the streams."""
        self.market.end()
        self.streams.end()

    async def aclose(self) -> None:
        """End the pushes and close the ledger's file."""
        await self.pusher.aclose()
        self.ledger.close()

    # ---- time

    def catch_up(self) -> None:
        """Bring about every run that the clock has passed."""
        now = self.clock.now()
        if self._next_run is not None and now >= self._next_run:
            for moment, run in self._schedule.between(self._caught_up, now):
                if run is not Run.MATCH or not self.book.rules.match_at_once:
                    self.run(run, moment)
            self._next_run = self._schedule.next_after(now)
        self._caught_up = now
        self.market.look_again()

    def next_run(self) -> datetime | None:
        """When the clock brings about the next run."""
        return self._next_run

    def run(self, run: Run, moment: datetime | None = None, si_number: str | None = None) -> int:
        """Do one run (now); how much it moved."""
        now = moment or self.clock.now()
        book = self.book
        if run is Run.MATCH:
            moved = book.match_waiting(now)
        elif run is Run.SETTLE:
            moved = book.settle(now)
        elif run is Run.DAY_END:
            moved = book.end_day(now)
        else:
            moved = book.pay(now, si_number, paid=run is Run.PAY)
        self.publish()
        return moved

    def publish(self) -> None:
        """Log what happened in the book and offer it to the subscribers."""
        for event in self.book.take_events():
            document = self.binding.write_event(event)
            self._log[(event.participant, event.business_date)].append(document)
            place = Place(event.business_date, event.sequence)
            self.streams.offer(event.participant, Told(place, document))
            self.pusher.offer(self._companies_of[event.participant], event.event_type, document)

    def events(self, participant: str, business_date: date) -> list[msgspec.Raw]:
        """The log of one participant's business day."""
        return self._log.get((participant, business_date), [])

    def event_days(self, participant: str) -> list[date]:
        """The business days of which the participant has a log, in order."""
        return sorted(day for whose, day in self._log if whose == participant)

    # ---- calls

    def answer(self, call: Call, refusal: Refusal | None = None) -> Answer:
        """Do a call and answer it. `refusal`: every entry is to be refused so."""
        if call.operation is Operation.HEALTH:
            self.catch_up()
            return self._ok(call.operation)
        caller = self.admit(call)
        if isinstance(caller, Answer):
            return caller
        if not self.profile.operations[call.operation].writes:
            return self._read(call, caller)
        return self._write(call, caller, self.wall().timestamp(), refusal)

    def admit(self, call: Call) -> Caller | Answer:
        """Who calls, counted among its calls; or why it may not."""
        self.catch_up()
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
        functions = self._companies[caller.company].functions
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
        return Answer(200, self.binding.envelope(self.clock.now(), entries, (), total, cursor, operation=operation))

    def _caller(self, call: Call) -> Caller | None:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        return self.tokens.caller(token, self.wall()) if scheme.lower() == "bearer" else None

    def is_ours(self, caller: Caller, participant: object) -> bool:
        """Whether the caller's company may speak for the participant."""
        return participant in self._companies[caller.company].participants

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
            self.tokens.keys_of(caller.machine),
            self.profile.token.algorithm,
        )
        if refusals:
            return self.refused(400, refusals, operation)
        given = self._request_ids.answer(caller.company, request_id, at)
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
            done = [self._write_entry(operation, caller, request_id, entry, refusal) for entry in entries]
            answer = self._ok(operation, done)
            self.publish()
        if answer.status == 200:
            self._request_ids.use(caller.company, request_id, at, answer.body)
        return answer

    def _write_entry(
        self, operation: Operation, caller: Caller, request_id: str, entry: Any, refusal: Refusal | None
    ) -> Document:
        stated, refusals = self.binding.read_entry(operation, entry)
        if refusal is not None:
            refusals.append((refusal, "refused by order"))
        if not refusals and not self.is_ours(caller, stated["participant_id"]):
            refusals.append((Refusal.NOT_OUR_PARTICIPANT, "not a participant of this company"))
        if refusals:
            return self.binding.write_answer(stated, Outcome(None, tuple(refusals)))
        now = self.clock.now()
        outcome = self.book.write(operation, stated, now)
        si = outcome.si
        if si is not None:
            self.ledger.append(
                Done(
                    position=len(self.ledger) + 1,
                    at=write_time(now),
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
