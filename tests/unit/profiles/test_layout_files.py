"""The files of legacy/files/: every layout is sound, and what is wrong with one is told with its line and a remedy."""

from __future__ import annotations

import re

import pytest

from pg_bridge.errors import Finding
from pg_bridge.mapping.changes.change import Effect
from pg_bridge.mapping.changes.difference import differences
from pg_bridge.mapping.checks.check import check
from pg_bridge.profiles.layouts import FILES_FOLDER, PARTS_FILE, TAG_BASED_FILE, read_layouts
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.parts import read_parts
from pg_bridge.profiles.tag_based import read_tag_based
from tests.doubles.layouts import LAYOUTS, legacy
from tests.doubles.mapping_files import changed, shipped

ATI = f"{FILES_FOLDER}ati-batch-input.toml"
#: files of reference data, which are written and not read
OF_REFERENCE_DATA = ("CCLNG01", "CSECD01", "CSEPL01", "CSESL01")
PCS = f"{FILES_FOLDER}ccltn04.toml"


def findings_of(files: dict[str, str]) -> list[Finding]:
    findings: list[Finding] = []
    read_layouts(files, findings)
    read_tag_based(files, findings)
    read_parts(files, findings)
    return findings


def test_the_shipped_files_are_sound() -> None:
    assert [] == findings_of(shipped())
    assert sorted((*LAYOUTS, *OF_REFERENCE_DATA)) == sorted(legacy().layouts)


@pytest.mark.parametrize(
    ("name", "length"),
    [("CCLTN05", 143), ("CCLTN04", 127), ("CCLID01", 127), ("CSESB01", 98), ("ATI-BATCH-INPUT", 99), ("SI-BATCH-INPUT", 240)],
)  # fmt: skip
def test_layouts_have_the_length_that_is_known(name: str, length: int) -> None:
    layout = legacy().layouts[name]

    assert length == layout.length
    assert {length} == {sum(column.width for column in spec.columns) for spec in layout.records.values()}


def test_cclid01_is_the_provisional_statement_under_its_own_id() -> None:
    mine, other = legacy().layouts["CCLID01"], legacy().layouts["CCLTN04"]

    for name in ("detail", "trailer"):
        assert [(c.name, c.start, c.width, c.kind, c.checksum, c.total_of) for c in mine.records[name].columns] == [
            (c.name, c.start, c.width, c.kind, c.checksum, c.total_of) for c in other.records[name].columns
        ]
    assert ["CCLID01"] == [c.constant for c in mine.header.columns if c.name == "report"]


def test_a_set_without_files_is_good() -> None:
    files = {path: text for path, text in shipped().items() if not path.startswith(FILES_FOLDER)}
    # without the functions and reports that need them
    of_files = re.compile(r"reports/|legacy/templates/FL|rules/(file-upload|report-download|shared/si-record)\b")
    files = {path: text for path, text in files.items() if of_files.match(path) is None}
    profile = read_legacy_profile(files)

    assert ({}, None, None) == (profile.layouts, profile.tag_based, profile.parts)
    assert [] == check(files)


