"""Sequences that repeat and arrays, both ways; texts of the profile: sets with a few edits of the shipped one."""

from __future__ import annotations

from typing import Any

import pytest

from pg_bridge.mapping.back.fidelity import request_fidelity
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.checks.check import check
from pg_bridge.mapping.checks.profile_texts import profile_findings
from pg_bridge.mapping.coverage.pairing import pairings

CONTEXT = {
    "reference": "PG00000000000001",
    "participant": "B01234",
    "terminal": "PSS1",
    "business_date": "2026-11-23",
    "timestamp": "20261123093000",
    "snapshot": False,
}
LINKS = """:16R:GENL
:20C::SEME//B0123400001
:23G:NEWM
:16R:LINK
:20C::POOL//FIRST
:16S:LINK
:16R:LINK
:20C::POOL//SECOND
:20C::COMM//NOTE
:16S:LINK
:16S:GENL
:16R:TRADDET
:98A::SETT//20261125
:35B:/HK/00005
:16S:TRADDET
:16R:FIAC
:36B::SETT//UNIT/1000,
:97A::SAFE//00000001
:16S:FIAC
:16R:SETDET
:22F::SETR//TRAD
:16R:SETPRTY
:95R::REAG/CCAS/C00019
:16S:SETPRTY
:16R:SETPRTY
:95P::PSET//XHKCHKH1XXX
:16S:SETPRTY
:16S:SETDET
"""
RULES = """
[[request.each]]
at = "GENL/LINK"
to = "linkages"

[[request.each.rule]]
from = "20C:POOL"
to = "reference"

[[request.each.rule]]
from = "20C:COMM"
to = "note.text"

[[request.each.rule]]
from = "context.participant"
to = "owner"

[answer]
"""
SCHEMA = """        linkages:
          type: [array, "null"]
          items:
            type: object
            required: [reference, owner]
            properties:
              reference: {type: string, maxLength: 15}
              owner: {type: string, maxLength: 6}
              note: {type: object, properties: {text: {type: [string, "null"], maxLength: 16}}}
        remarks: {$ref"""
COMM = """
[[field]]
path = "GENL/LINK"
tag = "20C"
qualifier = "COMM"
status = "O"
format = "16x"
meaning = "a note"
sample = "NOTE"
source = "assumed"
"""


def with_arrays(files: dict[str, str]) -> dict[str, str]:
    """The shipped set with an array of linkages in place of the one reference, from LINKs that repeat."""
    template = files["legacy/templates/SI01.toml"]
    template = template.replace(
        'path = "GENL/LINK"\nstatus = "O"\n', 'path = "GENL/LINK"\nstatus = "O"\nrepeats = true\n', 1
    )
    template = template.replace(
        '\n[[field]]\npath = "TRADDET"\ntag = "98A"\nqualifier = "TRAD"',
        f'{COMM}\n[[field]]\npath = "TRADDET"\ntag = "98A"\nqualifier = "TRAD"',
        1,
    )
    rules = files["rules/si-input.toml"].replace(
        '[[request.rule]]\nfrom = "GENL/LINK/20C:POOL"\nto = "linkageReference"\n', "", 1
    )
    rules = rules.replace("\n[answer]\n", RULES, 1).replace(
        'schema = "SiAddEntry"\n', 'schema = "SiAddEntry"\nleft_out = { linkageReference = "see linkages" }\n', 1
    )
    for name, part in (
        ("si-change", "[request.left_out]"),
        ("si-enquiry", "[answer.left_out]"),
        ("si-list", "[answer.left_out]"),
        ("status-change", "[message.left_out]"),
        ("settlement-confirmation", "[message.left_out]"),
    ):
        files = {
            **files,
            f"rules/{name}.toml": files[f"rules/{name}.toml"].replace(part, f'{part}\nlinkages = "not shown here"', 1),
        }
    openapi = files["ocp/openapi.yaml"].replace("        remarks: {$ref", SCHEMA, 1)
    return {**files, "legacy/templates/SI01.toml": template, "rules/si-input.toml": rules, "ocp/openapi.yaml": openapi}  # fmt: skip


@pytest.fixture(scope="module")
def arrays(files: dict[str, str]) -> MappingBook:
    return load(with_arrays(files))


