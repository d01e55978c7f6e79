"""The standard's own error codes: looked up by finding, tag and check; a wrong file is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.standard_codes import STANDARD_CODES_FILE
from tests.doubles.mapping_files import DELIVER_FREE, before, shipped, with_

CORPUS = Path(__file__).parents[2] / "messages/README.md"
SOUND = with_(
    DELIVER_FREE,
    ("ISIN HK0005000002", "/HK/00005"),
    ("UNIT/1000,", "UNIT/100,"),
    before(":16S:SETDET", ":16R:AMT", ":19A::SETT//HKD5,", ":16S:AMT"),
).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("20261125", "20261131", "T50"),
        ("20261125", "2026112", ""),
        ("UNIT/100,", "UNIT/100", "T40 T43"),
        ("UNIT/100,", "UNIT/0,", ""),
        ("HKD5,", "HKD5", "T40 T43"),
        (":35B:/HK/00005", ":35B:00005", "T12 T17"),
        (":35B:/HK/00005", ":35B:ISIN HK0005000003", ""),
        ("SETR//TRAD", "SETR//NONE", "K22"),
        (":95P::PSET//XHKCHKH1XXX", ":95P::PSET//XHKCHKH2XXX", ""),
        (":22F::SETR//TRAD\r\n", "", "T13"),
        (":23G:NEWM\r\n", ":23G:NEWM\r\n:23H:NEWM\r\n", "T13"),
        ("B0123400001", "B01234_0001", "M60"),
    ],
)
def test_finding_has_the_standard_s_code_where_one_is_known(old: str, new: str, codes: str) -> None:
    template = read_legacy_profile(shipped()).templates["SI01"]
    assert old in SOUND
    findings = template.check("543", read(SOUND.replace(old, new).encode("ascii"))).findings

    assert codes == findings[0].standard
    assert ("(" in str(findings[0]).split(" SETDET")[0].split(":")[0]) == bool(codes)


def test_a_set_without_the_file_has_no_codes() -> None:
    files = {path: text for path, text in shipped().items() if path != STANDARD_CODES_FILE}
    template = read_legacy_profile(files).templates["SI01"]
    (finding,) = template.check("543", read(SOUND.replace("20261125", "20261131").encode("ascii"))).findings

    assert "" == finding.standard
    assert finding.code == finding.codes


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('code = "PGB-MSG-021"', 'code = "PGB-MAP-021"', "'PGB-MAP-021' is no code of a fault of a message"),
        ('standard = "T50"', 'standard = "t50"', "'t50' is no code"),
        ('check = "date"', 'check = "day"', "there is no check day"),
        ('"19A"', '"AMT"', "'AMT' is no tag"),
        ('"19A"', '"36B"', "a second code for PGB-MSG-023 36B"),
    ],
)
def test_a_wrong_entry_is_found_with_its_line(old: str, new: str, told: str) -> None:
    text = shipped()[STANDARD_CODES_FILE]
    assert old in text
    with pytest.raises(MappingInvalid) as refused:
        read_legacy_profile({**shipped(), STANDARD_CODES_FILE: text.replace(old, new, 1)})
    (finding,) = refused.value.findings

    assert told == finding.text
    assert (STANDARD_CODES_FILE, "PGB-PRF-018") == (finding.path, finding.code)
    assert finding.line
    assert finding.remedy


def test_the_corpus_names_the_same_codes() -> None:
    """Its table of codes, column by column, where a code is of every field alike."""
    codes = read_legacy_profile(shipped()).standard_codes
    rows = re.findall(r"^\| (PGB-MSG-\d{3})[^|]* \| ([^|]*) \| ([^|]*) \|", CORPUS.read_text("utf-8"), re.MULTILINE)
    told = {code: standard.strip() for code, _, standard in rows}

    assert len(told) >= 17
    for code, standard in told.items():
        if "," not in standard:
            assert standard == codes.told(Finding(code, "error", "GENL/22F:SETR", "")).standard.replace("K22", "Knn")
