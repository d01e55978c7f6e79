"""What rules remember of earlier messages makes no difference: two books that saw them in another order agree."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pg_bridge.errors import MappingFailed
from pg_bridge.mapping.book import MappingBook, load
from tests.doubles.mangling import mangled
from tests.doubles.mapping_files import CONTEXT

FOLDER = Path(__file__).parents[2] / "messages"
SOUND = [
    (FOLDER / name).read_bytes()
    for name in (
        "mt543_deliver_against_payment.fin",
        "mt543_put_on_hold_real_time.fin",
    )
]
CHANGES = (
    (b"B0123400001", b"B0123400002"), (b"UNIT/1000,", b"UNIT/7,0"), (b"12345,67", b"0005,"), (b"HKD", b"USD"),
    (b"NEWM", b"PREA"), (b"20261125", b"20261126"), (b"NRTG", b"YRTG"), (b"/HK/00005", b"/HK/00700"),
    (b"REMARKS", b"TRUE"), (b"CLIENT0001", b"00000001"), (b"ISIN HK0005000002\r\n", b""),
)  # fmt: skip


@st.composite
def sound(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(SOUND))
    for old, new in draw(st.lists(st.sampled_from(CHANGES), max_size=4)):
        body = body.replace(old, new)
    return body


TEXT = st.sampled_from(
    [None, "A", "1", "true", "WORD " * 60, "ONE\nTWO", "\xe9", "AWAIT_COUNTERPARTY", "LACK_OF_SHARES"]
)
EVENTS = st.fixed_dictionaries(
    {
        "participantReference": st.sampled_from([None, "B0123400001", "B0123400002", "X" * 17]),
        "participantId": st.just("B01234"),
        "counterpartyId": st.sampled_from(["C00019", "C00020", None, 1, True]),
        "direction": st.sampled_from(["DELIVER", "RECEIVE"]),
        "paymentInstruction": st.sampled_from(["DVP", "RDP", "FOP"]),
        "stockCode": st.sampled_from(["00005", "00700", None]),
        "isin": st.sampled_from(["HK0005000002", None]),
        "quantity": st.sampled_from([1, 1000, True, "1", None]),
        "currency": st.sampled_from(["HKD", "USD"]),
        "amount": st.sampled_from(["1.00", "12345.67", 1]),
        "settlementDate": st.sampled_from(["2026-11-23", "2026-11-25"]),
        "tradeDate": st.sampled_from(["2026-11-23", None]),
        "stockAccount": st.sampled_from(["00000001", "1", 1, True]),
        "purpose": st.just("TRADE"),
        "siNumber": st.sampled_from(["I00000001", "I00000002"]),
        "status": st.sampled_from(["PENDING", "UNMATCHED", "MATCHED", "MATCHED_ON_HOLD", "FAILING", "REVOKED", "NONE"]),
        "holdOwn": st.booleans(),
        "revokeOwn": st.booleans(),
        "reasonCode": TEXT,
        "reasonText": TEXT,
    }
)


@pytest.fixture(scope="module")
def books(files: dict[str, str]) -> tuple[MappingBook, MappingBook]:
    return load(files), load(files)


def written(book: MappingBook, event: dict[str, Any]) -> tuple[Any, ...]:
    """What comes of an event: text, lineage and findings, or the words of the failure."""
    try:
        made = book.write_unsolicited(
            "status_change", {"context": CONTEXT, "request": None, "answer": None, "ocp": event}
        )
    except MappingFailed as error:
        return str(error), error.findings
    return made.body, made.lineage, [type(told.after) for told in made.lineage], made.findings


def translated(book: MappingBook, body: bytes) -> tuple[Any, ...]:
    made = book.read_request("SI01", "543", body, CONTEXT, lenient=True)
    return made.document, [type(value) for value in made.document.values()], made.carried, made.lineage, made.findings


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, min_size=2, max_size=8))
def test_the_order_of_events_makes_no_difference_to_any_message(books, events):
    one, other = books

    there = [written(one, event) for event in events]
    back = [written(other, event) for event in reversed(events)]

    assert there == back[::-1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(sound(), mangled(SOUND)), min_size=2, max_size=8))
def test_the_order_of_messages_makes_no_difference_to_any_request(books, bodies):
    one, other = books

    there = [translated(one, body) for body in bodies]
    back = [translated(other, body) for body in reversed(bodies)]

    assert there == back[::-1]


def test_values_that_never_come_again_do_not_fill_the_memory(books):
    """References, quantities and amounts of 4,000 instructions and events: what is kept does not grow with them."""
    book, _ = books
    event = {
        "participantReference": "A", "participantId": "B01234", "counterpartyId": "C00019", "direction": "DELIVER",
        "paymentInstruction": "DVP", "stockCode": "00005", "quantity": 1, "currency": "HKD", "amount": "1.00",
        "settlementDate": "2026-11-25", "stockAccount": "00000001", "siNumber": "I00000001", "status": "MATCHED",
        "purpose": "TRADE",
    }  # fmt: skip

    def serve(numbers: range) -> int:
        for number in numbers:
            body = SOUND[0].replace(b"B0123400001", b"B%010d" % number).replace(b"/1000,", b"/%d," % (1 + number))
            assert translated(book, body)[-1] == ()
            changed = {
                **event,
                "participantReference": f"B{number:010}",
                "siNumber": f"I{number:08}",
                "quantity": number,
            }
            assert len(written(book, changed)) == 4
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    first = serve(range(1000))
    second = serve(range(1000, 4000))
    tracemalloc.stop()

    assert second - first < 300_000
