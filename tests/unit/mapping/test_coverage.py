"""Coverage of the shipped set: the matrix, what stands alone, and counts that add up; and what `explain` tells."""

from __future__ import annotations

import msgspec
import pytest

from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.coverage.coverage import Coverage, SectionCoverage, best, coverage
from pg_bridge.mapping.coverage.explain import Explanation, explain
from pg_bridge.mapping.functions import FUNCTIONS


@pytest.fixture(scope="session")
def covered(book: MappingBook, files: dict[str, str]) -> Coverage:
    return coverage(book, files)


def every(covered: Coverage) -> list[SectionCoverage]:
    return [section for function in covered.functions for section in function.sections]


def test_every_function_and_section_is_covered(covered: Coverage, book: MappingBook) -> None:
    assert {located.file.function for located in book.rules.files} == {each.function for each in covered.functions}
    files = [located.file for located in book.rules.files]
    sections = [(file.request, file.upload, *file.record, file.answer, file.message) for file in files]
    assert sum(part is not None for parts in sections for part in parts) == len(every(covered))
    assert (book.name, book.version, book.hash) == (covered.name, covered.version, covered.hash)


def test_what_is_asked_comes_before_what_comes_unasked(covered: Coverage) -> None:
    parts = [each.section.part for each in every(covered)]
    told_unasked = parts.index("message")
    asked = [each for each in covered.functions if each.sections[0].section.part != "message"]
    of_files = ["upload", "record", "record", "record", "answer"]
    assert [["request", "answer"]] * (len(asked) - 1) + [of_files] == sorted(
        ([each.section.part for each in one.sections] for one in asked), key=len
    )
    assert sum(len(one.sections) for one in asked) == told_unasked
    assert {"message"} == set(parts[told_unasked:])


def test_counts_add_up(covered: Coverage) -> None:
    for each in every(covered):
        places = {field.place for field in each.section.fields}
        for side, size in ((each.fields, len(places)), (each.members, len(each.section.members))):
            assert size == side.total == sum(side.statuses.values()) == side.public + side.assumed
            assert 0 <= side.joined_percent <= side.accounted_percent <= 100


def test_each_place_and_member_is_in_the_matrix_or_stands_alone(covered: Coverage) -> None:
    for each in every(covered):
        places = [cell.place for cell in each.cells]
        members = [cell.member for cell in each.cells]

        assert {field.place for field in each.section.fields} == {*places, *(one.name for one in each.fields_alone)}
        assert {member.path for member in each.section.members} == {
            *members,
            *(one.name for one in each.members_alone),
        }
        assert not set(places) & {one.name for one in each.fields_alone}
        assert not set(members) & {one.name for one in each.members_alone}


def test_the_matrix_holds_cells_by_status_and_rule(covered: Coverage) -> None:
    section = next(each for each in every(covered) if each.section.template == "SI01")
    cells = {(cell.place, cell.member): cell for cell in section.cells}

    assert ("transformed", ("quantity",)) == (
        cells["FIAC/36B:SETT", "quantity"].status,
        cells["FIAC/36B:SETT", "quantity"].hows,
    )
    assert ("FIAC/36B:SETT", "amount") not in cells


def test_what_has_no_counterpart_tells_why(covered: Coverage) -> None:
    request, answer = (each for each in every(covered) if each.section.function == "input_si")
    fields = {each.name: each for each in request.fields_alone}
    members = {each.name: each for each in answer.members_alone}

    assert "OCP stamps a request itself" in fields["GENL/98A:PREP"].reason
    assert "each record error is one of answer.faults" == members["exception"].reason
    assert ("answer.outcome", "profile.refusal_form") == {each.name: each for each in answer.fields_alone}[
        "GENL/STAT/25D:IPRC"
    ].others


