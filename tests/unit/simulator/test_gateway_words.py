"""The words of the pretend PG: what is wrong with them is named, with its line and what to do."""

from __future__ import annotations

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.profiles.legacy import GATEWAY_FILE, read_legacy_profile
from pg_bridge.simulator.gateway_check import gateway_findings
from pg_bridge.simulator.gateway_words import read_gateway_words
from tests.doubles.mapping_sets import SETS, set_files


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_wrong_with_the_words_of_any_set(name: str) -> None:
    files = set_files(name)

    assert [] == gateway_findings(files, read_legacy_profile(files))


def test_a_set_without_words_is_good_but_has_no_gateway() -> None:
    files = {path: text for path, text in set_files("shipped").items() if path != GATEWAY_FILE}
    legacy = read_legacy_profile(files)

    assert [] == gateway_findings(files, legacy)
    with pytest.raises(MappingInvalid) as caught:
        read_gateway_words(files, legacy)
    assert ["PGB-GWY-001"] == [finding.code for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("find", "put", "code", "text"),
    [
        ('does = "si_add"', 'does = "si_adds"', "PGB-GWY-002", "request[0].does"),
        ("[[message]]", "[[messages]]", "PGB-GWY-002", "unknown field `messages`"),
        ('template = "SI06"', 'template = "SI66"', "PGB-GWY-003", "no PSS sends a template SI66"),
        ('template = "SI56"', 'template = "SI66"', "PGB-GWY-003", "the gateway sends no template SI66"),
        ('tells = "settlement"\n', "", "PGB-GWY-003", "0 messages tell the settlement"),
        ('type = "598"\nblocks = ["report"]', 'type = "599"\nblocks = ["report"]', "PGB-GWY-003", "FL52 is no MT599"),
        ('from = "FIAC/36B:SETT"', 'from = "FIAC/36B:SEET"', "PGB-GWY-004", "no place FIAC/36B:SEET"),
        ('"98A:ESET" =', '"98A:ESSET" =', "PGB-GWY-004", "no place TRADDET/98A:ESSET"),
        ('each = "REQD"', 'each = "REQS"', "PGB-GWY-004", "no sequence REQS"),
        ('"{si.purpose}"', '"{si.purposes}"', "PGB-GWY-005", "nothing is named si.purposes"),
        ('blocks = ["report"]', 'blocks = ["reports"]', "PGB-GWY-005", "no blocks reports"),
        ('reads = ["reference", "named"]', 'reads = ["named"]', "PGB-GWY-005", "request_reference is not read"),
        ("[request.filter]\n", '[request.filter]\nnothing = "X"\n', "PGB-GWY-005", "this is not read"),
        ("item_lines = ", "items = ", "PGB-GWY-005", "this name is taken"),
        ('codes = "direction" }', 'codes = "directions" }', "PGB-GWY-006", "no table directions"),
        ('540 = "receive"', '540 = "received"', "PGB-GWY-006", "received is no direction"),
        ("{si.direction:deliver_or_receive}", "{si.direction:deliver}", "PGB-GWY-006", "no table deliver"),
        ('cut = "UNIT/(.*)"', 'cut = "UNIT/.*"', "PGB-GWY-007", "it has 0 groups"),
        ('cut = "UNIT/(.*)"', 'cut = "UNIT/(.*"', "PGB-GWY-007", "no regular expression"),
        ('"UNIT/{si.quantity:number}"', '"UNIT/{si.quantity:number"', "PGB-GWY-007", "that of no hole"),
        ('si_number = "I5{:07d}"', 'si_number = "I5"', "PGB-GWY-007", "writes no number"),
        ('"25D:IPRC" = "CANP"', '"25D:IPRC" = "CANPS"', "PGB-GWY-008", "CANPS is not what"),
        ('"22H:STST" = "STAT"', '"22H:STST" = "STOP"', "PGB-GWY-008", "STOP is not what"),
    ],
)
def test_a_fault_is_named_with_its_line(find: str, put: str, code: str, text: str) -> None:
    files = dict(set_files("shipped"))
    old = files[GATEWAY_FILE]
    assert find in old
    files[GATEWAY_FILE] = old.replace(find, put, 1)
    findings = gateway_findings(files, read_legacy_profile(files))
    told = [finding for finding in findings if finding.code == code and text in finding.text]

    assert told, [str(finding) for finding in findings]
    assert all(finding.path == GATEWAY_FILE and finding.line and finding.remedy for finding in told)
