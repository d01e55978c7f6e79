"""Mangled SI01s: one kind of fault each, named with its place and line; then several at once."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile

ROOT = Path(__file__).parents[3]
SAMPLE = (ROOT / "tests/messages/mt543_deliver_against_payment.fin").read_bytes()
RECEIVE_FREE = (ROOT / "tests/messages/mt540_receive_free_by_isin.fin").read_bytes()
FILES = {
    file.relative_to(ROOT / "mappings").as_posix(): file.read_text("utf-8")
    for file in (ROOT / "mappings/legacy").rglob("*.toml")
}
LEGACY: LegacyProfile = read_legacy_profile(FILES)

MISSING, DOUBLED, MALFORMED, UNKNOWN = "PGB-MSG-021", "PGB-MSG-022", "PGB-MSG-023", "PGB-MSG-024"
MISPLACED, WRONG_CODE, NOT_ALLOWED, WRONG_SCHEME = "PGB-MSG-025", "PGB-MSG-026", "PGB-MSG-027", "PGB-MSG-028"


def faults(body: bytes, message_type: str = "543", *, lenient: bool = False):
    return LEGACY.templates["SI01"].check(message_type, read(body), lenient=lenient).findings


def mangled(old: bytes, new: bytes, body: bytes = SAMPLE) -> bytes:
    assert body.count(old) >= 1
    return body.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b":20C::SEME//B0123400001\r\n", b"", (MISSING, "GENL/20C:SEME")),
        (b":98A::SETT//20261125\r\n", b"", (MISSING, "TRADDET/98A:SETT")),
        (b":16R:AMT\r\n:19A::SETT//HKD12345,67\r\n:16S:AMT\r\n", b"", (MISSING, "SETDET/AMT")),
        (b":23G:NEWM\r\n", b":23G:NEWM\r\n:23G:NEWM\r\n", (DOUBLED, "GENL/23G")),
        (b":16S:LINK\r\n", b":16S:LINK\r\n:16R:LINK\r\n:20C::POOL//X\r\n:16S:LINK\r\n", (DOUBLED, "GENL/LINK")),
        (b":98A::SETT//20261125", b":98A::SETT//2026-11-25", (MALFORMED, "TRADDET/98A:SETT")),
        (b":98A::SETT//20261125", b":98A::SETT//20261131", (MALFORMED, "TRADDET/98A:SETT")),
        (b":98A::SETT//20261125", b":98A::SETT//", (MALFORMED, "TRADDET/98A:SETT")),
        (b"HK0005000002", b"HK0005000003", (MALFORMED, "TRADDET/35B")),
        (b"/HK/00005", b"/HK/5", (MALFORMED, "TRADDET/35B")),
        (b"UNIT/1000,", b"UNIT/1000", (MALFORMED, "FIAC/36B:SETT")),
        (b"UNIT/1000,", b"UNIT/0,", (MALFORMED, "FIAC/36B:SETT")),
        (b"UNIT/1000,", b"UNIT/1000,5", (MALFORMED, "FIAC/36B:SETT")),
        (b"HKD12345,67", b"HKD12345.67", (MALFORMED, "SETDET/AMT/19A:SETT")),
        (b"SEME//B0123400001", b"SEME//B0123400001ABCDEF", (MALFORMED, "GENL/20C:SEME")),
        (b":23G:NEWM\r\n", b":23G:NEWM\r\n:99B::SETT//003\r\n", (UNKNOWN, "GENL/99B:SETT")),
        (b":16R:FIAC\r\n", b":16R:ADDINFO\r\n:70E::ADTX//A\r\n:16S:ADDINFO\r\n:16R:FIAC\r\n", (UNKNOWN, "ADDINFO")),
        (
            b":20C::SEME//B0123400001\r\n:23G:NEWM\r\n",
            b":23G:NEWM\r\n:20C::SEME//B0123400001\r\n",
            (MISPLACED, "GENL/20C:SEME"),
        ),
        (b":23G:NEWM", b":23G:CANC", (WRONG_CODE, "GENL/23G")),
        (b"SETR//TRAD", b"SETR//XXXX", (WRONG_CODE, "SETDET/22F:SETR")),
        (b":95R::REAG/CCAS/C00019", b":95R::REAG/XXXX/C00019", (WRONG_SCHEME, "SETDET/SETPRTY[95R]/95R:REAG")),
        (b":95R::REAG/CCAS/C00019", b":95R::REAG//C00019", (WRONG_SCHEME, "SETDET/SETPRTY[95R]/95R:REAG")),
        (b":97A::SAFE//00000001", b":97A::SAFE/CCAS/00000001", (WRONG_SCHEME, "FIAC/97A:SAFE")),
    ],
)
def test_one_fault_one_finding(old, new, expected):
    found = faults(mangled(old, new))

    assert [expected] == [(finding.code, finding.path) for finding in found]
    assert found[0].severity == "error"
    assert 0 < found[0].line <= 40


def test_the_sample_has_no_fault():
    assert faults(SAMPLE) == ()
    assert faults(RECEIVE_FREE, "540") == ()


def test_a_finding_says_what_stands_there_and_what_was_expected():
    """It goes back to the participant in a 70D."""
    (finding,) = faults(mangled(b":23G:NEWM", b":23G:CANC"))

    assert all(word in finding.text for word in ("CANC", "NEWM", "PREA"))
    assert finding.line == 3


def test_the_reason_code_of_the_field_goes_with_its_fault():
    assert [finding.reason for finding in faults(mangled(b"20261125", b"20261131"))] == ["DDAT"]
    assert [finding.reason for finding in faults(mangled(b"UNIT/1000,", b"UNIT/0,"))] == ["DQUA"]
    assert [finding.reason for finding in faults(mangled(b"HKD12345,67", b"12345,67"))] == ["DMON"]


def test_three_faults_are_all_named():
    body = mangled(b"20261125", b"20261131")
    body = mangled(b"UNIT/1000,", b"UNIT/0,", body)
    body = mangled(b":23G:NEWM\r\n", b":23G:NEWM\r\n:99B::SETT//003\r\n", body)

    assert [(finding.code, finding.path, finding.line) for finding in faults(body)] == [
        (UNKNOWN, "GENL/99B:SETT", 4),
        (MALFORMED, "TRADDET/98A:SETT", 12),
        (MALFORMED, "FIAC/36B:SETT", 18),
    ]


def test_syntax_faults_and_template_faults_come_together():
    body = mangled(b":98A::PREP//20261123", b":98A::PREP//20261123{")
    body = mangled(b":23G:NEWM", b":23G:CANC", body)

    assert {"PGB-MSG-016", MALFORMED, WRONG_CODE} == {finding.code for finding in faults(body)}


def test_an_unknown_optional_field_is_a_warning_in_the_lenient_profile():
    body = mangled(b":23G:NEWM\r\n", b":23G:NEWM\r\n:99B::SETT//003\r\n")

    assert [(finding.severity, finding.code) for finding in faults(body, lenient=True)] == [("warning", UNKNOWN)]


def test_other_faults_stay_errors_in_the_lenient_profile():
    found = faults(mangled(b":23G:NEWM", b":23G:CANC"), lenient=True)

    assert [finding.severity for finding in found] == ["error"]


@pytest.mark.parametrize(
    ("message_type", "expected"),
    [
        ("540", {(NOT_ALLOWED, "SETDET/22F:RTGS"), (NOT_ALLOWED, "SETDET/SETPRTY[95R]/95R:REAG")}),
        ("541", {(NOT_ALLOWED, "SETDET/SETPRTY[95R]/95R:REAG")}),
        ("542", {(NOT_ALLOWED, "SETDET/22F:RTGS")}),
    ],
)
def test_what_another_message_type_does_not_allow(message_type, expected):
    """Against payment and deliver, held against the other three types."""
    found = {(finding.code, finding.path) for finding in faults(SAMPLE, message_type)}

    assert expected <= found
    if message_type in ("540", "542"):
        assert [path for _, path in found if path.startswith("SETDET/AMT")]


def test_the_counterparty_of_the_other_direction_is_missed():
    found = faults(mangled(b":95R::REAG", b":95R::DEAG"))

    assert {(NOT_ALLOWED, "SETDET/SETPRTY[95R]/95R:DEAG"), (MISSING, "SETDET/SETPRTY[95R]/95R:REAG")} == {
        (finding.code, finding.path) for finding in found
    }


def test_a_field_by_its_place():
    template = LEGACY.templates["SI01"]

    assert template.field("GENL/20C:SEME").place == "GENL/20C:SEME"
    assert template.field("SETDET/AMT/19A:SETT", "543").mandatory
    with pytest.raises(KeyError):
        template.field("SETDET/22F:RTGS", "540")
    with pytest.raises(KeyError):
        template.field("GENL/20C:NONE")


def test_repeated_sequences_keep_all_their_fields():
    message = read((ROOT / "tests/messages/mt548_refusal_names_three_faults.fin").read_bytes())

    checked = LEGACY.templates["SI51"].check("548", message)

    assert [field.value for field in checked.values["GENL/STAT/REAS/24B:REJT"]] == ["DDAT", "DQUA", "NARR"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 33), st.integers(0, 33), st.sampled_from(["cut", "copy", "move"]))))
def test_no_shuffling_of_lines_raises_or_passes_unseen(changes):
    """Whatever is done to the lines: a finding, or only optional fields were cut out."""
    lines = SAMPLE.split(b"\r\n")[:-1]
    for at, to, kind in changes:
        if at < len(lines):
            line = lines[at] if kind == "copy" else lines.pop(at)
            if kind != "cut":
                lines.insert(min(to, len(lines)), line)
    body = b"".join(line + b"\r\n" for line in lines)

    found = faults(body)

    optional = (b":98A::PREP", b":98A::TRAD", b":70E", b":22F::RTGS", b":97A::SAFE", b"/HK/", b":35B")
    if not found and body != SAMPLE:
        lost = set(SAMPLE.split(b"\r\n")) - set(body.split(b"\r\n"))
        link = {b":16R:LINK", b":20C::POOL//202611230000001", b":16S:LINK"}
        assert all(line.startswith(optional) or line in link for line in lost)


def test_every_sample_fits_its_own_format():
    """What an analyst reads as the example is one."""
    wrong = [
        f"{template.name} {spec.place}: {spec.sample}"
        for template in LEGACY.templates.values()
        for spec in template.root.fields()
        if spec.sample
        and (spec.pattern.fullmatch(spec.sample) is None or (spec.values and spec.sample not in spec.values))
    ]

    assert wrong == []
