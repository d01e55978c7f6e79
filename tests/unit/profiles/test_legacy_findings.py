"""Each edit of the templates and code tables is a finding with its file, its line, its words and what to do."""

from __future__ import annotations

import pytest

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.profiles.legacy import CODES_FILE, read_legacy_profile
from tests.doubles.mapping_files import changed, shipped

SI01 = "legacy/templates/SI01.toml"
SI60 = "legacy/templates/SI60.toml"
T03A = "legacy/templates/T03A.toml"


def findings_of(files: dict[str, str]) -> tuple[Finding, ...]:
    with pytest.raises(MappingInvalid) as caught:
        read_legacy_profile(files)
    return caught.value.findings


#: file, what is replaced, by what, what is told, and what stands in the line told
EDITS = [
    (SI01, 'name = "SI01"', 'name = "SI 01"', "'SI 01' is no name of a template", "name ="),
    (SI01, 'message_types = ["540", "541", "542", "543"]', "message_types = []", "no message types", "message_types"),
    (SI01, '"541", "542", "543"]\nfunction', '"541", "542", "543", "543"]\nfunction', "stands twice", "message_types"),
    (SI01, '"543"]\nfunction', '"5430"]\nfunction', "'5430' is no message type", "message_types"),
    (SI01, 'direction = "I"', 'direction = "O"', "goes in the direction I", "direction"),
    (SI01, 'effect = "instruct"', 'effect = "answer"', "goes in the direction O", "direction"),
    (SI01, 'effect = "instruct"', 'effect = "instructs"', "Invalid enum value 'instructs'", "effect"),
    (SI01, 'answer = "SI51"', 'answer = "SI60"', "its answer SI60 is of the effect unsolicited", "answer"),
    (SI01, 'answer = "SI51"', 'answer = "SI07"', "its answer SI07 is of the effect enquire", "answer"),
    (SI01, 'answer = "SI51"', 'answer = "T03A"', "is of the function enquire_si", "answer"),
    (SI01, 'answer = "SI51"', 'answer = "SI51X"', "its answer SI51X is no template", "answer"),
    (T03A, 'answer = ""', 'answer = "SI51"', "only a request has an answer", "answer"),
    (SI01, 'function = "input_si"', 'function = ""', "it is of no function", "function"),
    (SI01, 'path = "SETDET/SETPRTY[95R]"\nstatus', 'path = "SETDET/SETPRTY"\nstatus', "no first field tells", "path"),
    (SI01, 'path = "SETDET/SETPRTY[95R]"\nstatus', 'path = "SETDET/SETPRTY[95P]"\nstatus', "declared twice", "[[seq"),
    (SI01, "SETPRTY[95R]", "SETPRTY[95P:PSET]", "its first field does not tell it from", "path"),
    (SI01, "SETPRTY[95R]", "SETPRTY[97A]", "it begins with 95R:DEAG in MT540, not with 97A", "path"),
    (SI01, "SETPRTY[95R]", "SETPRTY[95R:REAG]", "it begins with 95R:DEAG in MT540, not with 95R:REAG", "path"),
    (T03A, "LINK[20C:PREV]", "LINK[20C]", "its first field does not tell it from", "path"),
    (SI01, 'path = "GENL/LINK"', 'path = "GENL/LINK[20C:POOL"', "this is no path of a sequence", "path"),
    (SI01, 'path = "GENL/LINK"\nstatus = "O"', 'path = "GENL/LINK/X"\nstatus = "O"', "not declared before it", "path"),
    (SI01, '[[field]]\npath = "GENL/LINK"', '[[field]]\npath = "GENL"', "GENL/LINK: the sequence has no fields", "[["),
    (SI01, 'types = ["541", "543"]\n\n', 'types = ["541", "599"]\n\n', "SETDET/AMT: MT599 is no message type", "types"),
    (
        SI01,
        'types = ["541", "543"]\n\n',
        'types = ["540"]\n\n',
        "AMT/19A:SETT: there is no message type in which",
        "typ",
    ),
    (SI01, 'types = ["540", "541"]', 'types = ["544"]', "95R:DEAG: there is no message type in which", "types"),
    (SI01, 'types = ["540", "541"]', 'types = ["540", "54"]', "95R:DEAG: MT54 is no message type", "types"),
    (SI01, 'tag = "23G"', 'tag = "23GG"', "'23GG' is no tag", "tag"),
    (SI01, 'tag = "23G"', 'tag = "16R"', "16R marks a sequence", "tag"),
    (SI01, 'qualifier = "SEME"', 'qualifier = "SEM"', "'SEM' is no qualifier", "qualifier"),
    (SI01, 'scheme = "CCAS"', 'scheme = "ccas/"', "'ccas/' is no data source scheme", "scheme"),
    (SI01, 'tag = "23G"', 'tag = "23G"\nscheme = "CCAS"', "without a qualifier has no data source scheme", "scheme"),
    (SI01, 'reason = "DTRD"', 'reason = "DTRDX"', "'DTRDX' is no reason code", "reason"),
    (SI01, 'qualifier = "TRAD"', 'qualifier = "SETT"', "the field is declared twice for MT540", "[[field]]"),
    (SI01, 'format = "16x"', 'format = "16x["', "a [ without its ]", "format"),
    (SI01, 'format = "16x"', 'format = "99999x"', "is no notation", "format"),
    (SI01, 'format = "16x"', 'format = "35x35x35x35x35x"', "too many ways", "format"),
    (SI01, 'sample = "B0123400001"', 'sample = "B01234000010000100001"', "the sample", "sample"),
    (SI01, 'sample = "NEWM"', 'sample = "CANC"', "the sample 'CANC' is none of its values", "sample"),
    (SI01, 'values = ["NEWM", "PREA"]', 'values = ["NEWM", "PRE"]', "the value 'PRE' is not of the format", "values"),
    (SI01, 'values = ["NEWM", "PREA"]', 'values = ["NEWM", "NEWM"]', "a value stands twice", "values"),
    (SI01, 'sample = "20261125"', 'sample = "20261131"', "is not a day of the calendar", "sample"),
    (SI01, 'sample = "UNIT/1000,"', 'sample = "UNIT/1000,5"', "is not a whole number", "sample"),
    (SI01, 'sample = "ISIN HK0005000002"', 'sample = "ISIN HK0005000003"', "right check digit", "sample"),
    (SI01, 'checks = ["isin"]', 'checks = ["isinn"]', "there is no check isinn", "checks"),
    (SI01, 'concept = "request_reference"', 'concept = "reference"', "there is no concept reference", "concept"),
    (SI01, 'qualifier = "PREP"', 'qualifier = "PREP"\nconcept = "request_reference"', "is bound to", "concept"),
    (CODES_FILE, 'preferred = ["OWNI"]', 'preferred = ["OWNX"]', "'OWNX' is no key", "preferred"),
    (
        CODES_FILE,
        'preferred = ["OWNI"]',
        'preferred = ["OWNI", "OWNE"]',
        "are both preferred for PORTFOLIO",
        "preferred",
    ),
    (CODES_FILE, 'to = "79999"', 'to = "69999"', "is reversed", "70000"),
    (CODES_FILE, 'to = "79999"', 'to = "799999"', "ends of different lengths", "70000"),
    (CODES_FILE, 'to = "79999"', 'to = "90000"', "'90000' overlaps the one from '70000'", "90000"),
    (CODES_FILE, 'code = "SZMK"', 'code = ""', "has no code", "70000"),
    (CODES_FILE, 'default = "HKMK"', 'default = ""', "the default is empty", "default"),
    (CODES_FILE, 'NEWM = "false"', 'NEWM = ""', "the code of 'NEWM' is empty", "entries"),
    (CODES_FILE, 'entries = { NEWM = "false", PREA = "true" }', "", "hold_of: the table is empty", "[hold_of]"),
    (CODES_FILE, 'NEWM = "false"', 'PREA = "false"', "this is not TOML", "PREA"),
    (CODES_FILE, 'keys = "ocp"', 'keys = "OCP"', "Invalid enum value 'OCP'", "keys"),
    (CODES_FILE, "[hold_of]", "[payment_of]", "this is not TOML", "[payment_of]"),
    (CODES_FILE, 'NEWM = "false"', "NEWM = false", "Expected `str`, got `bool`", "entries"),
]