def test_tallies_count_what_the_files_say(covered: Coverage, book: MappingBook, files: dict[str, str]) -> None:
    tallies = {tally.kind: tally for tally in covered.tallies}
    framing = files["legacy/framing.toml"]
    fields = [spec for template in book.legacy.templates.values() for spec in template.root.fields()]

    assert sum(spec.source == "public" for spec in fields) == tallies["template fields"].public
    assert len(fields) == tallies["template fields"].total
    assert framing.count('source = "public"') == tallies["framing entries"].public
    assert framing.count('source = "assumed"') == tallies["framing entries"].assumed
    assert len(book.legacy.tables) == tallies["code tables"].total
    columns = [
        column
        for layout in book.legacy.layouts.values()
        for record in layout.records.values()
        for column in record.columns
    ]
    lines = 4  # of the tag-based form
    assert sum(column.source == "public" for column in columns) == tallies["file columns"].public
    assert len(columns) + lines == tallies["file columns"].total
    assert len(book.legacy.layouts) + 2 == tallies["file forms"].total
    assert files["legacy/standard-codes.toml"].count("[[error]]") == tallies["standard codes"].total
    assert 0 == tallies["OCP profile entries"].public < tallies["OCP profile entries"].assumed
    assert 0 < tallies["OCP members"].public < tallies["OCP members"].total


def test_an_entry_made_public_is_counted(files: dict[str, str], covered: Coverage) -> None:
    path = "legacy/codes.toml"
    edited = {**files, path: files[path].replace('source = "assumed"', 'source = "public"', 1)}
    tallies = {tally.kind: tally for tally in coverage(load(edited), edited).tallies}
    before = {tally.kind: tally for tally in covered.tallies}

    assert before["code tables"].public + 1 == tallies["code tables"].public
    assert before["code tables"].assumed - 1 == tallies["code tables"].assumed


def test_one_function_alone(book: MappingBook, files: dict[str, str]) -> None:
    found = coverage(book, files, function="input_si")

    assert ["input_si"] == [each.function for each in found.functions]
    with pytest.raises(KeyError):
        coverage(book, files, function="input")


def test_coverage_is_json(covered: Coverage) -> None:
    assert covered.hash in msgspec.json.encode(covered).decode()


def test_code_tables_are_told_in_full(covered: Coverage, book: MappingBook) -> None:
    tables = {table.name: table for table in covered.tables}

    assert set(book.legacy.tables) == set(tables)
    assert [("OWNI", True), ("OWNE", False)] == [
        (key, is_back) for key, code, is_back in tables["purpose"].rows if code == "PORTFOLIO"
    ]
    assert ("record", "ocp", "legacy") == tuple(
        tables[name].keys for name in ("message_type_of_record", "confirmation_of", "purpose")
    )
    assert (("70000", "79999", "SZMK"), "HKMK") == (
        tables["market_of_stock"].ranges[0],
        tables["market_of_stock"].default,
    )
    assert {"input_si", "change_si", "enquire_si", "list_sis", "status_change", "settlement_confirmation"} == {
        use.function for use in tables["purpose"].uses
    }


def test_the_best_status_counts() -> None:
    assert "mapped" == best(["refused", "mapped", "carried"])
    assert "carried" == best(["refused", "carried"])
    assert "not_mapped" == best([])


def told(book: MappingBook, files: dict[str, str], word: str) -> Explanation:
    return explain(book, files, word)


@pytest.mark.parametrize("word", ["FIAC/36B:SETT", "fiac/36b:sett"])
def test_a_whole_place_is_explained(book: MappingBook, files: dict[str, str], word: str) -> None:
    places = told(book, files, word).places
    (place,) = [place for place in places if (place.template, place.part) == ("SI01", "request")]

    assert {"FIAC/36B:SETT"} == {each.place for each in places}
    assert ["quantity"] == [each.member for each in place.pairings]
    assert {"answer", "message"} == {each.part for each in place.other_way}
    assert any("deliver against payment" in name for name in place.cases)


#: the templates that are an instruction in full
INSTRUCTIONS = {"SI01", "SI03", "SI04", "SI05"}


@pytest.mark.parametrize(
    ("word", "templates"),
    [
        ("36B:SETT", {*INSTRUCTIONS, "SI58", "SI60", "T03A"}),
        ("36B", {*INSTRUCTIONS, "SI58", "SI60", "SI61", "T03A"}),
        ("SETPRTY[95R]/95R:REAG", {*INSTRUCTIONS, "SI60", "SI61", "T03A"}),
        ("SETPRTY/95R:REAG", {*INSTRUCTIONS, "SI58", "SI60", "SI61", "T03A"}),
        ("6B:SETT", set()),
    ],
)
def test_a_part_of_a_place_is_enough(book: MappingBook, files: dict[str, str], word: str, templates: set[str]) -> None:
    assert templates == {place.template for place in told(book, files, word).places}


