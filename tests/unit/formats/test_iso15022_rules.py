"""The format notation, the named checks and the character set."""

import pytest

from pg_bridge.formats.iso15022.charset import narrative, to_x
from pg_bridge.formats.iso15022.rules import (
    CHECKS,
    FormatError,
    compile_format,
    is_date,
    is_isin,
    is_positive,
    is_whole,
)


@pytest.mark.parametrize(
    ("notation", "fits", "does_not"),
    [
        ("16x", ["A", "B0123400001", "A/1//B", "       1", "x" * 16], ["", "x" * 17, "A\r\nB", "É", "A_B", "A\n"]),
        ("4!c", ["NEWM", "1234"], ["NEW", "NEWMX", "newm", "NE-M"]),
        ("8!n", ["20261123"], ["2026112", "202611230", "2026112A", "٢٠٢٦١١٢٣"]),
        ("3!a15d", ["HKD12345,67", "HKD0,", "CNY1,5"], ["HKD12345", "HKD,5", "HKD1,2,3", "HKD1.5", "hkd1,", "HKD"]),
        (
            "15d",
            ["1,", "12345678901234,", "1234567890123,4"],
            ["123456789012345,", ",", "1", "12345678901234,5", "-1,"],
        ),
        ("UNIT/15d", ["UNIT/1000,"], ["1000,", "FAMT/1000,", "UNIT/1000"]),
        ("8!c[3!c]", ["XHKCHKH1", "XHKCHKH1XXX"], ["XHKCHKH1X", "XHKCHKH1XXXX"]),
        ("5!n/4!c", ["00001/ONLY"], ["1/ONLY", "00001ONLY"]),
        ("3*5x", ["ABCDE", "A\r\nB\r\nC"], ["ABCDEF", "A\r\nB\r\nC\r\nD", "A\r\n:B", "A\r\n-B", "A\nB", "A\r\n"]),
        ("ISIN 12!c|/HK/5!n", ["ISIN HK0005000002", "/HK/00005"], ["ISIN HK000500000", "/HK/5", "HK0005000002"]),
    ],
)
def test_notation(notation, fits, does_not):
    pattern = compile_format(notation)

    assert [value for value in fits if pattern.fullmatch(value) is None] == []
    assert [value for value in does_not if pattern.fullmatch(value) is not None] == []


@pytest.mark.parametrize("notation", ["[4!c", "4!c]", "]["])
def test_notation_that_does_not_balance(notation):
    with pytest.raises(FormatError):
        compile_format(notation)


def test_days_of_the_calendar():
    assert all(is_date(day) for day in ("20260228", "20240229", "20000229", "20261231"))
    assert not any(
        is_date(day) for day in ("20260229", "19000229", "20261131", "20260001", "00000101", "2026112", "²0261123")
    )


def test_isin_check_digits_of_known_securities():
    assert all(
        is_isin(isin) for isin in ("HK0005000002", "KYG875721634", "US0378331005", "CNE1000003G1", "GB0002634946")
    )
    assert not any(
        is_isin(isin) for isin in ("HK0005000003", "HK000500000", "hk0005000002", "HK00050000O2", "000005000002")
    )


def test_every_single_wrong_digit_of_an_isin_is_found():
    isin = "HK0005000002"
    wrong = [isin[:at] + digit + isin[at + 1 :] for at in range(2, 12) for digit in "0123456789" if digit != isin[at]]

    assert [text for text in wrong if is_isin(text)] == []


def test_numbers():
    assert (is_positive("UNIT/1,"), is_positive("UNIT/0,00")) == (True, False)
    assert (is_whole("UNIT/1,"), is_whole("UNIT/1,00"), is_whole("UNIT/1,5")) == (True, True, False)


def test_every_named_check_says_what_it_wants():
    assert all(wanted for _, wanted in CHECKS.values())


def test_to_x_replaces_what_the_set_does_not_have():
    assert to_x("MATCHED_ON_HOLD") == ("MATCHED.ON.HOLD", True)
    assert to_x("plain / - ? : ( ) . , ' + 0") == ("plain / - ? : ( ) . , ' + 0", False)
    assert to_x("匯豐é{") == ("....", True)


def test_narrative_keeps_to_lines_and_width():
    assert narrative(["UNMATCHED", "BY_USER"], 6, 35) == ("UNMATCHED\r\nBY.USER", False)
    value, is_cut = narrative(["WORD " * 60], 6, 35)

    assert is_cut
    assert len(value.split("\r\n")) == 6
    assert all(len(line) <= 35 for line in value.split("\r\n"))


def test_narrative_can_forge_no_field():
    """OCP's own words travel in narratives: no line of theirs may be read as a field or as the text's end."""
    value, _ = narrative(["TEXT", ":16S:REAS", "-}{5:0000000000}", "X" * 34 + " :20C::SEME//FORGED"], 6, 35)

    assert not any(line.startswith((":", "-")) for line in value.split("\r\n"))