def body(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")


def test_a_sequence_that_repeats_becomes_an_array(arrays: MappingBook) -> None:
    request = arrays.read_request("SI01", "542", body(LINKS), CONTEXT)

    assert () == request.findings
    assert [
        {"reference": "FIRST", "owner": "B01234", "note": {"text": None}},
        {"reference": "SECOND", "owner": "B01234", "note": {"text": "NOTE"}},
    ] == request.document["linkages"]
    assert [] == arrays.ocp.faults("SiAddEntry", request.document)


def test_a_sequence_that_does_not_stand_is_no_array(arrays: MappingBook) -> None:
    text = LINKS[: LINKS.index(":16R:LINK")] + LINKS[LINKS.index(":16S:GENL") :]
    request = arrays.read_request("SI01", "542", body(text), CONTEXT)

    assert request.document["linkages"] is None


def test_each_item_is_explained(arrays: MappingBook) -> None:
    request = arrays.read_request("SI01", "542", body(LINKS), CONTEXT)
    told = {each.target: (each.sources, each.after) for each in request.lineage if each.target.startswith("linkages")}

    assert {
        "linkages.reference": (("GENL/LINK/20C:POOL",), "FIRST"),
        "linkages.owner": (("context.participant",), "B01234"),
        "linkages.reference#2": (("GENL/LINK/20C:POOL",), "SECOND"),
        "linkages.note.text#2": (("GENL/LINK/20C:COMM",), "NOTE"),
        "linkages.owner#2": (("context.participant",), "B01234"),
    } == told


def test_an_array_becomes_a_sequence_that_repeats(arrays: MappingBook) -> None:
    request = arrays.read_request("SI01", "542", body(LINKS), CONTEXT)
    back = WayBack(arrays).write_request("SI01", request.document, CONTEXT, carried=request.carried)

    assert body(LINKS) == back.body
    assert () == back.findings
    assert {"GENL/LINK/20C:POOL", "GENL/LINK/20C:POOL#2"} <= {each.target for each in back.lineage}


def test_items_are_judged_for_fidelity_and_coverage(arrays: MappingBook) -> None:
    fidelity = request_fidelity(arrays, "input_si")
    paired = {(each.place, each.member) for each in pairings(arrays) if each.function == "input_si"}

    assert fidelity.places["GENL/LINK/20C:POOL"].is_lossless
    assert fidelity.members["linkages.reference"].is_lossless
    assert not fidelity.members["linkages.owner"].is_lossless
    assert ("GENL/LINK/20C:COMM", "linkages.note.text") in paired


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('at = "GENL/LINK"', 'at = "GENL/LINKS"', "has no sequence GENL/LINKS"),
        ('to = "linkages"', 'to = "linkage"', "the schema has no member linkage"),
        ('to = "linkages"', 'to = "remarks"', "remarks is no array of objects"),
        ('from = "20C:POOL"', 'from = "20C:POOK"', "has no place 20C:POOK"),
        ('to = "reference"', 'to = "referenz"', "the schema has no member referenz"),
        ('to = "reference"', 'to = "referenz"', "the mandatory member reference is fed by no rule"),
        ('from = "20C:COMM"\nto = "note.text"\n', 'from = "20C:POOL"\nto = "note.text"\n', "GENL/LINK/20C:COMM is forgotten"),
        ('from = "20C:COMM"\nto', 'from = "20C:COMM"\nwhen = { "20C:POOL" = "X" }\nto', "20C:COMM is lost"),
    ],
)  # fmt: skip
def test_a_wrong_array_is_found_with_its_line(files: dict[str, str], old: str, new: str, told: str) -> None:
    edited = with_arrays(files)
    rules = edited["rules/si-input.toml"]
    start = rules.index("[[request.each]]")
    assert old in rules[start:]

    findings = check({**edited, "rules/si-input.toml": rules[:start] + rules[start:].replace(old, new, 1)})

    about = [finding for finding in findings if told in finding.text]
    assert about, [str(finding) for finding in findings]
    assert all(finding.line for finding in about if finding.path == "rules/si-input.toml")


