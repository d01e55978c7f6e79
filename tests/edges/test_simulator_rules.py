"""What the pretend OCP refuses by its own rules, and as what: each row of the table of errors, over real HTTP."""

from __future__ import annotations

import uuid
from decimal import Decimal

import msgspec
import pytest

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.hours import HOURS_FILE, read_hours
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.options import read_options
from tests.doubles.ocp_caller import (
    COMPANY,
    MACHINE,
    MAPPINGS,
    OcpCaller,
    jwks,
    other_side,
    registrations,
    shipped_profile,
    si_entry,
)
from tests.doubles.running_ocp import running

ADD = "/api/si/instructions/add/v1"
HOURS = msgspec.to_builtins(read_hours({HOURS_FILE: (MAPPINGS / HOURS_FILE).read_text("utf-8")}))
OPEN = {"market_hours": HOURS, "keeps_hours": True}


def codes(reply) -> list[list[str]]:
    return [[error["recordErrorCode"] for error in entry["exception"]] for entry in reply.json()["data"]]


async def hold(
    one: OcpCaller, reference: str, number: int, participant: str = "B01234", *, on: bool
) -> list[list[str]]:
    named = {"requestReference": reference, "participantId": participant, "siNumber": f"I{number:08d}", "hold": on}
    return codes(await one.post("/api/si/instructions/hold/v1", {"data": [named]}))


# ---- entitlement


async def test_each_function_is_granted_by_itself_and_control_grants_and_takes() -> None:
    few = registrations()
    few["companies"][COMPANY]["functions"] = ["si_query"]
    async with running(registrations=few) as (one, other):
        refused = await one.add(si_entry("R1"))
        events = await one.http.get("/api/si/status-events/v1", headers=one.headers())
        asked = await one.query(participantId="B01234")
        await one.control("entitlements", {"company": COMPANY, "functions": ["si_query", "si_add"]})
        granted = await one.add(si_entry("R1"))
        await one.control("entitlements", {"company": COMPANY, "functions": []})
        taken = await one.post("/api/si/instructions/query/v1", {"participantId": "B01234"})
        others = await other.add(other_side("S1"))

        assert [(403, "403001", [])] * 3 == [
            (reply.status_code, reply.json()["code"], reply.json()["data"]) for reply in (refused, events, taken)
        ]
        assert (0, [[]], [[]]) == (asked["totalSize"], codes(granted), codes(others))


async def test_what_was_granted_by_control_holds_after_a_restart(tmp_path) -> None:
    file = str(tmp_path / "state")
    async with running(state_file=file) as (one, _):
        await one.control("entitlements", {"company": COMPANY, "functions": ["echo"]})
        await one.control("limits", {"transaction_limits": {"B01234": "5.50"}})
    async with running(state_file=file) as (one, _):
        limits = await one.control("limits")

        assert 403 == (await one.add(si_entry("R1"))).status_code
        assert {"B01234": "5.50"} == limits["transaction_limits"]


async def test_refused_by_order_for_want_of_a_grant_is_403_too() -> None:
    async with running() as (one, _):
        await one.control("faults", {"kind": "refused", "refusal": "not_granted"})
        reply = await one.add(si_entry("R1"))

        assert (403, "403001") == (reply.status_code, reply.json()["code"])


# ---- the transaction limit


@pytest.mark.parametrize("who", ["B01234", MACHINE])
async def test_a_release_over_the_users_limit_is_refused_alone(who) -> None:
    async with running(transaction_limits={who: "10000.00"}) as (one, other):
        await one.add(si_entry("R1", hold=True), si_entry("R2", hold=True, quantity=5, amount="10000.00"))
        await other.add(other_side("S1"), other_side("S2", quantity=5, amount="10000.00", hold=True))
        over, within = await hold(one, "H1", 1, on=False), await hold(one, "H2", 2, on=False)
        others = await hold(other, "H3", 4, "C00019", on=False)
        await one.control("limits", {"transaction_limits": {who: "12345.67"}})
        after = await hold(one, "H4", 1, on=False)

        assert ([["403003"]], [[]], [[]], [[]]) == (over, within, others, after)
        assert 4 == (await one.control("state"))["statuses"]["matched"]


