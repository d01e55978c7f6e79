"""The pretend OCP over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from tests.doubles.ocp_caller import (
    COMPANY,
    MACHINE,
    MAPPINGS,
    OTHER_MACHINE,
    TOKEN_PATH,
    other_side,
    registrations,
    rsa_key,
    shipped_profile,
    si_entry,
)
from tests.doubles.running_ocp import START, running
from tests.doubles.subscriber import subscribed

ADD = "/api/si/instructions/add/v1"


def changed_profile(*old_and_new: str) -> OcpProfile:
    """The shipped profile with texts replaced in its binding file."""
    files = {str(path.relative_to(MAPPINGS)): path.read_text() for path in MAPPINGS.glob("ocp/*")}
    for old, new in zip(old_and_new[::2], old_and_new[1::2], strict=True):
        assert old in files["ocp/profile.toml"]
        files["ocp/profile.toml"] = files["ocp/profile.toml"].replace(old, new)
    return read_ocp_profile(files)


def is_verified(headers: dict, body: bytes, jwk: dict) -> bool:
    """RFC 7797 by a library that is not the pretend OCP's."""
    payload = f"{headers['x-ocp-delivery-id']}.{headers['x-ocp-timestamp']}.".encode() + body
    try:
        jwt.api_jws.PyJWS().decode(
            headers["x-ocp-signature"], jwt.PyJWK(jwk).key, algorithms=["RS256"], detached_payload=payload
        )
    except jwt.InvalidSignatureError:
        return False
    return True


# ---- tokens

EXPIRED, TOO_LONG, NOT_VALID = (
    "JWT assertion is expired or invalid",
    "JWT expiration time is unreasonable",
    "JWT assertion is not valid",
)
TOKEN_REFUSALS = {
    "company_expired": (lambda one: {"assertion": one.assertion(COMPANY, exp=1)}, "invalid_grant", EXPIRED),
    "machine_expired": (
        lambda one: {"client_assertion": one.assertion(MACHINE, exp=1)},
        "invalid_client",
        "JWT has expired",
    ),
    "company_too_long": (
        lambda one: {"assertion": one.assertion(COMPANY, exp=int(one.wall.at.timestamp()) + 1801)},
        "invalid_grant",
        TOO_LONG,
    ),
    "machine_too_long": (
        lambda one: {"client_assertion": one.assertion(MACHINE, exp=int(one.wall.at.timestamp()) + 1801)},
        "invalid_client",
        TOO_LONG,
    ),
    "company_garbage": (lambda _: {"assertion": "no.jwt.this"}, "invalid_grant", NOT_VALID),
    "machine_garbage": (lambda _: {"client_assertion": "no.jwt.this"}, "invalid_client", "JWT could not parse"),
    "company_signed_by_another": (
        lambda one: {"assertion": one.assertion(COMPANY, signed_by=MACHINE)},
        "invalid_grant",
        NOT_VALID,
    ),
    "machine_signed_by_another": (
        lambda one: {"client_assertion": one.assertion(MACHINE, signed_by=COMPANY)},
        "invalid_client",
        NOT_VALID,
    ),
    "company_unknown": (lambda one: {"assertion": one.assertion("CP99999")}, "invalid_grant", NOT_VALID),
    "machine_of_another": (
        lambda one: {"client_assertion": one.assertion(OTHER_MACHINE)},
        "invalid_client",
        NOT_VALID,
    ),
    "wrong_audience": (lambda one: {"assertion": one.assertion(COMPANY, aud="elsewhere")}, "invalid_grant", NOT_VALID),
    "issuer_is_not_subject": (
        lambda one: {"assertion": one.assertion(COMPANY, iss=MACHINE)},
        "invalid_grant",
        NOT_VALID,
    ),
    "issued_tomorrow": (
        lambda one: {"assertion": one.assertion(COMPANY, iat=int(one.wall.at.timestamp()) + 100)},
        "invalid_grant",
        NOT_VALID,
    ),
    "no_jti": (lambda one: {"assertion": one.assertion(COMPANY, drop="jti")}, "invalid_grant", NOT_VALID),
    "no_exp": (lambda one: {"assertion": one.assertion(COMPANY, drop="exp")}, "invalid_grant", NOT_VALID),
    "hs256": (lambda one: {"assertion": one.assertion(COMPANY, algorithm="HS256")}, "invalid_grant", NOT_VALID),
    "no_grant": (lambda _: {"grant_type": "password"}, "unsupported_grant_type", None),
    "no_assertion": (lambda _: {"assertion": None}, "invalid_request", None),
    "no_client_assertion": (lambda _: {"client_assertion": None}, "invalid_request", None),
    "no_client_assertion_type": (lambda _: {"client_assertion_type": None}, "invalid_client", None),
}


