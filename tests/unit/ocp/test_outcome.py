"""Any answer whatever becomes entries or one of four errors, and never anything else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import OcpDenied, OcpError, OcpOutcomeUnknown, OcpRefused, OcpThrottled, OcpUnavailable
from pg_bridge.ocp.outcome import Answers, Reply
from pg_bridge.ocp.references import reference_reader
from pg_bridge.ocp.schemas import answer_schema, delivery_schema
from pg_bridge.profiles.concepts import STREAMS, Operation
from pg_bridge.profiles.page_limit import page_limit
from tests.doubles import ocp_world as world

ANSWERS = Answers(world.ocp_profile(), Operation.SI_ADD)
GOOD = json.dumps(world.envelope([world.answer_entry()])).encode()


@settings(max_examples=200, deadline=None)
@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=50),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "data", "x"]), inner),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_strange_answer_is_taken_for_done_or_refused(status: int, body: bytes) -> None:
    with pytest.raises(OcpError) as caught:
        ANSWERS.read(Reply(status, body), ["B0123400001"])

    surely_nothing = {401: OcpDenied, 403: OcpDenied, 429: OcpThrottled, 503: OcpUnavailable}
    assert type(caught.value) is surely_nothing.get(status, OcpOutcomeUnknown)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_good_answer_changed_anywhere_is_never_taken_for_a_refusal(data: st.DataObject) -> None:
    """One byte differs: the entries still fit, or nothing is claimed to be known."""
    at = data.draw(st.integers(0, len(GOOD) - 1))
    changed = GOOD[:at] + bytes([data.draw(st.integers(0, 255))]) + GOOD[at + 1 :]

    try:
        page = ANSWERS.read(Reply(200, changed), ["B0123400001"])
    except OcpOutcomeUnknown:
        return
    assert [entry["requestReference"] for entry in page.entries] == ["B0123400001"]


def test_a_query_counts_nothing() -> None:
    assert ANSWERS.read(Reply(200, json.dumps(world.envelope()).encode())).entries == []


@pytest.mark.parametrize(("cursor", "found"), [("0", None), ("17", "17")])
def test_the_first_cursor_ends_a_listing(cursor: str, found: str | None) -> None:
    body = json.dumps(world.envelope(nextCursor=cursor)).encode()

    assert ANSWERS.read(Reply(200, body)).next_cursor == found


def test_complaints_name_the_place_not_the_value() -> None:
    body = json.dumps(world.envelope([world.answer_entry(siNumber="SECRET")])).encode()

    with pytest.raises(OcpOutcomeUnknown) as caught:
        ANSWERS.read(Reply(200, body), ["B0123400001"])

    assert "data.0.siNumber" in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_every_operation_names_the_schema_of_its_answer() -> None:
    profile = world.ocp_profile()

    assert {answer_schema(profile, operation) for operation in set(Operation) - STREAMS} >= {
        "SiAnswer",
        "StatusEventsAnswer",
    }
    assert delivery_schema(profile) == "StatusEventDelivery"
    assert page_limit(profile, Operation.SI_QUERY, ("size",)) == 1000
    assert page_limit(profile, Operation.CRYPTO_META, ("size",)) is None


def test_references_are_read_in_order() -> None:
    read = reference_reader(world.ocp_profile(), is_bulk=True)
    entries: list[dict[str, Any]] = [world.si_entry("A"), world.si_entry("B"), {"participantId": "B01234"}]

    assert read(world.bulk(entries)) == ["A", "B", None]
    assert read(b"{}") == []
    with pytest.raises(msgspec.DecodeError):
        read(b'{"data": 1}')


def test_refusals_keep_their_order() -> None:
    with pytest.raises(OcpRefused) as caught:
        ANSWERS.read(Reply(200, json.dumps(world.refusal("400001", "400003")).encode()), ["B0123400001"])

    assert [code for code, _ in caught.value.refusals] == ["400001", "400003"]
