"""The book: what it makes of messages and documents, and where it says that each value came from."""

from __future__ import annotations

import copy

import pytest

from pg_bridge.errors import MappingFailed, MappingMissing
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping.book import MappingBook, content_hash, load
from pg_bridge.mapping.lineage import Lineage
from tests.doubles.mapping_files import changed, crlf, shipped

SI01 = crlf("""
:16R:GENL
:20C::SEME//B0123400001
:23G:NEWM
:98A::PREP//20261123
:16R:LINK
:20C::POOL//202611230000001
:16S:LINK
:16S:GENL
:16R:TRADDET
:98A::TRAD//20261123
:98A::SETT//20261125
:35B:ISIN HK0005000002
/HK/00005
:70E::SPRO//REMARKS
:16S:TRADDET
:16R:FIAC
:36B::SETT//UNIT/1000,
:97A::SAFE//00000001
:16S:FIAC
:16R:SETDET
:22F::SETR//TRAD
:22F::RTGS//NRTG
:16R:SETPRTY
:95R::REAG/CCAS/C00019
:97A::SAFE//CLIENT0001
:16S:SETPRTY
:16R:SETPRTY
:95P::PSET//XHKCHKH1XXX
:16S:SETPRTY
:16R:AMT
:19A::SETT//HKD12345,67
:16S:AMT
:16S:SETDET
""")
CONTEXT = {"participant": "B01234", "terminal": "PSS1", "business_date": "2026-11-23"}
SETTLED = {
    "context": {"reference": "PGB1", "business_date": "2026-11-25", "snapshot": False},
    "answer": {"outcome": "", "faults": []},
    "request": {},
    "ocp": {
        "participantReference": "B0123400001",
        "siNumber": "I12345678",
        "participantId": "B01234",
        "counterpartyId": "C00019",
        "direction": "DELIVER",
        "paymentInstruction": "DVP",
        "isin": "HK0005000002",
        "stockCode": "00005",
        "quantity": 1000,
        "currency": "HKD",
        "amount": "12345.67",
        "tradeDate": None,
        "settlementDate": "2026-11-25",
        "occurredAt": "2026-11-25T10:00:00.000+08:00",
        "stockAccount": "00000001",
        "counterpartyAccount": None,
        "purpose": "TRADE",
        "status": "SETTLED",
        "reasonCode": None,
        "reasonText": None,
    },
}


@pytest.fixture(scope="module")
def book() -> MappingBook:
    return load(shipped())


def settled(**changes: object) -> dict:
    sources = copy.deepcopy(SETTLED)
    sources["ocp"] |= changes
    return sources


def test_lineage_of_a_request_names_every_target_with_its_sources(book: MappingBook):
    request = book.read_request("SI01", "543", SI01, CONTEXT)
    found = {entry.target: (entry.sources, entry.before, entry.after, entry.function) for entry in request.lineage}
    party, terms, purpose = "SETDET/SETPRTY[95R]", "TRADDET", "SETDET/22F:SETR"

    expected = {
        "requestReference": (("GENL/20C:SEME",), "B0123400001", "B0123400001", ""),
        "participantReference": (("GENL/20C:SEME",), "B0123400001", "B0123400001", ""),
        "participantId": (("context.participant",), "B01234", "B01234", ""),
        "counterpartyId": ((f"{party}/95R:REAG",), "C00019", "C00019", ""),
        "market": ((f"{terms}/35B",), "ISIN HK0005000002\r\n/HK/00005", "HKMK", "stock_code"),
        "direction": (("@message_type",), "543", "DELIVER", "codes"),
        "paymentInstruction": (("@message_type", "SETDET/22F:RTGS"), "543/NRTG", "DVP", "codes"),
        "isin": ((f"{terms}/35B",), "ISIN HK0005000002\r\n/HK/00005", "HK0005000002", "security"),
        "stockCode": ((f"{terms}/35B",), "ISIN HK0005000002\r\n/HK/00005", "00005", "security"),
        "quantity": (("FIAC/36B:SETT",), "UNIT/1000,", "1000", "quantity"),
        "currency": (("SETDET/AMT/19A:SETT",), "HKD12345,67", "HKD", "money"),
        "amount": (("SETDET/AMT/19A:SETT",), "HKD12345,67", "12345.67", "money"),
        "tradeDate": ((f"{terms}/98A:TRAD",), "20261123", "2026-11-23", "date"),
        "settlementDate": ((f"{terms}/98A:SETT",), "20261125", "2026-11-25", "date"),
        "stockAccount": (("FIAC/97A:SAFE",), "00000001", "00000001", ""),
        "counterpartyAccount": ((f"{party}/97A:SAFE",), "CLIENT0001", "CLIENT0001", ""),
        "purpose": ((purpose,), "TRAD", "TRADE", "codes"),
        "hold": (("GENL/23G",), "NEWM", "False", "flag"),
        "linkageReference": (("GENL/LINK/20C:POOL",), "202611230000001", "202611230000001", ""),
        "remarks": ((f"{terms}/70E:SPRO",), "REMARKS", "REMARKS", "lines"),
        "prepared": (("GENL/98A:PREP",), "20261123", "20261123", ""),
        "": (("SETDET/SETPRTY[95P]/95P:PSET",), "XHKCHKH1XXX", "XHKCHKH1XXX", ""),
    }
    assert expected == found
    assert request.findings == ()
    assert set(request.document) == {target for target in found if target not in ("", "prepared")}


