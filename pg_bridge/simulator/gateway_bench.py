"""The pretend PG without its sockets: the gateway's book with a clock, a day and a ledger. Synchronous throughout.

Fulfils gateway_desk.Desk for the door.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path

from pg_bridge.errors import ConfigError
from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.simulator.clock import Run, SimulatedClock, build_schedule
from pg_bridge.simulator.day import BusinessDay
from pg_bridge.simulator.gateway import Gateway
from pg_bridge.simulator.gateway_desk import Reply, Unasked
from pg_bridge.simulator.gateway_ledger import GatewayLedger
from pg_bridge.simulator.gateway_options import GatewayOptions
from pg_bridge.simulator.gateway_words import GatewayWords


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
        self._stamp_at = 0.0
        self._stamp = ""
        self._begin()

    def _begin(self) -> None:
        options = self.options
        self.gateway = Gateway(self.legacy, self._words, self.clock.now, options.book_rules(), options.seed)
        self.day = BusinessDay(
            options.market_hours,
            frozenset(options.holidays),
            options.half_days,
            time.fromisoformat(options.half_day_runs_end),
            keeps_hours=options.keeps_hours,
        )
        self._caught_up = self.clock.now()
        self._next_run = self._schedule.next_after(self._caught_up)

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
        self.catch_up()
        answers = self.gateway.take(participant, terminal, frame.template, frame.message_type, frame.body)
        return [Reply(answer.message_type, answer.template, answer.body) for answer in answers]

    def unasked(self) -> list[Unasked]:
        """What is to be sent unasked since the last call, in order."""
        self.catch_up()
        return [
            Unasked(
                notice.participant,
                notice.terminal or "",
                "",
                Reply(notice.message_type, notice.template, notice.body),
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

    # --- time

    def catch_up(self) -> None:
        """Bring about every run that the clock has passed."""
        now = self.clock.now()
        if self._next_run is not None and now >= self._next_run:
            for moment, run in self._schedule.between(self._caught_up, now):
                if self.day.takes_place(run, moment):
                    self.gateway.run(run)
            self._next_run = self._schedule.next_after(now)
        self._caught_up = now

    def run(self, run: Run, si_number: str | None = None) -> int:
        """Do one run now; how much it moved."""
        return self.gateway.run(run, si_number)

    def next_run(self) -> datetime | None:
        """When the clock brings about the next run."""
        return self._next_run
