"""What is journaled of a call as it went over: bounded, readable, no secret in it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.bridge.metering import MOST_BYTES, Metering
from pg_bridge.exchange import records as r
from pg_bridge.metrics import Metrics
from pg_bridge.ocp.call_record import CallRecord, shown


def ended(answered: bytes = b"{}", operation: str = "si_query", asked: bytes = b"{}") -> r.CallEnded:
    """The entry of a call."""
    noted: list[r.Record] = []
    metering = Metering("HKB01234", "M1", Metrics())
    metering.note = noted.append
    metering.ended(
        CallRecord(
            operation=operation, participant="B01234", request_id="", method="POST", url="https://ocp.example/",
            asked=asked, status=200, answered=answered, at=0.0, duration_s=0.25,
        )
    )  # fmt: skip
    (record,) = noted
    assert isinstance(record, r.CallEnded)
    read = r.read_entry(r.write_entry(record, 1))
    assert record == read
    return record


@given(st.binary(max_size=300))
def test_any_body_comes_back_as_it_was(body: bytes) -> None:
    kept = ended(body).answered

    assert body == (kept.base64 or kept.text.encode("utf-8"))
    assert (len(body), hashlib.sha256(body).hexdigest()) == (kept.size, kept.hash)


@pytest.mark.parametrize("before", range(4))
def test_a_long_body_is_cut_between_characters_and_says_its_size(before: int) -> None:
    body = b"x" * (MOST_BYTES - before) + "證券".encode() * 1000
    kept = ended(body).answered

    assert len(body) == kept.size
    assert b"" == kept.base64
    assert MOST_BYTES - 3 <= len(kept.text.encode("utf-8")) <= MOST_BYTES


def test_the_body_of_a_write_stands_in_its_batch_only() -> None:
    kept = ended(operation="si_add", asked=b'{"data": []}').asked

    assert (12, "", b"") == (kept.size, kept.text, kept.base64)


def test_headers_that_let_somebody_in_are_hidden() -> None:
    headers = [
        (b"Authorization", b"Bearer abc.def"), (b"Proxy-Authorization", b"Basic cHc="), (b"Set-Cookie", b"s=1"),
        (b"X-Echo", b"you sent abc.def"), (b"Date", b"now"),
    ]  # fmt: skip

    assert [
        (b"Authorization", b"Bearer ***"), (b"Proxy-Authorization", b"Basic ***"), (b"Set-Cookie", b"***"),
        (b"X-Echo", b"you sent ***"), (b"Date", b"now"),
    ] == shown(headers, b"abc.def")  # fmt: skip
