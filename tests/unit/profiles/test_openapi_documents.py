"""OpenAPI documents that are none, or that would take for ever: findings within a second, each with what to do."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from pg_bridge.profiles.openapi import OPENAPI_FILE, read_openapi
from tests.doubles.mapping_files import shipped

_SHIPPED = shipped()
_GOOD = _SHIPPED[OPENAPI_FILE]
_SCHEMAS = "components:\n  schemas:\n"


def _chain(keyword: str, count: int = 40) -> str:
    """Schemas of which each refers twice to the next."""
    lines = []
    for number in range(count):
        reference = f'{{$ref: "#/components/schemas/S{number + 1}"}}'
        both = f"{{a: {reference}, b: {reference}}}" if keyword == "properties" else f"[{reference}, {reference}]"
        lines.append(f"    S{number}: {{{keyword}: {both}}}\n")
    return "".join(lines) + f"    S{count}: {{type: string}}\n"


def _with_schemas(schemas: str) -> str:
    return _GOOD.replace("  schemas:\n", f"  schemas:\n{schemas}", 1)


def _laughs(levels: int = 12) -> str:
    lines = [f"l{number + 1}: &l{number + 1} [{', '.join([f'*l{number}'] * 10)}]" for number in range(levels)]
    return "\n".join(["l0: &l0 [x, x, x, x, x, x, x, x, x, x]", *lines])


def _merged(levels: int = 12) -> str:
    lines = [f"m{number + 1}: &m{number + 1} {{<<: [{', '.join([f'*m{number}'] * 10)}]}}" for number in range(levels)]
    return "\n".join(["m0: &m0 {a: 1, b: 2}", *lines])


BAD = {
    "empty": "",
    "a text": "hello",
    "a list": "- a\n- b",
    "not YAML": "a: [",
    "a tab": "a:\n\t- b",
    "another tag": "!!python/object/apply:os.system [ls]",
    "paths are a list": _GOOD.replace("\npaths:\n", "\npaths: []\nother:\n", 1),
    "a path is a text": _GOOD.replace("\npaths:\n", "\npaths:\n  /x: y\n", 1),
    "a schema is a number": _with_schemas("    Bad: 5\n"),
    "a schema is a list": _with_schemas("    Bad: [1]\n"),
    "a reference to nowhere": _with_schemas('    Bad: {$ref: "#/components/schemas/Nowhere"}\n'),
    "a reference to another file": _with_schemas('    Bad: {$ref: "https://example.org/x.yaml#/a"}\n'),
    "a reference that is a number": _with_schemas("    Bad: {$ref: 5}\n"),
    "a reference to itself": _with_schemas('    Bad: {$ref: "#/components/schemas/Bad"}\n'),
    "a circle of parts": _with_schemas(
        '    A: {allOf: [{$ref: "#/components/schemas/B"}]}\n    B: {anyOf: [{$ref: "#/components/schemas/A"}]}\n'
    ),
    "no regular expression": _with_schemas('    Bad: {type: string, pattern: "("}\n'),
    "a pattern that is a number": _with_schemas("    Bad: {type: string, pattern: 5}\n"),
    "a pattern that looks ahead": _with_schemas('    Bad: {type: string, pattern: "a(?=b)"}\n'),
    "a pattern that explodes": _with_schemas('    Bad: {type: string, pattern: "((a{1000}){1000}){1000}"}\n'),
    "a bomb of aliases": f"{_laughs()}\n{_GOOD}",
    "a bomb of merges": f"{_merged()}\n{_GOOD}",
    "an alias of itself": f"x: &x [*x]\n{_GOOD}",
    "a type that is none": _GOOD.replace("Quantity: {type: integer", "Quantity: {type: whole", 1),
    "an answer without a schema": _GOOD.replace('schema: {$ref: "#/components/schemas/SiAnswer"}', "schema: {}", 1),
    "answers in a circle": _GOOD.replace(
        "    Refused:\n", '    Round: {$ref: "#/components/responses/Round"}\n    Refused:\n', 1
    ).replace('"200": {$ref: "#/components/responses/Empty"}', '"200": {$ref: "#/components/responses/Round"}'),
    "no webhook": _GOOD.replace("\nwebhooks:\n", "\nx-webhooks:\n", 1),
}


#: made when they are needed: they are large
LARGE: dict[str, Callable[[], str]] = {
    "deep": lambda: "[" * 100_000,
    "deep maps": lambda: "".join(f"{' ' * level}a:\n" for level in range(400)),
    "50 MB": lambda: "x: [" + "1," * 25_000_000 + "]",
    "many nodes": lambda: "x: [" + "1," * 900_000 + "]",
    "one long line": lambda: "x: '" + "y" * 3_000_000 + "'",
}


@pytest.mark.parametrize("name", [*BAD, *LARGE])
def test_a_bad_document_is_findings_within_a_second(name: str) -> None:
    text = LARGE[name]() if name in LARGE else BAD[name]
    began = time.process_time()
    findings = _findings(text)
    took_s = time.process_time() - began

    assert findings
    assert "refused without" not in findings[0].text
    assert {PROFILE_FILE, OPENAPI_FILE} >= {finding.path for finding in findings}
    assert all(finding.remedy for finding in findings)
    assert 1.0 > took_s


@pytest.mark.parametrize("keyword", ["properties", "anyOf", "allOf"])
def test_what_doubles_at_each_step_is_judged_within_a_second(keyword: str) -> None:
    began = time.process_time()
    findings = _findings(_with_schemas(_chain(keyword)).replace("Quantity: {type: integer, ", "Quantity: {", 1))
    document, _ = read_openapi(_with_schemas(_chain(keyword)), [])
    assert document is not None
    try:
        Members(document, "S0")
    except ValueError as error:
        findings += (Finding("", "error", "", str(error)),)
    took_s = time.process_time() - began

    assert 1.0 > took_s


def test_a_finding_names_the_line_of_the_schema() -> None:
    (finding,) = _findings(_with_schemas("    Bad: 5\n"))

    assert "    Bad: 5" == _with_schemas("    Bad: 5\n").split("\n")[finding.line - 1]


def test_words_of_yaml_1_1_are_texts_and_status_codes_are_keys() -> None:
    findings: list[Finding] = []
    text = (
        _SCHEMAS
        + "    A: {enum: [no, 2026-11-23, 0012, 16:30, on, 5, true]}\npaths: {/a: {get: {responses: {200: {}}}}}"
    )
    document, _ = read_openapi(text, findings)

    assert [] == findings
    assert document is not None
    assert ["no", "2026-11-23", "0012", "16:30", "on", 5, True] == document["components"]["schemas"]["A"]["enum"]
    assert {"200": {}} == document["paths"]["/a"]["get"]["responses"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(_GOOD)), st.text(alphabet=" :{}[]&*!|>-\n\t\"'#a0$", max_size=6), st.integers(0, 40))
def test_a_mangled_document_is_read_or_refused_with_findings(at: int, text: str, gone: int) -> None:
    for finding in _findings(_GOOD[:at] + text + _GOOD[at + gone :]):
        assert "refused without" not in finding.text


def _findings(openapi: str) -> tuple[Finding, ...]:
    try:
        read_ocp_profile({PROFILE_FILE: _SHIPPED[PROFILE_FILE], OPENAPI_FILE: openapi})
    except MappingInvalid as error:
        return error.findings or (Finding("", "error", "", "refused without a finding"),)
    return ()