def test_an_array_of_an_entry_becomes_sequences(files: dict[str, str]) -> None:
    """A message to the PSS: one sequence for each item, each item's members by `item.`."""
    edited = with_arrays(files)
    shared = edited["rules/shared/si-references.toml"].replace(
        'at = "GENL/LINK[20C:POOL]"\nfields = [{ field = "20C:POOL", from = "ocp.linkageReference" }]',
        'at = "GENL/LINK[20C:POOL]"\neach = "ocp.linkages"\nfields = [{ field = "20C:POOL", from = "item.reference" }]',
    )
    path = "legacy/templates/SI60.toml"
    pool = 'path = "GENL/LINK[20C:POOL]"\nstatus = "O"\n'
    templates = {
        name: edited[name].replace(pool, f"{pool}repeats = true\n")
        for name in ("legacy/templates/SI60.toml", "legacy/templates/T03A.toml")
    }
    rules = {
        f"rules/{name}.toml": edited[f"rules/{name}.toml"].replace(
            'linkages = "not shown here"', 'linkageReference = "see linkages"'
        )
        for name in ("si-enquiry", "status-change")
    }
    book = load({**edited, **templates, **rules, "rules/shared/si-references.toml": shared})
    entry: dict[str, Any] = {
        "participantReference": "B1", "direction": "DELIVER", "paymentInstruction": "FOP", "stockCode": "00005",
        "quantity": 1, "settlementDate": "2026-11-25", "stockAccount": "1", "purpose": "TRADE", "status": "MATCHED",
        "counterpartyId": "C00019", "siNumber": "I00000001",
        "linkages": [{"reference": "FIRST"}, {"reference": "SECOND"}],
    }  # fmt: skip
    written = book.write_unsolicited("status_change", {"context": CONTEXT, "ocp": entry})

    assert pool in edited[path]
    assert [":20C::POOL//FIRST", ":20C::POOL//SECOND"] == [
        line for line in written.body.decode().split("\r\n") if "POOL" in line
    ]
    assert not book.check_message("SI60", "548", written.body).findings


def test_a_text_of_the_profile_is_the_set_s_unless_a_participant_has_its_own(files: dict[str, str]) -> None:
    rules = files["rules/si-input.toml"].replace(
        'from = "SETDET/SETPRTY[95R]/97A:SAFE"', 'from = ["SETDET/SETPRTY[95R]/97A:SAFE", "profile.account"]'
    )
    head = files["rules/set.toml"] + 'account = "SET1"\n'
    book = load({**files, "rules/si-input.toml": rules, "rules/set.toml": head})
    text = body(LINKS.replace(LINKS[LINKS.index(":16R:LINK") : LINKS.index(":16S:GENL")], ""))
    own = {**CONTEXT, "profile": {"account": "OWN1"}}

    assert "SET1" == book.read_request("SI01", "542", text, CONTEXT).document["counterpartyAccount"]
    assert "OWN1" == book.read_request("SI01", "542", text, own).document["counterpartyAccount"]


def test_a_participant_s_text_that_is_unknown_or_does_not_fit_is_found(book: MappingBook) -> None:
    found = profile_findings(book, "B01234", {"place_of_settlement": "NOWHERE", "place": "X"})

    assert [] == profile_findings(book, "B01234", {"place_of_settlement": "XHKCHKH1"})
    assert {"participants.B01234.profile.place", "participants.B01234.profile.place_of_settlement"} == {
        each.path for each in found
    }
    assert all(each.remedy for each in found)


def test_a_participant_s_own_text_stands_in_messages(book: MappingBook) -> None:
    entry = {"quantity": 1, "direction": "DELIVER", "paymentInstruction": "FOP", "stockCode": "00005", "status": "MATCHED",
             "settlementDate": "2026-11-25", "stockAccount": "1", "purpose": "TRADE", "counterpartyId": "C00019"}  # fmt: skip
    own = {**CONTEXT, "profile": {"place_of_settlement": "XHKCHKH1"}}

    assert (
        b":95P::PSET//XHKCHKH1XXX\r\n"
        in book.write_unsolicited("status_change", {"context": CONTEXT, "ocp": entry}).body
    )
    assert b":95P::PSET//XHKCHKH1\r\n" in book.write_unsolicited("status_change", {"context": own, "ocp": entry}).body
