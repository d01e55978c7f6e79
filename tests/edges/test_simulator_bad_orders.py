"""Whatever the control of the pretend OCP is told: what is bad is refused by name, and nothing breaks."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.doubles.ocp_caller import other_side, si_entry
from tests.doubles.running_ocp import running
from tests.edges.test_simulator_going_on import Play, playing

READS = ("state", "clock", "sis", "ledger", "faults", "counterparties", "day", "rules", "snapshot", "pushes")
ODD: list[Any] = [
    None, -1, 0, 10**30, 1.5, 1e300, True, "", "x", "é" * 300, [], {}, [[]], "2026-11-23T09:30:00", "9999-12-31T23:59:59-12:00",
    "NaN", "2026-11-23", "settled",
]  # fmt: skip


async def _is_well(play: Play) -> None:
    """Everything can be asked for, and the book goes on."""
    for path in READS:
        reply = await play.one.http.get(f"/_simulator/{path}")
        assert 200 == reply.status_code, (path, reply.text)
    for run in ("match", "settle", "pay", "day_end"):
        reply = await play.one.http.post("/_simulator/run", json={"run": run})
        assert 200 == reply.status_code, (run, reply.text)


@pytest.mark.parametrize(
    ("path", "order", "status", "told"),
    [
        ("clock", '{"advance_s": NaN}', 422, "advance_s"),
        ("clock", '{"advance_s": 1e400}', 422, "advance_s"),
        ("clock", '{"advance_s": 1e11}', 422, "advance_s"),
        ("clock", '{"jump": "9999-12-31T23:59:59+08:00"}', 409, "no further"),
        ("clock", '{"mode": "stands", "rate": 5}', 422, "no rate"),
        ("clock", "tomorrow", 422, "JSON"),
        ("faults", '{"kind": "late", "delay_s": 1e400}', 422, "delay_s"),
        ("faults", '{"kind": "late", "skip": 1e30}', 422, "skip"),
        ("faults", '{"kind": "melted", "skip": -1, "delays": 3}', 422, "kind skip delays"),
        ("limits", '{"company_calls": 1e30}', 422, "company_calls"),
        (
            "hold",
            '{"si_number": "I00000001", "hold": true, "request_reference": "no reference"}',
            422,
            "request_reference",
        ),
        ("run", '{"run": "settle", "si_number": "I9"}', 404, "I9"),
        ("run", '{"run": "match", "si_number": "I00000001"}', 422, "not of one pair"),
        ("weather", '{"weather": "typhoon", "until": "9999-12-31T23:59:59-12:00"}', 409, "until"),
        ("weather", '{"weather": "fair", "until": "2026-12-01T00:00:00+08:00"}', 409, "until"),
        ("reset", '{"everything": true, "now": 1}', 422, "everything now"),
        ("reset?hard=1", "{}", 422, "hard"),
        ("ledger?befor=3&afte=1", None, 422, "befor afte"),
        ("state?x=1", None, 422, "x"),
    ],
)
async def test_a_bad_order_is_refused_with_all_that_is_wrong(
    path: str, order: str | None, status: int, told: str
) -> None:
    async with playing() as play:
        http = play.one.http
        before = (await http.get("/_simulator/snapshot")).json()
        content = None if order is None else order.encode()
        headers = {"Content-Type": "application/json"}
        reply = await http.request(
            "GET" if order is None else "POST", f"/_simulator/{path}", content=content, headers=headers
        )

        assert status == reply.status_code, reply.text
        assert all(word in reply.text for word in told.split())
        assert before == (await http.get("/_simulator/snapshot")).json()
        await _is_well(play)


async def test_its_page_describes_every_order_and_refusal() -> None:
    async with running() as (one, _):
        page = (await one.http.get("/_simulator/openapi.json")).json()
        operations = {(path, verb): said for path, verbs in page["paths"].items() for verb, said in verbs.items()}

        assert 25 <= len(operations)
        for name, said in operations.items():
            assert said["description"], name
            assert {"404", "409", "422"} <= said["responses"].keys(), name
        assert "requestBody" in operations["/restore", "post"]


@settings(
    max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_orders_of_every_shape_break_nothing(data: st.DataObject) -> None:
    async def play() -> None:
        async with playing(
            counterparties=[{"late_s": 60}], market_hours={"HKMK": {"sessions": [["08:00:00", "15:45:00"]]}}
        ) as ocp:
            await _day(ocp)
            page = (await ocp.one.http.get("/_simulator/openapi.json")).json()
            for _ in range(6):
                path, verb, order = data.draw(_orders(page))
                reply = await ocp.one.http.request(verb.upper(), f"/_simulator{path}", json=order)
                assert reply.status_code in (200, 400, 404, 409, 422), (path, order, reply.text)
                if reply.status_code != 200:
                    assert reply.json()["detail"]
            await _is_well(ocp)

    asyncio.run(play())


def _orders(page: dict[str, Any]) -> st.SearchStrategy[tuple[str, str, Any]]:
    """Orders of the page's form, with some members odd."""
    verbs = [
        (path, verb) for path, said in page["paths"].items() for verb in said if verb != "get" and path != "/restore"
    ]
    return st.sampled_from(verbs).flatmap(lambda one: st.tuples(st.just(one[0]), st.just(one[1]), _order(page, *one)))


