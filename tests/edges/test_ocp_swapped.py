"""The client against the pretend OCP by the other profile: every operation, spoken of in concepts only."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import msgspec
import pytest

from pg_bridge.errors import OcpRefused, PushRefused
from pg_bridge.ocp.client import OcpClient
from pg_bridge.ocp.keys import KeyPair, new_key_pem
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.push import PushDoor
from pg_bridge.ocp.references import reference_reader
from pg_bridge.ocp.subscription import ensure_subscribed
from pg_bridge.ocp.tokens import Identity
from pg_bridge.profiles.concepts import SI_ENTRY, EventType, Operation, Payment, Refusal, Status
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.profiles.ocp_file import PROFILE_FILE
from pg_bridge.profiles.openapi import OPENAPI_FILE
from pg_bridge.simulator.pretend import Call, PretendOcp
from pg_bridge.simulator.stream_routes import open_stream
from pg_bridge.simulator.streams import Stream
from pg_bridge.simulator.stub import Stub, start_stub
from tests.doubles.mapping_sets import set_files
from tests.doubles.pretend_ocp import client_and_pretend, wall

TODAY = "2026-11-23"


@cache
def profile() -> OcpProfile:
    return read_ocp_profile(set_files("ocp_b"))


class Caller:
    """Asks and writes by concept."""

    def __init__(self, client: OcpClient, pretend: PretendOcp) -> None:
        self.client = client
        self.pretend = pretend

    async def write(self, operation: Operation, *, request_id: str = "", **values: Any) -> dict[str, Any]:
        body = msgspec.json.encode(profile().write("si", {"participant_id": "B01234", **values}))
        (entry,) = await self.client.write(operation, "B01234", request_id or str(uuid.uuid4()), body)
        return profile().read("answer", entry)

    async def add(self, reference: str, **changes: Any) -> dict[str, Any]:
        return await self.write(Operation.SI_ADD, **(_si(reference) | changes))

    async def find(self, **asked: Any) -> list[dict[str, Any]]:
        document = profile().write("query", {"participant_id": "B01234", **asked})
        found = await self.client.ask(Operation.SI_QUERY, "B01234", document)
        return [profile().read("si", entry) for entry in found]

    async def events(self, after: int = 0) -> list[dict[str, Any]]:
        asked = {"participant_id": "B01234", "business_date": TODAY, "after_sequence": after}
        found = await self.client.ask(Operation.STATUS_EVENTS, "B01234", profile().write("events_query", asked))
        return [profile().read("event", event) for event in found]


def _si(reference: str) -> dict[str, Any]:
    return {
        "request_reference": reference,
        "participant_reference": reference,
        "counterparty_id": "C00019",
        "market": "HK",
        "direction": "OUT",
        "payment_instruction": profile().code("payment_instruction", Payment.DVP),
        "stock_code": "00005",
        "isin": None,
        "quantity": 1000,
        "currency": "HKD",
        "amount": "12345.67",
        "trade_date": None,
        "settlement_date": "2026-11-25",
        "stock_account": "00000001",
        "purpose": "1",
        "hold": False,
    }


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    key = KeyPair(new_key_pem("ES256"), algorithm="ES256")
    async with client_and_pretend(profile(), Identity("HKB01234", key, "HKB01234-M1", key)) as (client, pretend):
        yield Caller(client, pretend)


async def test_an_order_is_entered_and_found_as_it_was_stated(caller: Caller) -> None:
    answer = await caller.add("R1")
    for asked in ({"request_reference": "R1", "business_date": TODAY}, {"si_number": answer["si_number"]}):
        (found,) = await caller.find(**asked)

        assert _si("R1") == {concept: found[concept] for concept in _si("R1")}
        assert "I00000001" == found["si_number"] == answer["si_number"]
        assert found["created_at"].startswith("2026-11-23T09:30")
        assert (False, False) == (found["hold_own"], found["revoke_counterparty"])
        assert Status.UNMATCHED is profile().meaning("status", found["status"])
        assert set(SI_ENTRY) == set(found)


async def test_a_stream_tells_its_notices_and_there_is_no_socket(caller: Caller) -> None:
    token = await caller.client._tokens.token()
    headers = {"authorization": f"Bearer {token.value}"}
    first = Call(Operation.STATUS_STREAM, headers, [("member", "B01234")], b"")
    stream = open_stream(caller.pretend, first)
    await caller.add("R1")
    await caller.add("R2")
    again = open_stream(caller.pretend, replace(first, headers={**headers, "last-event-id": f"{TODAY}:1"}))

    assert isinstance(stream, Stream)
    assert isinstance(again, Stream)
    (told, more), (resumed,) = await stream.feed.take(2), await again.feed.take(2)
    assert more == resumed
    assert (f"{TODAY}:1", 1) == (
        str(told.place),
        profile().read("event", msgspec.json.decode(told.document))["event_sequence"],
    )
    assert Operation.STATUS_SOCKET not in profile().operations


async def test_every_other_write_has_its_own_way(caller: Caller) -> None:
    number = (await caller.add("R1"))["si_number"]
    named = {"si_number": number, "participant_reference": "R1"}
    changed = await caller.write(
        Operation.SI_CHANGE, **(_si("R2") | {"participant_reference": "R1", "quantity": 5, "si_number": number})
    )
    held = await caller.write(Operation.SI_HOLD, request_reference="R3", hold=True, **named)
    authorised = await caller.write(Operation.SI_AUTHORISE, request_reference="R4", **named)
    revoked = await caller.write(Operation.SI_REVOKE, request_reference="R5", **named)
    deleted = await caller.write(Operation.SI_DELETE, request_reference="R6", **named)
    (found,) = await caller.find(si_number=number)

    assert ([], []) == (changed["record_errors"], deleted["record_errors"])
    for refused in (held, authorised, revoked):
        (error,) = refused["record_errors"]
        code = profile().get("record_error", "record_error_code", error)
        assert Refusal.WRONG_STATE is profile().meaning("refusal", code)
    assert 5 == found["quantity"]
    assert Status.DELETED is profile().meaning("status", found["status"])


async def test_pages_follow_by_cursor_and_by_sequence(caller: Caller) -> None:
    references = [f"R{number}" for number in range(7)]
    for reference in references:
        await caller.add(reference)
    found = await caller.find(size=3)
    events = await caller.events(after=2)

    assert references == [each["request_reference"] for each in found]
    assert [3, 4, 5, 6, 7] == [event["event_sequence"] for event in events]
    assert {TODAY} == {event["event_business_date"] for event in events}


async def test_a_used_request_id_and_a_bad_order_are_refused(caller: Caller) -> None:
    request_id = str(uuid.uuid4())
    await caller.write(Operation.SI_ADD, request_id=request_id, **_si("R1"))
    with pytest.raises(OcpRefused) as repeated:
        await caller.write(Operation.SI_ADD, request_id=request_id, **_si("R1"))
    again = await caller.add("R1")
    wrong = await caller.add("R2", quantity=0)

    ((code, _),) = repeated.value.refusals
    assert Refusal.REQUEST_ID_REPEATED is profile().meaning("refusal", code)
    codes = [profile().get("record_error", "record_error_code", each["record_errors"][0]) for each in (again, wrong)]
    assert [Refusal.REFERENCE_USED, Refusal.FIELD_MALFORMED] == [profile().meaning("refusal", code) for code in codes]
    assert ["R1"] == [done.request_reference for done in caller.pretend.ledger.after(0)]


async def test_a_delivery_is_signed_and_read_by_the_other_profile(caller: Caller) -> None:
    await caller.add("R1")
    (event,) = caller.pretend.events("B01234", date.fromisoformat(TODAY))
    body = msgspec.json.encode(profile().write("delivery", {"events": [event]}))
    stamp = str(int(wall().timestamp() * 1000))
    seal = caller.pretend.key.sign_detached(f"d-1.{stamp}.".encode() + body)
    headers = dict(zip(profile().headers.of_delivery, ("d-1", stamp, seal), strict=True))
    door = PushDoor(profile(), caller.client.signing_keys)
    delivery = await door.receive(headers, body, wall())

    assert "ES256" == profile().push.algorithm
    assert [1] == [profile().get("event", "event_sequence", each) for each in delivery.events]
    with pytest.raises(PushRefused):
        await door.receive(headers, body + b" ", wall())


async def test_an_event_may_hold_the_order_in_a_member_of_its_own() -> None:
    files = dict(set_files("ocp_b"))
    files[PROFILE_FILE] = files[PROFILE_FILE].replace('si = ""', 'si = "subject.order"')
    notice = files[OPENAPI_FILE].index("    Notice:\n")
    files[OPENAPI_FILE] = files[OPENAPI_FILE][:notice] + files[OPENAPI_FILE][notice:].replace(
        "        <<: *whole\n",
        '        subject: {type: object, required: [order], properties: {order: {$ref: "#/components/schemas/Order"}}}\n',
        1,
    ).replace("[notice, ref, party, instrument, cash, dates, way, why, order]", "[notice, subject]", 1)
    nested = read_ocp_profile(files)
    key = KeyPair(new_key_pem("ES256"), algorithm="ES256")
    async with client_and_pretend(nested, Identity("HKB01234", key, "HKB01234-M1", key)) as (client, pretend):
        await Caller(client, pretend).add("R1")
        asked = {"participant_id": "B01234", "business_date": TODAY, "after_sequence": 0}
        (event,) = await client.ask(Operation.STATUS_EVENTS, "B01234", nested.write("events_query", asked))

    assert {"notice", "subject"} == set(event)
    assert "R1" == nested.get("si", "participant_reference", nested.get("event", "si", event))


async def test_the_stub_of_benchmarks_takes_it_too() -> None:
    key = KeyPair(new_key_pem("ES256"), algorithm="ES256")
    server, url = await start_stub(Stub(profile(), wall()))
    body = msgspec.json.encode(profile().write("si", {"participant_id": "B01234", **_si("R1")}))
    async with (
        server,
        OcpClient(
            profile(),
            OcpOptions(base_url=url),
            Identity("C", key, "M", key),
            limits=CallLimits([], time.monotonic),
            clock=wall,
            monotonic=time.monotonic,
            fresh_id=lambda: str(uuid.uuid4()),
        ) as client,
    ):
        (entry,) = await client.write(Operation.SI_ADD, "B01234", str(uuid.uuid4()), body)

    assert ("R1", "I00000001") == tuple(
        profile().get("answer", name, entry) for name in ("request_reference", "si_number")
    )


async def test_a_webhook_is_subscribed_once_and_completed(caller: Caller) -> None:
    slots = CallLimits([], time.monotonic)
    url = "http://127.0.0.1:1/hook"

    async def ensured() -> Operation | None:
        return await ensure_subscribed(caller.client, slots, profile(), url, lambda: str(uuid.uuid4()))

    assert Operation.SUBSCRIPTION_ADD is await ensured()
    (subscriber,) = caller.pretend.pusher.subscribers()
    assert frozenset(EventType) == subscriber.event_types
    assert await ensured() is None
    caller.pretend.pusher.subscribe("HKB01234", url, frozenset({EventType.MATCHED}), None)
    assert Operation.SUBSCRIPTION_CHANGE is await ensured()


def test_references_stand_where_the_binding_says() -> None:
    nested = profile().write("si", {"request_reference": "A"})
    one = reference_reader(profile(), is_bulk=False)
    many = reference_reader(profile(), is_bulk=True)

    assert ["A"] == one(msgspec.json.encode(nested))
    assert [None] == one(b"{}")
    assert ["A", None] == many(msgspec.json.encode(profile().write("request", {"entries": [nested, {}]})))
    with pytest.raises(msgspec.DecodeError):
        one(b'{"ref": 5}')