async def test_every_bad_token_request_is_refused_in_its_own_words() -> None:
    async with running() as (one, _):
        for name, (changes, error, description) in TOKEN_REFUSALS.items():
            reply = await one.http.post(TOKEN_PATH, data=one.form(**changes(one)))

            assert (400, error) == (reply.status_code, reply.json()["error"]), name
            assert description in (None, reply.json()["error_description"]), name


async def test_an_assertion_is_good_once() -> None:
    async with running() as (one, _):
        form = one.form()
        first = await one.http.post(TOKEN_PATH, data=form)
        again = await one.http.post(TOKEN_PATH, data=form | {"client_assertion": one.assertion(MACHINE)})

        assert {"token_type": "Bearer", "expires_in": 30, "scope": COMPANY}.items() <= first.json().items()
        assert (400, NOT_VALID) == (again.status_code, again.json()["error_description"])


async def test_a_refused_exchange_does_not_use_the_good_assertion_up() -> None:
    async with running() as (one, _):
        form = one.form()
        await one.http.post(TOKEN_PATH, data=form | {"client_assertion": "no.jwt.this"})

        assert 200 == (await one.http.post(TOKEN_PATH, data=form)).status_code


async def test_a_token_ends_after_thirty_seconds() -> None:
    async with running() as (one, _):
        one.wall.pass_s(29)
        before = await one.http.get("/api/system/echo/v1", headers=one.headers())
        one.wall.pass_s(1)
        after = await one.http.get("/api/system/echo/v1", headers=one.headers())

        assert (200, 401) == (before.status_code, after.status_code)


# ---- calls


async def test_an_si_is_entered_and_found() -> None:
    async with running() as (one, _):
        reply = (await one.add(si_entry("R1"))).json()
        found = await one.query(participantId="B01234", requestReference="R1", businessDate="2026-11-23")

        assert ("0", "", 1, "0", []) == tuple(
            reply[name] for name in ("code", "message", "totalSize", "nextCursor", "exception")
        )
        assert {
            "requestReference": "R1",
            "participantReference": "R1",
            "siNumber": "I00000001",
            "status": "UNMATCHED",
            "version": 1,
            "exception": [],
        } == reply["data"][0]
        assert si_entry("R1").items() <= found["data"][0].items()
        assert ("UNMATCHED", "AWAIT_COUNTERPARTY", START.replace("+", ".000+")) == tuple(
            found["data"][0][name] for name in ("status", "reasonCode", "createdAt")
        )
        assert [] == shipped_profile().faults("SiAnswer", reply)
        assert [] == shipped_profile().faults("SiQueryAnswer", found)


async def test_both_sides_match_and_settle_when_the_clock_reaches_the_run() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1"))
        await other.add(other_side("S1"))
        before = await one.query(participantId="B01234", status="MATCHED")
        state = await one.control("clock", {"jump": "2026-11-25T10:30:00+08:00"})
        after = await other.query(participantId="C00019")
        events = await one.events("B01234", "2026-11-25")

        assert 1 == before["totalSize"]
        assert "2026-11-25T10:30:00+08:00" == state["now"]
        assert ["SETTLED"] == [entry["status"] for entry in after["data"]]
        assert [("SETTLED", 1, "MATCHED", "SETTLED")] == [
            (event["eventType"], event["sequence"], event["previousStatus"], event["newStatus"])
            for event in events["data"]
        ]
        assert [] == shipped_profile().faults("StatusEventsAnswer", events)


