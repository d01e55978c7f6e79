"""What `check` finds: one edit of the shipped set each, and the file, line and words that tell of it."""

from __future__ import annotations

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.mapping.book import load
from pg_bridge.mapping.checks.check import check

INPUT = "rules/si-input.toml"
ENQUIRY = "rules/si-enquiry.toml"
STATUS = "rules/shared/si-status.toml"
CHANGE = "rules/status-change.toml"
CONFIRMATION = "rules/settlement-confirmation.toml"


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (INPUT, 'template = "SI01"', 'template = "SI99"', "there is no template SI99"),
        (INPUT, 'template = "SI01"', 'template = "SI07"', "is of the function enquire_si"),
        (INPUT, 'operation = "si_add"', 'operation = "si_ad"', "there is no operation si_ad"),
        (INPUT, 'operation = "si_add"', 'operation = "si_change"', "takes the schema SiChangeEntry"),
        (INPUT, 'schema = "SiAddEntry"', 'schema = "SiAdd"', "takes the schema SiAddEntry"),
        (INPUT, '"FIAC/36B:SETT"', '"FIAC/36B:SET"', "has no place FIAC/36B:SET"),
        (INPUT, '"FIAC/36B:SETT"', '"FIAC/97A:SAFE"', "the field FIAC/36B:SETT is forgotten"),
        (INPUT, 'to = "quantity"', 'to = "quantiti"', "the schema has no member quantiti"),
        (INPUT, 'to = "quantity"', 'to = "quantiti"', "mandatory member quantity is fed by no rule in MT540"),
        (INPUT, 'to = "remarks"', 'to = "purpose"', "purpose has two rules in MT540"),
        (INPUT, 'use = "security"', 'use = "securitee"', "there is no function securitee"),
        (INPUT, 'use = "security"', 'use = "words"', "does not serve this direction"),
        (INPUT, 'to = ["isin", "stockCode"]', 'to = "isin"', "makes 2 values, 1 targets are named"),
        (INPUT, 'options = { unit = "UNIT/" }', "", "needs the option unit"),
        (INPUT, 'codes = "purpose"', 'codes = "porpoise"', "codes.toml has no table porpoise"),
        (INPUT, 'codes = "purpose"', 'codes = "direction_of"', "gives DELIVER, which purpose does not know"),
        (INPUT, 'codes = "purpose"', 'codes = "direction_of"', "has no code for COLI"),
        (INPUT, 'from = "context.participant"', 'from = "context.party"', "there is no context.party"),
        (INPUT, 'from = "@message_type"', 'from = "@message"', "there is no @message"),
        (INPUT, 'carried = "prepared"', 'carried = "prepared"\nto = "remarks"', "say one of `to`, `carried`"),
        (INPUT, 'reason = "OCP stamps', 'refused = "OCP stamps', "say the `reason`"),
        (INPUT, 'to = "linkageReference"', 'to = "siNumber"', "the schema has no member siNumber"),
        (INPUT, 'to = "stockAccount"', 'to = ["stockAccount", "tradeDate"]', "tradeDate has two rules"),
        (INPUT, 'include = "si-instruct-faults"', 'include = "si-fault"', "there are no shared blocks si-fault"),
        (INPUT, 'version = "the PG knew no versions of an SI"\n', "", "the member version is forgotten"),
        (INPUT, 'version = "the PG', 'versoin = "the PG', "has no member versoin"),
        (INPUT, '"answer.outcome" = "accepted"', '"answers.outcome" = "accepted"', "has no root"),
        (INPUT, '"answer.outcome" = "accepted"', '"answer.outcom" = "accepted"', "there is no answer.outcom"),
        (INPUT, 'constant = "PACK"', 'constant = "PACKED"', "does not fit 4!c"),
        (INPUT, 'constant = "PACK"', 'constant = "PACK", from = "answer.text"', "say one of `from` and `constant`"),
        (INPUT, '"20C:PREV", from', '"20C:PREW", from', "has no such place"),
        (INPUT, '"25D:IPRC", constant = "PACK"', '"25D:IPRC", from = "item.code"', "only in a block with `each`"),
        (INPUT, 'at = "GENL/LINK[20C:RELA]"', 'at = "GENL/LINKS"', "has no sequence GENL/LINKS"),
        (INPUT, '{ field = "23G", constant = "INST" },', "", "mandatory field GENL/23G is written by no block"),
        (ENQUIRY, "{ present = true }", "{ presence = true }", "there is no test presence"),
        (ENQUIRY, '"1!a8!n"', '"]["', "REF/20C:PREV: "),
        (ENQUIRY, 'schema = "SiQueryEntry"', 'schema = "SiQueryEntri"', "no schema SiQueryEntri"),
        (STATUS, '"value.snapshot"', '"value.words"', "there is no value.words above here"),
        (STATUS, 'name = "sides"', 'name = "words"', "there is a value words already"),
        (STATUS, 'codes = "failing_reason"', 'codes = "unmatched"', "codes.toml has no table unmatched"),
        (STATUS, '"ocp.holdOwn" = true, "', '"ocp.holdMine" = true, "', "the schema has no member holdMine"),
        (STATUS, "[[block]]\nat", "[[block]]\nfeilds = []\nat", "unknown field `feilds`"),
        (CHANGE, 'eventId = "the', 'reasonCode = "the', "reasonCode is used: it is not left out"),
        (CONFIRMATION, 'codes = "confirmation_of"', 'codes = "direction_of"', "which is no message type of SI61"),
        (CONFIRMATION, 'function = "settlement_confirmation"', 'function = "settled"', "is of the function settlement"),
        (CHANGE, 'name = "status-change"', 'name = "si-input"', "a rule file si-input already"),
    ],
)
def test_an_edit_is_found(files: dict[str, str], path: str, old: str, new: str, told: str) -> None:
    assert old in files[path]

    findings = check({**files, path: files[path].replace(old, new, 1)})

    about = [finding for finding in findings if told in finding.text]
    assert about, [str(finding) for finding in findings]
    assert path == about[0].path


