"""The page to sign off: whole, escaped, self-contained, and readable without a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pg_bridge.console.coverage_page import LABELS, coverage_page
from pg_bridge.mapping.book import load
from pg_bridge.mapping.coverage.coverage import Coverage, coverage
from pg_bridge.mapping.coverage.pairing import STATUSES
from tests.doubles.mapping_files import changed, shipped

VOID = {"meta", "br", "input", "wbr", "link", "img", "hr"}
DATE = "25 November 2026, a Wednesday"


class Page(HTMLParser):
    """What a reader sees, and every tag that is not closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.headers_without_scope: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "th" and "scope" not in dict(attrs):
            self.headers_without_scope.append(str(self.getpos()))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"{tag} at {self.getpos()} in {self.open[-3:]}")
        else:
            self.open.pop()
        if tag in ("td", "th", "div", "li"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def made(files: dict[str, str]) -> tuple[str, Coverage]:
    covered = coverage(load(files), files)
    return coverage_page(covered, date=DATE, program="9.9"), covered


@pytest.fixture(scope="module")
def page() -> tuple[str, Coverage]:
    return made(shipped())


def test_the_page_is_well_formed(page: tuple[str, Coverage]) -> None:
    read = Page(page[0])

    assert [] == read.wrong
    assert [] == read.open
    assert [] == read.headers_without_scope


def test_the_page_holds_every_place_and_member_with_its_facts(page: tuple[str, Coverage]) -> None:
    text, covered = Page(page[0]).text, page[1]
    sections = [section.section for function in covered.functions for section in function.sections]
    due = {field.place for section in sections for field in section.fields}
    due |= {field.meaning for section in sections for field in section.fields}
    due |= {" ".join(field.sample.split()) for section in sections for field in section.fields}
    due |= {member.path for section in sections for member in section.members}
    due |= {pairing.rule for section in sections for pairing in section.pairings}
    due |= {pairing.condition for section in sections for pairing in section.pairings}
    due |= {pairing.reason for section in sections for pairing in section.pairings}

    assert [] == [each for each in sorted(due) if each not in text]


def test_the_page_names_the_set_whole_and_the_date(page: tuple[str, Coverage]) -> None:
    text, covered = Page(page[0]).text, page[1]

    assert f"{covered.name}, version {covered.version}" in text
    assert covered.hash in text
    assert f"{DATE}, by pg-bridge 9.9" in text


def test_the_page_holds_code_tables_in_full(page: tuple[str, Coverage]) -> None:
    text, covered = Page(page[0]).text, page[1]

    assert [] == [(key, code) for table in covered.tables for key, code, _ in table.rows if f"{key} {code}" not in text]
    assert "70000 to 79999 SZMK" in text


def test_each_function_has_a_box_to_sign(page: tuple[str, Coverage]) -> None:
    text, covered = Page(page[0]).text, page[1]

    assert len(covered.functions) == text.count("Sign-off: ")
    assert len(covered.functions) == text.count("Name Role Date Remarks Signature")


def test_nothing_is_fetched_from_anywhere(page: tuple[str, Coverage]) -> None:
    read = Page(page[0])
    fetching = [each for each in read.attributes if each[1] in ("src", "href", "action", "data", "srcset", "poster")]

    assert [] == [each for each in fetching if not each[2].startswith("#")]
    assert not re.search(r"https?:|//[a-z]|url\(|@import", page[0])
    assert "default-src 'none'" in page[0]


def test_every_link_leads_somewhere(page: tuple[str, Coverage]) -> None:
    read = Page(page[0])
    ids = [value for _, name, value in read.attributes if name == "id"]

    assert len(set(ids)) == len(ids)
    assert set() == {value[1:] for _, name, value in read.attributes if name == "href"} - set(ids)
    assert set() == {value for _, name, value in read.attributes if name == "aria-labelledby"} - set(ids)


def test_nothing_needs_a_script_to_be_read(page: tuple[str, Coverage]) -> None:
    without = re.sub(r"<script>.*?</script>", "", page[0], flags=re.DOTALL)
    hidden = [each for each in Page(without).attributes if each[1] == "hidden"]

    assert [("div", "hidden", "")] == hidden
    assert Page(page[0]).text == Page(without).text


def test_texts_of_the_files_are_escaped() -> None:
    files = changed(
        "legacy/templates/SI01.toml", 'meaning = "remarks"', "meaning = '<script>alert(1)</script> & \"x\"'"
    )
    files["rules/si-input.toml"] = files["rules/si-input.toml"].replace(
        'reason = "OCP stamps', "reason = \"<img src='x' onerror='y'> OCP stamps"
    )
    html, _ = made(files)

    assert "<script>alert" not in html
    assert "<img" not in html
    assert '<script>alert(1)</script> & "x"' in Page(html).text


def test_every_status_has_a_label_and_a_letter_of_its_own() -> None:
    assert set(STATUSES) == set(LABELS)
    assert len(LABELS) == len({letter for _, letter in LABELS.values()})


def test_the_template_stands_beside_the_module() -> None:
    assert (Path(coverage_page.__code__.co_filename).parent / "pages/coverage.html.j2").is_file()