async def test_every_entry_of_a_bulk_is_judged_alone_and_in_order() -> None:
    async with running() as (one, _):
        reply = await one.add(
            si_entry("R1"),
            si_entry("R2", quantity=0, extra=1, settlementDate="2026-02-30", currency=None),
            si_entry("R3", participantId="C00019"),
            si_entry("R1"),
            si_entry("R5", settlementDate="2026-11-28"),
            {"requestReference": "R6"},
            "no object",
            si_entry("R8"),
        )
        entries = reply.json()["data"]
        codes = [[error["recordErrorCode"] for error in entry["exception"]] for entry in entries]

        assert "0" == reply.json()["code"]
        assert ["I00000001", *[None] * 6, "I00000002"] == [entry["siNumber"] for entry in entries]
        assert [[], ["403002"], ["409001"], ["400106"], ["400002"]] == [codes[at] for at in (0, 2, 3, 4, 6)]
        assert {"400001", "400002", "400003", "400004"} == set(codes[1])
        assert {"400001"} == set(codes[5])
        assert 2 == len((await one.control("ledger"))["done"])


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"data": []}, "400001"),
        ({}, "400001"),
        ([], "400001"),
        ({"data": [{}] * 1001}, "405904"),
    ],
)
async def test_a_request_without_a_fit_bulk_is_refused_whole(document, code) -> None:
    async with running() as (one, _):
        reply = await one.post(ADD, document)

        assert (400, code, []) == (reply.status_code, reply.json()["code"], reply.json()["data"])


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"data": 1e999}'])
async def test_a_body_that_is_no_json_is_refused_whole(body) -> None:
    async with running() as (one, _):
        request_id = str(uuid.uuid4())
        refused = await one.http.post(ADD, content=body, headers=one.headers(request_id))
        after = await one.add(si_entry("R1"), request_id=request_id)

        assert (400, "0") == (refused.status_code, after.json()["code"])
        assert refused.json()["code"] in ("400001", "400002")


async def test_headers_of_a_write_are_needed_and_fresh() -> None:
    async with running() as (one, _):
        stale = str(int(one.wall.at.timestamp() * 1000) - 300_001)
        for changes, code in (
            ({"X_OCP_REQUEST_ID": None}, "411001"),
            ({"X_OCP_REQUEST_ID": "no-uuid"}, "411001"),
            ({"X_OCP_TIMESTAMP": None}, "411003"),
            ({"X_OCP_TIMESTAMP": "yesterday"}, "411003"),
            ({"X_OCP_TIMESTAMP": stale}, "411004"),
        ):
            reply = await one.http.post(ADD, json={"data": [si_entry("R1")]}, headers=one.headers(**changes))

            assert (400, code) == (reply.status_code, reply.json()["code"]), changes
        assert 0 == (await one.control("state"))["sis"]


async def test_a_request_id_does_work_once_in_a_day() -> None:
    async with running() as (one, _):
        request_id = str(uuid.uuid4())
        await one.add(si_entry("R1"), request_id=request_id)
        again = await one.add(si_entry("R2"), request_id=request_id)
        await one.control("clock", {"advance_s": 86_400})
        next_day = await one.add(si_entry("R3"), request_id=request_id.upper())

        assert (200, "411002", []) == (again.status_code, again.json()["code"], again.json()["data"])
        assert "0" == next_day.json()["code"]


async def test_a_request_id_is_free_after_a_refusal_of_the_whole() -> None:
    async with running() as (one, _):
        request_id = str(uuid.uuid4())
        await one.post(ADD, {"data": []}, request_id)

        assert "0" == (await one.add(si_entry("R1"), request_id=request_id)).json()["code"]


async def test_a_repeated_request_id_is_answered_again_when_so_set() -> None:
    async with running(replay_request_ids=True) as (one, _):
        request_id = str(uuid.uuid4())
        first = await one.add(si_entry("R1"), request_id=request_id)
        again = await one.add(si_entry("R1"), request_id=request_id)

        assert first.content == again.content
        assert 1 == len((await one.control("ledger"))["done"])


async def test_a_company_is_throttled_by_default_and_told_for_how_long() -> None:
    async with running() as (one, other):
        for _ in range(480):
            await one.http.get("/api/system/echo/v1", headers=one.headers())
        one.wall.pass_s(20)
        reply = await one.http.get("/api/system/echo/v1", headers=one.headers())
        others = await other.http.get("/api/system/echo/v1", headers=other.headers())
        await one.control("limits", {"company_calls": 0})
        after = await one.http.get("/api/system/echo/v1", headers=one.headers())

        assert (429, "40") == (reply.status_code, reply.headers["Retry-After"])
        assert (200, 200) == (others.status_code, after.status_code)