def test_every_field_of_a_request_is_a_source_of_something(book: MappingBook):
    request = book.read_request("SI01", "543", SI01, CONTEXT)
    named = {source for entry in request.lineage for source in entry.sources}
    checked = book.check_message("SI01", "543", SI01)

    assert set(checked.values) <= named


def test_lineage_says_which_rule_of_which_file(book: MappingBook):
    request = book.read_request("SI01", "543", SI01, CONTEXT)
    rules = {entry.target: entry.rule for entry in request.lineage}

    assert rules["requestReference"] == "si-input.toml#1"
    assert rules["remarks"] == "si-input.toml#19"
    assert request.mapping.startswith("si-input@")


def test_a_request_says_what_it_is(book: MappingBook):
    request = book.read_request("SI01", "543", SI01, CONTEXT)

    expected = ("SI01", "543", "input_si", "instruct", "si_add", "B0123400001", {"prepared": "20261123"})
    assert expected == (
        request.template,
        request.message_type,
        request.function,
        request.effect,
        request.operation.value,
        request.reference,
        request.carried,
    )


def test_a_refused_request_has_its_reference_and_no_document(book: MappingBook):
    request = book.read_request("SI01", "543", SI01.replace(b"TRAD//2026", b"TRAD//20X6"), CONTEXT)

    assert ("B0123400001", {}, ()) == (request.reference, request.document, request.lineage)
    assert [("PGB-MSG-023", "DTRD")] == [(finding.code, finding.reason) for finding in request.findings]


def test_a_rule_that_fails_names_the_field_its_line_and_its_reason(book: MappingBook):
    (finding,) = book.read_request("SI01", "543", SI01.replace(b"HKD12345,67", b"HKD1,234"), CONTEXT).findings

    expected = ("PGB-MAP-003", "SETDET/AMT/19A:SETT", 31, "DMON")
    assert expected == (finding.code, finding.path, finding.line, finding.reason)


def test_an_unknown_field_is_carried_in_the_lenient_profile_and_refused_in_the_strict_one(book: MappingBook):
    body = SI01.replace(b":16S:FIAC", b":93B::SETT//UNIT/7,\r\n:16S:FIAC")
    strict = book.read_request("SI01", "543", body, CONTEXT)
    lenient = book.read_request("SI01", "543", body, CONTEXT, lenient=True)

    assert strict.document == {}
    assert [("PGB-MSG-024", "error")] == [(finding.code, finding.severity) for finding in strict.findings]
    assert [("PGB-MSG-024", "warning")] == [(finding.code, finding.severity) for finding in lenient.findings]
    assert {"prepared": "20261123", "unknown:FIAC/93B": ":SETT//UNIT/7,"} == lenient.carried
    assert book.read_request("SI01", "543", SI01, CONTEXT).document == lenient.document


def test_unknown_fields_of_one_tag_are_all_carried(book: MappingBook):
    """Two such fields once shared a name, and the first was lost."""
    body = SI01.replace(b":16S:FIAC", b":93B::SETT//UNIT/7,\r\n:93B::AVAI//UNIT/8,\r\n:93B::AVAI//UNIT/9,\r\n:16S:FIAC")
    request = book.read_request("SI01", "543", body, CONTEXT, lenient=True)
    carried = [raw for name, raw in request.carried.items() if name.startswith("unknown:")]

    assert [":SETT//UNIT/7,", ":AVAI//UNIT/8,", ":AVAI//UNIT/9,"] == carried
    assert "unknown:FIAC/93B#3" in request.carried


def test_a_template_that_no_file_serves(book: MappingBook):
    with pytest.raises(MappingMissing, match="SI02"):
        book.read_request("SI02", "530", SI01, CONTEXT)
    with pytest.raises(MappingMissing, match="SI01"):
        book.read_request("SI01", "548", SI01, CONTEXT)
    with pytest.raises(MappingMissing, match="no rule file"):
        book.write_answer("hold", SETTLED)
    with pytest.raises(MappingMissing, match="no rule file"):
        book.write_unsolicited("input_si", SETTLED)