async def test_the_market_value_counts_in_hong_kong_dollars() -> None:
    options = {
        "transaction_limits": {"B01234": "70000"},
        "prices": {"00005": "70.01"},
        "exchange_rates": {"us_dollar": 7},
    }
    async with running(**options) as (one, other):
        for number, changes in enumerate(({}, {"quantity": 1, "currency": "USD", "amount": "10000.01"}), 1):
            await one.add(si_entry(f"R{number}", hold=True, **changes))
            await other.add(other_side(f"S{number}", **changes))

        assert [[["403003"]]] * 2 == [await hold(one, f"H{n}", number, on=False) for n, number in enumerate((1, 3))]


# ---- the reference data, by its own rules


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stockCode": "07777", "isin": None}, "400101"),
        ({"stockCode": None, "isin": "HK0000000000"}, "400101"),
        ({"isin": "HK0000000000"}, "400101"),
        ({"stockCode": "09999", "isin": None}, "400102"),
        ({"counterpartyId": "C77777"}, "400103"),
        ({"stockAccount": "77777777"}, "400104"),
        ({"stockCode": "80005", "isin": None}, "400105"),
        ({"settlementDate": "2026-11-20"}, "400106"),
        ({"settlementDate": "2026-11-28"}, "400106"),
        ({"settlementDate": "2026-12-25"}, "400106"),
        ({}, None),
    ],
)
async def test_reference_data_refuses_what_is_not_in_it(changes, code) -> None:
    stocks = {
        "00005": {"isin": "HK0005000002"},
        "09999": {"isin": "HK0009999009", "eligible": False},
        "80005": {"isin": "HK0005000002", "domain": False},
    }
    options = {"reference_data": True, "stocks": stocks, "accounts": {"B01234": ["00000001"]}}
    async with running(**options) as (one, _):
        reply = await one.add(si_entry("R1", **changes))

        assert (200, "0", [[code] if code else []]) == (reply.status_code, reply.json()["code"], codes(reply))
        assert (1 if code is None else 0) == len((await one.control("ledger"))["done"])


# ---- the hours


@pytest.mark.parametrize(
    ("moment", "changes", "code"),
    [
        ("13:29:59", {"paymentInstruction": "RDP"}, None),
        ("13:30:00", {"paymentInstruction": "RDP"}, "400106"),
        ("13:30:00", {"paymentInstruction": "RDP", "settlementDate": "2026-11-24"}, None),
        ("13:30:00", {"paymentInstruction": "RDP", "market": "MAMK"}, None),
        ("13:30:00", {}, None),
        ("15:44:59", {}, None),
        ("17:00:00", {}, "400106"),
        ("17:00:00", {"settlementDate": "2026-11-24"}, None),
    ],
)
async def test_what_settles_today_is_entered_before_the_cut_off_which_is_earlier_for_rdp(moment, changes, code) -> None:
    async with running(**OPEN) as (one, _):
        await one.control("clock", {"jump": f"2026-11-23T{moment}+08:00"})
        reply = await one.add(si_entry("R1", **{"settlementDate": "2026-11-23", **changes}))

        assert ("0", [[code] if code else []]) == (reply.json()["code"], codes(reply))


async def test_a_change_to_today_is_held_to_the_cut_off_and_other_writes_are_not() -> None:
    async with running(**OPEN) as (one, _):
        await one.add(si_entry("R1"))
        await one.control("clock", {"jump": "2026-11-23T17:30:00+08:00"})
        named = {"participantId": "B01234", "siNumber": "I00000001"}
        body = si_entry("C1", settlementDate="2026-11-23", participantReference="R1") | named
        changed = await one.post("/api/si/instructions/change/v1", {"data": [body]})
        deleted = await one.post("/api/si/instructions/delete/v1", {"data": [named | {"requestReference": "D1"}]})

        assert ([["400106"]], [[]]) == (codes(changed), codes(deleted))


