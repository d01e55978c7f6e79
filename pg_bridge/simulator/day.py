"""The pretend OCP's day: which days are business days, when each market takes instructions, and what the weather
does to it. Pure: `now` (Hong Kong time) is an argument.

Typhoon and black rainstorm are ordered by hand; what they do is assumed, after the rules that the exchange had
before it traded through bad weather: a typhoon closes everything while it is in force, and for the rest of the day
when it is in force at noon or later; a black rainstorm that begins before a session opens puts the opening off, and
leaves an open session alone. No run takes place while the market is closed or its opening is put off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from pg_bridge.profiles.concepts import Payment, Refusal
from pg_bridge.profiles.hours import MarketHours
from pg_bridge.simulator.clock import HONG_KONG, Run
from pg_bridge.simulator.stated import SATURDAY

Refused = tuple[Refusal, str]

#: the first session opens then where no market says another time
OPENING = time(8)
#: a typhoon in force at or after it closes the rest of the day
NOON = time(12)


class Weather(StrEnum):
    """What a warning in force is of."""

    FAIR = "fair"
    TYPHOON = "typhoon"
    BLACK_RAINSTORM = "black_rainstorm"


class Spell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One warning: from `since` until before `until` (None: until told otherwise)."""

    weather: Weather
    since: datetime
    until: datetime | None = None

    def is_in_force(self, at: datetime) -> bool:
        """Whether it is in force at that moment."""
        return self.since <= at and (self.until is None or at < self.until)


class BusinessDay:
    """The calendar, the sessions by market, and the weather.

    keeps_hours: whether the sessions are looked at (else every market is open on every day, but for the weather).
    half_day_runs_end: from then on no run but the day's end takes place on a half day. last_run: when the last
    settlement run of a whole day is; no session but the first opens before it (None: as the markets say).
    """

    def __init__(
        self,
        markets: Mapping[str, MarketHours],
        holidays: Collection[date],
        half_days: Collection[date],
        half_day_runs_end: time,
        *,
        keeps_hours: bool,
        last_run: time | None = None,
    ) -> None:
        self._last_run = last_run
        self._markets = dict(markets)
        self._holidays = frozenset(holidays)
        self._half_days = frozenset(half_days)
        self._half_day_runs_end = half_day_runs_end
        self.keeps_hours = keeps_hours
        self.spells: list[Spell] = []

    def set_weather(self, weather: Weather, now: datetime, until: datetime | None = None) -> None:
        """From `now` on the warning is of this weather, and of no other; FAIR: there is none."""
        self.spells = [
            spell if spell.until is not None and spell.until <= now else msgspec.structs.replace(spell, until=now)
            for spell in self.spells
            if spell.since < now
        ]
        if weather is not Weather.FAIR:
            self.spells.append(Spell(weather=weather, since=now, until=until))

    def weather(self, now: datetime) -> Weather:
        """The warning in force."""
        return next((spell.weather for spell in self.spells if spell.is_in_force(now)), Weather.FAIR)

    def is_business_day(self, day: date) -> bool:
        """Whether anything settles on that day."""
        return day.weekday() < SATURDAY and day not in self._holidays

    def next_business_day(self, day: date) -> date:
        """The first business day behind `day`."""
        day += timedelta(days=1)
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def refusal(self, market: str | None, now: datetime) -> Refused | None:
        """Why `market` takes no instruction now; None when it does."""
        if self._is_closed_by_typhoon(now):
            return Refusal.MARKET_CLOSED, "the market is closed: typhoon"
        hours = self._markets.get(market or "")
        if not self.keeps_hours or hours is None:
            return None
        day = now.date()
        if not self.is_business_day(day) or day in hours.holidays:
            return Refusal.MARKET_CLOSED, f"the market is closed on {day}"
        for opens, closes in self._sessions(hours, day):
            if opens <= now.time() < closes:
                if self._is_put_off(datetime.combine(day, opens, HONG_KONG), now):
                    return Refusal.OUTSIDE_HOURS, "the opening is put off: black rainstorm"
                return None
        return Refusal.OUTSIDE_HOURS, "outside of the session hours"

    def too_late(self, market: str | None, payment: Payment | None, settles_on: date, now: datetime) -> Refused | None:
        """Why an instruction may no longer be entered that settles on this day; None when it may."""
        hours = self._markets.get(market or "")
        if not self.keeps_hours or hours is None or settles_on != now.date():
            return None
        until = hours.same_day_until
        if payment is Payment.RDP and hours.same_day_rdp_until is not None:
            until = hours.same_day_rdp_until
        if until is None or now.time() < until:
            return None
        return Refusal.NO_SETTLEMENT_DAY, f"too late to settle on {settles_on}: until {until:%H:%M} only"

    def takes_place(self, run: Run, moment: datetime) -> bool:
        """Whether a run of the schedule takes place."""
        day = moment.date()
        if not self.is_business_day(day) or self._is_closed_by_typhoon(moment):
            return False
        if run is Run.DAY_END:
            return True
        if day in self._half_days and moment.time() >= self._half_day_runs_end:
            return False
        first = min(
            (opens for hours in self._markets.values() for opens, _ in self._sessions(hours, day)), default=None
        )
        return not self._is_put_off(datetime.combine(day, first or OPENING, HONG_KONG), moment)

    def _sessions(self, hours: MarketHours, day: date) -> Sequence[tuple[time, time]]:
        if day in self._half_days:
            return hours.half_day
        if self._last_run is None:
            return hours.sessions
        later = [(max(opens, self._last_run), closes) for opens, closes in hours.sessions[1:]]
        return [*hours.sessions[:1], *later]

    def _is_put_off(self, opening: datetime, now: datetime) -> bool:
        return any(
            spell.weather is Weather.BLACK_RAINSTORM and spell.since <= opening and spell.is_in_force(now)
            for spell in self.spells
        )

    def _is_closed_by_typhoon(self, now: datetime) -> bool:
        noon = datetime.combine(now.date(), NOON, HONG_KONG)
        return any(
            spell.weather is Weather.TYPHOON
            and spell.since <= now
            and (spell.is_in_force(now) or (spell.until is not None and spell.until > noon))
            for spell in self.spells
        )
