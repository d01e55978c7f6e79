"""Fixed-width files: good ones read as they stand and come back as they were; bad ones tell every fault with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import MappingFailed
from pg_bridge.formats.fixed_width import reader as reader_module
from pg_bridge.formats.fixed_width.layout import Record, read_picture
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.formats.fixed_width.writer import write
from tests.doubles.layouts import FILES, LAYOUTS, file_of, layout, read, records, written

SI = "SI-BATCH-INPUT"
ATI = "ATI-BATCH-INPUT"
PCS = "CCLTN04"


def lines_of(name: str) -> list[bytes]:
    return file_of(name).split(b"\r\n")[:-1]


def joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


def put(name: str, line: int, column: int, text: str) -> bytes:
    """A good file with `text` at a line and column, both from 1."""
    lines = lines_of(name)
    at = column - 1
    lines[line - 1] = lines[line - 1][:at] + text.encode("latin-1") + lines[line - 1][at + len(text) :]
    return joined(lines)


def told(content: bytes, name: str) -> list[tuple[str, str, int]]:
    return [(finding.code, finding.path, finding.line) for finding in read(name, content)[1]]


# --- good files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_file_written_by_hand_is_good_and_comes_back_as_it_was(name: str) -> None:
    content = file_of(name)
    found, findings = read(name, content)

    assert [] == findings
    assert content == written(name, found)


def test_values_have_their_types() -> None:
    found, _ = read(SI, file_of(SI))

    assert {"file_number": "0001", "participant": "B01234", "sender_bic": None, "reference": "FILE1", "sent_on": date(2026, 11, 23)} == found[0].values  # fmt: skip
    assert {
        "function": "I", "reference": "B0123400001", "si_number": None, "stock_code": "00005", "isin": "HK0005000002",
        "side": "D", "counterparty": "C00019", "quantity": 1000, "payment": "DVP", "currency": "HKD",
        "amount": Decimal("12345.67"), "trade_date": date(2026, 11, 23), "settlement_date": date(2026, 11, 25),
        "account": "00000001", "counterparty_account": "CLIENT0001", "purpose": "TRAD", "hold": "N",
        "linkage": "202611230000001",
    } == found[1].values  # fmt: skip
    assert (None, None, None, "2") == tuple(
        found[2].values[name] for name in ("stock_code", "amount", "trade_date", "account")
    )
    assert ({}, 5) == (found[4].values, found[4].line)


def test_a_sign_column_makes_a_number_negative() -> None:
    found, _ = read(PCS, file_of(PCS))

    assert [Decimal("-123.45"), Decimal("0.00")] == [each.values["accrued_interest"] for each in found[1:3]]


def test_counts_and_totals_are_told() -> None:
    reader = FixedWidthReader(layout(SI))
    list(reader.records([file_of(SI)]))

    assert {"header": 1, "detail": 3, "trailer": 1} == reader.counts
    assert {
        "details": 3,
        "stock_codes": 705,
        "quantities": 2000,
        "checksums": 1238272,
        "amounts": 1235567,
    } == reader.totals


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_as_it_was_and_written_again_as_it_stood(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(LAYOUTS))
    given_records = data.draw(records(name))
    content = written(name, given_records)
    found, findings = read(name, content)

    assert [] == findings
    assert [(each.name, dict(each.values)) for each in given_records] == [
        (each.name, dict(each.values)) for each in found
    ]
    assert content == written(name, found)


@given(st.sampled_from(LAYOUTS), st.lists(st.integers(0, 1000), max_size=6))
@settings(max_examples=40, deadline=None)
def test_pieces_of_any_size_give_the_same_records(name: str, cuts: list[int]) -> None:
    content = file_of(name)
    edges = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    reader = FixedWidthReader(layout(name))

    assert read(name, content)[0] == list(reader.records([content[a:b] for a, b in zip(edges, edges[1:])]))  # noqa: B905, RUF007
    assert [] == reader.findings


@given(st.sampled_from(LAYOUTS), st.integers(0), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_is_told_or_changes_no_number(name: str, at: int, change: int) -> None:
    content = bytearray(file_of(name))
    content[at % len(content)] ^= change
    found, findings = read(name, bytes(content))

    assert findings or bytes(content).replace(b"\r\n", b"\n") == written(name, found).replace(b"\r\n", b"\n")


@given(st.sampled_from(LAYOUTS), st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused_and_never_raise(name: str, content: bytes) -> None:
    assert read(name, content)[1]


def test_hash_totals_keep_their_low_order_digits() -> None:
    found, _ = read(PCS, file_of(PCS))
    trades = [replace_value(found[1], stock_code="99999", price=Decimal("99999.999"), quantity=99_999_999_999)] * 105
    content = written(ATI, [read(ATI, file_of(ATI))[0][0], *ati(105, "99999", 99_999_999_999)])

    assert f"{105 * 99_999 % 10**7:07d}{105 * 99_999_999_999:014d}" == content[-101 + 5 : -101 + 26].decode()
    assert [] == read(ATI, content)[1]
    assert [] == read(PCS, written(PCS, [found[0], *trades]))[1]


def replace_value(record: Record, **values: Any) -> Record:
    return record._replace(values={**record.values, **values})


def ati(count: int, stock: str, quantity: int) -> list[Record]:
    values = {
        "stock_code": stock, "isin": None, "from_account": "1", "to_account": "2", "quantity": quantity, "remarks": None
    }  # fmt: skip
    return [Record("detail", values)] * count


# --- bad files -----------------------------------------------------------------------------------------------------

CELLS: dict[str, tuple[str, int, int, str, str, str]] = {
    "a letter in a number": (SI, 2, 53, "X", "PGB-FIL-015", "detail/quantity"),
    "spaces in a number": (SI, 2, 52, "           ", "PGB-FIL-015", "detail/quantity"),
    "a letter in digits": (SI, 2, 28, "A", "PGB-FIL-015", "detail/stock_code"),
    "text that is not left justified": (SI, 2, 3, " B01234", "PGB-FIL-015", "detail/reference"),
    "text that is not right justified": (SI, 3, 100, "2       ", "PGB-FIL-015", "detail/account"),
    "a character that is not ASCII": (SI, 2, 110, "\xe9", "PGB-FIL-015", "detail/counterparty_account"),
    "a control character": (SI, 2, 110, "\t", "PGB-FIL-015", "detail/counterparty_account"),
    "something in a filler": (SI, 2, 200, "X", "PGB-FIL-016", "detail/filler"),
    "another file name": (SI, 1, 43, "XI", "PGB-FIL-016", "header/file_name"),
    "a function that there is not": (SI, 2, 2, "X", "PGB-FIL-017", "detail/function"),
    "a payment that there is not": (SI, 2, 63, "ABC", "PGB-FIL-017", "detail/payment"),
    "a mandatory text left empty": (SI, 2, 3, " " * 16, "PGB-FIL-018", "detail/reference"),
    "a day that there is not": (SI, 2, 92, "20260230", "PGB-FIL-019", "detail/settlement_date"),
    "a mandatory day left empty": (SI, 2, 92, "00000000", "PGB-FIL-019", "detail/settlement_date"),
    "a wrong record checksum": (SI, 2, 176, "3", "PGB-FIL-020", "detail/checksum"),
    "a wrong count": (SI, 5, 2, "0004", "PGB-FIL-021", "trailer/details"),
    "a wrong total of stock codes": (SI, 5, 12, "6", "PGB-FIL-022", "trailer/stock_codes"),
    "a wrong total of quantities": (SI, 5, 26, "1", "PGB-FIL-022", "trailer/quantities"),
    "a wrong total of checksums": (SI, 5, 43, "1", "PGB-FIL-022", "trailer/checksums"),
    "a wrong total of amounts": (SI, 5, 61, "1", "PGB-FIL-022", "trailer/amounts"),
    "a minus before zero": (PCS, 3, 107, "-", "PGB-FIL-015", "detail/accrued_interest_sign"),
    "a sign that there is not": (PCS, 2, 107, "+", "PGB-FIL-015", "detail/accrued_interest_sign"),
    "a buy-sell code that there is not": (PCS, 2, 22, "X", "PGB-FIL-017", "detail/side"),
}


@pytest.mark.parametrize(("name", "line", "column", "text", "code", "place"), CELLS.values(), ids=CELLS)
def test_each_rule_of_a_column_is_held(name: str, line: int, column: int, text: str, code: str, place: str) -> None:
    found = read(name, put(name, line, column, text))[1]

    assert (code, place, line) in [(finding.code, finding.path, finding.line) for finding in found]
    assert all(finding.remedy and finding.text.startswith("column") for finding in found)


def test_a_fault_names_the_columns_and_the_reason() -> None:
    (finding,) = [each for each in read(SI, put(SI, 2, 53, "X"))[1] if each.line == 2]

    assert "columns 52-62: '0X000001000' is not all digits" == finding.text
    assert ("DQUA", "Write 11 digits, filled with zeros from the left.") == (finding.reason, finding.remedy)


def test_every_fault_of_a_file_is_told_and_no_total_of_what_cannot_be_read() -> None:
    content = put(SI, 2, 53, "X")
    lines = content.split(b"\r\n")[:-1]
    lines[2] = lines[2].replace(b"FOP", b"XOP")
    lines[3] = lines[3].replace(b"1000002", b"1000003")
    lines[4] = lines[4].replace(b"0003", b"0009", 1)

    assert [
        ("PGB-FIL-015", "detail/quantity", 2),
        ("PGB-FIL-017", "detail/payment", 3),
        ("PGB-FIL-021", "trailer/details", 5),
    ] == told(joined(lines), SI)


STRUCTURE: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str, int]] = {
    "no records": (lambda lines: [], "PGB-FIL-014", 0),
    "no header": (lambda lines: lines[1:], "PGB-FIL-014", 1),
    "no trailer": (lambda lines: lines[:-1], "PGB-FIL-014", 4),
    "a second header": (lambda lines: [lines[0], *lines], "PGB-FIL-014", 2),
    "a second trailer": (lambda lines: [*lines, lines[-1]], "PGB-FIL-014", 6),
    "a detail behind the trailer": (lambda lines: [*lines, lines[1]], "PGB-FIL-014", 6),
    "a record too short": (lambda lines: [lines[0], lines[1][:-1], *lines[2:]], "PGB-FIL-011", 2),
    "a record too long": (lambda lines: [lines[0], lines[1] + b" ", *lines[2:]], "PGB-FIL-011", 2),
    "an empty line": (lambda lines: [lines[0], b"", *lines[1:]], "PGB-FIL-013", 2),
    "an unknown record type": (lambda lines: [lines[0], b"7" + lines[1][1:], *lines[1:]], "PGB-FIL-013", 2),
    "one record missing": (lambda lines: [lines[0], *lines[2:]], "PGB-FIL-021", 4),
}


@pytest.mark.parametrize(("change", "code", "line"), STRUCTURE.values(), ids=STRUCTURE)
def test_records_stand_in_their_order_and_length(
    change: Callable[[list[bytes]], list[bytes]], code: str, line: int
) -> None:
    assert (code, line) in [(found, at) for found, _, at in told(joined(change(lines_of(SI))), SI)]


def test_an_unknown_record_is_told_alone() -> None:
    lines = lines_of(SI)
    lines[2] = b"7" + lines[2][1:]

    assert [("PGB-FIL-013", SI, 3)] == told(joined(lines), SI)


def test_a_file_of_line_feeds_is_read_and_the_last_record_may_have_no_line_end() -> None:
    content = file_of(SI).replace(b"\r\n", b"\n")

    assert [] == told(content, SI)
    assert [] == told(content.rstrip(b"\n"), SI)


@pytest.mark.parametrize(("end", "other"), [("CRLF", b"\n"), ("LF", b"\r\n")])
def test_a_layout_may_want_one_line_end(end: str, other: bytes) -> None:
    strict = replace(layout(SI), line_end=end)
    good = b"".join(write(strict, read(SI, file_of(SI))[0]))

    def codes(content: bytes) -> set[str]:
        reader = FixedWidthReader(strict)
        list(reader.records([content]))
        return {finding.code for finding in reader.findings}

    assert set() == codes(good)
    assert {"PGB-FIL-012"} == codes(file_of(SI).replace(b"\r\n", other))
    assert {"PGB-FIL-012"} == codes(good.rstrip(b"\r\n"))


def test_faults_beyond_the_most_are_counted() -> None:
    lines = lines_of(SI)
    broken = put(SI, 2, 53, "X").split(b"\r\n")[1]
    findings = read(SI, joined([lines[0], *[broken] * 1500]))[1]

    assert reader_module.MOST_FINDINGS + 1 == len(findings)
    assert "501 more faults are not named" == findings[-1].text


def test_a_line_without_an_end_takes_no_memory() -> None:
    reader = FixedWidthReader(layout(SI))
    longest = 0
    for _ in reader.records(b"1" * 50_000 for _ in range(100)):
        longest += 1

    assert 0 == longest
    assert "more than" in next(finding.text for finding in reader.findings if finding.code == "PGB-FIL-011")


# --- writing -------------------------------------------------------------------------------------------------------

WRONG_VALUES: dict[str, tuple[str, Any, str]] = {
    "a float": ("quantity", 5.0, "is not a whole number"),
    "a truth value": ("quantity", True, "is not a whole number"),
    "a number below zero without a sign": ("quantity", -1, "below zero"),
    "a number too large": ("quantity", 10**11, "does not fit"),
    "an endless number": ("quantity", 10**5000, "no number of 0 decimals"),
    "no number": ("quantity", None, "must have one"),
    "too many decimals": ("amount", Decimal("1.005"), "no number of 2 decimals"),
    "no finite amount": ("amount", Decimal("NaN"), "no number of 2 decimals"),
    "an amount too large": ("amount", Decimal("1E+13"), "does not fit"),
    "an endless amount": ("amount", Decimal("1E+999999"), "no number of 2 decimals"),
    "an amount as text": ("amount", "1.00", "is not an amount"),
    "a text too long": ("reference", "B" * 17, "does not fit"),
    "an empty text": ("reference", "", "empty"),
    "a text that begins with a space": ("reference", " B1", "not left justified"),
    "a text of two lines": ("reference", "B1\r\nB2", "not printable"),
    "a text that is not ASCII": ("reference", "é", "not printable"),
    "a code that there is not": ("side", "X", "none of its values"),
    "too few digits": ("stock_code", "5", "is not 5 digits"),
    "digits that are none": ("stock_code", "0000A", "not all digits"),
    "digits of another script": ("stock_code", "0000٥", "not all digits"),
    "a moment for a day": ("settlement_date", datetime(2026, 11, 25), "is not a date"),  # noqa: DTZ001
    "a day as text": ("settlement_date", "20261125", "is not a date"),
}


@pytest.mark.parametrize(("column", "value", "text"), WRONG_VALUES.values(), ids=WRONG_VALUES)
@pytest.mark.parametrize("is_warm", [False, True])
def test_a_value_that_does_not_fit_is_told_and_never_cut(column: str, value: Any, text: str, is_warm: bool) -> None:
    found = read(SI, file_of(SI))[0]
    before = found[1:-1] if is_warm else []
    with pytest.raises(MappingFailed) as raised:
        written(SI, [found[0], *before, replace_value(found[1], **{column: value})])
    (finding,) = raised.value.findings

    assert (f"detail/{column}", len(before) + 2) == (finding.path, finding.line)
    assert text in finding.text
    assert finding.remedy


def test_all_faults_of_all_records_are_told() -> None:
    found = read(SI, file_of(SI))[0]
    bad = replace_value(found[1], quantity=-1, side="X", unknown="x")
    with pytest.raises(MappingFailed) as raised:
        written(SI, [found[0], bad, found[2], bad])

    assert [("detail/quantity", 2), ("detail/side", 2), ("detail/unknown", 2)] == sorted(
        (finding.path, finding.line) for finding in raised.value.findings if finding.line == 2
    )
    assert {2, 4} == {finding.line for finding in raised.value.findings}


def test_a_file_with_a_fault_gets_no_trailer() -> None:
    found = read(SI, file_of(SI))[0]
    pieces = []
    with pytest.raises(MappingFailed):
        pieces += write(layout(SI), [found[0], *found[1:2] * 600, replace_value(found[1], quantity=-1), found[-1]])

    assert not any(piece.splitlines()[-1].startswith(b"2") for piece in pieces)


@pytest.mark.parametrize(
    "order",
    [[], [1], [1, 0], [0, 0], [0, 4, 1], [0, 4, 4]],
    ids=["none", "no header", "late", "two", "behind", "twice"],
)
def test_records_out_of_order_are_not_written(order: list[int]) -> None:
    found = read(SI, file_of(SI))[0]

    with pytest.raises(MappingFailed) as raised:
        written(SI, [found[at] for at in order])
    assert {"PGB-FIL-014"} == {finding.code for finding in raised.value.findings}


def test_a_record_of_no_kind_is_not_written() -> None:
    with pytest.raises(MappingFailed) as raised:
        written(SI, [read(SI, file_of(SI))[0][0], Record("summary", {})])
    assert "there is no record 'summary'" in raised.value.findings[0].text


def test_optional_columns_may_be_left_out_and_the_trailer_too() -> None:
    found = read(SI, file_of(SI))[0]
    given_values = {name: value for name, value in found[2].values.items() if value is not None}
    content = written(SI, [found[0], Record("detail", given_values)])

    assert dict(found[2].values) == dict(read(SI, content)[0][1].values)


def test_more_records_than_the_count_can_hold_are_not_written() -> None:
    found = read(ATI, file_of(ATI))[0]
    with pytest.raises(MappingFailed) as raised:
        written(ATI, [found[0], *ati(10_000, "00005", 1)])

    assert ["trailer/details"] == [finding.path for finding in raised.value.findings]
    assert "10,000 records" in raised.value.findings[0].text


@pytest.mark.parametrize(
    ("text", "due"), [("X(16)", (True, 16, 0)), ("9(8)", (False, 8, 0)), ("9(13)V9(2)", (False, 15, 2))]
)
def test_pictures_are_read(text: str, due: tuple[bool, int, int]) -> None:
    assert due == read_picture(text)


@pytest.mark.parametrize("text", ["", "X", "X(0)", "x(3)", "X(3)V9(2)", "9(3)V9()", "9(3)V9(2)x", "S9(3)", "9(-1)"])
def test_what_is_no_picture_is_none(text: str) -> None:
    assert read_picture(text) is None


def test_every_layout_has_a_file_written_by_hand() -> None:
    assert set(LAYOUTS) == set(FILES)