def _order(page: dict[str, Any], path: str, verb: str) -> st.SearchStrategy[Any]:
    body = page["paths"][path][verb].get("requestBody")
    if body is None:
        return st.sampled_from([None, {}, {"x": 1}, []])
    name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    members = page["components"]["schemas"][name]["properties"]
    known = [
        "I00000001", "I00000003", "B01234", "C00019", "settle", "stands", "runs", "typhoon", "broken", "late", "si_add",
        "lack_money", "2026-11-25T10:00:00+08:00", 3, 60.0, 100_000, False,
    ]  # fmt: skip
    value = st.sampled_from([*known, *ODD])
    return st.dictionaries(st.sampled_from([*members, "other"]), value, max_size=4)


async def _day(play: Play) -> None:
    await play.log_in()
    await play.one.add(si_entry("R1"), si_entry("R2", quantity=7), si_entry("R3", counterpartyId="C00077"))
    await play.other.add(other_side("S1"), other_side("S2", quantity=8, hold=True))
    order = {"weather": "typhoon", "until": "2026-11-23T09:45:00+08:00"}
    await play.one.control("weather", order)
    await play.one.control("clock", {"advance_s": 1800})
    await play.one.control("faults", {"kind": "broken", "operation": "echo", "skip": 1})
    changed = si_entry("C2", quantity=9, participantReference="R2") | {"siNumber": "I00000002"}
    await play.one.post("/api/si/instructions/change/v1", {"data": [changed]})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document, but within the events that were told."""
    if path:
        yield path
    if path[-1:] == ("document",):
        return
    for name in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _places(value[name], (*path, name))


@settings(
    max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_a_snapshot_of_any_shape_is_taken_or_refused_and_breaks_nothing(data: st.DataObject) -> None:
    async def play() -> None:
        async with playing(counterparties=[{"late_s": 60}]) as ocp:
            await _day(ocp)
            good = await ocp.snapshot()
            places = list(_places(good))
            for _ in range(5):
                bad = copy.deepcopy(good)
                place = data.draw(st.sampled_from(places))
                within: Any = bad
                for name in place[:-1]:
                    within = within[name]
                if data.draw(st.booleans()):
                    within[place[-1]] = data.draw(st.sampled_from(ODD))
                else:
                    del within[place[-1]]
                reply = await ocp.one.http.post("/_simulator/restore", json=bad)
                assert reply.status_code in (200, 409, 422), (place, within, reply.text)
                if reply.status_code != 200:
                    assert reply.json()["detail"]
                    assert good == await ocp.snapshot(), place
                else:
                    try:
                        await _is_well(ocp)
                    except Exception as error:
                        raise AssertionError(f"{place}: {json.dumps(within)[:300]}") from error
                    await ocp.restore(good)
                    good = await ocp.snapshot()

    asyncio.run(play())
