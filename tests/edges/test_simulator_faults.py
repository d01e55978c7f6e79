"""Faults on demand over real HTTP: every kind at every sort of operation, by share and by count."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.simulator.faults import Fault, FaultKind, Faults
from tests.doubles.ocp_caller import TOKEN_PATH, OcpCaller, shipped_profile, si_entry
from tests.doubles.running_ocp import running

ECHO = "/api/system/echo/v1"
CUT = (httpx.RemoteProtocolError, httpx.ReadError)
NUMBERS = itertools.count(1)
#: a call of each sort, and whether what it did can be seen in the ledger
Call = Callable[[OcpCaller], Awaitable[httpx.Response]]


def _get(path: str, **parameters: str) -> Call:
    return lambda one: one.http.get(path, params=parameters, headers=one.headers())


CALLS: dict[str, Call] = {
    "si_add": lambda one: one.add(si_entry(f"R{(n := next(NUMBERS))}", quantity=n)),
    "si_query": lambda one: one.post("/api/si/instructions/query/v1", {"participantId": "B01234"}),
    "subscription_query": lambda one: one.post("/api/si/subscriptions/query/v1", {}),
    "status_events": _get("/api/si/status-events/v1", participantId="B01234", businessDate="2026-11-23"),
    "trades": _get("/api/trades/v1", tradeDate="2026-11-23", market="HKMK", size="1"),
    "calendar": _get("/api/refdata/calendar/v1", fromDate="2026-11-23", toDate="2026-11-24"),
    "crypto_meta": _get("/api/crypto/meta"),
    "health": _get("/api/system/health/v1"),
    "token": lambda one: one.http.post(TOKEN_PATH, data=one.form()),
}
#: kind -> HTTP status, and whether an instruction was done
ANSWERED = {
    "late": (200, True),
    "slow": (200, True),
    "denied": (401, False),
    "throttled": (429, False),
    "broken": (500, False),
    "closed": (503, False),
    "timed_out": (504, True),
    "broken_json": (200, True),
    "wrong_shape": (200, True),
}


async def done(one: OcpCaller) -> int:
    return len((await one.control("ledger"))["done"])


@pytest.mark.parametrize("operation", CALLS)
async def test_every_kind_of_fault_at_every_sort_of_operation(operation) -> None:
    async with running() as (one, _):
        for kind, (status, is_done) in ANSWERED.items():
            before = await done(one)
            order = {"kind": kind, "operation": operation, "delay_s": 0.02, "retry_after_s": 3}
            await one.control("faults", order)
            reply = await CALLS[operation](one)
            after = await done(one)

            assert status == reply.status_code, kind
            assert (1 if is_done and operation == "si_add" else 0) == after - before, kind
            assert ("3" if kind in ("throttled", "closed") else None) == reply.headers.get("Retry-After"), kind
            assert (kind == "closed") == reply.headers["Content-Type"].startswith("text/html"), kind
            assert is_readable(reply) == (kind not in ("closed", "broken_json")), kind
        assert 200 == (await CALLS[operation](one)).status_code


@pytest.mark.parametrize("operation", CALLS)
async def test_a_connection_is_cut_before_and_after_the_work_or_never_answered(operation) -> None:
    async with running() as (one, _):
        one.http.timeout = httpx.Timeout(0.3)
        for kind, error, is_done in (
            ("cut_before", CUT, False),
            ("cut_after", CUT, True),
            ("no_answer", httpx.ReadTimeout, False),
        ):
            before = await done(one)
            await one.control("faults", {"kind": kind, "operation": operation})
            with pytest.raises(error):
                await CALLS[operation](one)

            assert (1 if is_done and operation == "si_add" else 0) == await done(one) - before, kind
        assert 200 == (await CALLS[operation](one)).status_code


def is_readable(reply: httpx.Response) -> bool:
    try:
        reply.json()
    except ValueError:
        return False
    return True


async def test_a_slow_answer_comes_in_many_pieces_and_is_whole() -> None:
    async with running() as (one, _):
        await one.control("faults", {"kind": "slow", "operation": "si_add", "delay_s": 0.2})
        request = {"json": {"data": [si_entry("R1")]}, "headers": one.headers()}
        async with one.http.stream("POST", "/api/si/instructions/add/v1", **request) as reply:
            status = reply.status_code
            pieces = [piece async for piece in reply.aiter_raw()]
        answer = json.loads(b"".join(pieces))

        assert 200 == status
        assert 5 <= len(pieces)
        assert ([], "I00000001") == (shipped_profile().faults("SiAnswer", answer), answer["data"][0]["siNumber"])


async def test_a_caller_that_leaves_a_slow_answer_harms_nobody() -> None:
    async with running() as (one, _):
        await one.control("faults", {"kind": "slow", "operation": "echo", "delay_s": 30})
        with pytest.raises(httpx.ReadTimeout):
            await one.http.get(ECHO, headers=one.headers(), timeout=0.1)

        assert 200 == (await one.http.get(ECHO, headers=one.headers())).status_code


async def test_a_share_of_the_calls_goes_wrong_until_the_count_is_reached() -> None:
    async with running() as (one, _):
        order = {"kind": "broken", "operation": "echo", "share": 0.25, "count": 2, "skip": 1}
        await one.control("faults", order)
        ordered = (await one.control("faults"))["faults"][0]["fault"]
        statuses = [(await one.http.get(ECHO, headers=one.headers())).status_code for _ in range(12)]
        for share in (0, -0.5, 1.01):
            await one.control("faults", order | {"share": share}, status=422)

        assert order.items() <= ordered.items()
        assert [200, *[200, 200, 200, 500] * 2, 200, 200, 200] == statuses
        assert [] == (await one.control("faults"))["faults"]


async def test_a_share_goes_on_after_a_restart(tmp_path) -> None:
    file = str(tmp_path / "state")
    statuses = []
    for _ in range(2):
        async with running(state_file=file) as (one, _other):
            if not statuses:
                await one.control("faults", {"kind": "broken", "operation": "echo", "share": 0.5, "count": 0})
            statuses += [(await one.http.get(ECHO, headers=one.headers())).status_code for _ in range(3)]

    assert [200, 500, 200, 500, 200, 500] == statuses


@given(share=st.integers(1, 100), skip=st.integers(0, 5), calls=st.integers(0, 300))
def test_of_any_number_of_calls_the_share_goes_wrong(share, skip, calls) -> None:
    faults = Faults()
    faults.order(Fault(kind=FaultKind.BROKEN, skip=skip, count=0, share=share / 100))
    wrong = sum(faults.next_call("echo") is not None for _ in range(calls + skip))

    assert calls * share // 100 == wrong


async def test_no_fault_of_one_operation_meets_another() -> None:
    async with running() as (one, _):
        for operation in CALLS:
            await one.control("faults", {"kind": "broken", "operation": operation})
        statuses = [(await CALLS[operation](one)).status_code for operation in CALLS]

        assert [500] * len(CALLS) == statuses
        assert [200] * len(CALLS) == [(await CALLS[operation](one)).status_code for operation in CALLS]
