"""What the check finds on single paths: one edit of the shipped set each, and the words that tell of it."""

from __future__ import annotations

import time

import pytest

from pg_bridge.mapping.checks.check import check
from pg_bridge.mapping.checks.paths import Budget, Domain, domain, mentions, paths, sample, words

TEXTS = ("linkageReference", "settlementPositionNumber", "reasonText", "isin", "stockCode", "counterpartyAccount",
         "tradeDate", "amount")  # fmt: skip
INPUT = "rules/si-input.toml"
ENQUIRY = "rules/si-enquiry.toml"
STATUS = "rules/shared/si-status.toml"
FAULTS = "rules/shared/si-faults.toml"
CODES = "legacy/codes.toml"
OPENAPI = "ocp/openapi.yaml"
SI01 = "legacy/templates/SI01.toml"
#: the rule that refuses a message without a stock account, where there is no default one
NO_ACCOUNT = """[[request.rule]]
from = "FIAC/97A:SAFE"
when = { "FIAC/97A:SAFE" = { present = false }, "profile.stock_account" = { present = false } }
refused = "the own stock account is missing, and the participant has no default account"
"""
#: the rule that refuses an enquiry which names two references
TWO_REFERENCES = """[[request.rule]]
from = ["REF/20C:PREV", "REF/20C:RELA"]
when = { "REF/20C:PREV" = { other_shape = "1!a8!n" }, "REF/20C:RELA" = { present = true } }
refused = "two references are given; name the SI by one"
"""


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (CODES, '"541/" = "DVP", ', "", "the table payment_of has no code for '541/', which MT541 allows"),
        (CODES, '"543/YRTG" = "RDP"', '"543/YRTH" = "RDP"', "has no code for '543/YRTG', which MT543 allows"),
        (CODES, '"DELIVER/RDP" = "547"', '"DELIVER/RDQ" = "547"', "has no message type for 'DELIVER/RDP'"),
        (
            INPUT,
            'codes = "payment_of"\n',
            'codes = "payment_of"\nwhen = { "SETDET/22F:RTGS" = "YRTG" }\n',
            "the mandatory member paymentInstruction gets no value in MT541 when SETDET/22F:RTGS is NRTG",
        ),
        (
            INPUT,
            'from = "TRADDET/98A:TRAD"\nuse = "date"\nto = "tradeDate"',
            'from = ["TRADDET/98A:TRAD", "GENL/98A:PREP"]\nuse = "date"\nto = "tradeDate"',
            "",
        ),
        (
            INPUT,
            'from = "FIAC/36B:SETT"\nuse',
            'from = "FIAC/36B:SETT"\nwhen = { "GENL/23G" = "NEWM" }\nuse',
            "FIAC/36B:SETT is lost in MT540 when GENL/23G is PREA: no rule takes it there",
        ),
        (
            INPUT,
            'from = "FIAC/36B:SETT"\nuse',
            'from = "FIAC/36B:SETT"\nwhen = { "GENL/23G" = "NEWM" }\nuse',
            "the mandatory member quantity gets no value in MT543 when GENL/23G is PREA",
        ),
        (
            INPUT,
            'from = "FIAC/36B:SETT"\nuse',
            'from = "FIAC/36B:SETT"\nwhen = { "GENL/23G" = "NEWW" }\nuse',
            "GENL/23G is never NEWW: it is one of NEWM, PREA",
        ),
        (
            INPUT,
            'from = "GENL/LINK/20C:POOL"\nto',
            'from = "GENL/LINK/20C:POOL"\nwhen = { "GENL/23G" = { present = false } }\nto',
            "the rule can never act in any message of the template",
        ),
        (ENQUIRY, TWO_REFERENCES, "", "REF/20C:RELA is lost in MT549 when REF/20C:PREV is there"),
        (
            ENQUIRY,
            '[[request.rule]]\nfrom = "REF/20C:PREV"\nwhen = { "REF/20C:PREV" = { other_shape = "1!a8!n" } }\n'
            'to = "participantReference"\n',
            "",
            "REF/20C:PREV is lost in MT549",
        ),
        (OPENAPI, "enum: [PENDING, UNMATCHED,", "enum: [PENDING, FROZEN, UNMATCHED,", "when ocp.status is FROZEN"),
        (
            STATUS,
            '    { field = "REAS/24B:PEND", constant = "PRCY", when = { "ocp.holdCounterparty" = true } },\n'
            '    { field = "REAS/24B:PEND", constant = "NARR" },\n',
            '    { field = "REAS/24B:PEND", constant = "PRCY", when = { "ocp.holdCounterparty" = true } },\n',
            "",
        ),
        (STATUS, 'when = { "ocp.status" = "UNMATCHED" }', 'when = { "ocp.status" = "UNMATCHD" }', "ocp.status is never UNMATCHD"),
        (
            STATUS,
            'when = { "ocp.status" = "SETTLED" }',
            'when = { "ocp.status" = "SETTLED", "ocp.quantity" = { present = false } }',
            "the block GENL/STAT can never be written: its condition never holds",
        ),
        (FAULTS, '"answer.outcome" = "refused"', '"answer.outcome" = "refuse"', "answer.outcome is never refuse"),
        (
            "rules/shared/si-references.toml",
            '    { field = "20C:RELA", constant = "NONREF" },\n',
            "",
            "the mandatory sequence GENL/LINK[20C:RELA] is written by no block in MT548",
        ),
        (OPENAPI, "{1,15}$\", maxLength: 15", "{1,16}$\", maxLength: 16", "linkageReference has up to 16 characters, the field takes 15"),
        (OPENAPI, "maxLength: 400", "maxLength: 100", "TRADDET/70E:SPRO has up to 359 characters, remarks takes 100"),
        (INPUT, 'use = "quantity"\noptions = { unit = "UNIT/" }\n', "", "FIAC/36B:SETT is a text and quantity is integer"),
        (INPUT, NO_ACCOUNT, "", "the mandatory member stockAccount gets no value in MT540 when FIAC/97A:SAFE is absent and profile.stock_account is absent"),
        ("rules/set.toml", 'stock_account = ""', 'stock_account = "NONE"', "the rule can never act in any message of the template"),
        ("rules/set.toml", '["iso", "sample"]', '["iso", "sample", "other"]', "the mandatory sequence GENL/STAT is written by no block in MT548 when answer.outcome is refused and profile.refusal_form is other"),
        ("rules/set.toml", '["iso", "sample"]', '["iso", "other"]', "profile.refusal_form is never sample: it is one of iso, other"),
        ("rules/set.toml", '["iso", "sample"]', '["sample"]', "'iso' is none of the values of refusal_form: sample"),
        ("rules/set.toml", 'refusal_form = [', 'refusal_from = [', "the profile has no text refusal_from; it has place_of_settlement, stock_account, refusal_form"),
        ("rules/set.toml", "place_of_settlement", "place_of_setlement", "there is no profile.place_of_settlement; the profile of set.toml has place_of_setlement"),
        ("rules/set.toml", "XHKCHKH1XXX", "XHKCHKH1X", "'XHKCHKH1X' does not fit 8!c[3!c]"),
    ],
)  # fmt: skip
def test_an_edit_is_found(files: dict[str, str], path: str, old: str, new: str, told: str) -> None:
    assert old in files[path]

    findings = check({**files, path: files[path].replace(old, new, 1)})

    if told:
        about = [finding for finding in findings if told in finding.text]
        assert about, [str(finding) for finding in findings]
        assert all(finding.remedy and finding.severity == "error" for finding in about)