def test_a_member_is_explained_both_ways(book: MappingBook, files: dict[str, str]) -> None:
    (member,) = told(book, files, "ocp.counterpartyId").members

    assert {"SETDET/SETPRTY[95R]/95R:REAG", "SETDET/SETPRTY[95R]/95R:DEAG"} == {each.place for each in member.to_ocp}
    assert {"enquire_si", "list_sis", "status_change", "settlement_confirmation"} == {
        each.function for each in member.to_legacy
    }
    assert member.cases


def test_a_place_of_a_record_is_explained_by_its_column(book: MappingBook, files: dict[str, str]) -> None:
    places = told(book, files, "FIAC/36B:SETT").places
    record = next(place for place in places if (place.template, place.part) == ("SI01", "record"))

    assert ["quantity"] == [each.member for each in record.pairings]
    assert () == record.other_way
    assert record.cases
    assert all(name.startswith("file-upload.cases.toml:") for name in record.cases)


@pytest.mark.parametrize("word", ["record.hold", "hold", "HOLD"])
def test_a_column_is_explained(book: MappingBook, files: dict[str, str], word: str) -> None:
    (column,) = told(book, files, word).columns

    assert ("record", "SI-BATCH-INPUT detail") == (column.part, column.schema)
    assert ("N", "Y") == column.column.codes
    assert {"SI01", "SI03", "SI04"} == {each.template for each in column.pairings}
    assert "a deletion puts nothing on hold" in {each.reason for each in column.pairings}
    assert any("on hold" in name for name in column.cases)


def test_columns_are_none_of_ocps_members(book: MappingBook, files: dict[str, str], covered: Coverage) -> None:
    found = told(book, files, "quantity")
    (member,) = found.members

    assert "record" not in {each.part for each in (*member.to_ocp, *member.to_legacy)}
    assert ["SI-BATCH-INPUT detail"] == [column.schema for column in found.columns]
    of_ocp = {
        (each.section.schema, member.path)
        for each in every(covered)
        for member in each.section.members
        if each.section.schema in book.ocp.openapi["components"]["schemas"]
    }
    assert len(of_ocp) == next(tally.total for tally in covered.tallies if tally.kind == "OCP members")


def test_a_word_may_stand_for_several_things(book: MappingBook, files: dict[str, str]) -> None:
    found = told(book, files, "quantity")

    assert (["quantity"], ["quantity"], ()) == (
        [member.path for member in found.members],
        [function.name for function in found.functions],
        found.tables,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_explained_with_its_examples(book: MappingBook, files: dict[str, str], name: str) -> None:
    (function,) = told(book, files, name).functions

    assert FUNCTIONS[name].meaning == function.meaning
    assert len(FUNCTIONS[name].ocp_examples) == len(function.to_ocp_examples)
    assert len(FUNCTIONS[name].legacy_examples) == len(function.to_legacy_examples)
    assert ("none" in function.inverse) == (FUNCTIONS[name].to_ocp is None or FUNCTIONS[name].to_legacy is None)


def test_a_refused_case_shows_the_place_that_it_is_refused_for(book: MappingBook, files: dict[str, str]) -> None:
    places = {place.template: place.cases for place in told(book, files, "GENL/98A:STAT").places}

    assert {"SI07", "SI08", "SI58"} == set(places)
    assert any("the status of yesterday" in name for name in places["SI07"])


def test_cases_of_a_function_and_of_a_table_are_told(book: MappingBook, files: dict[str, str]) -> None:
    (money,) = told(book, files, "money").functions
    (market,) = told(book, files, "market_of_stock").tables
    (failing,) = told(book, files, "failing_reason").tables

    assert any(name.startswith("si-input.cases.toml:3 ") for name in money.cases)
    assert any(name.startswith("settlement-confirmation.cases.toml:") for name in money.cases)
    assert market.cases
    assert all(name.startswith(("si-input.cases.toml:", "si-change.cases.toml:")) for name in market.cases)
    assert all("status-change" in name or "si-enquiry" in name for name in failing.cases)
    assert len(failing.cases) < len(money.cases)


def test_an_unknown_word_tells_what_is_near(book: MappingBook, files: dict[str, str]) -> None:
    found = told(book, files, "quantty")

    assert not found.is_known
    assert "quantity" in found.near
    assert not told(book, files, "").is_known
