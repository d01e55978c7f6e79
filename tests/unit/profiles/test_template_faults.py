"""A message held against its template: one mangling of a good SI01 for each kind of fault, and all faults at once."""

from __future__ import annotations

import pytest

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.profiles.template import Checked
from tests.doubles.mapping_files import DELIVER_FREE, before, crlf, shipped, with_

PROFILE = read_legacy_profile(shipped())

AMT = ":16R:AMT\n:19A::SETT//HKD12345,67\n:16S:AMT\n"
LINK = ":16R:LINK\n:20C::POOL//202611230000001\n:16S:LINK\n"
GOOD = with_(
    DELIVER_FREE,
    before(":16S:GENL", ":98A::PREP//20261123", *LINK.splitlines()),
    before(":98A::SETT//20261125", ":98A::TRAD//20261123"),
    ("HK0005000002\n", "HK0005000002\n/HK/00005\n"),
    ("SETR//TRAD\n", "SETR//TRAD\n:22F::RTGS//NRTG\n"),
    before(":16S:SETDET", *AMT.splitlines()),
)
PARTY = ":16R:SETPRTY\n:95R::REAG/CCAS/C00019\n:16S:SETPRTY\n"
PLACE = ":16R:SETPRTY\n:95P::PSET//XHKCHKH1XXX\n:16S:SETPRTY\n"
QUANTITY, ACCOUNT = ":36B::SETT//UNIT/1000,\n", ":97A::SAFE//00000001\n"


def held(*changes: tuple[str, str], message_type: str = "543", lenient: bool = False) -> Checked:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return PROFILE.templates["SI01"].check(message_type, read(crlf(text)), lenient=lenient)


def brief(findings: tuple[Finding, ...]) -> list[tuple[str, str, int]]:
    return [(finding.code, finding.path, finding.line) for finding in findings]


def test_a_good_message_has_no_findings():
    assert held().findings == ()
    assert held().unknown == ()


def test_fields_are_given_by_place():
    values = held().values

    expected = {
        "GENL/20C:SEME": "B0123400001",
        "GENL/LINK/20C:POOL": "202611230000001",
        "SETDET/SETPRTY[95R]/95R:REAG": "C00019",
        "SETDET/SETPRTY[95P]/95P:PSET": "XHKCHKH1XXX",
        "SETDET/AMT/19A:SETT": "HKD12345,67",
    }
    assert expected == {place: values[place][0].value for place in expected}


