"""Answers to writes that are wrong in every way the schema allows to say so: a named fault, journaled, nothing lost.

The cases are generated from the shipped OpenAPI document: each member missing, null, of each other type, out of range,
no word of its enumeration; entries too few, too many, in another order, of another; envelope and status at odds.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pg_bridge.dispatcher.chores import Chores
from pg_bridge.dispatcher.errands import Errands
from pg_bridge.dispatcher.sets import SetAtWork, Sets
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.ocp.client import OcpClient
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.schemas import answer_schema
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.openapi import resolved
from tests.doubles import ocp_world as world
from tests.doubles.core import Core
from tests.doubles.scripted_http import Answer, ScriptedHttp

REFERENCES = ("R1", "R2", "R3")
#: every kind of JSON value, beside those out of any range
VALUES: list[Any] = [None, True, False, 0, -1, 2**63, 1.5, "", "x", "I" * 200, "\u0000", [], [None], {}, {"x": 1}]
_MISSING = object()


def good() -> dict[str, Any]:
    """The answer that accepts all three."""
    return world.envelope([world.answer_entry(name, number) for number, name in enumerate(REFERENCES, 1)])


def refused(code: str = "400101") -> dict[str, Any]:
    """The answer that refuses the first of three."""
    document = good()
    error = {"recordErrorCode": code, "recordErrorMsg": "no"}
    document["data"][0] |= {"siNumber": None, "status": None, "version": None, "exception": [error]}
    return document


def _paths(schema: Any, document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every member that the schema names, as far as the document has it; of a list its first entry."""
    found = dict.fromkeys(_named(schema, document, path))
    yield from found


