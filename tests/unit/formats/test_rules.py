"""The format notation as a table of values that fit and values that do not, and the named checks."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.formats.iso15022 import rules
from pg_bridge.formats.iso15022.rules import FormatError, compile_format

#: notation, what fits, what does not
NOTATIONS = [
    ("3!n", ["548", "000"], ["54", "5480", "54A", "", "５48"]),
    ("5n", ["1", "12345"], ["", "123456", "-1"]),
    ("4!c", ["NEWM", "1234", "A1B2"], ["newm", "NEW", "NEWMX", "NE-M"]),
    ("6!c", ["C00019"], ["C0019", "C/0019"]),
    ("3!a", ["HKD"], ["hkd", "HK1", "HKDX"]),
    ("2h", ["0F", "A"], ["0G", "0f", "0FF"]),
    ("16x", ["A", "a b/c-d?:().,'+", "1234567890123456"], ["", "12345678901234567", "A{", "A\r\nB", "A=B"]),
    ("8x", ["00000001", "//000001"], ["123456789"]),
    ("15d", ["1,", "1,5", "12345678901234,", "0,0000000000001"], ["1", ",5", "1.5", "1,5,", "123456789012345,", "-1,"]),
    ("UNIT/15d", ["UNIT/1000,", "UNIT/5,00"], ["UNIT/1000", "1000,", "UNIT1000,", "FAMT/1,", "unit/1,"]),
    ("3!a15d", ["HKD12345,67", "JPY5,"], ["HKD", "HKD,67", "HK12345,67", "HKD 5,"]),
    ("8!c[3!c]", ["XHKCHKH1", "XHKCHKH1XXX"], ["XHKCHKH1XX", "XHKCHKH1XXXX"]),
    ("8!n", ["20261125"], ["2026112", "2026-1-1"]),
    ("1!a8!n", ["I12345678"], ["112345678", "I1234567", "i12345678"]),
    ("ISIN 12!c|/HK/5!n", ["ISIN HK0005000002", "/HK/00005"], ["HK0005000002", "/HK/5", "ISIN HK0005000002/HK/00005"]),
    ("ISIN 12!cCRLF/HK/5!n", ["ISIN HK0005000002\r\n/HK/00005"], ["ISIN HK0005000002\n/HK/00005", "ISIN HK0005000002"]),
    ("[2!n]CRLF[2!n]", ["\r\n", "12\r\n34", "\r\n34"], ["", "12"]),
    ("[4!c[/2!n]]", ["", "ABCD", "ABCD/12"], ["/12", "ABCD/"]),
    ("5!n/4!c", ["00001/ONLY"], ["00001ONLY", "1/ONLY"]),
    ("6*35x", ["A", "A\r\nB", "\r\n".join("A" * 35 for _ in range(6)), " A", "A:B-"],
     ["A" * 36, "A\r\n", "\r\nA", "A\r\n:B", "-A", ":A", "\r\n".join("A" * 7)]),
    ("10*35x", ["\r\n".join("A" * 10)], ["\r\n".join("A" * 11), "A\nB", "A\rB"]),
    ("(2!n)", ["(12)"], ["12"]),
    ("3*(K/2x)", ["K/AB", "K/A\r\nK/B\r\nK/CD"], ["AB", "K/", "K/A\r\nB", "K/A\r\n", "K/A\r\nK/B\r\nK/C\r\nK/D"]),
    ("H/3xCRLF2*([K/]2!n)|S", ["H/ABC\r\n12\r\nK/34", "S"], ["H/ABC", "H/ABC\r\nS"]),
]  # fmt: skip


@pytest.mark.parametrize(("notation", "fitting", "unfitting"), NOTATIONS, ids=[row[0] for row in NOTATIONS])
def test_notation(notation: str, fitting: list[str], unfitting: list[str]):
    pattern = compile_format(notation)

    for value in fitting:
        assert pattern.fullmatch(value), value
    for value in unfitting:
        assert not pattern.fullmatch(value), value


@pytest.mark.parametrize("notation", ["[4!c", "4!c]", "4!c][", "[[2n]", "2*(4!c", "[2*(4!c]", "2*([4!c)"])
def test_a_notation_that_is_none_is_refused(notation: str):
    with pytest.raises(FormatError, match=r"without its"):
        compile_format(notation)


@given(st.text(alphabet="0123456789!*naхcxhd[]|/CRLF ", max_size=20))
def test_any_notation_compiles_or_is_refused(notation: str):
    try:
        pattern = compile_format(notation)
    except FormatError:
        return

    assert isinstance(pattern, re.Pattern)


ISINS = ["HK0005000002", "US0378331005", "GB0002634946", "KYG875721634", "CNE1000002H1", "AU0000XVGZA3"]


@pytest.mark.parametrize("isin", ISINS)
def test_isin(isin: str):
    assert rules.is_isin(isin)
    assert rules.is_security(f"ISIN {isin}")
    assert rules.is_security(f"ISIN {isin}\r\n/HK/00005")


@pytest.mark.parametrize("isin", ISINS)
def test_only_one_check_digit_is_right(isin: str):
    right = [digit for digit in "0123456789" if rules.is_isin(isin[:-1] + digit)]

    assert [isin[-1]] == right
    assert not rules.is_security(f"ISIN {isin[:-1]}{(int(isin[-1]) + 1) % 10}")


NO_ISINS = [
    "", "HK000500000", "HK00050000022", "hk0005000002", "110005000002", "HK000500000A",
    "HK00050-0002", "ＨＫ0005000002",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ISINS)
def test_no_isin(text: str):
    assert not rules.is_isin(text)


def test_a_security_without_isin_has_nothing_to_check():
    assert rules.is_security("/HK/00005")


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: date):
    assert rules.is_date(day.strftime("%Y%m%d").rjust(8, "0"))


def test_dates_of_four_centuries_agree_with_the_calendar():
    day, last = date(1999, 12, 1), date(2105, 1, 31)
    known = set()
    while day <= last:
        known.add(day.strftime("%Y%m%d"))
        day += timedelta(days=1)
    for year in (1999, 2000, 2001, 2004, 2026, 2100, 2104):
        for month in range(14):
            for number in range(33):
                text = f"{year}{month:02}{number:02}"
                if "19991201" <= text <= "20991231" or year in (2100, 2104):
                    assert (text in known) == rules.is_date(text), text


NO_DATES = [
    "", "2026112", "202611255", "2026112A", "00001125", "20261301", "20261100", "20260229", "19000229",
    "２0261125", "²0261125",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_DATES)
def test_no_date(text: str):
    assert not rules.is_date(text)


def test_a_leap_day_of_a_fourth_century():
    assert rules.is_date("20000229")


def test_numbers():
    assert [rules.is_positive(text) for text in ("UNIT/1,", "HKD0,01", "UNIT/0,", "0,00")] == [True, True, False, False]
    assert [rules.is_whole(text) for text in ("UNIT/5,", "UNIT/5,00", "UNIT/5,01")] == [True, True, False]


def test_every_check_says_what_it_wants():
    for passes, wanted in rules.CHECKS.values():
        assert callable(passes)
        assert wanted


@pytest.mark.parametrize("notation", ["0x", "0!n", "0*35x", "3*0x", "99999999999x"])
def test_a_size_that_stands_for_nothing_is_refused(notation: str):
    """A size of 0 was once an error of the pattern compiler, or a pattern for its own letters."""
    with pytest.raises(FormatError):
        compile_format(notation)