async def test_the_last_run_is_at_five_and_the_second_session_opens_behind_it() -> None:
    for runs, opens in ((None, "17:00"), (["10:30", "17:20"], "17:20"), (["10:30"], "17:00")):
        options = OPEN | ({"settlement_runs": runs} if runs else {})
        async with running(**options) as (one, other):
            await one.add(si_entry("R1", settlementDate="2026-11-24"))
            await other.add(other_side("S1", settlementDate="2026-11-24"))
            await one.control("lack", {"si_number": "I00000001", "reason": "lack_securities"})
            await one.control("clock", {"jump": "2026-11-24T16:59:00+08:00"})
            await one.control("lack", {"si_number": "I00000001", "reason": None})
            hour, minute = map(int, opens.split(":"))
            await one.control("clock", {"advance_s": ((hour - 17) * 60 + minute) * 60 + 59})
            before = (await one.add(si_entry("R2"))).json()["code"]
            last_run = (await one.control("state"))["next_run"]
            await one.control("clock", {"advance_s": 1})
            after = (await one.add(si_entry("R2"))).json()["code"]
            settled = (await one.query(participantId="B01234", siNumber="I00000001"))["data"][0]["status"]

            assert ("406001", "0") == (before, after)
            expected = "2026-11-24T20:00" if runs == ["10:30"] else f"2026-11-24T{opens}"
            assert (expected, "MATCHED" if runs == ["10:30"] else "SETTLED") == (last_run[:16], settled)


# ---- the table of errors: HTTP status and code


async def test_a_wrong_state_is_said_of_its_entry() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1"), si_entry("R2", quantity=5))
        await other.add(other_side("S1"))

        async def write(verb: str, reference: str, number: int, **changes: object) -> list[list[str]]:
            named = {"requestReference": reference, "participantId": "B01234", "siNumber": f"I{number:08d}"}
            return codes(await one.post(f"/api/si/instructions/{verb}/v1", {"data": [named | changes]}))

        stale = si_entry("C1", participantReference="R2", quantity=6) | {"version": 9}
        first = await write("revoke", "V1", 1)
        answers = [
            await write("delete", "D1", 9),
            await write("delete", "D2", 3),
            await write("delete", "D3", 1),
            await write("revoke", "V2", 1),
            await write("change", "C1", 2, **(stale | {"siNumber": "I00000002"})),
        ]

        assert [[]] == first
        assert [[["407001"]], [["407001"]], [["407002"]], [["407003"]], [["407004"]]] == answers


HEADERS = {
    "411001 missing": ({"X_OCP_REQUEST_ID": None}, "411001"),
    "411001 no uuid": ({"X_OCP_REQUEST_ID": "7"}, "411001"),
    "411003 missing": ({"X_OCP_TIMESTAMP": None}, "411003"),
    "411003 no number": ({"X_OCP_TIMESTAMP": "1e3"}, "411003"),
    "411004 of before": ({"X_OCP_TIMESTAMP": lambda at: at - 300_001}, "411004"),
    "411004 ahead": ({"X_OCP_TIMESTAMP": lambda at: at + 300_001}, "411004"),
    "both": ({"X_OCP_REQUEST_ID": None, "X_OCP_TIMESTAMP": None}, "411001"),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_headers_that_are_wrong_use_no_request_id_up(name) -> None:
    changes, code = HEADERS[name]
    async with running() as (one, _):
        at = int(one.wall.at.timestamp() * 1000)
        made = {header: str(value(at)) if callable(value) else value for header, value in changes.items()}
        request_id = str(uuid.uuid4())
        body = {"data": [si_entry("R1")]}
        refused = await one.http.post(ADD, json=body, headers=one.headers(request_id, **made))
        good = await one.add(si_entry("R1"), request_id=request_id)

        assert (400, code, []) == (refused.status_code, refused.json()["code"], refused.json()["data"])
        assert ("0", 1) == (good.json()["code"], len((await one.control("ledger"))["done"]))


@pytest.mark.parametrize(("passed_s", "code"), [(0, "411002"), (86_399, "411002"), (86_400, "0")])
async def test_a_request_id_is_remembered_for_a_day_of_its_own_clock(passed_s, code) -> None:
    async with running() as (one, _):
        request_id = str(uuid.uuid4())
        await one.add(si_entry("R1"), request_id=request_id)
        await one.control("clock", {"advance_s": passed_s or 0.001})
        again = await one.add(si_entry("R2"), request_id=request_id)

        assert (200, code) == (again.status_code, again.json()["code"])


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"kind": "denied"}, 401), ({"kind": "throttled"}, 429), ({"kind": "closed"}, 503), ({"kind": "broken"}, 500),
     ({"kind": "refused"}, 200), ({"kind": "refused", "refusal": "not_granted"}, 403)],
)  # fmt: skip
async def test_what_was_not_done_uses_no_request_id_up(fault, status) -> None:
    async with running() as (one, _):
        request_id = str(uuid.uuid4())
        await one.control("faults", fault)
        failed = await one.add(si_entry("R1"), request_id=request_id)
        again = await one.add(si_entry("R1"), request_id=request_id)

        assert (status, "0") == (failed.status_code, again.json()["code"])