@pytest.mark.parametrize(("path", "old", "new", "told", "stands"), EDITS)
def test_an_edit_is_a_finding(path: str, old: str, new: str, told: str, stands: str) -> None:
    files = changed(path, old, new)

    findings = findings_of(files)

    about = [finding for finding in findings if told in finding.text]
    assert about, [str(finding) for finding in findings]
    assert (path, "error") == (about[0].path, about[0].severity)
    assert about[0].remedy.endswith(".")
    assert stands in files[path].split("\n")[about[0].line - 1]


def test_all_faults_of_a_file_come_together() -> None:
    files = changed(SI01, 'format = "16x"', 'format = "16q"')
    files[SI01] = (
        files[SI01].replace('checks = ["isin"]', 'checks = ["isinn"]').replace('direction = "I"', 'direction = "O"')
    )
    files[SI60] = files[SI60].replace('status = "M"', 'status = "X"').replace('format = "4!c"', "format = 4")

    found = [finding.path for finding in findings_of(files)]

    assert 3 == found.count(SI01)
    assert 10 < found.count(SI60)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (SI01, '[[sequence]]\npath = "A"\nstatus = "M"\n' * 5000),
        (SI01, '[[field]]\npath="A"\ntag="20C"\nstatus="M"\nformat="1x"\nmeaning=""\nsource="public"\n' * 3000),
        (CODES_FILE, "[t]\nmeaning = ''\nsource = 'public'\npreferred = [" + '"a",' * 60_000 + "]\n"),
        (CODES_FILE, "[t]\nmeaning = ''\nsource = 'public'\nranges = [" + '{from="1",to="2",code="3"},' * 9000 + "]\n"),
        (CODES_FILE, "".join(f"[t{number}]\nmeaning = ''\nsource = 'public'\n" for number in range(6000))),
    ],
)
def test_thousands_of_entries_are_told_briefly(path: str, more: str) -> None:
    files = shipped()

    assert 51 >= len(findings_of({**files, path: files[path] + "\n" + more}))


@pytest.mark.parametrize(("key", "market"), [("00005", "HKMK"), ("7", "HKMK"), ("75", "HKMK"), ("750000", "HKMK"), ("75000", "SZMK")])  # fmt: skip
def test_a_range_holds_keys_of_its_own_length_only(key: str, market: str) -> None:
    assert market == read_legacy_profile(shipped()).tables["market_of_stock"].find(key)
