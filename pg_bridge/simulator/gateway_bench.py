"""The pretend PG without its sockets: the gateway's book with a clock, a day and a ledger. Synchronous throughout.

Fulfils gateway_desk.Desk for the door.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pg_bridge.errors import ConfigError
from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.simulator.binding import write_time
from pg_bridge.simulator.clock import Run, SimulatedClock, build_schedule
from pg_bridge.simulator.counterparties import Counterparties
from pg_bridge.simulator.day import BusinessDay
from pg_bridge.simulator.gateway import Gateway
from pg_bridge.simulator.gateway_desk import Reply, Unasked
from pg_bridge.simulator.gateway_ledger import GatewayLedger, Taken
from pg_bridge.simulator.gateway_notices import Notice
from pg_bridge.simulator.gateway_options import GatewayOptions
from pg_bridge.simulator.gateway_request import Answer
from pg_bridge.simulator.gateway_words import GatewayWords
from pg_bridge.simulator.life_cycle import Outcome
from pg_bridge.simulator.si_book import SiBook

#: of a participant or a report, so that no path leads out of the folder of reports
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class PretendPg:
    """The gateway as it stands. wall: the real time, aware."""

    def __init__(
        self,
        link: LinkProfile,
        legacy: LegacyProfile,
        words: GatewayWords,
        options: GatewayOptions,
        wall: Callable[[], datetime],
    ) -> None:
        self.link = link
        self.legacy = legacy
        self.options = options
        self.wall = wall
        self.clock = SimulatedClock(wall, options.start, options.rate if options.clock == "runs" else 0.0)
        try:
            self.ledger = GatewayLedger(Path(options.ledger_file) if options.ledger_file else None)
        except OSError as error:
            raise ConfigError(f"opening the ledger {options.ledger_file}: {error.strerror}") from error
        self._words = words
        self._schedule = build_schedule(
            options.matching_runs, options.settlement_runs, options.day_end, options.payment_runs
        )
        allowed = link.text.allowed() + b"\r\n"
        self._shown_as = bytes(byte if byte in allowed else ord(".") for byte in range(256))
        self._stamp_at = 0.0
        self._stamp = ""
        self._begin()

    def _begin(self) -> None:
        options = self.options
        rules = options.book_rules()
        day = BusinessDay(
            options.market_hours,
            rules.holidays,
            options.half_days,
            time.fromisoformat(options.half_day_runs_end),
            keeps_hours=options.keeps_hours,
        )
        #: participant -> the terminal that sent the last part of a file
        self._uploads: dict[str, str] = {}
        self.gateway = Gateway(
            self.legacy,
            self._words,
            self.clock.now,
            rules,
            options.seed,
            day=day,
            schedule=self._schedule,
            participants=None if options.participants is None else frozenset(options.participants),
            reports=self._report if options.reports is not None else None,
        )
        for order in options.counterparties:
            self.gateway.counterparties.order(order)
        for difference in options.differences:
            self.gateway.differences.order(difference)

    def reset(self) -> None:
        """Begin with an empty book and ledger, everything as the options say; the clock stays."""
        self.ledger.clear()
        self._begin()

    def close(self) -> None:
        """Close the files."""
        self.ledger.close()

    # --- Desk

    def take(self, participant: str, terminal: str, frame: Frame) -> list[Reply]:
        """Do a request; its answers in order."""
        answers = self.gateway.take(participant, terminal, frame.template, frame.message_type, frame.body)
        self._keep_account()
        if not answers:
            self._uploads[participant] = terminal
        return [self._reply(answer) for answer in answers]

    def _reply(self, message: Answer | Notice) -> Reply:
        # words of the asker may stand in an answer, and what stood in them no frame can hold
        return Reply(message.message_type, message.template, message.body.translate(self._shown_as))

    def ended(self, participant: str, terminal: str) -> None:
        """A session has ended: of a file that it was sending nothing is left."""
        if self._uploads.get(participant) == terminal:
            del self._uploads[participant]
            self.gateway.files.drop(participant)

    def _keep_account(self) -> None:
        for one in self.gateway.take_taken():
            template = self.legacy.templates[one.template]
            si = self.book.register.get(one.si_number) if one.si_number else None
            self.ledger.append(
                Taken(
                    position=len(self.ledger) + 1,
                    at=write_time(one.at),
                    participant=one.participant,
                    terminal=one.terminal,
                    template=one.template,
                    function=template.function,
                    effect=template.effect,
                    operation=one.does,
                    request_reference=one.reference,
                    si_number=one.si_number,
                    outcome=one.outcome,
                    faults=one.faults,
                    status=si.status.value if si is not None else "",
                )
            )

    def unasked(self) -> list[Unasked]:
        """What is to be sent unasked since the last call, in order."""
        return [
            Unasked(
                notice.participant,
                notice.terminal or "",
                notice.si_number,
                self._reply(notice),
            )
            for notice in self.gateway.unasked()
        ]

    def stamp(self) -> str:
        """The moment that headers tell."""
        now = self.clock.now()
        second = now.timestamp() // 1
        if second != self._stamp_at:
            self._stamp_at = second
            self._stamp = now.strftime(self.link.timestamp.format)
        return self._stamp

    def _report(self, participant: str, report: str, day: date) -> bytes | None:
        """What the folder of reports holds for a participant; None: nothing."""
        if not _NAME.fullmatch(participant) or not _NAME.fullmatch(report) or self.options.reports is None:
            return None
        try:
            return Path(self.options.reports, participant, f"{day:%Y%m%d}", report).read_bytes()
        except OSError:
            return None

    # --- control_bench.Surrounded

    @property
    def book(self) -> SiBook:
        """The gateway's book."""
        return self.gateway.book

    @property
    def day(self) -> BusinessDay:
        """The gateway's day."""
        return self.gateway.day

    @property
    def counterparties(self) -> Counterparties:
        """Those that answer by themselves."""
        return self.gateway.counterparties

    def catch_up(self) -> None:
        """Bring about every run, and every answer of a counterparty, that the clock has passed."""
        self.gateway.catch_up()

    def run(self, run: Run, si_number: str | None = None) -> int:
        """Do one run now; how much it moved."""
        return self.gateway.run(run, si_number)

    def command(self, operation: Operation, stated: dict[str, Any]) -> Outcome:
        """Have an SI's own participant do something at a terminal of the PG itself."""
        return self.gateway.command(operation, stated)

    def next_run(self) -> datetime | None:
        """When the clock brings about the next run of a business day."""
        now = self.clock.now()
        runs = self._schedule.between(now, now + timedelta(days=14))
        return next((moment for moment, run in runs if self.day.takes_place(run, moment)), None)
