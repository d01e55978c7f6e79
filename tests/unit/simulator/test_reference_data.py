"""The generated market, without HTTP."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pg_bridge.profiles.market_concepts import DayKind, Market, ParticipantType
from pg_bridge.simulator.calendar_days import calendar_day, days_between, hong_kong_holidays
from pg_bridge.simulator.reference_data import GivenStock, ReferenceData, check_digit

DATA = ReferenceData(7, ["B01234", "C00019"])


@pytest.mark.parametrize(
    ("isin", "digit"), [("HK000500000", "2"), ("US037833100", "5"), ("CNE1000002H", "1"), ("GB000263494", "6")]
)
def test_the_check_digit_is_that_of_published_isins(isin: str, digit: str) -> None:
    assert digit == check_digit(isin)


def test_the_market_is_as_large_as_it_should_be() -> None:
    assert (600, 3000) == (len(DATA.participants), len(DATA.stocks))
    assert set(Market) == {one.market for one in DATA.stocks}
    assert set(ParticipantType) == {one.kind for one in DATA.participants}
    assert 0.02 < sum(not one.is_eligible for one in DATA.stocks) / 3000 < 0.05


def test_every_isin_has_the_right_check_digit_and_is_of_one_security() -> None:
    domains = [one for one in DATA.stocks if one.domain_code == one.code]
    further = [one for one in DATA.stocks if one.domain_code != one.code]

    assert all(check_digit(one.isin[:-1]) == one.isin[-1] and len(one.isin) == 12 for one in DATA.stocks)
    assert len(domains) == len({one.isin for one in domains})
    assert 60 == len(further)
    by_code = {one.code: one for one in DATA.stocks}
    assert all(by_code[one.domain_code or ""].isin == one.isin for one in further)


def test_codes_are_unique_and_in_order() -> None:
    for codes in ([one.code for one in DATA.stocks], [one.participant_id for one in DATA.participants]):
        assert codes == sorted(set(codes))


def test_no_two_participants_have_one_name() -> None:
    assert 600 == len({one.name for one in DATA.participants})


def test_the_seed_alone_decides() -> None:
    again, other = ReferenceData(7, ["C00019", "B01234"]), ReferenceData(8, ["B01234", "C00019"])

    assert (DATA.participants, DATA.stocks, DATA.ncp_mappings) == (
        again.participants,
        again.stocks,
        again.ncp_mappings,
    )
    assert DATA.stocks != other.stocks


def test_each_broker_of_an_ncp_has_one_gcp_a_market_and_day() -> None:
    gcps = {one.participant_id for one in DATA.participants if one.kind is ParticipantType.GENERAL_CLEARING}
    for day in (date(2021, 6, 1), date(2026, 11, 23)):
        held = [(one.market, one.broker) for one in DATA.ncp_mappings if one.holds_on(day)]
        assert len(held) == len(set(held))
    assert {one.gcp for one in DATA.ncp_mappings} <= gcps
    assert any(one.effective_to for one in DATA.ncp_mappings)


def test_a_registered_gcp_has_ncps_in_every_market() -> None:
    assert all(DATA.ncps_of({"B01234"}, market, date(2026, 11, 23)) for market in Market)
    assert [] == DATA.ncps_of({"C00019"}, Market.HONG_KONG, date(2026, 11, 23))


def test_a_stock_of_the_options_is_as_they_say() -> None:
    given = [GivenStock("00777", "HK0000777777", False, True), GivenStock("00778", None, True, False)]
    stocks = {one.code: one for one in ReferenceData(7, (), given).stocks}

    assert ("HK0000777777", False, "00777") == (
        stocks["00777"].isin,
        stocks["00777"].is_eligible,
        stocks["00777"].domain_code,
    )
    assert stocks["00778"].domain_code != "00778"


def test_the_days_of_2026() -> None:
    """Against the year's published general holidays, but for those that the moon moves by a day."""
    closed = {
        (1, 1),
        (2, 17),
        (2, 18),
        (2, 19),
        (4, 3),
        (4, 6),
        (4, 7),
        (5, 1),
        (5, 25),
        (6, 19),
        (7, 1),
        (10, 1),
        (10, 19),
        (12, 25),
    }

    assert closed == {(day.month, day.day) for day in hong_kong_holidays(2026)}
    assert DayKind.HALF is calendar_day(Market.HONG_KONG, date(2026, 12, 24)).kind
    assert DayKind.HALF is calendar_day(Market.HONG_KONG, date(2026, 2, 16)).kind
    assert DayKind.HOLIDAY is calendar_day(Market.SHANGHAI, date(2026, 10, 5)).kind
    assert DayKind.OTHER_MARKET_CLOSED is calendar_day(Market.SHENZHEN, date(2026, 12, 25)).kind


def test_trades_settle_on_a_settlement_day_two_after_in_hong_kong_and_at_once_beyond() -> None:
    assert date(2026, 11, 25) == calendar_day(Market.HONG_KONG, date(2026, 11, 23)).settles_on
    assert date(2026, 12, 29) == calendar_day(Market.HONG_KONG, date(2026, 12, 24)).settles_on
    assert date(2026, 11, 23) == calendar_day(Market.SHANGHAI, date(2026, 11, 23)).settles_on
    for one in days_between(date(2025, 1, 1), date(2030, 12, 31), tuple(Market)):
        assert one.is_trading == (one.settles_on is not None)
        assert one.settles_on is None or calendar_day(one.market, one.settles_on).is_settlement


def test_holidays_fall_on_weekdays_and_every_year_has_some() -> None:
    for year in range(2000, 2060):
        days = hong_kong_holidays(year)
        assert 10 <= len(days) <= 17
        assert all(day.weekday() < 5 for day in days)
        assert date(year, 7, 1) + timedelta(days=date(year, 7, 1).weekday() == 6) in days | {date(year, 7, 1)}
