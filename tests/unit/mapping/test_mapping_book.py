"""The book in use: requests, answers, messages, and their lineage."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pg_bridge.errors import MappingFailed, MappingMissing
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.profiles.concepts import Operation
from tests.doubles.mapping_files import CONTEXT, DELIVER_FREE, crlf


def test_a_request_says_what_it_is(book: MappingBook) -> None:
    request = book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT)

    assert (request.function, request.effect, request.operation) == ("input_si", "instruct", Operation.SI_ADD)
    assert "B0123400001" == request.reference
    assert f"si-input@hk-default/2026.11/{book.hash[:12]}" == request.mapping
    assert () == request.findings


def test_a_write_has_every_member_of_its_schema(book: MappingBook) -> None:
    document = book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT).document

    assert list(book.ocp.schema("SiAddEntry")["properties"]) == list(document)
    assert document["amount"] is None
    assert [] == book.ocp.faults("SiAddEntry", document)


def test_documents_of_two_messages_share_nothing(book: MappingBook) -> None:
    first = book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT).document
    first["remarks"] = "changed"

    assert book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT).document["remarks"] is None


def test_every_value_of_a_request_is_explained(book: MappingBook) -> None:
    request = book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT)

    explained = {each.target for each in request.lineage}
    assert {name for name, value in request.document.items() if value is not None} | set(request.carried) == explained


def test_lineage_names_source_bytes_rule_and_function(book: MappingBook) -> None:
    request = book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT)
    (quantity,) = [each for each in request.lineage if each.target == "quantity"]

    file, _, line = quantity.rule.partition(":")
    assert (
        Lineage("quantity", ("FIAC/36B:SETT",), "UNIT/1000,", "1000", quantity.rule, "quantity", "transformed")
        == quantity
    )
    assert "si-input.toml" == file
    assert int(line) > 0


def test_lineage_kinds(book: MappingBook) -> None:
    kinds = {each.target: each.kind for each in book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT).lineage}

    assert "mapped" == kinds["stockAccount"]
    assert "transformed" == kinds["market"]
    assert "carried" == kinds["place_of_settlement"]


def test_lineage_travels_as_json(book: MappingBook) -> None:
    lineage = book.read_request("SI01", "542", crlf(DELIVER_FREE), CONTEXT).lineage

    assert lineage == msgspec.json.decode(msgspec.json.encode(lineage), type=tuple[Lineage, ...])


def test_remembered_conversions_do_not_mix_messages(book: MappingBook) -> None:
    """The same rule, another value, and back: what was remembered for one text never serves another."""
    other = DELIVER_FREE.replace("SETR//TRAD", "SETR//SECL").replace("SETT//20261125", "SETT//20261126")
    purposes = [
        (request.document["purpose"], request.document["settlementDate"])
        for text in (DELIVER_FREE, other, DELIVER_FREE)
        for request in [book.read_request("SI01", "542", crlf(text), CONTEXT)]
    ]

    assert [("TRADE", "2026-11-25"), ("STOCK_LEND", "2026-11-26"), ("TRADE", "2026-11-25")] == purposes


def test_a_refused_request_has_no_document(book: MappingBook) -> None:
    request = book.read_request(
        "SI01", "542", crlf(DELIVER_FREE.replace("36B::SETT//UNIT/1000,", "36B::SETT//UNIT/0,")), CONTEXT
    )

    assert {} == request.document
    assert () == request.lineage
    assert ["FIAC/36B:SETT"] == [finding.path for finding in request.findings]
    assert "DQUA" == request.findings[0].reason
    assert "B0123400001" == request.reference


def test_an_unreadable_reference_is_empty(book: MappingBook) -> None:
    request = book.read_request(
        "SI01", "542", crlf(DELIVER_FREE.replace("B0123400001", "LONGER-THAN-SIXTEEN")), CONTEXT
    )

    assert "" == request.reference
    assert request.findings


def test_a_misplaced_reference_can_still_be_read(book: MappingBook) -> None:
    swapped = DELIVER_FREE.replace(":20C::SEME//B0123400001\n:23G:NEWM\n", ":23G:NEWM\n:20C::SEME//B0123400001\n")
    request = book.read_request("SI01", "542", crlf(swapped), CONTEXT)

    assert "B0123400001" == request.reference
    assert {} == request.document


@pytest.mark.parametrize("text", [b"", b"\r\n", b"not a message", b":16R:GENL\r\n" * 100, b"\x00\xff" * 50])
def test_nonsense_is_findings_and_never_raises(book: MappingBook, text: bytes) -> None:
    request = book.read_request("SI01", "543", text, CONTEXT)

    assert any(finding.severity == "error" for finding in request.findings)
    assert {} == request.document


def test_an_enquiry_asks_only_what_is_named(book: MappingBook) -> None:
    text = ":16R:GENL\n:20C::SEME//E1\n:23G:NEWM\n:13A::REQU//548\n:97A::SAFE//1\n:16S:GENL\n:16R:REF\n:20C::PREV//I00000001\n:16S:REF\n"
    request = book.read_request("SI07", "549", crlf(text), CONTEXT)

    assert {"participantId": "B01234", "siNumber": "I00000001"} == request.document
    assert "E1" == request.reference


def test_what_no_file_serves_is_missing(book: MappingBook) -> None:
    with pytest.raises(MappingMissing):
        book.read_request("XX99", "543", b"", CONTEXT)
    with pytest.raises(MappingMissing):
        book.read_request("SI01", "548", b"", CONTEXT)
    with pytest.raises(MappingMissing):
        book.write_answer("nothing", {})
    with pytest.raises(MappingMissing):
        book.write_unsolicited("nothing", {})


ENTRY: dict[str, Any] = {
    "participantReference": "B0123400001",
    "participantId": "B01234",
    "counterpartyId": "C00019",
    "direction": "DELIVER",
    "paymentInstruction": "FOP",
    "stockCode": "00005",
    "isin": None,
    "quantity": 1000,
    "settlementDate": "2026-11-25",
    "stockAccount": "00000001",
    "purpose": "TRADE",
    "siNumber": "I00000001",
    "status": "MATCHED",
}


def sources(**ocp: Any) -> dict[str, Any]:
    return {"context": CONTEXT, "request": None, "answer": None, "ocp": {**ENTRY, **ocp}}


def test_a_message_is_explained_field_by_field(book: MappingBook) -> None:
    written = book.write_unsolicited("status_change", sources())
    lines = [
        line for line in written.body.decode().split("\r\n") if line.startswith(":") and line[1:4] not in ("16R", "16S")
    ]

    assert len(lines) == len(written.lineage)
    assert all(each.rule.partition(":")[0].endswith(".toml") for each in written.lineage)


def test_a_named_value_is_explained_by_its_own_sources(book: MappingBook) -> None:
    written = book.write_unsolicited("status_change", sources(reasonText="ALL WELL"))
    (words,) = [each for each in written.lineage if each.target.endswith("70D:REAS")]

    assert {"ocp.status", "ocp.reasonCode", "ocp.reasonText"} <= set(words.sources)
    assert "MATCHED\r\nALL WELL" == words.after


def test_each_item_of_an_array_is_explained(book: MappingBook) -> None:
    faults = [{"code": str(number), "meaning": "", "text": f"FAULT {number}", "reason": "DDAT"} for number in (1, 2)]
    written = book.write_answer(
        "input_si",
        {"context": CONTEXT, "request": None, "answer": {"outcome": "refused", "faults": faults}, "ocp": None},
    )

    targets = [each.target for each in written.lineage if each.target.partition("#")[0].endswith("24B:REJT")]
    assert ["GENL/STAT/REAS/24B:REJT", "GENL/STAT/REAS/24B:REJT#2"] == targets


def test_a_cut_is_a_finding_and_a_lost_line_of_lineage(book: MappingBook) -> None:
    written = book.write_unsolicited("status_change", sources(reasonText="WORD " * 60))

    assert ["PGB-MAP-005"] == [finding.code for finding in written.findings]
    assert "warning" == written.findings[0].severity
    assert 1 == sum(each.kind == "lost" for each in written.lineage)


@pytest.mark.parametrize(
    "change",
    [
        {"status": None},
        {"status": "FROZEN"},
        {"quantity": "many"},
        {"quantity": -1},
        {"settlementDate": None},
        {"purpose": "NEW_PURPOSE"},
        {"siNumber": "X"},
        {"counterpartyId": "C00019-LONG"},
        {"direction": "SIDEWAYS"},
        {"isin": None, "stockCode": None},
        {"participantReference": "NOT\r\n:16S:GENL"},
        {"stockAccount": "ünï"},
    ],
)
def test_what_fits_no_field_is_parked_and_never_sent(book: MappingBook, change: dict[str, Any]) -> None:
    with pytest.raises(MappingFailed) as caught:
        book.write_unsolicited("status_change", sources(**change))

    assert caught.value.findings


def test_the_hash_follows_every_file(files: dict[str, str], book: MappingBook) -> None:
    changed = load({**files, "rules/set.toml": files["rules/set.toml"] + "\n# another\n"})

    assert book.hash != changed.hash
    assert book.hash == load(dict(reversed(files.items()))).hash
    assert (book.name, book.version) == ("hk-default", "2026.11")


def test_a_reference_used_twice_is_a_finding_at_its_place(book: MappingBook) -> None:
    finding = book.duplicate_reference("SI01", "543", "B0123400001")

    assert "GENL/20C:SEME" == finding.path
    assert "error" == finding.severity