async def test_a_query_of_another_companys_participant_is_refused() -> None:
    async with running() as (one, _):
        reply = await one.post("/api/si/instructions/query/v1", {"participantId": "C00019"})

        assert (403, "403002") == (reply.status_code, reply.json()["code"])


async def test_a_function_that_is_not_granted_is_refused() -> None:
    few = registrations()
    few["companies"][COMPANY]["functions"] = ["echo"]
    async with running(registrations=few) as (one, _):
        reply = await one.add(si_entry("R1"))

        assert (403, "403001") == (reply.status_code, reply.json()["code"])


async def test_a_listing_is_paged_by_its_cursor() -> None:
    async with running() as (one, _):
        await one.add(*(si_entry(f"R{number}", quantity=number) for number in range(1, 8)))
        pages, cursor = [], "0"
        while True:
            page = await one.query(participantId="B01234", size=3, nextCursor=cursor)
            pages.append([entry["siNumber"] for entry in page["data"]])
            cursor = page["nextCursor"]
            if cursor == "0":
                break

        assert [3, 3, 1] == [len(page) for page in pages]
        assert [f"I0000000{number}" for number in range(1, 8)] == [number for page in pages for number in page]
        assert 7 == page["totalSize"]


async def test_status_events_go_on_behind_a_sequence() -> None:
    async with running() as (one, other):
        await one.add(*(si_entry(f"R{number}", quantity=number) for number in (1, 2, 3)))
        await other.add(other_side("S1", quantity=2))
        first = await one.events("B01234", size=2)
        rest = await one.events("B01234", afterSequence=2)

        assert ([1, 2], "2", 4) == ([e["sequence"] for e in first["data"]], first["nextCursor"], first["totalSize"])
        assert ([3, 4], "0") == ([event["sequence"] for event in rest["data"]], rest["nextCursor"])
        assert "MATCHED" == rest["data"][-1]["eventType"]


async def test_bad_parameters_of_status_events_are_named() -> None:
    async with running() as (one, _):
        for parameters, code in (
            ({"participantId": "B01234"}, "400001"),
            ({"participantId": "B01234", "businessDate": "today"}, "400002"),
            ({"participantId": "B01234", "businessDate": "2026-11-23", "size": "1001"}, "400003"),
            ({"participantId": "B01234", "businessDate": "2026-11-23", "other": "1"}, "400004"),
        ):
            reply = await one.http.get("/api/si/status-events/v1", params=parameters, headers=one.headers())

            assert (400, code) == (reply.status_code, reply.json()["code"]), parameters


async def test_hold_change_delete_and_revoke_by_api() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1", hold=True), si_entry("R2", quantity=5), si_entry("R3", quantity=7))
        await other.add(other_side("S1"))

        async def write(verb: str, reference: str, number: int, **fields: object) -> dict:
            named = {"requestReference": reference, "participantId": "B01234", "siNumber": f"I0000000{number}"}
            reply = await one.post(f"/api/si/instructions/{verb}/v1", {"data": [named | fields]})
            return reply.json()["data"][0]

        released = await write("hold", "R4", 1, hold=False)
        deleted = await write("delete", "R5", 2)
        changed = await write("change", "R6", 3, **(si_entry("R6", quantity=8) | {"siNumber": "I00000003"}))
        revoked = await write("revoke", "R7", 1)
        wrong = await write("delete", "R8", 1)
        entry = (await one.query(participantId="B01234", requestReference="R7"))["data"][0]

        assert ("MATCHED", "DELETED", "UNMATCHED", "MATCHED") == tuple(
            answer["status"] for answer in (released, deleted, changed, revoked)
        )
        assert ["407002"] == [error["recordErrorCode"] for error in wrong["exception"]]
        assert ("I00000001", True, False, "R7") == tuple(
            entry[name] for name in ("siNumber", "revokeOwn", "revokeCounterparty", "lastRequestReference")
        )


