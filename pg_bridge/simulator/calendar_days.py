"""Trading and settlement days as the pretend OCP has them. Pure; plausible, not official.

Hong Kong's holidays of fixed date and about Easter are computed. Those by the moon follow New Year's day, whose dates
are known for some years and elsewhere assumed to fall on 5 February.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from pg_bridge.profiles.market_concepts import DayKind, Market

SATURDAY = 5
SUNDAY = 6
_DAY = timedelta(days=1)
_LUNAR_NEW_YEARS = {
    year: date(year, month, day)
    for year, month, day in (
        (2024, 2, 10), (2025, 1, 29), (2026, 2, 17), (2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3),
    )
}  # fmt: skip
#: days from New Year's day: Buddha's birthday, Tuen Ng, the day after Mid-Autumn, Chung Yeung
_BUDDHA, _TUEN_NG, _AFTER_MID_AUTUMN, _CHUNG_YEUNG = 96, 122, 221, 243
#: more in a year with a leap month before them
_LEAP_MONTH = 29
#: trade date to settlement date, in settlement days
_CYCLES = {Market.HONG_KONG: 2, Market.SHANGHAI: 0, Market.SHENZHEN: 0}


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One market's day. settles_on: when its trades settle; None without trading."""

    market: Market
    day: date
    is_trading: bool
    is_settlement: bool
    is_half: bool
    settles_on: date | None
    kind: DayKind


def days_between(first: date, last: date, markets: tuple[Market, ...]) -> Iterator[CalendarDay]:
    """Every day of the markets, by date, then by market."""
    for number in range((last - first).days + 1):
        for market in markets:
            yield calendar_day(market, first + number * _DAY)


@lru_cache(10_000)
def calendar_day(market: Market, day: date) -> CalendarDay:
    """What a day is for a market: China Connect trades when both sides of the border do."""
    kind = _kind(market, day)
    is_open = kind in (DayKind.WORKING, DayKind.HALF)
    settles_on = _settlement_date(market, day) if is_open else None
    return CalendarDay(market, day, is_open, is_open, kind is DayKind.HALF, settles_on, kind)


def is_business_day(market: Market, day: date) -> bool:
    """Whether the market trades and settles."""
    return _kind(market, day) in (DayKind.WORKING, DayKind.HALF)


def hong_kong_holidays(year: int) -> frozenset[date]:
    """The year's days from Monday to Friday on which Hong Kong's market is closed."""
    return frozenset(day for day in _hong_kong_closed(year) if day.weekday() < SATURDAY)


def hong_kong_half_days(year: int) -> frozenset[date]:
    """The year's days on which Hong Kong's market closes at noon."""
    return frozenset(day for day in _half_days(year) if _kind(Market.HONG_KONG, day) is DayKind.HALF)


def _settlement_date(market: Market, day: date) -> date:
    left = _CYCLES[market]
    while left:
        day += _DAY
        if is_business_day(market, day):
            left -= 1
    return day


def _kind(market: Market, day: date) -> DayKind:
    if day.weekday() >= SATURDAY:
        return DayKind.WEEKEND
    in_hong_kong = day in _hong_kong_closed(day.year)
    if market is Market.HONG_KONG:
        if in_hong_kong:
            return DayKind.HOLIDAY
        return DayKind.HALF if day in _half_days(day.year) else DayKind.WORKING
    if day in _mainland_closed(day.year):
        return DayKind.HOLIDAY
    return DayKind.OTHER_MARKET_CLOSED if in_hong_kong else DayKind.WORKING


@cache
def _lunar(year: int) -> tuple[date, int]:
    """New Year's day, and how much later the year's second half is for a leap month."""
    new_year = _LUNAR_NEW_YEARS.get(year, date(year, 2, 5))
    following = _LUNAR_NEW_YEARS.get(year + 1, date(year + 1, 2, 5))
    return new_year, _LEAP_MONTH if (following - new_year).days > 365 else 0


@cache
def _half_days(year: int) -> frozenset[date]:
    eves = (_lunar(year)[0] - _DAY, date(year, 12, 24), date(year, 12, 31))
    return frozenset(day for day in eves if day.weekday() < SATURDAY)


@cache
def _hong_kong_closed(year: int) -> frozenset[date]:
    new_year, later = _lunar(year)
    easter = _easter(year)
    closed: set[date] = {easter - 2 * _DAY, easter - _DAY, easter + _DAY}
    wanted = [
        date(year, 1, 1),
        *(new_year + number * _DAY for number in range(3)),
        date(year, 4, 4 if year % 4 == 0 else 5),
        date(year, 5, 1),
        new_year + _BUDDHA * _DAY,
        new_year + _TUEN_NG * _DAY,
        date(year, 7, 1),
        new_year + (_AFTER_MID_AUTUMN + later) * _DAY,
        date(year, 10, 1),
        new_year + (_CHUNG_YEUNG + later) * _DAY,
        date(year, 12, 25),
        date(year, 12, 26),
    ]
    for day in wanted:
        # a holiday on a Sunday, or on another, moves to the next day that is neither
        while day.weekday() == SUNDAY or day in closed:
            day += _DAY
        closed.add(day)
    return frozenset(closed)


@cache
def _mainland_closed(year: int) -> frozenset[date]:
    new_year, later = _lunar(year)
    starts = [
        (date(year, 1, 1), 1),
        (new_year - _DAY, 8),
        (date(year, 4, 4 if year % 4 == 0 else 5), 1),
        (date(year, 5, 1), 5),
        (new_year + _TUEN_NG * _DAY, 1),
        (new_year + (_AFTER_MID_AUTUMN - 1 + later) * _DAY, 1),
        (date(year, 10, 1), 7),
    ]
    return frozenset(start + number * _DAY for start, days in starts for number in range(days))


def _easter(year: int) -> date:
    """Easter Sunday by the Gregorian rule (the anonymous algorithm)."""
    golden, century, rest = year % 19, year // 100, year % 100
    leap, more = divmod(century, 4)
    moved = (century - (century + 8) // 25 + 1) // 3
    full = (19 * golden + century - leap - moved + 15) % 30
    quarter, over = divmod(rest, 4)
    sunday = (32 + 2 * more + 2 * quarter - full - over) % 7
    month = (golden + 11 * full + 22 * sunday) // 451
    number = full + sunday - 7 * month + 114
    return date(year, number // 31, number % 31 + 1)