FAULTS = {
    "no TOML": (ATI, "[layout]", "[layout", "this is not TOML"),
    "an unknown entry": (ATI, "length = 99", "lenght = 99", "unknown field `lenght`"),
    "a source that is none": (ATI, 'length = 99\nline_end = "any"', 'length = 99\nline_end = "CR"', "Invalid enum value"),
    "a name that is none": (ATI, 'name = "ATI-BATCH-INPUT"', 'name = "ati batch"', "is no name of a layout"),
    "a name that there is": (ATI, 'name = "ATI-BATCH-INPUT"', 'name = "CCLID01"', "a second layout CCLID01"),
    "a length that is none": (ATI, "length = 99", "length = 0", "records of 0 characters"),
    "a length that does not add up": (ATI, "length = 99", "length = 98", "its columns have 99 characters together"),
    "two headers": (ATI, 'role = "detail"', 'role = "header"', "it has 2 records of the role header"),
    "no trailer": (ATI, 'role = "trailer"', 'role = "detail"', "it has 0 records of the role trailer"),
    "a record name twice": (ATI, 'name = "detail"', 'name = "header"', "a second record header"),
    "a record name that is none": (ATI, 'name = "detail"', 'name = "Detail"', "is no name of a record"),
    "a record type twice": (ATI, 'constant = "1"', 'constant = "0"', "header has its record type already"),
    "no record type": (ATI, 'constant = "1", ', "", "its first column is no constant"),
    "a long record type": (ATI, 'picture = "X(1)", constant = "1"', 'picture = "X(2)", constant = "1"', "is not as long"),
    "a column name that is none": (ATI, 'name = "remarks"', 'name = "Remarks"', "this is no name of a column"),
    "a column name twice": (ATI, 'name = "remarks"', 'name = "isin"', "a second column of this name"),
    "a picture that is none": (ATI, 'picture = "X(40)"', 'picture = "A(40)"', "'A(40)' is no picture"),
    "a date of nine digits": (ATI, 'picture = "9(8)", as = "date"', 'picture = "9(9)", as = "date"', "a date has 8 digits"),
    "text as a date": (ATI, 'picture = "9(8)", as = "date"', 'picture = "X(8)", as = "date"', "only a column 9(n)"),
    "a number aligned": (ATI, 'picture = "9(11)"', 'picture = "9(11)", align = "right"', "a number has no `align`"),
    "a constant too long": (ATI, 'constant = "ATI BATCH INPUT"', 'constant = "ATI BATCH INPUT X"', "is not of the picture"),
    "a value too long": (PCS, 'values = ["B", "S"]', 'values = ["B", "SS"]', "the value 'SS' is not of the picture"),
    "a value twice": (PCS, 'values = ["B", "S"]', 'values = ["B", "B"]', "a value stands twice"),
    "values of a number": (ATI, 'picture = "9(11)"', 'picture = "9(11)", values = ["00000000001"]', "a number has no `values`"),
    "a checksum of no column": (ATI, '"stock_code", "quantity"]', '"stock_code", "quantty"]', "quantty is no number of this record"),
    "a checksum of a text": (ATI, '"stock_code", "quantity"]', '"stock_code", "remarks"]', "remarks is no number of this record"),
    "a sum that is a text": (ATI, 'picture = "9(14)", checksum', 'picture = "X(14)", checksum', "a sum has a picture 9(n)"),
    "a count of no record": (ATI, 'count = "detail"', 'count = "details"', "details is no record of the role detail"),
    "a total of no column": (ATI, 'total = "detail.quantity"', 'total = "detail.quant"', "detail.quant is no number of a detail"),
    "a total of a text": (ATI, 'total = "detail.quantity"', 'total = "detail.remarks"', "detail.remarks is no number"),
    "a total in a detail": (ATI, 'checksum = ["stock_code", "quantity"]', 'total = "detail.quantity"', "only a trailer has counts"),
    "made in two ways": (ATI, 'count = "detail"', 'count = "detail", constant = "0001"', "it is made in two ways"),
    "what is made and optional": (ATI, 'count = "detail"', 'count = "detail", status = "O"', "what is made has no values"),
    "a sign of no column": (PCS, 'sign_of = "accrued_interest"', 'sign_of = "interest"', "interest is no number of this record"),
    "a sign of two characters": (PCS, 'picture = "X(1)", sign_of', 'picture = "X(2)", sign_of', "a sign has the picture X(1)"),
    "a reason that is none": (ATI, 'picture = "9(11)"', 'picture = "9(11)", reason = "x"', "is no reason code"),
    "a tag that is none": (TAG_BASED_FILE, 'tag = "98A"', 'tag = "A98"', "is no tag"),
    "a tag twice": (TAG_BASED_FILE, 'tag = "98A"', 'tag = "20"', "another line has its tag or name"),
    "a format that is none": (TAG_BASED_FILE, 'format = "15x"', 'format = "9x9x9x9x9x9x"', "9x9x9x"),
    "a check that there is not": (TAG_BASED_FILE, 'checks = ["date"]', 'checks = ["dates"]', "there is no check dates"),
    "a value of no format": (TAG_BASED_FILE, '"SI06"]', '"si06"]', "the value 'si06' is not of the format"),
    "a count that is none": (TAG_BASED_FILE, 'format = "6n"', 'format = "6x"', "a count is a number"),
    "blocks that open as they close": (TAG_BASED_FILE, 'block_closes = "-}"', 'block_closes = "{4:"', "opens as it closes"),
    "a block mark like a tag": (TAG_BASED_FILE, 'block_opens = "{4:"', 'block_opens = ":4:"', "no line around a text block"),
    "a line of nothing": (PARTS_FILE, "line = 72 ", "line = 0 ", "line is 0"),
    "a part below a line": (PARTS_FILE, "line = 72 ", "line = 9999 ", ""),
    "a key twice": (PARTS_FILE, 'report = "REPT"', 'report = "FILE"', "FILE is a key already"),
    "a key that is none": (PARTS_FILE, 'report = "REPT"', 'report = "re/pt"', "is no key"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "text"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line_and_what_to_do(path: str, old: str, new: str, text: str) -> None:
    files = changed(path, old, new)
    found = findings_of(files)
    if not text:
        assert [] == found
        return
    told = [finding for finding in found if text in finding.text]

    assert told, [str(finding) for finding in found]
    assert all(finding.remedy and finding.line for finding in found)
    assert {finding.code for finding in found} <= {"PGB-PRF-017", "PGB-PRF-018", "PGB-PRF-019"}
    assert told[0] in check(files)


def test_a_fault_stands_in_the_line_of_its_column() -> None:
    files = changed(ATI, '"stock_code", "quantity"]', '"stock_code", "quantty"]')
    line = files[ATI].split("\n").index(next(each for each in files[ATI].split("\n") if "quantty" in each)) + 1

    assert [line] == [finding.line for finding in findings_of(files)]
    assert ["Write `quantity` if that was meant."] == [finding.remedy for finding in findings_of(files)]


def test_a_file_that_is_no_toml_is_read_by_nobody() -> None:
    files = {**shipped(), f"{FILES_FOLDER}notes.yaml": "a: 1"}

    assert ["PGB-MAP-048"] == [finding.code for finding in check(files)]


def test_the_form_of_a_file_is_told_by_its_first_line() -> None:
    profile = legacy()
    line = b"0" + b" " * 126

    assert [profile.tag_based] == profile.forms_of(b":20:FILE1\r\n")
    assert ["CCLID01", "CCLTN04"] == [getattr(form, "name", "") for form in profile.forms_of(line)]
    assert [] == profile.forms_of(b"hello")


def test_a_changed_layout_is_told_as_a_change_of_what_we_take() -> None:
    new = changed(ATI, 'picture = "X(40)"', 'picture = "X(41)"')
    told = differences(shipped(), new)

    assert [(ATI, Effect.WE_TAKE)] == [(change.file, change.effect) for change in told]