async def test_writes_are_signed_when_the_profile_says_so() -> None:
    async with running(profile=changed_profile("sign_writes = false", "sign_writes = true")) as (one, _):

        async def add(signature: str | None, body: bytes) -> str:
            headers = {**one.headers(request_id), "X-OCP-SIGNATURE": signature, "Content-Type": "application/json"}
            headers = {name: value for name, value in headers.items() if value is not None}
            return (await one.http.post(ADD, content=body, headers=headers)).json()["code"]

        request_id, body = str(uuid.uuid4()), json.dumps({"data": [si_entry("R1")]}).encode()
        said = f"{request_id}.{int(one.wall.at.timestamp() * 1000)}.POST.{ADD}.{hashlib.sha256(body).hexdigest()}"
        signature = rsa_key(MACHINE).sign(said.encode(), PKCS1v15(), SHA256())
        good = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()

        assert ["411005", "411008", "411008", "0"] == [
            await add(None, body),
            await add("AAAA", body),
            await add(good, body + b" "),
            await add(good, body),
        ]


async def test_health_needs_no_token() -> None:
    async with running() as (one, _):
        health = await one.http.get("/api/system/health/v1")

        assert ("0", []) == (health.json()["code"], health.json()["data"])


# ---- faults on demand


@pytest.mark.parametrize(
    ("fault", "status", "done"),
    [
        ({"kind": "denied"}, 401, 0),
        ({"kind": "throttled", "retry_after_s": 7}, 429, 0),
        ({"kind": "broken"}, 500, 0),
        ({"kind": "broken", "work": True}, 500, 1),
        ({"kind": "closed"}, 503, 0),
        ({"kind": "timed_out"}, 504, 1),
        ({"kind": "refused", "refusal": "outside_hours"}, 200, 0),
        ({"kind": "entries_refused", "refusal": "unknown_account"}, 200, 0),
        ({"kind": "broken_json"}, 200, 1),
        ({"kind": "wrong_shape"}, 200, 1),
        ({"kind": "late", "delay_s": 0.0}, 200, 1),
    ],
)
async def test_a_fault_is_met_once_and_leaves_what_it_says(fault, status, done) -> None:
    async with running() as (one, _):
        await one.control("faults", {"operation": "si_add", **fault})
        await one.http.get("/api/system/echo/v1", headers=one.headers())
        reply = await one.add(si_entry("R1"))
        ledger = (await one.control("ledger"))["done"]
        after = await one.add(si_entry("R2", quantity=5))

        assert (status, done) == (reply.status_code, len(ledger))
        assert "0" == after.json()["code"]


async def test_the_bodies_of_faults_are_what_they_say() -> None:
    async with running() as (one, _):
        orders = [
            {"kind": "closed"},
            {"kind": "broken_json"},
            {"kind": "wrong_shape"},
            {"kind": "refused", "refusal": "market_closed"},
            {"kind": "entries_refused", "refusal": "unknown_account"},
        ]
        for order in orders:
            await one.control("faults", order)
        replies = [await one.add(si_entry(f"R{at}", quantity=at + 1)) for at in range(len(orders))]

        assert "text/html" in replies[0].headers["Content-Type"]
        with pytest.raises(ValueError):
            replies[1].json()
        assert shipped_profile().faults("SiAnswer", replies[2].json())
        assert ("406002", []) == (replies[3].json()["code"], replies[3].json()["data"])
        assert "400104" == replies[4].json()["data"][0]["exception"][0]["recordErrorCode"]


@pytest.mark.parametrize(("kind", "done"), [("cut_before", 0), ("cut_after", 1)])
async def test_a_cut_connection_gives_no_byte(kind, done) -> None:
    async with running() as (one, _):
        await one.control("faults", {"kind": kind, "operation": "si_add"})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await one.add(si_entry("R1"))

        assert done == len((await one.control("ledger"))["done"])


@pytest.mark.parametrize(("work", "done"), [(False, 0), (True, 1)])
async def test_no_answer_comes_until_the_caller_leaves(work, done) -> None:
    async with running() as (one, _):
        await one.control("faults", {"kind": "no_answer", "operation": "si_add", "work": work})
        with pytest.raises(httpx.ReadTimeout):
            await one.http.post(ADD, json={"data": [si_entry("R1")]}, headers=one.headers(), timeout=0.2)

        assert done == len((await one.control("ledger"))["done"])


