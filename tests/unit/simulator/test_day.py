"""The pretend OCP's day: sessions by market, holidays, half days, weather, and the runs that follow it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.profiles.concepts import Refusal
from pg_bridge.profiles.hours import HOURS_FILE, hours_of, read_hours
from pg_bridge.simulator.clock import HONG_KONG, Run
from pg_bridge.simulator.day import BusinessDay, Weather
from tests.doubles.ocp_caller import MAPPINGS

HOURS = read_hours({HOURS_FILE: (MAPPINGS / HOURS_FILE).read_text("utf-8")})
HOLIDAY, HALF_DAY = date(2026, 12, 25), date(2026, 12, 24)


def at(text: str, day: date = date(2026, 11, 23)) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), HONG_KONG)


def business_day(*, keeps_hours: bool = True) -> BusinessDay:
    return BusinessDay(HOURS, [HOLIDAY], [HALF_DAY], time(13), keeps_hours=keeps_hours)


@pytest.mark.parametrize(
    ("market", "moment", "refusal"),
    [
        ("HKMK", at("07:59:59.999"), Refusal.OUTSIDE_HOURS),
        ("HKMK", at("08:00"), None),
        ("HKMK", at("15:44:59.999"), None),
        ("HKMK", at("15:45"), Refusal.OUTSIDE_HOURS),
        ("HKMK", at("16:59"), Refusal.OUTSIDE_HOURS),
        ("HKMK", at("17:00"), None),
        ("HKMK", at("19:00"), Refusal.OUTSIDE_HOURS),
        ("MAMK", at("07:15"), None),
        ("MAMK", at("19:44"), None),
        ("SZMK", at("19:45"), Refusal.OUTSIDE_HOURS),
        ("HKMK", at("10:00", HOLIDAY), Refusal.MARKET_CLOSED),
        ("HKMK", at("10:00", date(2026, 11, 22)), Refusal.MARKET_CLOSED),
        ("HKMK", at("12:44", HALF_DAY), None),
        ("HKMK", at("12:45", HALF_DAY), Refusal.OUTSIDE_HOURS),
        ("HKMK", at("17:30", HALF_DAY), Refusal.OUTSIDE_HOURS),
        ("MARS", at("03:00"), None),
    ],
)
def test_a_market_takes_instructions_in_its_sessions(market, moment, refusal) -> None:
    why = business_day().refusal(market, moment)

    assert refusal == (why[0] if why else None)


def test_a_market_has_holidays_of_its_own() -> None:
    hours = read_hours({HOURS_FILE: "[markets.A]\nsessions = [[08:00:00, 09:00:00]]\nholidays = [2026-11-23]\n"})
    day = BusinessDay(hours, [], [], time(13), keeps_hours=True)

    assert [Refusal.MARKET_CLOSED, None] == [
        (day.refusal("A", at("08:30", on)) or (None,))[0] for on in (date(2026, 11, 23), date(2026, 11, 24))
    ]


def test_without_hours_every_market_is_always_open_but_for_a_typhoon() -> None:
    day = business_day(keeps_hours=False)
    before = day.refusal("HKMK", at("03:00", HOLIDAY))
    day.set_weather(Weather.TYPHOON, at("09:00"))

    assert before is None
    assert (Refusal.MARKET_CLOSED, "the market is closed: typhoon") == day.refusal("HKMK", at("09:00"))


@pytest.mark.parametrize(
    ("ends", "moment", "is_open"),
    [
        ("11:59", "11:58", False),
        ("11:59", "11:59", True),
        ("12:01", "12:01", False),
        ("12:01", "17:30", False),
        ("12:00", "12:00", True),
    ],
)
def test_a_typhoon_in_force_after_noon_closes_the_rest_of_the_day(ends, moment, is_open) -> None:
    day = business_day()
    day.set_weather(Weather.TYPHOON, at("09:00"), at(ends))

    assert is_open == (day.refusal("HKMK", at(moment)) is None)
    assert is_open == day.takes_place(Run.SETTLE, at(moment))
    assert day.refusal("HKMK", at("08:30")) is None
    assert day.refusal("HKMK", at("08:30") + timedelta(days=1)) is None


def test_a_black_rainstorm_puts_an_opening_off_and_leaves_an_open_session_alone() -> None:
    day = business_day()
    day.set_weather(Weather.BLACK_RAINSTORM, at("07:30"))
    put_off, china = day.refusal("HKMK", at("09:00")), day.refusal("MAMK", at("09:00"))
    day.set_weather(Weather.FAIR, at("09:30"))
    opened = day.refusal("HKMK", at("09:30"))
    day.set_weather(Weather.BLACK_RAINSTORM, at("14:00"))

    assert (Refusal.OUTSIDE_HOURS, "the opening is put off: black rainstorm") == put_off
    assert (None, None) == (china, opened)
    assert day.refusal("HKMK", at("15:00")) is None
    assert day.refusal("HKMK", at("17:30")) is not None


def test_a_black_rainstorm_before_the_opening_stops_the_runs_until_it_ends() -> None:
    day = business_day()
    day.set_weather(Weather.BLACK_RAINSTORM, at("06:00"), at("11:00"))

    assert [False, True, True] == [
        day.takes_place(Run.SETTLE, at("10:30")),
        day.takes_place(Run.SETTLE, at("12:30")),
        day.takes_place(Run.DAY_END, at("10:30")),
    ]


@pytest.mark.parametrize(
    ("run", "moment", "takes_place"),
    [
        (Run.SETTLE, at("10:30"), True),
        (Run.SETTLE, at("10:30", date(2026, 11, 22)), False),
        (Run.DAY_END, at("20:00", HOLIDAY), False),
        (Run.SETTLE, at("12:30", HALF_DAY), True),
        (Run.SETTLE, at("14:30", HALF_DAY), False),
        (Run.DAY_END, at("20:00", HALF_DAY), True),
    ],
)
def test_runs_follow_the_calendar(run, moment, takes_place) -> None:
    assert takes_place == business_day(keeps_hours=False).takes_place(run, moment)


def test_one_warning_takes_the_place_of_another() -> None:
    day = business_day()
    day.set_weather(Weather.TYPHOON, at("09:00"))
    day.set_weather(Weather.BLACK_RAINSTORM, at("10:00"), at("11:00"))

    assert [Weather.TYPHOON, Weather.BLACK_RAINSTORM, Weather.FAIR] == [
        day.weather(at(moment)) for moment in ("09:59", "10:59", "11:00")
    ]


def test_a_warning_called_off_at_once_was_none() -> None:
    day = business_day()
    day.set_weather(Weather.TYPHOON, at("13:00"))
    day.set_weather(Weather.FAIR, at("13:00"))

    assert day.refusal("HKMK", at("13:00")) is None


def test_bad_hours_are_named() -> None:
    with pytest.raises(MappingInvalid) as refused:
        read_hours({HOURS_FILE: "[markets.A]\nsessions = 3\n"})

    assert ["markets.A.sessions"] == [finding.text.split(":")[0] for finding in refused.value.findings]
    assert {} == read_hours({})


@pytest.mark.parametrize("sessions", ["[[09:00:00, 08:00:00]]", "[[08:00:00, 12:00:00], [11:00:00, 13:00:00]]"])
def test_sessions_out_of_order_are_found_with_their_line(sessions) -> None:
    findings: list[Finding] = []
    hours_of({HOURS_FILE: f"[markets.A]\nsessions = {sessions}\n"}, findings)

    assert [("PGB-PRF-005", 2)] == [(finding.code, finding.line) for finding in findings]
