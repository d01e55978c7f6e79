"""Broken profile files: each is refused with findings that name the file, never with a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.profiles.legacy import CODES_FILE, read_legacy_profile
from pg_bridge.profiles.ocp import OPENAPI_FILE, PROFILE_FILE, read_ocp_profile
from tests.doubles.mapping_files import changed, shipped

SI01 = "legacy/templates/SI01.toml"


def legacy_findings(files: dict[str, str]) -> tuple[Finding, ...]:
    with pytest.raises(MappingInvalid) as caught:
        read_legacy_profile(files)
    return caught.value.findings


def ocp_findings(files: dict[str, str]) -> tuple[Finding, ...]:
    with pytest.raises(MappingInvalid) as caught:
        read_ocp_profile(files)
    return caught.value.findings


def test_the_shipped_profiles_can_be_read():
    files = shipped()
    legacy, ocp = read_legacy_profile(files), read_ocp_profile(files)

    assert {
        ("SI01", "540"),
        ("SI01", "541"),
        ("SI01", "542"),
        ("SI01", "543"),
        ("SI07", "549"),
    } <= legacy.request_templates
    assert ocp.name


BROKEN_TEMPLATE = [
    ("no TOML", 'name = "SI01"', "name = ", "PGB-PRF-012", SI01),
    ("a member mistyped", 'direction = "I"', 'direktion = "I"', "PGB-PRF-012", SI01),
    ("a third direction", 'direction = "I"', 'direction = "X"', "PGB-PRF-012", SI01),
    ("a status that is none", 'status = "M"', 'status = "N"', "PGB-PRF-012", SI01),
    ("a source that is none", 'source = "assumed"', 'source = "guessed"', "PGB-PRF-012", SI01),
    ("a number for a text", 'tag = "23G"', "tag = 23", "PGB-PRF-012", SI01),
    ("a template twice", 'name = "SI01"', 'name = "SI07"', "PGB-PRF-013", "legacy/templates/SI07.toml"),
    ("an answer that is none", 'answer = "SI51"', 'answer = "SI99"', "PGB-PRF-014", SI01),
    ("a format that is none", 'format = "4!c"', 'format = "4!c]"', "PGB-PRF-015", f"{SI01}:GENL/23G"),
    ("a size of nothing", 'format = "16x"', 'format = "0x"', "PGB-PRF-015", f"{SI01}:GENL/20C:SEME"),
    ("a check that is none", 'checks = ["isin"]', 'checks = ["issin"]', "PGB-PRF-015", f"{SI01}:TRADDET/35B"),
    (
        "a message type that is none",
        'types = ["540", "541"]',
        'types = ["540", "544"]',
        "PGB-PRF-015",
        f"{SI01}:SETDET/SETPRTY[95R]/95R:DEAG",
    ),
    (
        "a field of no sequence",
        'path = "FIAC"\ntag = "36B"',
        'path = "FIAX"\ntag = "36B"',
        "PGB-PRF-015",
        f"{SI01}:FIAX/36B",
    ),
    (
        "a sequence before its parent",
        'path = "GENL/LINK"\nstatus',
        'path = "GENX/LINK"\nstatus',
        "PGB-PRF-015",
        f"{SI01}:GENX/LINK",
    ),
    ("a sequence twice", 'path = "FIAC"\nstatus', 'path = "GENL"\nstatus', "PGB-PRF-015", f"{SI01}:GENL"),
    (
        "a field twice",
        'tag = "98A"\nqualifier = "TRAD"',
        'tag = "98A"\nqualifier = "SETT"',
        "PGB-PRF-015",
        f"{SI01}:TRADDET/98A:SETT",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "path"), [pytest.param(*row, id=name) for name, *row in BROKEN_TEMPLATE]
)
def test_broken_template(old: str, new: str, code: str, path: str):
    findings = legacy_findings(changed(SI01, old, new))
    file, _, place = path.partition(":")

    assert [finding for finding in findings if (finding.code, finding.path) == (code, file) and place in finding.text]
    assert all(finding.line and finding.remedy.endswith(".") for finding in findings)


BROKEN_CODES = [
    ("no TOML", "[purpose]", "[purpose", "PGB-PRF-012"),
    ("a member mistyped", "preferred =", "prefered =", "PGB-PRF-012"),
    ("a meaning forgotten", 'meaning = "22F SETR -> purpose"\n', "", "PGB-PRF-012"),
    ("a range without its end", 'to = "79999", ', "", "PGB-PRF-012"),
    ("keys of a third side", 'keys = "ocp"', 'keys = "both"', "PGB-PRF-012"),
    ("a number for a code", 'NEWM = "false"', "NEWM = false", "PGB-PRF-012"),
]


@pytest.mark.parametrize(("old", "new", "code"), [pytest.param(*row, id=name) for name, *row in BROKEN_CODES])
def test_broken_codes(old: str, new: str, code: str):
    findings = legacy_findings(changed(CODES_FILE, old, new))

    assert {(code, CODES_FILE)} == {(finding.code, finding.path) for finding in findings}
    assert all(finding.line and finding.remedy.endswith(".") for finding in findings)


def test_missing_codes_and_templates():
    files = shipped()
    del files[CODES_FILE]

    assert [finding.code for finding in legacy_findings(files)] == ["PGB-PRF-011"]
    assert [finding.code for finding in legacy_findings({})] == ["PGB-PRF-011", "PGB-PRF-011"]


def test_faults_of_several_files_are_all_named():
    files = changed(SI01, 'format = "4!c"', 'format = "4!c]"')
    files[CODES_FILE] = "="
    files["legacy/templates/SI07.toml"] = "="

    paths = {finding.path for finding in legacy_findings(files)}

    assert {SI01, CODES_FILE, "legacy/templates/SI07.toml"} <= paths


BROKEN_PROFILE = [
    ("no TOML", 'name = "ocp-default"', "name = ", "PGB-PRF-002", PROFILE_FILE),
    ("a number for a text", 'grant = "jwt_bearer"', "grant = 5", "PGB-PRF-002", PROFILE_FILE),
    (
        "a member of an operation mistyped",
        "si_query = { method",
        "si_query = { wirtes = true, method",
        "PGB-PRF-002",
        PROFILE_FILE,
    ),
    ("a limit mistyped", "machine_calls = 0", "machine_call = 0", "PGB-PRF-002", PROFILE_FILE),
    ("a table that is none", "[push]", "[pushes]", "PGB-PRF-002", PROFILE_FILE),
    ("a binding forgotten", 'created_at = "createdAt"\n', "", "PGB-PRF-004", f"{PROFILE_FILE}:binding.si.created_at"),
    (
        "a concept mistyped",
        'hold_own = "holdOwn"',
        'hold_ovn = "holdOwn"',
        "PGB-PRF-004",
        f"{PROFILE_FILE}:binding.si.hold_ovn",
    ),
    ("an operation mistyped", "si_hold = {", "si_hald = {", "PGB-PRF-004", f"{PROFILE_FILE}:operations.si_hald"),
    (
        "an operation left out by that",
        "si_hold = {",
        "si_hald = {",
        "PGB-PRF-004",
        f"{PROFILE_FILE}:operations.si_hold",
    ),
    (
        "a meaning that is none",
        'PENDING = "pending"',
        'PENDING = "pendant"',
        "PGB-PRF-004",
        f"{PROFILE_FILE}:codes.status.PENDING",
    ),
    (
        "a meaning without code",
        'PURGED = "purged"\n\n[codes.event',
        "\n[codes.event",
        "PGB-PRF-004",
        f"{PROFILE_FILE}:codes.status",
    ),
    (
        "a schema that is none",
        'entry = "SiAddEntry"',
        'entry = "SiAdEntry"',
        "PGB-PRF-004",
        f"{PROFILE_FILE}:operations.si_add",
    ),
    (
        "a path that is none",
        "/api/si/instructions/add/v1",
        "/api/si/instruction/add/v1",
        "PGB-PRF-004",
        f"{PROFILE_FILE}:operations.si_add",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "path"), [pytest.param(*row, id=name) for name, *row in BROKEN_PROFILE])
def test_broken_profile(old: str, new: str, code: str, path: str):
    findings = ocp_findings(changed(PROFILE_FILE, old, new))

    assert (code, path) in [(finding.code, finding.path) for finding in findings]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "- a\n- b",
        "a: [",
        "components: 5",
        "components: null",
        "components: []",
        "components: {schemas: []}",
        "components: {schemas: {}}\npaths: 5",
        "components: {schemas: {}}\npaths: {/api/si/instructions/add/v1: 5}",
    ],
)
def test_no_openapi_document(text: str):
    findings = ocp_findings({**shipped(), OPENAPI_FILE: text})

    assert findings
    assert all(finding.code in ("PGB-PRF-003", "PGB-PRF-004") for finding in findings)


@pytest.mark.parametrize("path", [PROFILE_FILE, OPENAPI_FILE])
def test_missing_file(path: str):
    files = shipped()
    del files[path]

    assert path in ocp_findings(files)[0].path


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([SI01, CODES_FILE, PROFILE_FILE]), st.integers(0, 5000), st.text(max_size=4))
def test_a_mangled_file_is_read_or_refused_with_findings(path: str, at: int, text: str):
    files = shipped()
    files[path] = files[path][:at] + text + files[path][at + len(text) :]
    for read in (read_legacy_profile, read_ocp_profile):
        findings = ()
        try:
            read(files)
        except MappingInvalid as error:
            findings = error.findings or ("none",)

        assert "none" not in findings
