"""What the pretend OCP does by itself, whoever calls: runs of the day, answers of counterparties, events, and the state
that it keeps. Synchronous throughout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.binding import Binding
from pg_bridge.simulator.clock import Run, SimulatedClock, build_schedule
from pg_bridge.simulator.counterparties import Counterparties
from pg_bridge.simulator.day import BusinessDay
from pg_bridge.simulator.faults import PUSH, Faults
from pg_bridge.simulator.feed import Feed
from pg_bridge.simulator.gate import CallLimit, RequestIds
from pg_bridge.simulator.image import EventRecord, Image, SubscriptionRecord
from pg_bridge.simulator.keeping import Keeper, build_subscriber, forget, restore, whole_image
from pg_bridge.simulator.keys import SigningKey
from pg_bridge.simulator.ledger import Ledger
from pg_bridge.simulator.life_cycle import BookRules, Outcome
from pg_bridge.simulator.market_calls import MarketCalls
from pg_bridge.simulator.options import SimulatorOptions
from pg_bridge.simulator.push import Pusher
from pg_bridge.simulator.seeded_keys import seeded_key_pem
from pg_bridge.simulator.si_book import SiBook
from pg_bridge.simulator.state_file import StateFile
from pg_bridge.simulator.streams import Place, Streams, Told
from pg_bridge.simulator.tokens import TokenDoor


class Platform:
    """The book with its clock, day, log and subscribers. `wall`: the real time, aware."""

    def __init__(self, profile: OcpProfile, options: SimulatorOptions, wall: Callable[[], datetime]) -> None:
        self.profile = profile
        self.options = options
        self.wall = wall
        self.binding = Binding(profile)
        companies = options.registrations.companies
        self._participants = participants = {name: company.participants for name, company in companies.items()}
        state = StateFile(Path(options.state_file), participants, options.durable) if options.state_file else None
        kept_key = state.head.signing_key if state is not None and state.head is not None else None
        algorithm = profile.push.algorithm
        # who wants everything to repeat names a seed
        seeded = seeded_key_pem(f"{options.seed} pretend OCP", algorithm) if options.seed else None
        self.key = SigningKey(options.signing_key or kept_key or seeded, algorithm)
        self.clock = SimulatedClock(wall, options.start, options.rate if options.clock == "runs" else 0.0)
        try:
            self._schedule = build_schedule(
                options.matching_runs, options.settlement_runs, options.day_end, options.payment_runs
            )
            half_day_runs_end = time.fromisoformat(options.half_day_runs_end)
        except ValueError as error:
            raise ConfigError(f"reading the simulator's times of runs: {error}") from error
        self._half_day_runs_end = half_day_runs_end
        self._companies = companies
        self._participants_of = {name: frozenset(company.participants) for name, company in companies.items()}
        self._companies_of: defaultdict[str, set[str]] = defaultdict(set)
        for name, company in self._companies.items():
            for participant in company.participants:
                self._companies_of[participant].add(name)
        self.ledger = Ledger(Path(options.ledger_file) if options.ledger_file else None)
        self.faults = Faults()
        self.market = self._market()
        self.streams = Streams(self.faults)
        self.pusher = Pusher(
            profile,
            self.key,
            self.faults,
            self.clock,
            wall,
            options.seed,
            options.push_waits_s,
            options.push_gives_up_s,
        )
        limits = profile.limits
        calls = limits.company_calls if options.company_calls is None else options.company_calls
        self.company_limit = CallLimit(calls, limits.company_period_s)
        calls = limits.machine_calls if options.machine_calls is None else options.machine_calls
        self.machine_limit = CallLimit(calls, limits.machine_period_s)
        self.to_resume: list[SubscriptionRecord] = []
        self.keeper: Keeper | None = None
        self._begin()
        if state is not None:
            self._keep_in(state)

    def _keep_in(self, state: StateFile) -> None:
        if state.image is not None:
            try:
                restore(self, state.image, after_restart=True)
            except ValueError as error:
                state.close()
                raise ConfigError(f"reading the state in {self.options.state_file}: {error}") from error
        self.keeper = Keeper(self, state)
        self.pusher.on_begun, self.pusher.on_taken = self.keeper.begun, self.keeper.taken
        self.pusher.on_lost = self.keeper.lost
        self.streams.on_moved = self.faults.on_met = self.keeper.keep

    def _market(self) -> MarketCalls:
        return MarketCalls(self.binding, self.options, self.clock, self._participants.__getitem__)

    def plant(self, seed: int) -> None:
        """Have all that is left to chance follow from this seed."""
        self.options = msgspec.structs.replace(self.options, seed=seed)
        self.pusher.seed = seed
        self.market.end()
        self.market = self._market()

    def sign_with(self, key: SigningKey) -> None:
        """Sign by this key from now on."""
        self.key = self.pusher.key = key
        self.tokens.sign_with(key)

    def _begin(self) -> None:
        self.tokens = TokenDoor(self.profile.token, self.options.registrations, self.key, self.options.token_life_s)
        self.functions = {name: one.functions for name, one in self._companies.items()}
        self.transaction_limits = dict(self.options.transaction_limits)
        self.take_over(SiBook(self.book_rules()), self.clock.now())
        for order in self.options.counterparties:
            self.counterparties.order(order)

    def book_rules(self) -> BookRules:
        """The rules of the book as the options say, with the generated market where they do."""
        options = self.options
        rates = options.exchange_rates if Operation.STOCKS in self.profile.operations else {}
        coded = {self.profile.code("currency", currency): rate for currency, rate in rates.items()}
        rules = replace(options.book_rules(), rates=coded)
        return replace(rules, **self.market.book_rules()) if options.reference_data else rules

    def entitled_by_control(self) -> dict[str, list[Operation] | None] | None:
        """What companies may call where that is not as the options say; None: it is."""
        registered = self._companies
        return {name: few for name, few in self.functions.items() if few != registered[name].functions} or None

    def take_over(self, book: SiBook, caught_up: datetime | None) -> None:
        """Go on with this book; day, counterparties, log and used ids begin anew."""
        options = self.options
        self.book = book
        self.day = BusinessDay(
            options.market_hours,
            self.book_rules().holidays,
            [*options.half_days, *(self.market.half_days() if options.reference_data else ())],
            self._half_day_runs_end,
            keeps_hours=options.keeps_hours,
            last_run=max(map(time.fromisoformat, options.settlement_runs), default=None),
        )
        self.counterparties = Counterparties(book, self.day, options.seed, self._companies_of)
        self.request_ids = RequestIds(self.profile.limits.request_id_life_s, options.replay_request_ids)
        self._log: defaultdict[tuple[str, date], list[msgspec.Raw]] = defaultdict(list)
        self.caught_up = caught_up or self.clock.now()
        self._next_run = self._schedule.next_after(self.caught_up)

    # ---- state

    def reset(self) -> None:
        """Begin with an empty book, ledger and log, no faults, tokens or used ids, everything as the options say;
        clock and subscriptions stay."""
        self.faults.clear()
        self.ledger.clear()
        self.company_limit.forget()
        self.machine_limit.forget()
        self.market.forget()
        self.streams.forget()
        self._begin()
        if self.keeper is not None:
            self.keeper.begin_anew()

    def snapshot(self) -> Image:
        """The whole state."""
        self.catch_up()
        return whole_image(self)

    def restore(self, image: Image) -> None:
        """Go on where the snapshot was taken; whoever held a token asks for one again.

        Raises ValueError, with nothing changed, for one that does not fit.
        """
        restore(self, image, after_restart=False)
        self.tokens.expire_all()
        self.pusher.unsubscribe_all()
        self.resume()
        if self.keeper is not None:
            self.keeper.begin_anew()

    def resume(self) -> None:
        """Deliver again to the subscribers that were there; needs a running loop."""
        records, self.to_resume = self.to_resume, []
        for one in records:
            self.pusher.begin(build_subscriber(one, Feed(self.faults, PUSH)))

    def keep(self) -> None:
        """Have what happened survive, before it is answered."""
        self.ledger.flush()
        if self.keeper is not None:
            self.keeper.keep()
        else:
            forget(self)

    def end_waiting(self) -> None:
        """Answer those that wait, end the streams."""
        self.market.end()
        self.streams.end()

    async def aclose(self) -> None:
        """End the pushes and close the files."""
        await self.pusher.aclose()
        self.ledger.close()
        if self.keeper is not None:
            self.keeper.close()

    # ---- time

    def catch_up(self) -> None:
        """Bring about every run, and every answer of a counterparty, that the clock has passed."""
        now = self.clock.now()
        due = self.counterparties.next_due
        if (self._next_run is not None and now >= self._next_run) or (due is not None and now >= due):
            for moment, run in self._schedule.between(self.caught_up, now):
                self._answer_until(moment)
                if self.day.takes_place(run, moment) and (run is not Run.MATCH or not self.book.rules.match_at_once):
                    self.run(run, moment)
            self._answer_until(now)
            self._next_run = self._schedule.next_after(now)
            self.caught_up = now
            self.keep()
        self.caught_up = now
        self.market.look_again()
        self.pusher.look_again()

    def _answer_until(self, until: datetime) -> None:
        while (due := self.counterparties.next_due) is not None and due <= until:
            self.counterparties.answer_next()
            self.publish(due)

    def next_run(self) -> datetime | None:
        """When the clock brings about the next run of a business day."""
        runs = self._schedule.between(self.caught_up, self.caught_up + timedelta(days=14))
        return next((moment for moment, run in runs if self.day.takes_place(run, moment)), None)

    def run(self, run: Run, moment: datetime | None = None, si_number: str | None = None) -> int:
        """Do one run (now); how much it moved."""
        now = moment or self.clock.now()
        book = self.book
        if run is Run.MATCH:
            moved = book.match_waiting(now)
        elif run is Run.SETTLE:
            moved = book.settle(now, si_number)
        elif run is Run.DAY_END:
            moved = book.end_day(now)
        else:
            moved = book.pay(now, si_number, paid=run is Run.PAY)
        self.publish(now)
        return moved

    def command(self, operation: Operation, stated: dict[str, Any]) -> Outcome:
        """Have an SI's own participant do something at OCP itself. stated: as for a write of the book."""
        now = self.clock.now()
        outcome = self.book.write(operation, stated, now)
        self.publish(now)
        return outcome

    def publish(self, now: datetime) -> None:
        """Log what happened in the book, offer it to the subscribers, and let counterparties answer it."""
        while events := self.book.take_events():
            for event in events:
                document = self.binding.write_event(event)
                self.log(event.participant, event.business_date).append(document)
                if self.streams.listens(event.participant):
                    told = Told(Place(event.business_date, event.sequence), document)
                    self.streams.offer(event.participant, told)
                self.pusher.offer(self._companies_of.get(event.participant, ()), event.event_type, document)
                if self.keeper is not None:
                    self.keeper.told(
                        EventRecord(
                            participant=event.participant,
                            business_date=event.business_date,
                            document=document,
                            event_type=event.event_type,
                        )
                    )
            self.counterparties.see(events, now)

    def log(self, participant: str, business_date: date) -> list[msgspec.Raw]:
        """The events of one participant's business day, to be added to."""
        return self._log[(participant, business_date)]

    def told(self) -> list[EventRecord]:
        """All events, those of a participant's day in order."""
        return [
            EventRecord(participant=participant, business_date=day, document=document)
            for (participant, day), documents in self._log.items()
            for document in documents
        ]

    def events(self, participant: str, business_date: date) -> list[msgspec.Raw]:
        """The log of one participant's business day."""
        return self._log.get((participant, business_date), [])

    def event_days(self, participant: str) -> list[date]:
        """The business days of which the participant has a log, in order."""
        return sorted(day for whose, day in self._log if whose == participant)
