"""Pairings of the shipped set, and of sets with one edit: nothing is missing, and each says where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.condition_words import can_hold, condition_words
from pg_bridge.mapping.coverage.pairing import STATUSES, Pairing, pairings, sections
from pg_bridge.mapping.schema import Members

INPUT = "rules/si-input.toml"


@pytest.fixture(scope="session")
def paired(book: MappingBook) -> list[Pairing]:
    return pairings(book)


def of(paired: list[Pairing], function: str, part: str, place: str = "", member: str = "") -> list[Pairing]:
    return [
        each
        for each in paired
        if (each.function, each.part) == (function, part)
        and (not place or each.place == place)
        and (not member or each.member == member)
    ]


def test_every_field_of_every_template_appears(book: MappingBook) -> None:
    missing = [
        (section.template, spec.place)
        for section in sections(book)
        for spec in book.legacy.templates[section.template].root.fields()
        if spec.place not in {each.place for each in section.pairings}
    ]

    assert [] == missing
    assert {section.template for section in sections(book)} == set(book.legacy.templates)


def test_every_member_of_every_schema_appears(book: MappingBook) -> None:
    missing = [
        (section.schema, member.path)
        for section in sections(book)
        if section.schema in book.ocp.openapi["components"]["schemas"]
        for member in Members(book.ocp.openapi, section.schema)
        if not member.is_object and member.path not in {each.member for each in section.pairings}
    ]

    assert [] == missing


def test_every_rule_of_the_shipped_set_is_told_with_its_line(book: MappingBook, files: dict[str, str]) -> None:
    told = {each.rule for each in pairings(book)}
    due = {
        f"{path.removeprefix('rules/')}:{number}"
        for path, text in files.items()
        if path.startswith("rules/") and not path.endswith(".cases.toml")
        for number, line in enumerate(text.split("\n"), 1)
        if line in ("[[request.rule]]", "[[record.refused]]")
        or line.strip().startswith(("{ field", "fields = [{ field"))
    }

    assert set() == due - told


def test_every_column_of_every_record_that_has_rules_appears(book: MappingBook) -> None:
    records = [section for section in sections(book) if section.part == "record"]

    assert {"SI01", "SI03", "SI04"} == {section.template for section in records}
    for section in records:
        layout, record = section.schema.split(" ")
        columns = [column.name for column in book.legacy.layouts[layout].records[record].columns]
        assert columns == [member.path for member in section.members]
        assert set(columns) == {each.member for each in section.pairings if each.member}
        assert "not_mapped" not in {each.status for each in section.pairings if each.member}


def test_a_column_chooses_tells_and_is_refused(paired: list[Pairing]) -> None:
    records = [each for each in paired if (each.part, each.template) == ("record", "SI04")]
    found = {(each.member, each.place, each.status) for each in records}
    (refused,) = [each for each in records if each.member == "hold"]
    (chooses,) = [each for each in records if each.member == "function"]

    assert ("si_number", "GENL/LINK[20C:PREV]/20C:PREV", "mapped") in found
    assert ("trade_date", "TRADDET/98A:TRAD", "transformed") in found
    assert ("refused", "hold is Y", "a deletion puts nothing on hold") == (
        refused.status,
        refused.condition,
        refused.reason,
    )
    assert ("condition", "function is D") == (chooses.how, chooses.condition)


def test_a_column_that_is_made_or_left_out_tells_why(paired: list[Pairing], files: dict[str, str]) -> None:
    made = {
        each.member: (each.status, each.reason)
        for each in paired
        if (each.part, each.template) == ("record", "SI01") and each.status in ("fixed", "left_out")
    }
    path = "rules/file-upload.toml"
    text = files[path].replace(
        '\n[[record.block]]\nat = "GENL/LINK"\nfields = [{ field = "20C:POOL", from = "record.linkage" }]\n', "", 1
    )
    text = text.replace("[[record.refused]]", '[record.left_out]\nlinkage = "never used"\n\n[[record.refused]]', 1)
    edited = pairings(load({**files, path: text}))
    (left_out,) = [each for each in edited if (each.part, each.template, each.member) == ("record", "SI01", "linkage")]

    assert {"record_type": ("fixed", "always 1"), "filler": ("fixed", "always spaces")}.items() <= made.items()
    assert ("left_out", "the sum of stock_code, quantity, amount: checked when the file is read") == made["checksum"]
    assert ("left_out", "never used") == (left_out.status, left_out.reason)


def test_a_part_of_a_file_tells_what_becomes_of_its_fields(paired: list[Pairing], book: MappingBook) -> None:
    assert [("mapped", "")] == list(
        {(each.status, each.constant) for each in of(paired, "upload_file", "upload", "77E")}
    )
    assert ["FILE", "DATE", "PART", "SIZE", "HASH", "DATA"] == [
        each.member for each in of(paired, "upload_file", "upload", "77E")
    ]
    assert ["carried"] == [each.status for each in of(paired, "upload_file", "upload", "20")]


def test_one_source_for_two_members_is_two_pairings(paired: list[Pairing]) -> None:
    found = of(paired, "input_si", "request", "SETDET/AMT/19A:SETT")

    assert [("currency", "public"), ("amount", "assumed")] == [(each.member, each.member_source) for each in found]
    assert {("money", "transformed", ("541", "543"))} == {(each.how, each.status, each.message_types) for each in found}


def test_a_carried_field_tells_its_reason(paired: list[Pairing]) -> None:
    (found,) = of(paired, "input_si", "request", "GENL/98A:PREP")

    assert ("carried", "", "") == (found.status, found.member, found.how)
    assert found.reason.startswith("OCP stamps a request itself")


def test_a_refusal_tells_condition_and_words(paired: list[Pairing]) -> None:
    refused, carried = of(paired, "enquire_si", "request", "GENL/98A:STAT")

    assert ("refused", "carried") == (refused.status, carried.status)
    assert "GENL/98A:STAT is before the context's business date" == refused.condition
    assert "only the present one" in refused.reason


def test_a_member_left_out_tells_its_reason_and_line(paired: list[Pairing], files: dict[str, str]) -> None:
    (found,) = of(paired, "input_si", "answer", member="version")
    line = files[INPUT].split("\n").index('version = "the PG knew no versions of an SI"') + 1

    assert ("left_out", "the PG knew no versions of an SI") == (found.status, found.reason)
    assert f"si-input.toml:{line}" == found.rule


def test_what_is_beside_both_sides_is_named(paired: list[Pairing]) -> None:
    (participant,) = of(paired, "input_si", "request", member="participantId")
    (direction,) = of(paired, "input_si", "request", member="direction")
    (payment,) = of(paired, "input_si", "request", member="paymentInstruction")

    assert ("", ("context.participant",), "direct") == (participant.place, participant.others, participant.how)
    assert (("@message_type",), ("direction_of",), "public") == (
        direction.others,
        direction.tables,
        direction.rule_source,
    )
    assert ("SETDET/22F:RTGS", ("@message_type",)) == (payment.place, payment.others)


def test_function_and_table_stand_in_the_order_of_use(paired: list[Pairing]) -> None:
    (market,) = of(paired, "input_si", "request", member="market")
    (hold,) = of(paired, "input_si", "request", member="hold")

    assert "local_code, then market_of_stock" == market.how
    assert "hold_of, then flag" == hold.how


def test_named_values_are_taken_apart(paired: list[Pairing], files: dict[str, str]) -> None:
    found = of(paired, "status_change", "message", "GENL/STAT/REAS/70D:REAS")
    by_member = {each.member: each for each in found}
    path = "rules/shared/si-status.toml"
    lines = files[path].split("\n")
    at = {lines[int(each.rule.rpartition(":")[2]) - 1].strip() for each in found if "si-status" in each.rule}

    assert {"status", "reasonCode", "reasonText", "participantId", "counterpartyId", ""} == set(by_member)
    assert ("status_line", "words") == by_member["status"].via
    assert "join, then words" == by_member["status"].how
    assert ("context.snapshot",) == by_member["status"].others
    assert () == by_member["reasonCode"].others
    assert {'{ field = "REAS/70D:REAS", from = "value.words" },'} == at


def test_what_can_never_hold_is_not_told(paired: list[Pairing]) -> None:
    sides = of(paired, "status_change", "message", "GENL/STAT/REAS/70D:REAS", "counterpartyId")

    assert ["status is REVOKED"] == [each.condition for each in sides]


def test_a_constant_that_a_condition_chooses_joins_the_members_looked_at(paired: list[Pairing]) -> None:
    found = [each for each in of(paired, "enquire_si", "answer", "GENL/STAT/REAS/24B:PEND") if each.constant == "BOTH"]

    assert {"status", "holdOwn", "holdCounterparty"} == {each.member for each in found}
    assert {("constant", "transformed")} == {(each.how, each.status) for each in found}


def test_a_constant_for_presence_alone_joins_nothing(files: dict[str, str]) -> None:
    path = "rules/shared/si-details.toml"
    text = files[path].replace('from = "profile.place_of_settlement"', 'constant = "XHKCHKH1XXX"')
    found = of(pairings(load({**files, path: text})), "status_change", "message", "SETTRAN/SETPRTY[95P]/95P:PSET")

    assert [("", "defaulted", "quantity is there")] == [(each.member, each.status, each.condition) for each in found]


def test_a_text_of_the_profile_joins_no_member(paired: list[Pairing]) -> None:
    (found,) = of(paired, "status_change", "message", "SETTRAN/SETPRTY[95P]/95P:PSET")

    assert ("", ("profile.place_of_settlement",), "mapped") == (found.member, found.others, found.status)


def test_a_message_type_chosen_by_a_table_joins_its_members(paired: list[Pairing]) -> None:
    (found,) = of(paired, "settlement_confirmation", "message", member="direction")

    assert ("", ("@message_type",), ("confirmation_of",)) == (found.place, found.others, found.tables)


def test_a_template_constant_and_a_forgotten_field_stand_alone(paired: list[Pairing]) -> None:
    (fixed,) = of(paired, "enquire_si", "request", "GENL/23G")
    (unwritten,) = of(paired, "enquire_si", "answer", "GENL/LINK[20C:COMM]/20C:COMM")

    assert ("fixed", "left_out") == (fixed.status, unwritten.status)
    assert "no counterpart" in unwritten.reason


def test_shared_blocks_bring_their_own_file_and_source(paired: list[Pairing]) -> None:
    (found,) = of(paired, "enquire_si", "answer", "GENL/LINK[20C:POOL]/20C:POOL")

    assert "shared/si-references.toml" == found.rule.partition(":")[0]
    assert ("si-enquiry.toml", "public") == (found.file, found.rule_source)


def test_a_rule_takes_the_source_of_its_file_unless_it_says_one(files: dict[str, str]) -> None:
    edited = files[INPUT].replace(
        'function = "input_si"\nsource = "assumed"', 'function = "input_si"\nsource = "public"'
    )
    edited = edited.replace('use = "quantity"', 'use = "quantity"\nsource = "assumed"')
    found = pairings(load({**files, INPUT: edited}))

    assert "public" == of(found, "input_si", "request", member="stockAccount")[0].rule_source
    assert "assumed" == of(found, "input_si", "request", member="quantity")[0].rule_source


def test_statuses_are_of_the_list(paired: list[Pairing]) -> None:
    assert {each.status for each in paired} <= set(STATUSES)


@dataclass
class Verdict:
    is_lossless: bool
    why: str


def test_verdicts_of_fidelity_are_filled_in(book: MappingBook, paired: list[Pairing]) -> None:
    def fidelity(book: MappingBook, function: str, part: str) -> dict[str, Verdict]:
        told = {"TRADDET/35B": Verdict(False, "spaces go")} if part == "request" else {"isin": Verdict(True, "alike")}
        return told if function in ("input_si", "status_change") else {}

    found = pairings(book, fidelity)

    assert {True, False, None} == {each.is_lossless for each in paired}
    assert {(False, "spaces go")} == {
        (each.is_lossless, each.why) for each in of(found, "input_si", "request", "TRADDET/35B")
    }
    assert [True] == [each.is_lossless for each in of(found, "status_change", "message", member="isin")]
    assert [None] == [each.is_lossless for each in of(found, "settlement_confirmation", "message", member="isin")]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([], ""),
        ([{"ocp.status": "A"}], "status is A"),
        ([{"ocp.status": ["A", "B"]}, {"ocp.status": "B"}], "status is B"),
        ([{"ocp.status": ["A", "B"]}, {"ocp.status": {"present": True}}], "status is A or B"),
        ([{"ocp.a": {"present": True}}], "a is there"),
        ([{"ocp.a": {"present": False}}], "a is absent"),
        ([{"ocp.a": True, "ocp.b": False}], "a is true and b is false or absent"),
        ([{"request.reference": {"not": ""}}], "the request's reference is not empty"),
        ([{"ocp.day": {"not_after": "context.business_date"}}], "day is not after the context's business date"),
        ([{"A/20C:B": {"shape": "1!a"}}], "A/20C:B has the format 1!a"),
        ([{"A/20C:B": {"other_shape": "1!a"}}], "A/20C:B has not the format 1!a"),
        ([{"@message_type": "541"}], "the message type is 541"),
    ],
)
def test_conditions_in_words(conditions: list[dict[str, Any]], words: str) -> None:
    assert words == condition_words(*conditions)


def test_codes_that_exclude_each_other_cannot_hold() -> None:
    assert can_hold({"a": ["X", "Y"]}, {"a": "Y"})
    assert not can_hold({"a": ["X", "Y"]}, {"a": "Z"})


def test_a_member_that_only_a_condition_looks_at_is_joined_by_it(files: dict[str, str]) -> None:
    path = "rules/settlement-confirmation.toml"
    text = files[path].replace('status = "the message itself says that the SI is settled"\nversion', "version", 1)
    account = '{ field = "97A:SAFE", from = "ocp.counterpartyAccount"'
    text = text.replace(account, f'{account}, when = {{ "ocp.status" = "SETTLED" }}', 1)
    (found,) = of(pairings(load({**files, path: text})), "settlement_confirmation", "message", member="status")

    assert ("SETDET/SETPRTY[95R]/97A:SAFE", "condition", "status is SETTLED") == (
        found.place,
        found.how,
        found.condition,
    )


def test_a_value_of_the_section_itself_is_taken_apart(files: dict[str, str]) -> None:
    path = "rules/settlement-confirmation.toml"
    value = '[[message.value]]\nname = "own"\nfrom = "ocp.purpose"\ncodes = "purpose"\n\n'
    text = files[path].replace("[[message.block]]", f"{value}[[message.block]]", 1)
    text = text.replace('from = "ocp.purpose", codes = "purpose" }', 'from = "value.own", default = "TRAD" }')
    (found,) = of(pairings(load({**files, path: text})), "settlement_confirmation", "message", member="purpose")

    assert ("SETDET/22F:SETR", ("own",), "purpose", "TRAD") == (found.place, found.via, found.how, found.default)