async def test_faults_skip_and_count_and_reach_the_token_door() -> None:
    async with running() as (one, _):
        await one.control("faults", {"kind": "broken", "operation": "echo", "skip": 1, "count": 2})
        await one.control("faults", {"kind": "closed", "operation": "token"})
        statuses = [(await one.http.get("/api/system/echo/v1", headers=one.headers())).status_code for _ in range(4)]
        tokens = [(await one.http.post(TOKEN_PATH, data=one.form())).status_code for _ in range(2)]

        assert ([200, 500, 500, 200], [503, 200]) == (statuses, tokens)
        assert [] == (await one.control("faults"))["faults"]


async def test_bad_orders_are_refused_by_name() -> None:
    async with running() as (one, _):
        unknown = await one.control("faults", {"kind": "melted"}, status=422)
        await one.control("faults", {"kind": "broken", "operation": "si_melt"}, status=422)
        await one.control("clock", {"jump": "2026-11-22T00:00:00+08:00"}, status=409)
        await one.control("clock", {"jump": "2026-11-24T00:00:00"}, status=422)
        await one.control("clock", {"speed": 3}, status=422)
        await one.control("hold", {"si_number": "I1", "hold": True}, status=404)

        assert ["body", "kind"] == unknown["detail"][0]["loc"]


# ---- pushes


