"""Mistakes in rule files: each is a finding that names the file, and the rule or block where there is one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import MappingInvalid
from pg_bridge.mapping.book import load
from pg_bridge.mapping.check import check
from tests.doubles.mapping_files import changed, shipped

INPUT, ENQUIRY = "rules/si-input.toml", "rules/si-enquiry.toml"
CONFIRMATION, STATUS = "rules/settlement-confirmation.toml", "rules/status-change.toml"
SHARED_STATUS, CASES = "rules/shared/si-status.toml", "rules/si-input.cases.toml"


def found(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(finding.path, finding.text) for finding in check(files)]


def test_the_shipped_files_are_good():
    assert check(shipped()) == []


MISTAKES = [
    (
        "an unknown place",
        INPUT,
        'from = "FIAC/36B:SETT"',
        'from = "FIAC/36B:SETTT"',
        "si-input.toml#10",
        "SI01 has no place FIAC/36B:SETTT",
    ),
    (
        "an unknown place among several",
        ENQUIRY,
        '"REF/20C:RELA"',
        '"REF/20C:RELE"',
        "si-enquiry.toml#2",
        "no place REF/20C:RELE",
    ),
    (
        "an unknown context",
        INPUT,
        'from = "context.participant"',
        'from = "context.participants"',
        "si-input.toml#3",
        "there is no context.participants",
    ),
    (
        "an unknown word of the message",
        INPUT,
        'from = "@message_type"',
        'from = "@type"',
        "si-input.toml#7",
        "there is no @type",
    ),
    (
        "an unknown table",
        INPUT,
        'codes = "purpose"',
        'codes = "purposes"',
        "si-input.toml#16",
        "codes.toml has no table purposes",
    ),
    (
        "an unknown function",
        INPUT,
        'use = "quantity"',
        'use = "quantities"',
        "si-input.toml#10",
        "there is no function quantities",
    ),
    (
        "a function of the other direction",
        INPUT,
        'use = "lines"',
        'use = "words"',
        "si-input.toml#19",
        "words does not serve this direction",
    ),
    (
        "an unknown member of the schema",
        INPUT,
        'to = "hold"',
        'to = "holt"',
        "si-input.toml#17",
        "SiAddEntry has no member holt",
    ),
    (
        "two rules for one target",
        INPUT,
        'to = "remarks"',
        'to = "purpose"',
        "si-input.toml#19",
        "purpose is fed by rule 16 already",
    ),
    (
        "a mandatory member that nothing feeds",
        INPUT,
        'to = "settlementDate"',
        'to = "tradeDate"',
        "si-input.toml",
        "settlementDate is fed by no rule, in MT543",
    ),
    (
        "a forgotten field",
        INPUT,
        'from = "TRADDET/70E:SPRO"',
        'from = "TRADDET/98A:TRAD"',
        "si-input.toml",
        "TRADDET/70E:SPRO is forgotten",
    ),
    ("no fate at all", INPUT, "fixed = true\n", "", "si-input.toml#21", "say one of `to`, `carried` and `fixed`"),
    (
        "two fates",
        INPUT,
        'to = "hold"',
        'to = "hold"\ncarried = "hold"',
        "si-input.toml#17",
        "say one of `to`, `carried` and `fixed`",
    ),
    (
        "no reason for what OCP does not get",
        INPUT,
        'reason = "OCP settles at one place only"\n',
        "",
        "si-input.toml#21",
        "say the reason",
    ),
    (
        "an unknown template",
        INPUT,
        'template = "SI01"',
        'template = "SI09"',
        "si-input.toml",
        "there is no template SI09",
    ),
    (
        "a template that nothing serves",
        INPUT,
        'template = "SI01"',
        'template = "SI07"',
        "rules",
        "no rule file serves the request template SI01",
    ),
    (
        "a template served twice",
        INPUT,
        'template = "SI01"',
        'template = "SI07"',
        "si-input.toml",
        "SI07 is served by si-enquiry.toml already",
    ),
    (
        "an unknown operation",
        INPUT,
        'operation = "si_add"',
        'operation = "si_ad"',
        "si-input.toml",
        "there is no operation si_ad",
    ),
    ("an unknown schema", INPUT, 'schema = "SiAddEntry"', 'schema = "SiAdd"', "si-input.toml", "no schema SiAdd"),
    (
        "an unknown include",
        STATUS,
        'include = "si-details"',
        'include = "si-detail"',
        "status-change.toml#5",
        "there are no shared blocks si-detail",
    ),
    (
        "an unknown place to write",
        CONFIRMATION,
        'field = "19A:ESTT"',
        'field = "19A:ESST"',
        "settlement-confirmation.toml#9",
        "SI61 has no place SETDET/AMT/19A:ESST",
    ),
    (
        "an unknown place in a shared block",
        SHARED_STATUS,
        '"REAS/24B:NMAT"',
        '"REAS/24B:NMAX"',
        "status-change.toml#2",
        "no place GENL/STAT/REAS/24B:NMAX",
    ),
    (
        "an unknown sequence to write",
        CONFIRMATION,
        'at = "FIAC"',
        'at = "FIAX"',
        "settlement-confirmation.toml#5",
        "SI61 has no sequence FIAX",
    ),
    (
        "a mandatory field that no block writes",
        CONFIRMATION,
        '{ field = "36B:ESTT", from = "ocp.quantity", use = "quantity" },',
        "",
        "settlement-confirmation.toml",
        "FIAC/36B:ESTT is written by no block",
    ),
    (
        "an unknown message type to write",
        STATUS,
        'message_type = "548"',
        'message_type = "549"',
        "status-change.toml",
        "MT549 is no message type of SI60",
    ),
    (
        "an unknown table of message types",
        CONFIRMATION,
        '"confirmation_of"',
        '"confirmations_of"',
        "settlement-confirmation.toml",
        "no table confirmations_of",
    ),
    (
        "a source without root",
        CONFIRMATION,
        '"ocp.purpose"',
        '"purpose"',
        "settlement-confirmation.toml#6",
        "purpose has no root",
    ),
    (
        "a condition without root",
        STATUS,
        '"answer.outcome" =',
        '"outcome" =',
        "status-change.toml#3",
        "outcome has no root",
    ),
    (
        "a constant that does not fit",
        STATUS,
        'constant = "REJT"',
        'constant = "REJECT"',
        "status-change.toml#3",
        "'REJECT' does not fit 4!c",
    ),
    (
        "a default that does not fit",
        CONFIRMATION,
        'default = "NONREF"',
        'default = "NO REFERENCE KNOWN"',
        "settlement-confirmation.toml#2",
        "does not fit 16x",
    ),
    (
        "a constant and a source",
        STATUS,
        'constant = "REJT"',
        'constant = "REJT", from = "ocp.status"',
        "status-change.toml#3",
        "say one of `from` and `constant`",
    ),
    (
        "a function of the other direction to write",
        CONFIRMATION,
        'use = "security"',
        'use = "stock_code"',
        "settlement-confirmation.toml#4",
        "stock_code does not serve this direction",
    ),
    ("no TOML", INPUT, 'name = "si-input"', "name =", INPUT, "Invalid value"),
    ("a member mistyped", INPUT, 'carried = "prepared"', 'caried = "prepared"', INPUT, "caried"),
    ("no TOML in a shared file", SHARED_STATUS, "[[block]]", "[[block]", SHARED_STATUS, ""),
    ("no TOML in the cases", CASES, "[[case]]", "[[case]", CASES, ""),
    ("a kind of case that is none", CASES, 'kind = "request"', 'kind = "query"', CASES, "query"),
    (
        "a case that fails",
        CASES,
        "quantity = 400",
        "quantity = 401",
        f"{CASES}:deliver free, a pledge",
        "quantity: 401 is due, 400 came",
    ),
    (
        "a case of other findings",
        CASES,
        '"PGB-MSG-027", "PGB-MSG-024"',
        '"PGB-MSG-027"',
        f"{CASES}:money in a free delivery: the real-time word and the amount do not belong there",
        "are due",
    ),
    ("a case of another text", CASES, "25D::IPRC//PACK", "25D::IPRC//PACT", f"{CASES}:accepted", "another text came"),
    (
        "a condition mistyped",
        SHARED_STATUS,
        "{ after = ",
        "{ aftr = ",
        "status-change.toml#2",
        "say a value, several, or one of",
    ),
    (
        "an empty condition",
        SHARED_STATUS,
        '"ocp.status" = "PENDING"',
        '"ocp.status" = {}',
        "status-change.toml#2",
        "say a value, several, or one of",
    ),
    (
        "a list of lists",
        SHARED_STATUS,
        '"ocp.status" = "PENDING"',
        '"ocp.status" = [["PENDING"]]',
        "status-change.toml#2",
        "a list holds values only",
    ),
    (
        "a date after a source without root",
        SHARED_STATUS,
        '{ after = "context.',
        '{ after = "',
        "status-change.toml#2",
        "business_date has no root",
    ),
    (
        "an unknown context to write",
        CONFIRMATION,
        "context.reference",
        "context.referenz",
        "settlement-confirmation.toml#1",
        "there is no context.referenz",
    ),
    (
        "a message type chosen without root",
        CONFIRMATION,
        '["ocp.direction"',
        '["direction"',
        "settlement-confirmation.toml",
        "direction has no root",
    ),
    (
        "an include that is not alone",
        STATUS,
        'include = "si-details"',
        'include = "si-details"\nat = "GENL"',
        "status-change.toml#5",
        "an include stands alone",
    ),
    (
        "more members than values",
        INPUT,
        'use = "lines"\nto = "remarks"',
        'use = "lines"\nto = ["remarks", "hold"]',
        "si-input.toml#19",
        "1 values come, for 2 members",
    ),
    (
        "fewer members than values",
        INPUT,
        'to = ["currency", "amount"]',
        'to = "amount"',
        "si-input.toml#11",
        "2 values come, for 1 members",
    ),
    (
        "a member inside one that has none",
        INPUT,
        'to = "remarks"',
        'to = "remarks.text"',
        "si-input.toml#19",
        "no member remarks.text",
    ),
    (
        "too few sources",
        ENQUIRY,
        '["REF/20C:PREV", "REF/20C:RELA"]',
        '"REF/20C:PREV"',
        "si-enquiry.toml#2",
        "reference_asked takes 2 sources, not 1",
    ),
    (
        "too few sources to write",
        CONFIRMATION,
        '["ocp.isin", "ocp.stockCode"]',
        '"ocp.isin"',
        "settlement-confirmation.toml#4",
        "security takes 2 sources, not 1",
    ),
    (
        "no source",
        INPUT,
        'from = "TRADDET/35B"\nuse = "security"',
        'from = []\nuse = "security"',
        "si-input.toml#9",
        "say in `from`",
    ),
    (
        "a constant that the template does not allow",
        CONFIRMATION,
        'constant = "NEWM"',
        'constant = "CANC"',
        "settlement-confirmation.toml#1",
        "'CANC' is none of NEWM",
    ),
    (
        "another function than the template's",
        INPUT,
        'function = "input_si"',
        'function = "put_si"',
        "si-input.toml",
        "SI01 serves the function input_si, not put_si",
    ),
    (
        "a function written twice",
        STATUS,
        'function = "status_change"',
        'function = "settlement_confirmation"',
        "status-change.toml",
        "is written by settlement-confirmation.toml already",
    ),
    (
        "a refusal without table",
        "legacy/codes.toml",
        "[refusal_reasons]",
        "[refused_reasons]",
        "legacy/codes.toml",
        "there must be a table refusal_reasons",
    ),
]


@pytest.mark.parametrize(("path", "old", "new", "at", "text"), [pytest.param(*row, id=name) for name, *row in MISTAKES])
def test_mistake(path: str, old: str, new: str, at: str, text: str):
    findings = found(changed(path, old, new))

    assert any(at == where and text in what for where, what in findings), findings


def test_a_file_without_cases():
    files = shipped()
    del files[CASES]

    assert [("si-input.toml", f"the file has no cases: write {CASES}")] == found(files)


@pytest.mark.parametrize("path", [INPUT, ENQUIRY, STATUS, CONFIRMATION])
def test_a_set_with_a_mistake_is_not_loaded(path: str):
    files = changed(path, "source =", "sauce =")
    with pytest.raises(MappingInvalid) as caught:
        load(files)

    assert path in [finding.path for finding in caught.value.findings]


def test_mistakes_of_all_files_come_together():
    files = changed(INPUT, 'to = "hold"', 'to = "holt"')
    files[STATUS] = "="
    files["legacy/templates/SI61.toml"] = "="
    files["ocp/openapi.yaml"] = "["

    paths = {where for where, _ in found(files)}

    assert {STATUS, "legacy/templates/SI61.toml", "ocp/openapi.yaml"} <= paths


@pytest.mark.parametrize("files", [{}, {"rules/a.toml": ""}, {"ocp/profile.toml": ""}])
def test_hardly_any_files(files: dict[str, str]):
    assert found(files)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([INPUT, ENQUIRY, CONFIRMATION, STATUS, SHARED_STATUS, CASES]),
    st.integers(0, 4000),
    st.text(alphabet='"[]{}=.#/:ab1\n', max_size=3),
)
def test_a_mangled_file_is_good_or_has_findings(path: str, at: int, text: str):
    files = shipped()
    files[path] = files[path][:at] + text + files[path][at + len(text) :]

    assert all(finding.path and finding.text for finding in check(files))
