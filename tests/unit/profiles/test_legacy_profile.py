"""Reading mappings/legacy: what is wrong with a file is named, all of it."""

from pathlib import Path

import pytest

from pg_bridge.errors import MappingInvalid
from pg_bridge.profiles.concepts import Refusal
from pg_bridge.profiles.legacy import read_legacy_profile

ROOT = Path(__file__).parents[3]
FILES = {
    file.relative_to(ROOT / "mappings").as_posix(): file.read_text("utf-8")
    for file in (ROOT / "mappings/legacy").rglob("*.toml")
}
LEGACY = read_legacy_profile(FILES)
SI01 = "legacy/templates/SI01.toml"
CODES = "legacy/codes.toml"


def findings_of(files):
    with pytest.raises(MappingInvalid) as caught:
        read_legacy_profile(files)
    return caught.value.findings


def test_the_templates_of_the_functions():
    assert {"SI01", "SI07", "SI51", "T03A", "SI60", "SI61"} <= set(LEGACY.templates)
    assert {("SI01", "540"), ("SI01", "541"), ("SI01", "542"), ("SI01", "543"), ("SI07", "549")} <= (
        LEGACY.request_templates
    )
    assert not [pair for pair in LEGACY.request_templates if pair[0] in ("SI51", "T03A", "SI60", "SI61")]


def test_every_request_has_a_reference_and_an_answer():
    for name, message_type in LEGACY.request_templates:
        template = LEGACY.templates[name]

        assert template.concept("request_reference", message_type) is not None
        assert template.answer in LEGACY.templates


def test_everything_says_where_it_comes_from():
    sources = {template.source for template in LEGACY.templates.values()}
    sources |= {spec.source for template in LEGACY.templates.values() for spec in template.root.fields()}
    sources |= {table.source for table in LEGACY.tables.values()}

    assert {"public", "assumed"} == sources


@pytest.mark.parametrize(
    ("stock", "market"), [("00005", "HKMK"), ("69999", "HKMK"), ("70000", "SZMK"), ("79999", "SZMK"), ("80000", "HKMK"),
                          ("90000", "MAMK"), ("99999", "MAMK")]
)  # fmt: skip
def test_market_of_a_stock(stock, market):
    assert market == LEGACY.tables["market_of_stock"].find(stock)


def test_codes_of_the_dialect():
    tables = LEGACY.tables

    assert [tables["direction_of"].find(type_) for type_ in ("540", "541", "542", "543")] == [
        "RECEIVE",
        "RECEIVE",
        "DELIVER",
        "DELIVER",
    ]
    assert [tables["payment_of"].find(key) for key in ("540/", "541/", "543/NRTG", "543/YRTG")] == [
        "FOP",
        "DVP",
        "DVP",
        "RDP",
    ]
    assert [tables["hold_of"].find(code) for code in ("NEWM", "PREA", "CANC")] == ["false", "true", None]
    assert [tables["purpose"].find(code) for code in ("OWNI", "OWNE")] == ["PORTFOLIO", "PORTFOLIO"]
    assert tables["purpose"].to_legacy("PORTFOLIO") == "OWNI"
    assert [
        tables["confirmation_of"].find(key) for key in ("RECEIVE/FOP", "RECEIVE/RDP", "DELIVER/FOP", "DELIVER/DVP")
    ] == ["544", "545", "546", "547"]


def test_every_refusal_has_a_reason_code():
    reasons = LEGACY.tables["refusal_reasons"]

    assert all(reasons.find(refusal) for refusal in Refusal)
    assert [key for key in reasons.entries if not key.startswith("PGB-") and key not in set(Refusal)] == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (SI01, 'format = "16x"', 'format = "[16x"'),
        (SI01, 'checks = ["date"]', 'checks = ["moon"]'),
        (SI01, 'status = "M"', 'status = "X"'),
        (SI01, 'answer = "SI51"', 'answer = "SI99"'),
        (SI01, 'path = "GENL/LINK"\ntag', 'path = "GENL/LNIK"\ntag'),
        (SI01, 'types = ["541", "543"]\nvalues', 'types = ["541", "599"]\nvalues'),
        (SI01, 'source = "assumed"', 'source = "hearsay"'),
        (SI01, "[template]", "[template"),
        (CODES, 'source = "public"', 'sauce = "public"'),
    ],
)
def test_a_wrong_entry_is_named(path, old, new):
    assert old in FILES[path]

    findings = findings_of({**FILES, path: FILES[path].replace(old, new, 1)})

    assert [finding for finding in findings if path == finding.path]
    assert all(finding.code.startswith("PGB-PRF-") and finding.text for finding in findings)


def test_all_wrong_files_are_named():
    findings = findings_of({SI01: "[template", "legacy/templates/SI07.toml": "x = 1"})

    assert {SI01, "legacy/templates/SI07.toml", CODES} == {finding.path for finding in findings}


def test_no_templates_at_all():
    assert findings_of({CODES: FILES[CODES]})