def _named(schema: Any, document: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    schema = resolved(world.ocp_profile().openapi, schema)
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        yield from _named(part, document, path)
    if isinstance(document, dict):
        for name, inner in schema.get("properties", {}).items():
            yield (*path, name)
            if name in document:
                yield from _named(inner, document[name], (*path, name))
    elif isinstance(document, list) and document:
        yield (*path, 0)
        yield from _named(schema.get("items", {}), document[0], (*path, 0))


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(document)
    *way, last = path
    place = made
    for step in way:
        place = place[step]
    if value is not _MISSING:
        place[last] = value
    elif isinstance(place, list) or last in place:
        del place[last]
    return made


def cases() -> list[tuple[str, int, bytes]]:
    """Name, HTTP status and body of every wrong answer."""
    schema = world.ocp_profile().schema(answer_schema(world.ocp_profile(), Operation.SI_ADD))
    made: list[tuple[str, int, bytes]] = []

    def case(name: str, document: Any, status: int = 200) -> None:
        made.append((name, status, document if isinstance(document, bytes) else json.dumps(document).encode()))

    for base, document in (("accepted", good()), ("one refused", refused()), ("all refused", world.refusal("406001"))):
        for path in _paths(schema, document):
            where = f"{base}: {'/'.join(map(str, path))}"
            case(f"{where} missing", _with(document, path, _MISSING))
            for value in VALUES:
                case(f"{where} is {json.dumps(value)[:20]}", _with(document, path, value))
        for status in (100, 201, 202, 204, 206, 301, 302, 304, 400, 402, 403, 404, 405, 408, 409, 410, 413, 415, 418,
                       422, 425, 429, 451, 500, 501, 502, 503, 504, 505, 511, 599, 600, 999):  # fmt: skip
            if status >= 200 and status not in (204, 304):
                case(f"{base}: with status {status}", document, status)
    entries = good()["data"]
    for name, other in (
        ("none", []), ("one", entries[:1]), ("two", entries[:2]), ("four", [*entries, world.answer_entry("R4", 4)]),
        ("first twice", [entries[0], *entries]), ("turned round", entries[::-1]), ("first two swapped", [entries[1], entries[0], entries[2]]),
        ("first in all places", entries[:1] * 3), ("of another request", [world.answer_entry("OTHER", 9), *entries[1:]]),
        ("one number for all", [entry | {"siNumber": "I00000001"} for entry in entries]),
        ("accepted without a number", [entries[0] | {"siNumber": None}, *entries[1:]]),
        ("a status that is none", [entries[0] | {"status": "FROZEN"}, *entries[1:]]),
    ):  # fmt: skip
        case(f"entries: {name}", good() | {"data": other, "totalSize": len(other)})
    case("refuses all, and holds entries", world.refusal("406001") | {"data": entries})
    case("all is well, and errors beside it", good() | {"exception": world.refusal("406001")["exception"]})
    case("code of a refusal, and no errors", good() | {"code": "406001"})
    case("unknown member", good() | {"surprise": 1})
    body = json.dumps(good()).encode()
    for name, data in (
        ("no body", b""), ("cut in the middle", body[: len(body) // 2]), ("twice", body * 2), ("HTML", b"<html></html>"),
        ("no UTF-8", body.replace(b"R1", b"\xff\xfe")), ("a byte order mark", b"\xef\xbb\xbf" + body), ("null", b"null"),
        ("a list", b"[" + body + b"]"), ("a text", json.dumps(body.decode()).encode()), ("deep", b"[" * 100_000),
        ("NaN", body.replace(b'"version": 1', b'"version": NaN')), ("zero bytes", b"\x00" * 100),
    ):  # fmt: skip
        case(f"body: {name}", data)
    return made


def look_cases() -> list[tuple[str, bytes]]:
    """Name and body of every wrong answer to the question what became of a lost input."""
    schema = world.ocp_profile().schema(answer_schema(world.ocp_profile(), Operation.SI_QUERY))
    document = world.envelope([world.query_entry("R1", createdAt="2026-11-24T10:00:00.000+08:00")])
    return [
        (
            f"{'/'.join(map(str, path))} {value if value is not _MISSING else 'missing'!r}"[:80],
            json.dumps(made).encode(),
        )
        for path in _paths(schema, document)
        for value in (_MISSING, *VALUES)
        if (made := _with(document, path, value)) is not None
    ]


CASES = cases()


class Bridge:
    """The core and the errands of a bridge, with the real client."""

    def __init__(self, server: ScriptedHttp) -> None:
        self.core = Core(answer_within_s=20.0)
        clock = world.FakeClock(self.core.now)
        limits = CallLimits([], clock.monotonic)
        self.client = OcpClient(
            world.ocp_profile(), OcpOptions(base_url=server.url), world.identity(), limits=limits, clock=clock,
            monotonic=clock.monotonic, fresh_id=world.fresh_id,
        )  # fmt: skip
        self.server = server
        self.decisions: list[a.Decision] = []
        self._limits = limits

    async def take(self, status: int, body: bytes) -> list[a.Decision]:
        """Three requests, called together, get this answer. Gives what was decided of it."""
        core = self.core = Core(answer_within_s=20.0)
        for number, reference in enumerate(REFERENCES, 2):
            core.request(reference, sequence=number)
        request_id = core.call()
        decisions: list[a.Decision] = []
        errands = Errands(
            state=core.state, sets=Sets(SetAtWork(core.terms, self.client), core.state), slots=self._limits,
            chores=Chores(), offer=lambda event: decisions.append(core.offer(event)), lane_freed=lambda _: None,
            clock=lambda: core.now,
        )  # fmt: skip
        self.server.on(world.ADD_PATH, Answer(status, body))
        await errands.call(request_id)
        return decisions

    async def look(self) -> list[e.Looked]:
        """One request is lost, and OCP asked about it. Gives what came of it: nothing where OCP is asked again."""
        core = Core()
        core.request("R1")
        request_id = core.call()
        core.offer(e.CallLost(request_id, "cut"))
        looked: list[e.Event] = []
        chores = Chores()
        errands = Errands(
            state=core.state, sets=Sets(SetAtWork(core.terms, self.client), core.state), slots=self._limits,
            chores=chores, offer=looked.append, lane_freed=lambda _: None, clock=lambda: core.now,
        )  # fmt: skip
        await errands.look(request_id)
        await chores.close()
        return [event for event in looked if isinstance(event, e.Looked)]


def _settle(core: Core) -> None:
    """OCP shows that all were done: whatever is still open is answered."""
    for request_id, batch in list(core.state.batches.items()):
        found = {
            member: {**core.event(f"I0000000{place}", 1, "CREATED", "UNMATCHED"), "requestReference": f"R{place}"}
            for place, member in enumerate(batch.members, 1)
            if member in batch.open
        }
        core.offer(e.Looked(request_id, found))


async def test_wrong_answers_are_named_journaled_and_lose_nothing() -> None:
    """What OCP does not surely say is unknown: it is looked for, and found once."""
    classes: dict[str, int] = {}
    broken: list[str] = []
    async with ScriptedHttp() as server:
        server.on(world.TOKEN_PATH, Answer(200, world.token_answer(expires_in=86_400)))
        bridge = Bridge(server)
        async with bridge.client:
            for name, status, body in CASES:
                decisions = await bridge.take(status, body)
                core = bridge.core
                outcomes = [exchange.outcome for exchange in core.state.exchanges.values()]
                kinds = [entry.kind.value for decision in decisions for entry in decision.entries]
                text = " ".join(str(entry.body().get("text", "")) for d in decisions for entry in d.entries)
                kind = next((one for one in ("outcome_unknown", "ocp_failed", "batch_refused") if one in kinds), "")
                classes[kind or "answered"] = classes.get(kind or "answered", 0) + 1
                numbers = [one.number for one in core.state.instructions.values()]
                if not kinds:
                    broken.append(f"{name}: nothing was journaled")
                if kind and not text:
                    broken.append(f"{name}: {kind} without a word")
                if outcomes.count("accepted") != len(set(numbers)):
                    broken.append(f"{name}: {outcomes} with the numbers {numbers}")
                if "accepted" in outcomes and not _fits(body):
                    broken.append(f"{name}: taken as an acceptance")
                if kind == "outcome_unknown" and not any(isinstance(x, a.Look) for d in decisions for x in d.actions):
                    broken.append(f"{name}: unknown, and nothing looks for it")
                if "outcome_unknown" in kinds:
                    _settle(core)
                over = [exchange.stage is Stage.ANSWERED for exchange in core.state.exchanges.values()]
                if kind in ("", "outcome_unknown") and not all(over):
                    broken.append(f"{name}: not over at the end: {over}")

    assert [] == broken
    assert 700 < len(CASES)
    assert {"outcome_unknown", "answered", "ocp_failed"} == set(classes)


async def test_wrong_answer_to_a_look_credits_nothing_that_it_does_not_say() -> None:
    """What is found must be of the schema, of the request, and of its day; else it is asked again, or not found."""
    broken: list[str] = []
    found = asked_again = 0
    profile = world.ocp_profile()
    named = look_cases()
    async with ScriptedHttp() as server:
        server.on(world.TOKEN_PATH, Answer(200, world.token_answer(expires_in=86_400)))
        bridge = Bridge(server)
        async with bridge.client:
            for name, body in named:
                server.on(world.QUERY_PATH, Answer(200, body))
                looked = await bridge.look()
                entries = [entry for one in looked for entry in one.found.values()]
                found += len(entries)
                asked_again += not looked
                if looked and profile.faults(answer_schema(profile, Operation.SI_QUERY), json.loads(body)):
                    broken.append(f"{name}: believed")
                if any((one["requestReference"], one["createdAt"][:10]) != ("R1", "2026-11-24") for one in entries):
                    broken.append(f"{name}: credited with another's")

    assert [] == broken
    assert 500 < len(named)
    assert found
    assert asked_again


def _fits(body: bytes) -> bool:
    """Whether a body is an answer of the schema that names the three requests in order."""
    profile = world.ocp_profile()
    try:
        document = json.loads(body)
    except ValueError:
        return False
    if profile.faults(answer_schema(profile, Operation.SI_ADD), document):
        return False
    return [entry["requestReference"] for entry in document["data"]] == list(REFERENCES)


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_status_that_says_that_nothing_was_done_is_believed_whatever_the_body(status: int) -> None:
    async with ScriptedHttp() as server:
        server.on(world.TOKEN_PATH, Answer(200, world.token_answer()))
        bridge = Bridge(server)
        async with bridge.client:
            decisions = await bridge.take(status, json.dumps(good()).encode())

    kinds = {entry.kind.value for decision in decisions for entry in decision.entries}
    assert kinds == ({"ocp_failed"} if status in (429, 503) else {"exchange_answered"})
    assert {"R1", "R2", "R3"} == {exchange.reference for exchange in bridge.core.state.exchanges.values()}
    assert not bridge.core.state.instructions
