"""Answers that list entries: groups, pages, which entries are listed, and what the check says of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.checks.check import check
from pg_bridge.mapping.translated import Written

RULES = "rules/si-list.toml"
TEMPLATE = "legacy/templates/SI58.toml"


@pytest.fixture(scope="module")
def two_a_page(files: dict[str, str]) -> MappingBook:
    return load(edited(files, RULES, "most = 100", "most = 2"))


def edited(files: dict[str, str], path: str, old: str, new: str) -> dict[str, str]:
    assert old in files[path]
    return {**files, path: files[path].replace(old, new, 1)}


def entry(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "participantReference": f"B{number}", "siNumber": f"I{number:08d}", "status": status, "direction": "DELIVER",
        "paymentInstruction": "FOP", "stockCode": "00005", "quantity": number, "settlementDate": "2026-11-25",
        "stockAccount": "00000001", "purpose": "TRADE", "counterpartyId": "C00019", **more,
    }  # fmt: skip


def written(book: MappingBook, entries: list[dict[str, Any]] | None, **carried: str) -> Written:
    sources = {
        "context": {"reference": "PG1", "business_date": "2026-11-24"},
        "request": {"reference": "L1", "carried": {"stock_account": "00000001", **carried}},
        "answer": {"outcome": "found" if entries else "nothing_found"},
        "ocp": entries,
    }
    return book.write_answer("list_sis", sources)


def told(page: Written) -> list[str]:
    """The mark, statuses and SI numbers of a page, in order."""
    return re.findall(rb"(?::28E:|:25D::|:20C::PREV//)(\S+)", page.body)


FOUR = [entry(1, "MATCHED"), entry(2, "UNMATCHED"), entry(3, "SHARES_ON_HOLD"), entry(4, "UNMATCHED")]


def test_entries_of_a_status_stand_together_and_go_on_under_it_on_the_next_page(two_a_page: MappingBook) -> None:
    first, second, third = written(two_a_page, [*FOUR, entry(5, "MATCHED")]).pages

    assert [b"00001/MORE", b"SETT//PEND", b"I00000001", b"I00000003"] == told(first)
    assert [b"00002/MORE", b"SETT//PEND", b"I00000005", b"MTCH//NMAT", b"I00000002"] == told(second)
    assert [b"00003/LAST", b"MTCH//NMAT", b"I00000004"] == told(third)


def test_a_full_page_is_the_only_one(two_a_page: MappingBook) -> None:
    (page,) = written(two_a_page, FOUR[:2]).pages

    assert [b"00001/ONLY", b"SETT//PEND", b"I00000001", b"MTCH//NMAT", b"I00000002"] == told(page)


def test_every_page_fits_its_template_and_reads_back(two_a_page: MappingBook) -> None:
    pages = written(two_a_page, FOUR).pages
    way_back = WayBack(two_a_page)
    readings = [way_back.read_message(page.template, page.message_type, page.body) for page in pages]

    assert [()] * 2 == [reading.findings for reading in readings]
    assert ["B1", "B3", "B2", "B4"] == [
        each["participantReference"] for reading in readings for each in reading.entries
    ]
    assert [1, 3, 2, 4] == [each["quantity"] for reading in readings for each in reading.entries]


def test_each_value_of_each_entry_is_explained(two_a_page: MappingBook) -> None:
    first, second = written(two_a_page, FOUR).pages
    quantities = [(line.target, line.before) for line in first.lineage if "36B" in line.target]
    statuses = [(line.target, line.after) for page in (first, second) for line in page.lineage if "25D" in line.target]

    assert [
        ("STAT/TRAN/TRANSDET/36B:SETT", "1"),
        ("STAT/TRAN/TRANSDET/36B:SETT#2", "3"),
    ] == quantities
    assert [("STAT/25D:SETT", "PEND"), ("STAT/25D:MTCH", "NMAT")] == statuses


@pytest.mark.parametrize(
    ("carried", "numbers"),
    [
        ({}, [1, 3, 2, 4]),
        ({"stock_account": "00000002"}, []),
        ({"matching_status": "NMAT"}, [2, 4]),
        ({"settlement_status": "PEND", "pending_reason": "AWMO"}, [3]),
        ({"settlement_status": "PEND", "matching_status": "NMAT"}, []),
    ],
)
def test_entries_that_were_not_asked_for_are_left_out(
    book: MappingBook, carried: dict[str, str], numbers: list[int]
) -> None:
    (page,) = written(book, FOUR, **carried).pages

    assert numbers == [int(number) for number in re.findall(rb":20C::PREV//I(\d+)", page.body)]
    assert (b":17B::ACTI//Y" in page.body) == bool(numbers)


def test_a_page_without_entries_reads_as_none_and_is_no_fault(book: MappingBook) -> None:
    (page,) = written(book, None).pages
    reading = WayBack(book).read_message(page.template, page.message_type, page.body)

    assert () == reading.findings
    assert ({},) == reading.entries


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('entry = "STAT/TRAN"', 'entry = "STAT/TRAM"', "has no sequence STAT/TRAM"),
        ('entry = "STAT/TRAN"', 'entry = "STAT/TRAN/TRANSDET"', "does not repeat in the template"),
        ('group = "STAT"', 'group = "GENL"', "does not stand in the group's"),
        ("most = 100", "most = 0", "`most` is a whole number from 1"),
        (
            'field = "98A:STAT", from = [',
            'field = "98A:STAT", from = ["ocp.tradeDate", ',
            "stands once for many entries",
        ),
        ('from = "ocp.participantReference"', 'from = "page.number"', "what page it comes on is not known yet"),
        ('{ same = "request.carried.stock_account" }', "{ same = 5 }", "same needs another source"),
        ('"ocp.stockAccount" = {', '"ocp.stockAcount" = {', "no member stockAcount"),
        ('same = "request.carried.stock_account"', 'same = "request.carried.stock"', "no request carries stock"),
    ],
)
def test_wrong_pages_are_found(files: dict[str, str], old: str, new: str, text: str) -> None:
    found = check(edited(files, RULES, old, new))

    assert any(text in finding.text and finding.path == RULES for finding in found), [str(one) for one in found]


def test_pages_are_for_answers_of_enquiries(files: dict[str, str]) -> None:
    pages = '[message.pages]\nentry = "GENL/STAT"\nmost = 10\n\n[message.left_out]'
    found = check(edited(files, "rules/status-change.toml", "[message.left_out]", pages))

    assert any("only the answer of an enquiry" in finding.text for finding in found)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ('more = "MORE", ', "the table page_mark has no code for more"),
        ('nothing_found = "537", ', "has no message type for 'nothing_found'"),
    ],
)
def test_a_row_that_a_table_forgot_is_found(files: dict[str, str], row: str, text: str) -> None:
    found = check(edited(files, "legacy/codes.toml", row, ""))

    assert any(text in finding.text for finding in found), [str(one) for one in found]


def test_an_answer_says_whether_it_goes_on(book: MappingBook, two_a_page: MappingBook) -> None:
    template = book.legacy.templates["SI58"]

    assert [True, False] == [
        template.goes_on(page.message_type, read(page.body)) for page in written(two_a_page, FOUR).pages
    ]