ONE_FAULT = [
    ("missing field", (":36B::SETT//UNIT/1000,\n", ""), "PGB-MSG-021", "FIAC/36B:SETT", 17),
    ("doubled field", (":23G:NEWM\n", ":23G:NEWM\n:23G:NEWM\n"), "PGB-MSG-022", "GENL/23G", 4),
    ("doubled sequence", (AMT, AMT + AMT), "PGB-MSG-022", "SETDET/AMT", 31),
    ("malformed value", ("UNIT/1000,", "UNIT/1000"), "PGB-MSG-023", "FIAC/36B:SETT", 16),
    ("no day of the calendar", ("SETT//20261125", "SETT//20261131"), "PGB-MSG-023", "TRADDET/98A:SETT", 11),
    ("not above zero", ("UNIT/1000,", "UNIT/0,"), "PGB-MSG-023", "FIAC/36B:SETT", 16),
    ("not whole", ("UNIT/1000,", "UNIT/10,5"), "PGB-MSG-023", "FIAC/36B:SETT", 16),
    ("wrong check digit", ("HK0005000002", "HK0005000003"), "PGB-MSG-023", "TRADDET/35B", 12),
    ("too long a reference", ("B0123400001", "B0123400001234567"), "PGB-MSG-023", "GENL/20C:SEME", 2),
    ("unknown field", (":23G:NEWM\n", ":23G:NEWM\n:99B::SETT//001\n"), "PGB-MSG-024", "GENL/99B:SETT", 4),
    ("known field in a wrong sequence", (LINK, ":36B::SETT//UNIT/1,\n" + LINK), "PGB-MSG-024", "GENL/36B:SETT", 5),
    ("unknown sequence", (":16R:FIAC", ":16R:ADDINFO\n:16S:ADDINFO\n:16R:FIAC"), "PGB-MSG-024", "ADDINFO", 15),
    ("misplaced field", (QUANTITY + ACCOUNT, ACCOUNT + QUANTITY), "PGB-MSG-025", "FIAC/36B:SETT", 17),
    ("misplaced sequence", (PARTY + PLACE, PLACE + PARTY), "PGB-MSG-025", "SETDET/SETPRTY[95R]", 25),
    ("wrong code", ("SETR//TRAD", "SETR//GIFT"), "PGB-MSG-026", "SETDET/22F:SETR", 20),
    ("wrong function", (":23G:NEWM", ":23G:CANC"), "PGB-MSG-026", "GENL/23G", 3),
    ("wrong data source scheme", ("REAG/CCAS/", "REAG/DTCY/"), "PGB-MSG-028", "SETDET/SETPRTY[95R]/95R:REAG", 23),
    ("no data source scheme", ("REAG/CCAS/", "REAG//"), "PGB-MSG-028", "SETDET/SETPRTY[95R]/95R:REAG", 23),
    ("a data source scheme too many", ("SETR//TRAD", "SETR/CCAS/TRAD"), "PGB-MSG-028", "SETDET/22F:SETR", 20),
    ("missing sequence inside another", (AMT, ""), "PGB-MSG-021", "SETDET/AMT", 28),
    ("missing party", (PARTY, ""), "PGB-MSG-021", "SETDET/SETPRTY[95R]", 28),
    ("missing sequence", (":16R:FIAC\n" + QUANTITY + ACCOUNT + ":16S:FIAC\n", ""), "PGB-MSG-021", "FIAC", 27),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code", "path", "line"), [pytest.param(*row, id=name) for name, *row in ONE_FAULT])
def test_fault(change: tuple[str, str], code: str, path: str, line: int):
    assert [(code, path, line)] == brief(held(change).findings)


def test_a_field_that_another_message_type_has_is_not_allowed():
    checked = held((AMT, ""), message_type="542")

    assert brief(checked.findings) == [("PGB-MSG-027", "SETDET/22F:RTGS", 21)]
    assert checked.findings[0].text == "the field is not allowed in MT542"
    assert checked.findings[0].reason == "RTGS"


def test_the_party_of_the_other_direction_is_not_allowed_and_its_own_is_missing():
    checked = held(("95R::REAG", "95R::DEAG"))

    expected = [
        ("PGB-MSG-027", "SETDET/SETPRTY[95R]/95R:DEAG", 23),
        ("PGB-MSG-021", "SETDET/SETPRTY[95R]/95R:REAG", 24),
    ]
    assert expected == brief(checked.findings)


def test_an_amount_does_not_stand_in_a_free_delivery():
    checked = held((":22F::RTGS//NRTG\n", ""), message_type="542")

    assert brief(checked.findings) == [("PGB-MSG-024", "SETDET/AMT", 27)]


@pytest.mark.parametrize(("lenient", "severity"), [(False, "error"), (True, "warning")])
def test_an_unknown_field_is_carried_and_told(lenient: bool, severity: str):
    checked = held((":23G:NEWM\n", ":23G:NEWM\n:99B::SETT//001\n"), lenient=lenient)

    assert [("PGB-MSG-024", severity)] == [(finding.code, finding.severity) for finding in checked.findings]
    assert [(field.tag, field.value) for field in checked.unknown] == [("99B", "001")]


@pytest.mark.parametrize(("lenient", "severity"), [(False, "error"), (True, "warning")])
def test_an_unknown_sequence_is_told_once_and_each_of_its_fields_carried(lenient: bool, severity: str):
    new = ":16R:ADDINFO\n:70E::ADTX//A\n:16R:DEEP\n:99B::SETT//001\n:16S:DEEP\n:16S:ADDINFO\n:16R:FIAC"
    checked = held((":16R:FIAC", new), lenient=lenient)

    assert [("PGB-MSG-024", "ADDINFO", severity)] == [(f.code, f.path, f.severity) for f in checked.findings]
    assert [(field.tag, field.path) for field in checked.unknown] == [("70E", "ADDINFO"), ("99B", "ADDINFO/DEEP")]


def test_lenient_forgives_nothing_but_the_unknown():
    checked = held((":36B::SETT//UNIT/1000,\n", ""), ("SETR//TRAD", "SETR//GIFT"), lenient=True)

    assert [finding.severity for finding in checked.findings] == ["error", "error"]


def test_every_fault_of_a_message_is_named():
    checked = held((":98A::SETT//20261125\n", ""), ("UNIT/1000,", "MANY"), ("REAG/CCAS/", "REAG//"))

    expected = [
        ("PGB-MSG-021", "TRADDET/98A:SETT", 13, "DDAT"),
        ("PGB-MSG-023", "FIAC/36B:SETT", 15, "DQUA"),
        ("PGB-MSG-028", "SETDET/SETPRTY[95R]/95R:REAG", 22, "DEPT"),
    ]
    assert expected == [(f.code, f.path, f.line, f.reason) for f in checked.findings]


def test_faults_of_the_syntax_stand_with_those_of_the_template():
    checked = held((":16S:FIAC\n", ""), ("SETR//TRAD", "SETR//GIFT"))

    assert {"PGB-MSG-013", "PGB-MSG-014"} & {finding.code for finding in checked.findings}


@pytest.mark.parametrize("body", [b"", b"HELLO\r\n", b"\r\n", b":16S:GENL\r\n"])
def test_no_message_at_all_misses_every_sequence(body: bytes):
    checked = PROFILE.templates["SI01"].check("543", read(body))
    missing = {finding.path for finding in checked.findings if finding.code == "PGB-MSG-021"}

    assert {"TRADDET", "FIAC", "SETDET"} <= missing