def test_a_finding_names_file_and_line(files: dict[str, str]) -> None:
    text = files[INPUT]
    header = text.rindex("[[request.rule]]", 0, text.index('use = "security"'))
    line = text[:header].count("\n") + 1
    edited = text.replace('use = "security"', 'use = "securitee"')

    (finding,) = check({**files, INPUT: edited})

    assert (finding.path, finding.line) == (INPUT, line)
    assert "error" == finding.severity


def test_all_findings_of_all_files_come_together(files: dict[str, str]) -> None:
    edited = {
        **files,
        INPUT: files[INPUT].replace('use = "quantity"', 'use = "kwantity"'),
        ENQUIRY: files[ENQUIRY].replace('to = "siNumber"', 'to = "siNummer"'),
        CHANGE: files[CHANGE] + "\n[message.nonsense]\n",
    }

    with pytest.raises(MappingInvalid) as caught:
        load(edited)

    assert {INPUT, ENQUIRY, CHANGE} == {finding.path for finding in caught.value.findings}


@pytest.mark.parametrize("path", [INPUT, ENQUIRY, CHANGE, CONFIRMATION])
def test_a_rule_file_without_cases_is_found(files: dict[str, str], path: str) -> None:
    cases = path.replace(".toml", ".cases.toml")

    (finding,) = check({name: text for name, text in files.items() if name != cases})

    assert cases in finding.text


@pytest.mark.parametrize("path", ["rules/set.toml", STATUS, INPUT, "legacy/codes.toml", "ocp/openapi.yaml"])
def test_a_missing_file_is_found(files: dict[str, str], path: str) -> None:
    assert check({name: text for name, text in files.items() if name != path})


def test_no_files_at_all_are_findings() -> None:
    assert check({})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('quantity = 1000\ncurrency = "HKD"', 'quantity = 1001\ncurrency = "HKD"'),
        ('quantity = 1000\ncurrency = "HKD"', 'currency = "HKD"'),
        ('findings = ["PGB-MSG-024"]', "findings = []"),
        (":25D::IPRC//PACK", ":25D::IPRC//REJT"),
        ('prepared = "20261123"', 'prepared = "20261124"'),
        ('base = "accepted"', 'base = "acepted"'),
    ],
)
def test_a_case_that_does_not_hold_is_found(files: dict[str, str], old: str, new: str) -> None:
    path = "rules/si-input.cases.toml"
    assert old in files[path]

    findings = check({**files, path: files[path].replace(old, new, 1)})

    assert findings
    assert all(finding.path == path and finding.line for finding in findings)


def test_a_hundred_thousand_rules_are_refused(files: dict[str, str]) -> None:
    rule = '[[request.rule]]\nfrom = "GENL/20C:SEME"\nto = "requestReference"\n'

    findings = check({**files, INPUT: files[INPUT] + rule * 100_000})

    assert [INPUT] == [finding.path for finding in findings]
    assert "750,000 are the most" in findings[0].text


def test_too_many_rules_are_refused(files: dict[str, str]) -> None:
    begin, answer, rest = files[INPUT].partition("[answer]")
    rule = '[[request.rule]]\nfrom = "GENL/20C:SEME"\nto = "remarks"\n'

    findings = check({**files, INPUT: begin + rule * 1001 + answer + rest})

    assert any("1,000 are the most" in finding.text for finding in findings)