async def test_a_throttled_call_uses_no_request_id_up_and_is_told_when() -> None:
    async with running(machine_calls=2) as (one, _):
        request_id = str(uuid.uuid4())
        await one.add(si_entry("R1"))
        await one.add(si_entry("R2", quantity=5))
        throttled = await one.add(si_entry("R3", quantity=6), request_id=request_id)
        one.wall.pass_s(float(throttled.headers["Retry-After"]))
        await one.log_in()
        again = await one.add(si_entry("R3", quantity=6), request_id=request_id)

        assert (429, "60", "0") == (throttled.status_code, throttled.headers["Retry-After"], again.json()["code"])


async def test_other_writes_use_request_ids_up_too() -> None:
    async with running() as (one, _):
        request_id = str(uuid.uuid4())
        subscription = {"url": "http://127.0.0.1:9/events"}
        codes_of = []
        for path in ("subscriptions/add", "subscriptions/add", "instructions/delete"):
            body = subscription if "add" in path else {"data": [si_entry("R1")]}
            codes_of.append((await one.post(f"/api/si/{path}/v1", body, request_id)).json()["code"])

        assert ["0", "411002", "411002"] == codes_of


# ---- options


def test_every_bad_option_is_named() -> None:
    document = {
        "speed": 1,
        "start": "2026-11-23T09:30:00",
        "rate": "fast",
        "seed": None,
        "day_end": "25:00",
        "settlement_runs": ["10:30", "noon"],
        "trades_a_second": -1,
        "money_tolerance": "-0.01",
        "prices": {"00005": "Infinity"},
        "exchange_rates": {"us_dollar": 0},
        "transaction_limits": {"B77777": "1"},
        "durable": True,
        "registrations": {"machines": {"M1": {"jwks": jwks(MACHINE), "company": "NOBODY"}}},
    }
    with pytest.raises(ConfigError) as refused:
        read_options(document)
    found = refused.value.findings

    assert sorted(document) == sorted({one.path for one in found})
    assert all(one.remedy and one.path in str(refused.value) for one in found)


@pytest.mark.parametrize("functions", [["si_melt"], "all", [None]])
def test_a_function_that_there_is_not_is_no_grant(functions) -> None:
    registered = registrations()
    registered["companies"][COMPANY]["functions"] = functions
    with pytest.raises(ConfigError) as refused:
        read_options({"registrations": registered})

    assert "functions" in str(refused.value)


def test_defaults_are_those_of_the_profile() -> None:
    options = read_options({})
    profile: OcpProfile = shipped_profile()

    assert (None, None, Decimal(0), {}, {}) == (
        options.company_calls,
        options.machine_calls,
        options.money_tolerance,
        options.transaction_limits,
        options.accounts,
    )
    assert (480, 0) == (profile.limits.company_calls, profile.limits.machine_calls)
