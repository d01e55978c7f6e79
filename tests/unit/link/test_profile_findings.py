"""Each edit of framing.toml is a finding with its line, its words and what to do."""

from __future__ import annotations

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.link.framing import Framing
from pg_bridge.link.profile import LINK_FILE, link_findings, link_profile_of, read_link_profile
from tests.doubles import framing_file

EDITS = [
    ('name = "pg-default"', 'name = ""', "name: it is empty"),
    ('block = "2"', 'block = "1"', "a second block 1"),
    ('block = "4"', 'block = "5"', "a second block 5"),
    ('block = "4"', 'block = "{4"', "is no name of a block"),
    ('name = "terminal", concept', 'name = "session_id", concept', "1.session_id: the field stands twice"),
    ('concept = "terminal", width = 4', 'concept = "terminal", width = 0', "the width must be at least 1"),
    ('concept = "terminal", width = 4', 'concept = "terminal", width = 999999999', "the width must be at least 1"),
    ('concept = "sequence", width = 6', 'concept = "sequence", width = 40', "a number has at most 18 digits"),
    ('kind = "n", value = "01"', 'kind = "n", value = "0A"', "a value of kind n is of digits"),
    ('kind = "n", value = "01"', 'kind = "x", value = "{1"', "ASCII, without braces"),
    ('kind = "n", value = "01"', 'kind = "x", value = "0é"', "ASCII, without braces"),
    ('kind = "n", value = "01"', 'kind = "n", value = "01", values = { a = "b" }', "has no values of its own"),
    ('concept = "participant", width', 'concept = "participant", value = "B01234", width', "no constant value"),
    ('concept = "participant"', 'concept = "partisipant"', "there is no concept partisipant"),
    ('yes = "Y"', 'yes = ""', "a value is empty"),
    ('no = "N"', 'no = "Y"', "two of its values are written alike"),
    ('concept = "sequence", width = 6, kind = "n"', 'concept = "sequence", width = 6, kind = "x"', "of kind n"),
    ("add = -3", "add = -30", "the length of an empty text would be"),
    ("add = -3", "add = 99999", "at most 1000"),
    ('from = "text_open"', 'from = "text_close"', "`from` must lie before `to`"),
    ("digits = 10", "digits = 8", "as many as the trailer's field is wide"),
    ("largest = 999999 ", "largest = 9999999 ", "fit the length's field"),
    ('"20-7A"', '"7A-20"', "ends before it begins"),
    ('"20-7A"', '"20-FFFFFFFFFFFF"', "no span of bytes"),
    ('"20-7A"', '"20-41"', "written with it"),
    ('format = "%Y%m%d%H%M%S"', 'format = "%Y%m%d"', "it makes 8 characters, the header's field has 14"),
    ('format = "%Y%m%d%H%M%S"', 'format = "%Y%m%d%H:%M"', "more than digits"),
    ('format = "%Y%m%d%H%M%S"', 'format = "%999999999d"', "is no format of a time"),
    ("utc_offset_minutes = 480", "utc_offset_minutes = 4800", "less than a day"),
    ('message_type = "598"', 'message_type = "5980"', "does not fit the header's message_type"),
    ('message_type = "598"', 'message_type = "MT"', "does not fit the header's message_type"),
    ("reference_width = 16", "reference_width = 0", "at least 1"),
    ("text_width = 65 ", "text_width = -65 ", "at least 1"),
    ('sub_type = "12"', 'sub_type = "20"', "two tags are written alike"),
    ('sub_type = "12"', 'sub_type = "1:2"', "'1:2' is no tag"),
    ('status = "STAT"', 'status = "TEXT"', "two keys are written alike"),
    ('status = "STAT"', 'status = "ST/AT"', "no name on the wire"),
    ('status = "STAT"', 'state = "STAT"', "Invalid enum value 'state'"),
    ('refused = "REJT"', 'refused = "ACCP"', "two values are written alike"),
    ('refused = "REJT"\n', "", "refused is not bound"),
    ('template = "LGOF"', 'template = "LGON"', "two controls have one template"),
    ('template = "LGOF"', 'template = "LGOFF"', "does not fit the header's template"),
    ('answer = "102"', 'answer = "002"', "its request and its answer are written alike"),
    ('request = "002", ', "", "it has no request"),
    ("heartbeat = {", "hartbeat = {", "there is no control hartbeat"),
    ('BUSY = { meaning = "busy"', 'BUSY = { meaning = "busi"', "there is no meaning busi"),
    ('BUSY = { meaning = "busy"', 'BUSY = { meaning = "size"', "several codes mean size"),
    ("BUSY = {", '"BU SY" = {', "is no code"),
    ('"SI61", "BC60"', '"SI61", "LGON"', "LGON is a control"),
    ('"SI61", "BC60"', '"SI61", "SI60"', "SI60 stands twice"),
    ('"SI61", "BC60"', '"SI61", "BC6000"', "does not fit the header's template"),
    ("window = 16", "window = 0", "at least 1"),
    ("window = 16", "windows = 16", "unknown field `windows`"),
    ("heartbeat_s = 30", "heartbeat_s = nan", "above 0"),
    ("heartbeat_s = 30", 'heartbeat_s = "30"', "Expected `float`"),
]


@pytest.mark.parametrize(("old", "new", "told"), EDITS)
def test_an_edit_is_a_finding_with_line_and_remedy(old: str, new: str, told: str) -> None:
    text = framing_file.edited((old, new))

    findings = link_findings({LINK_FILE: text})

    about = [finding for finding in findings if told in finding.text]
    assert about, [str(finding) for finding in findings]
    assert LINK_FILE == about[0].path
    assert "error" == about[0].severity
    assert about[0].remedy.endswith(".")
    lines = [text.split("\n")[finding.line - 1] for finding in about]
    edited = new.strip("\n").partition(" ")[0]
    assert [line for line in lines if edited in line or line.startswith(("[", "text = ", "characters = "))]


def test_the_line_is_that_of_the_entry() -> None:
    text = framing_file.edited(('value = "01"', 'value = "1"'), ("window = 16", "window = 0"))

    lines = [text.split("\n")[finding.line - 1].strip() for finding in link_findings({LINK_FILE: text})]

    assert ['{ name = "version", width = 2, kind = "n", value = "1", source = "assumed" },', "window = 0"] == lines


def test_faults_of_type_in_several_sections_are_all_told() -> None:
    text = framing_file.edited(
        ("window = 16", "window = 'x'"), ("digits = 10", "digits = []"), ("add = -3 ", "ad = -3 ")
    )

    assert 4 == len(link_findings({LINK_FILE: text}))


def test_a_missing_file_is_a_finding() -> None:
    (finding,) = link_findings({})

    assert (LINK_FILE, 0, "error") == (finding.path, finding.line, finding.severity)
    with pytest.raises(MappingInvalid) as caught:
        link_profile_of({})
    assert (finding,) == caught.value.findings


@pytest.mark.parametrize(
    "row",
    ['templates = ["SI60", "SI61", "BC60"]', 'characters = ["0A", "0D", "20-7A", "7C", "7E"]'],
)
def test_a_list_of_a_hundred_thousand_is_told_briefly(row: str) -> None:
    name = row.partition(" = ")[0]

    findings = link_findings({LINK_FILE: framing_file.edited((row, name + " = [" + '"X",' * 60_000 + "]"))})

    assert 1 <= len(findings) <= 51


def test_the_shipped_profile_has_no_finding_and_makes_frames() -> None:
    assert [] == link_findings({LINK_FILE: framing_file.TEXT})
    assert Framing(read_link_profile(framing_file.TEXT)).opening
