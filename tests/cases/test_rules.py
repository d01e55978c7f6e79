"""Every case of every rule file, every example of every function, and the check of the whole set."""

from __future__ import annotations

import pytest

from pg_bridge.mapping import document as d
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.check import check, run_case
from pg_bridge.mapping.functions import FUNCTIONS
from tests.doubles.mapping_files import shipped

FILES = shipped()


def cases() -> list:
    found = []
    for path in sorted(FILES):
        if not path.endswith(d.CASES_SUFFIX):
            continue
        findings: list = []
        file = d.read_toml(path, FILES[path], d.CaseFile, findings)
        assert findings == []
        rules = path.removeprefix(d.RULES_FOLDER).removesuffix(d.CASES_SUFFIX)
        found += [pytest.param(f"{rules}.toml", case, id=f"{rules}: {case.name}") for case in file.case]
    return found


@pytest.fixture(scope="module")
def book() -> MappingBook:
    return load(FILES)


@pytest.mark.parametrize(("path", "case"), cases())
def test_case(path: str, case: d.Case, book: MappingBook):
    file = dict(book.files)[path]

    assert run_case(book, file, case) == []


def test_the_shipped_set_has_no_findings():
    assert check(FILES) == []


def test_names_of_cases_are_told_apart():
    for path in FILES:
        if path.endswith(d.CASES_SUFFIX):
            names = [case.name for case in d.read_toml(path, FILES[path], d.CaseFile, []).case]

            assert sorted(set(names)) == sorted(names)


def test_every_accepted_request_gives_a_document_that_its_schema_takes(book: MappingBook):
    for param in cases():
        path, case = param.values
        if case.kind == "request" and not case.findings:
            file = dict(book.files)[path]
            document = {**case.document, **dict.fromkeys(case.nulls)}

            assert book.ocp.faults(file.request.schema, document) == [], case.name


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_examples_of_the_function(name: str):
    function = FUNCTIONS[name]

    assert function.meaning
    for sources, targets in function.examples:
        assert targets == function.to_ocp(sources)
    for sources, text in function.to_legacy_examples:
        assert text == function.to_legacy(sources)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_direction_of_the_function_has_an_example(name: str):
    function = FUNCTIONS[name]

    assert bool(function.to_ocp) == bool(function.examples)
    assert bool(function.to_legacy) == bool(function.to_legacy_examples)