async def test_a_push_is_signed_by_a_published_key() -> None:
    async with running() as (one, _), subscribed(one) as receiver:
        keys = (await one.http.get("/api/crypto/meta", headers=one.headers())).json()
        await one.add(si_entry("R1"))
        headers, body = await receiver.next()
        header = json.loads(base64.urlsafe_b64decode(headers["x-ocp-signature"].split(".")[0] + "=="))
        jwk = {jwk["kid"]: jwk for jwk in keys["data"]}[header["kid"]]

        assert {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": jwk["kid"]} == header
        assert is_verified(headers, body, jwk)
        assert not is_verified(headers, body + b" ", jwk)
        assert [] == shipped_profile().faults("StatusEventDelivery", json.loads(body))
        assert [] == shipped_profile().faults("CryptoMetaAnswer", keys)


async def test_a_push_is_tried_until_it_is_taken() -> None:
    async with running() as (one, _), subscribed(one) as receiver:
        receiver.statuses = [503, 401]
        await one.add(si_entry("R1"))
        tries = [await receiver.next() for _ in range(3)]
        await one.add(si_entry("R2", quantity=5))
        later = await receiver.next()

        assert 4 == len({headers["x-ocp-delivery-id"] for headers, _ in [*tries, later]})
        assert 1 == len({body for _, body in tries})


async def test_a_subscriber_gets_its_own_events_of_the_types_it_wants() -> None:
    async with running() as (one, other), subscribed(one, events=["MATCHED"]) as receiver:
        await one.add(si_entry("R1"))
        await other.add(other_side("S1"))
        event = json.loads((await receiver.next())[1])["data"][0]

        assert ("MATCHED", "B01234", 2) == (event["eventType"], event["participantId"], event["sequence"])


async def test_pushes_repeat_lose_and_reorder_by_order() -> None:
    async with running() as (one, _), subscribed(one) as receiver:
        await one.control("faults", {"kind": "push_gap"})
        await one.control("faults", {"kind": "push_reorder"})
        await one.add(*(si_entry(f"R{number}", quantity=number) for number in (1, 2, 3)))

        assert [3, 2] == await receiver.sequences(2)

        await one.control("faults", {"kind": "push_repeat"})
        await one.add(si_entry("R4", quantity=4))

        assert [4, 4] == await receiver.sequences(2)
        assert [1, 2, 3, 4] == [event["sequence"] for event in (await one.events("B01234"))["data"]]


async def test_pushes_are_badly_signed_or_old_by_order() -> None:
    async with running() as (one, _), subscribed(one) as receiver:
        jwk = (await one.http.get("/api/crypto/meta", headers=one.headers())).json()["data"][0]
        now_ms = int(one.wall.at.timestamp() * 1000)
        receiver.statuses = [401]
        await one.control("faults", {"kind": "push_bad_signature"})
        await one.control("faults", {"kind": "push_old_timestamp", "skip": 1, "delay_s": 600})
        await one.add(si_entry("R1"))
        bad, old = await receiver.next(), await receiver.next()

        assert not is_verified(*bad, jwk)
        assert is_verified(*old, jwk)
        assert (now_ms, now_ms - 600_000) == tuple(int(one[0]["x-ocp-timestamp"]) for one in (bad, old))


async def test_subscriptions_change_end_and_are_listed() -> None:
    async with running() as (one, other), subscribed(one) as receiver:

        async def call(verb: str, document: dict) -> dict:
            return (await one.post(f"/api/si/subscriptions/{verb}/v1", document)).json()

        url = (await call("query", {}))["data"][0]["url"]
        changed = await call("change", {"url": url, "events": ["SETTLED"]})
        others = (await other.post("/api/si/subscriptions/query/v1", {})).json()
        ended = await call("invalidate", {"url": url})
        await one.add(si_entry("R1"))

        assert [["SETTLED"]] == [entry["events"] for entry in changed["data"]]
        assert (1, []) == (len(ended["data"]), others["data"])
        assert "400003" == (await call("invalidate", {"url": url}))["code"]
        assert receiver.deliveries.empty()


# ---- control


async def test_a_hold_is_released_by_command_and_rdp_is_paid_by_command() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1", hold=True, paymentInstruction="RDP"))
        await other.add(other_side("S1", paymentInstruction="RDP"))
        released = await one.control("hold", {"si_number": "I00000001", "hold": False})
        await one.control("clock", {"advance_s": 2 * 86_400})
        settled = await one.control("run", {"run": "settle"})
        on_hold = (await one.query(participantId="B01234"))["data"][0]
        paid = await one.control("run", {"run": "pay", "si_number": "I00000002"})

        assert ("matched", 1, 1) == (released["status"], settled["moved"], paid["moved"])
        assert ("SHARES_ON_HOLD", "AWAIT_MONEY") == (on_hold["status"], on_hold["reasonCode"])
        assert {"settled": 2} == (await one.control("state"))["statuses"]


async def test_a_running_clock_follows_the_wall_at_its_rate() -> None:
    async with running() as (one, _):
        await one.control("clock", {"mode": "runs", "rate": 60})
        one.wall.pass_s(90)

        assert "2026-11-23T11:00:00+08:00" == (await one.control("clock"))["now"]


async def test_reset_begins_anew() -> None:
    async with running() as (one, _):
        await one.add(si_entry("R1"))
        await one.control("reset", {})
        await one.log_in()

        assert "I00000001" == (await one.add(si_entry("R1"))).json()["data"][0]["siNumber"]


async def test_the_ledger_names_request_and_reference_and_lies_in_its_file(tmp_path) -> None:
    file = tmp_path / "ledger.jsonl"
    request_id = str(uuid.uuid4())
    async with running(ledger_file=str(file)) as (one, _):
        await one.add(si_entry("R1"), request_id=request_id)
        done = (await one.control("ledger"))["done"]

    assert [(1, "si_add", request_id, "R1", "I00000001")] == [
        tuple(one[name] for name in ("position", "operation", "request_id", "request_reference", "si_number"))
        for one in done
    ]
    assert done == [json.loads(line) for line in file.read_text().splitlines()]


async def test_the_same_calls_give_the_same_bytes() -> None:
    answers = []
    for _ in range(2):
        async with running(seed=7) as (one, other):
            replies = [await one.add(si_entry("R1")), await other.add(other_side("S1"))]
            replies.append(await one.post("/api/si/instructions/query/v1", {"participantId": "B01234"}))
            answers.append([reply.content for reply in replies])

    assert answers[0] == answers[1]


async def test_an_answer_that_does_not_fit_the_document_is_told_and_its_work_is_not_done_twice() -> None:
    async with running(si_number_form="no SI number {}") as (one, _):
        reply = await one.add(si_entry("R1"), request_id="6f1d8c1e-5a0f-4f0e-8a49-0f3f4c0f7a11")
        again = await one.add(si_entry("R1"), request_id="6f1d8c1e-5a0f-4f0e-8a49-0f3f4c0f7a11")

        assert (500, "411002") == (reply.status_code, again.json()["code"])
        assert "data.0.siNumber" in reply.json()["message"]
        assert 1 == len((await one.control("ledger"))["done"])
