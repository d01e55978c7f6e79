"""Texts of a participant's own: those that do not fit are found; an empty one is absent."""

from __future__ import annotations

from typing import Any

import pytest

from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.checks.profile_texts import profile_findings
from pg_bridge.mapping.translated import Request
from tests.doubles.mapping_files import CONTEXT, DELIVER_FREE

LINES = tuple(DELIVER_FREE.splitlines())
ACCOUNT = LINES[10]


def request(book: MappingBook, *lines: str, **texts: str) -> Request:
    body = "".join(f"{line}\r\n" for line in lines).encode()
    return book.read_request("SI01", "542", body, {**CONTEXT, "profile": texts})


def told(request: Request) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in request.findings]


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        ({"stock_account": "00000009", "refusal_form": "sample", "place_of_settlement": "XHKCHKH1"}, ""),
        ({"stock_account": ""}, ""),
        ({"stock_account": "000000009"}, "'000000009' does not fit FIAC/97A:SAFE: 8x"),
        ({"refusal_form": "sampel"}, "'sampel' is none of the values of refusal_form: iso, sample"),
        ({"place_of_settlement": ""}, "place_of_settlement is empty, and rules count on a text"),
        ({"place_of_settlement": "NOWHERE"}, "'NOWHERE' does not fit SETTRAN/SETPRTY[95P]/95P:PSET: 8!c[3!c]"),
    ],
)
def test_a_text_that_does_not_fit_is_found(book: MappingBook, texts: dict[str, str], wrong: str) -> None:
    found = profile_findings(book, "B01234", texts)

    assert bool(wrong) == bool(found)
    assert not wrong or wrong in [finding.text for finding in found]
    assert all(
        finding.remedy and finding.path == f"participants.B01234.profile.{next(iter(texts))}" for finding in found
    )


def test_a_text_for_a_member_must_be_one_of_its_codes_and_short_enough(files: dict[str, str]) -> None:
    rules = files["rules/si-input.toml"]
    for old, new in (
        ('from = "@message_type"\ncodes = "direction_of"', 'from = "profile.way"'),
        ('from = "GENL/LINK/20C:POOL"', 'from = ["GENL/LINK/20C:POOL", "profile.pool"]'),
    ):
        assert old in rules
        rules = rules.replace(old, new, 1)
    head = files["rules/set.toml"].replace("[profile]\n", '[profile]\nway = "DELIVER"\npool = "P"\n')
    cases = files["rules/si-input.cases.toml"]
    book = load({**files, "rules/si-input.toml": rules, "rules/set.toml": head, "rules/si-input.cases.toml": cases})
    found = profile_findings(book, "B01234", {"way": "OUT", "pool": "1234567890123456"})

    assert [
        "'OUT' does not fit direction: DELIVER, RECEIVE",
        "'1234567890123456' does not fit GENL/LINK/20C:POOL: 15x",
        "'1234567890123456' does not fit linkageReference: at most 15 characters",
    ] == [finding.text for finding in found]


def test_the_default_account_stands_in_for_a_missing_one_only(book: MappingBook) -> None:
    without = [line for line in LINES if line != ACCOUNT]

    assert "00000009" == request(book, *without, stock_account="00000009").document["stockAccount"]
    assert "00000001" == request(book, *LINES, stock_account="00000009").document["stockAccount"]
    assert [("PGB-MAP-007", "FIAC/97A:SAFE")] == told(request(book, *without))
    assert [("PGB-MAP-007", "FIAC/97A:SAFE")] == told(request(book, *without, stock_account=""))


def test_a_fault_of_a_field_or_of_its_sequence_is_told_once(book: MappingBook) -> None:
    """It is not missing as well."""
    too_long = [line.replace("00000001", "123456789") if line == ACCOUNT else line for line in LINES]
    no_sequence = [*LINES[:8], *LINES[12:]]

    assert [("PGB-MSG-023", "FIAC/97A:SAFE")] == told(request(book, *too_long))
    assert [("PGB-MSG-021", "FIAC")] == told(request(book, *no_sequence))


def test_an_empty_text_of_a_participant_is_absent_in_messages(files: dict[str, str]) -> None:
    path = "rules/shared/si-details.toml"
    old = 'fields = [{ field = "95P:PSET", from = "profile.place_of_settlement" }]'
    assert old in files[path]
    field = '{ field = "95P:PSET", from = "profile.other_place" }, { field = "95P:PSET", constant = "XHKCHKH1" }'
    head = files["rules/set.toml"].replace("[profile]\n", '[profile]\nother_place = ""\n')
    book = load({**files, path: files[path].replace(old, f"fields = [{field}]"), "rules/set.toml": head})
    entry: dict[str, Any] = {
        "quantity": 1, "direction": "DELIVER", "paymentInstruction": "FOP", "stockCode": "00005", "status": "MATCHED",
        "settlementDate": "2026-11-25", "stockAccount": "1", "purpose": "TRADE", "counterpartyId": "C00019",
    }  # fmt: skip

    def written(**texts: str) -> bytes:
        return book.write_unsolicited("status_change", {"context": {**CONTEXT, "profile": texts}, "ocp": entry}).body

    assert b":95P::PSET//XHKCHKH1\r\n" in written()
    assert b":95P::PSET//XHKCHKH1\r\n" in written(other_place="")
    assert b":95P::PSET//XHKCHKH1XXX\r\n" in written(other_place="XHKCHKH1XXX")
