"""The laws of the mapping: what is marked lossless comes back as it went, for generated messages and documents."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pg_bridge.errors import MappingFailed, MappingMissing
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping.back.fidelity import losses, message_fidelity, request_fidelity
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.functions import FUNCTIONS
from tests.doubles.generated import X, documents, isins, messages
from tests.doubles.mapping_files import CONTEXT, shipped
from tests.doubles.mapping_sets import SETS, set_files

BOOK = load(shipped())
WAY_BACK = WayBack(BOOK)
OWN = {**CONTEXT, "profile": {"stock_account": "00000009"}}
#: what templates and schemas alone do not say: the currencies that rules know, and ISINs with a right check digit
PLACES = {
    "SETDET/AMT/19A:SETT": st.tuples(
        st.sampled_from(["HKD", "CNY", "USD"]), st.integers(1, 10**10), st.sampled_from(["", ",5", ",05", ",50"])
    ).map(lambda made: f"{made[0]}{made[1]}{made[2] or ','}"),
}
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000+08:00")  # noqa: DTZ001 - the zone is written
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "occurredAt": TIMES,
    "createdAt": TIMES,
    "updatedAt": TIMES,
    "isin": st.none() | isins,
    "participantId": st.just("B01234"),
    "remarks": st.none() | st.lists(st.text(st.sampled_from(X), min_size=1, max_size=35).filter(lambda line: line[0] not in ":-"), min_size=1, max_size=10).map("\n".join),
    "reasonText": st.none() | st.text(max_size=60),
}  # fmt: skip
BOOKS = {"shipped": BOOK} | {
    name: load({path: text for path, text in set_files(name).items() if path != "messages.toml"})
    for name, folders in SETS.items()
    if folders
}
REQUESTS = [
    (set_name, located.file.function, located.file.request.template, type_)
    for set_name, book in BOOKS.items()
    for located in book.rules.files
    if located.file.request is not None and not located.file.request.report
    for type_ in book.legacy.templates[located.file.request.template].message_types
]
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def way_of(book: MappingBook, function: str, place: str, text: str) -> Any:
    """What the rule of a place reads from a text: the value itself, however it is spelt."""
    for located in book.rules.files:
        if located.file.function != function or located.file.request is None:
            continue
        for rule in located.file.request.rule:
            convert = FUNCTIONS[rule.use].to_ocp if rule.use else None
            if place in rule.sources() and convert is not None and not rule.codes:
                with contextlib.suppress(ValueError):  # the text is one of another rule
                    return convert(rule.options)((text,))
    return text


@pytest.mark.parametrize(("set_name", "function", "template", "type_"), REQUESTS)
def test_each_lossless_field_of_a_request_comes_back(set_name: str, function: str, template: str, type_: str) -> None:
    book = BOOKS[set_name]
    way_back = WayBack(book)
    fidelity = request_fidelity(book, function)
    spec = book.legacy.templates[template]
    split = next(
        located.file.request.split
        for located in book.rules.files
        if located.file.request is not None and located.file.request.template == template
    )
    seen = 0

    @quick
    @given(messages(spec, type_, PLACES))
    def law(body: bytes) -> None:
        nonlocal seen
        # Of several instructions in one message each has a document, and so a message, of its own.
        assume(not split or 1 == body.count(f":16R:{split}".encode()))
        request = book.read_request(template, type_, body, OWN)
        assume(not request.findings)
        back = way_back.write_request(template, request.document, OWN, carried=request.carried, message_type=type_)
        there = spec.check(type_, read(body)).values
        again = spec.check(type_, read(back.body)).values
        for place, each in fidelity.places.items():
            if each.is_lossless:
                went = [way_of(book, function, place, field.value) for field in there.get(place, ())]
                came = [way_of(book, function, place, field.value) for field in again.get(place, ())]
                assert went == came, place
        seen += 1

    law()
    assert 10 <= seen


def test_a_request_for_a_report_has_no_way_back_and_says_so() -> None:
    fidelity = request_fidelity(BOOK, "download_report")

    assert {"20", "12", "77E"} == set(losses(fidelity.places))
    assert {"name", "day"} == set(losses(fidelity.members))
    with pytest.raises(MappingMissing, match="asks for a report"):
        WAY_BACK.write_request("FL02", {"name": "R1", "day": "2026-11-23"}, OWN, message_type="598")


@pytest.mark.parametrize(
    ("function", "template", "schema"), [("input_si", "SI01", "SiAddEntry"), ("enquire_si", "SI07", "SiQuery")]
)
def test_each_lossless_member_of_a_document_comes_back(function: str, template: str, schema: str) -> None:
    fidelity = request_fidelity(BOOK, function)
    carried = {"status_date": "20261123", "reference": "E1", "stock_account": "00000001"}
    seen = 0

    @quick
    @given(documents(BOOK.ocp.openapi, schema, MEMBERS))
    def law(document: dict[str, Any]) -> None:
        nonlocal seen
        assume(not BOOK.ocp.faults(schema, document))
        if document.get("paymentInstruction") == "FOP":
            document |= {"currency": None, "amount": None}
        try:
            back = WAY_BACK.write_request(
                template,
                document,
                OWN,
                carried=carried if function == "enquire_si" else {"place_of_settlement": "XHKCHKH1XXX"},
            )
        except MappingFailed:
            assume(False)
        lost = {finding.path for finding in back.findings}
        assert not lost & {member for member, each in fidelity.members.items() if each.is_lossless}
        seen += 1

    law()
    assert 5 <= seen


@pytest.mark.parametrize(
    ("function", "part", "template", "schema"),
    [
        ("status_change", "message", "SI60", "StatusEvent"),
        ("settlement_confirmation", "message", "SI61", "StatusEvent"),
        ("enquire_si", "answer", "T03A", "SiQueryEntry"),
    ],
)
def test_each_lossless_member_of_a_message_comes_back(function: str, part: str, template: str, schema: str) -> None:
    fidelity = message_fidelity(BOOK, function, part)
    lossless = {member: each.why for member, each in fidelity.items() if each.is_lossless}
    seen = 0

    @quick
    @given(documents(BOOK.ocp.openapi, schema, MEMBERS))
    def law(entry: dict[str, Any]) -> None:
        nonlocal seen
        assume(not BOOK.ocp.faults(schema, entry))
        sources = {
            "context": OWN,
            "request": {"reference": "R1"},
            "answer": {"outcome": "found" if part == "answer" else None},
            "ocp": entry,
        }
        write = BOOK.write_answer if part == "answer" else BOOK.write_unsolicited
        try:
            written = write(function, sources)
        except MappingFailed:
            assume(False)
        told = WAY_BACK.read_message(template, written.message_type, written.body).members
        for member, why in lossless.items():
            if member in told or not why:
                assert entry[member] == told.get(member), member
        assert {member: entry[member] for member in told} == told
        seen += 1

    law()
    assert 10 <= seen


def test_what_is_not_lossless_is_listed_with_its_reason() -> None:
    listed = losses(request_fidelity(BOOK, "input_si").places)

    assert {
        "SETDET/22F:SETR": "OWNE becomes PORTFOLIO and comes back as OWNI",
        "SETDET/22F:RTGS": "NRTG becomes DVP and comes back absent",
        "FIAC/97A:SAFE": "where it is absent, profile.stock_account comes back",
    } == listed
    assert all(losses(message_fidelity(BOOK, "status_change", "message")).values())