def test_a_confirmation_says_where_each_value_came_from(book: MappingBook):
    written = book.write_unsolicited("settlement_confirmation", settled())
    money = next(entry for entry in written.lineage if entry.target == "SETDET/AMT/19A:ESTT")

    expected = Lineage(
        "SETDET/AMT/19A:ESTT",
        ("ocp.currency", "ocp.amount"),
        "HKD/12345.67",
        "HKD12345,67",
        "settlement-confirmation.toml#9",
        "money",
        "transformed",
    )
    assert expected == money
    assert ("SI61", "547", ()) == (written.template, written.message_type, written.findings)


def test_every_value_written_has_a_lineage(book: MappingBook):
    for write in ("settlement_confirmation", "status_change"):
        written = book.write_unsolicited(write, settled())
        explained = {entry.target for entry in written.lineage}
        checked = book.check_message(written.template, written.message_type, written.body)
        constants = {"GENL/23G", "GENL/STAT/25D:SETT", "GENL/STAT/REAS/24B:SETT"}
        constants |= {place for place in checked.values if place.endswith("95P:PSET")}

        assert checked.findings == ()
        assert set(checked.values) - explained == constants & set(checked.values)


def test_a_default_is_told_as_one(book: MappingBook):
    written = book.write_unsolicited("settlement_confirmation", settled(participantReference=None))
    reference = next(entry for entry in written.lineage if entry.target.endswith("20C:RELA"))

    assert ("NONREF", "defaulted") == (reference.after, reference.kind)


def test_text_that_is_cut_is_told_as_lost(book: MappingBook):
    written = book.write_unsolicited("status_change", settled(reasonText="far too many words " * 20))

    assert [("PGB-MAP-005", "warning", "GENL/STAT/REAS/70D:REAS")] == [
        (finding.code, finding.severity, finding.path) for finding in written.findings
    ]
    assert ["lost"] == [entry.kind for entry in written.lineage if not entry.target]
    assert book.check_message("SI60", "548", written.body).findings == ()


UNFITTING = [
    ("siNumber", "12345678", "GENL/LINK"),
    ("siNumber", "I1234567\r\n:23G:X", "GENL/LINK"),
    ("stockAccount", "123456789", "FIAC/97A:SAFE"),
    ("stockCode", "5", "TRADDET/35B"),
    ("counterpartyId", "c19", "95R:REAG"),
    ("quantity", 10**20, "FIAC/36B:ESTT"),
    ("amount", "12345.67.1", "SETDET/AMT/19A:ESTT"),
    ("occurredAt", "yesterday", "TRADDET/98A:ESET"),
    ("occurredAt", "2026-02-30T10:00:00.000+08:00", "TRADDET/98A:ESET"),
    ("counterpartyAccount", "ACCOUNT {1}", "97A:SAFE"),
    ("purpose", "GIFT", "22F:SETR"),
    ("quantity", "many", "FIAC/36B:ESTT"),
]


@pytest.mark.parametrize(("name", "value", "place"), UNFITTING)
def test_a_value_that_does_not_fit_the_template_is_never_written(
    book: MappingBook, name: str, value: object, place: str
):
    with pytest.raises(MappingFailed, match="writing") as caught:
        book.write_unsolicited("settlement_confirmation", settled(**{name: value}))

    assert place in str(caught.value)


def test_a_direction_that_has_no_message_type(book: MappingBook):
    with pytest.raises(MappingMissing, match="SIDEWAYS/DVP"):
        book.write_unsolicited("settlement_confirmation", settled(direction="SIDEWAYS"))


def test_what_is_written_can_be_read(book: MappingBook):
    written = book.write_unsolicited("settlement_confirmation", settled())

    assert read(written.body).findings == ()


def test_a_duplicate_reference_points_at_the_reference(book: MappingBook):
    finding = book.duplicate_reference("SI01", "543", "B0123400001")

    assert ("PGB-XCH-001", "GENL/20C:SEME") == (finding.code, finding.path)
    assert "B0123400001" in finding.text


def test_a_refusal_has_a_reason_for_any_meaning(book: MappingBook):
    expected = ["DSEC", "SAFE", "NARR", "NARR"]

    assert expected == [
        book.refusal_reason(meaning)
        for meaning in ("unknown_stock", "unknown_account", "PGB-MSG-021", "never heard of")
    ]


def test_the_hash_is_of_paths_and_texts(book: MappingBook):
    files = shipped()

    assert content_hash(files) == book.hash
    assert content_hash(dict(reversed(files.items()))) == book.hash
    assert content_hash(changed("rules/si-input.toml", "2026.11", "2026.12")) != book.hash
    assert content_hash({"a": "b", "c": ""}) != content_hash({"a": "", "c": "b"})