def test_the_shipped_set_has_nothing_to_find(files: dict[str, str]) -> None:
    assert [] == check(files)


def test_every_finding_of_a_rule_says_what_to_do(files: dict[str, str]) -> None:
    broken = files[INPUT].replace("FIAC/", "FIAK/").replace('to = "', 'to = "x').replace("SETR", "SETX")

    findings = check({**files, INPUT: broken})

    assert 10 <= len(findings)
    assert all(finding.remedy and finding.line for finding in findings if finding.path == INPUT)


def test_conditions_decide_what_a_domain_tells_apart() -> None:
    told = mentions([{"A": ["X", "Y"], "B": {"shape": "1!a8!n"}, "C": True, "D": {"after": "E"}}])

    assert ("X", "Y", "another value") == domain("A", told["A"], is_optional=False).values
    assert ("A11111111", "another value", None) == domain("B", told["B"], is_optional=True).values
    assert (True, False) == domain("C", told["C"], is_optional=False).values
    assert 3 == len(domain("D", told["D"], is_optional=False).values)
    assert 3 == len(domain("E", told["E"], is_optional=False).values)
    assert ("P", "Q", None) == domain("A", told["A"], codes={"Q", "P"}, is_optional=True).values


def test_paths_are_every_combination() -> None:
    found = list(paths([Domain("A", ("X", None)), Domain("B", (True, False))], lambda path: path["A"] or path["B"]))

    assert [{"A": "X", "B": True}, {"A": "X", "B": False}, {"A": None, "B": True}] == found
    assert "when A is X and B is false" == words(found[1])
    assert "when A is absent and B is true" == words(found[2])


def test_a_budget_bounds_one_question_and_all_of_a_set() -> None:
    budget = Budget(30_000)
    wide = [Domain(str(number), (True, False)) for number in range(14)]

    assert not Budget().takes([*wide, Domain("more", (1, 2))])
    assert budget.takes(wide)
    assert not budget.takes(wide)
    assert 30_000 - 2**14 == budget.left


def test_a_set_of_conditions_without_end_is_found_in_time(files: dict[str, str]) -> None:
    """Two hundred blocks, each depending on what eight texts are."""
    condition = ", ".join(f'"ocp.{name}" = "{name}"' for name in TEXTS)
    field = f'{{ field = "20C:PREV", from = "ocp.siNumber", when = {{ {condition} }} }}'
    block = f'[[message.block]]\nat = "GENL/LINK[20C:PREV]"\nfields = [{field}]\n\n'
    text = files["rules/status-change.toml"].replace("[[message.block]]", block * 200 + "[[message.block]]", 1)
    began = time.process_time()
    findings = check({**files, "rules/status-change.toml": text})

    assert 5 > time.process_time() - began
    assert any("too many conditions to check" in finding.text for finding in findings)


@pytest.mark.parametrize("notation", ["16x", "1!a8!n", "3!a15d", "10*35x", "ISIN 12!c|/HK/5!n", "8!c[3!c]", "[2!a]4!c"])
def test_a_sample_is_of_its_format(notation: str) -> None:
    assert sample(notation)
