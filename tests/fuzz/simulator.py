"""The pretend OCP against its own OpenAPI documents: schemathesis makes calls, good ones and bad ones, over real HTTP.

The laws: no server error but one that was ordered, no status, type or body of an answer that the document does not
describe. Faults are on: of the calls to OCP some are ordered to be throttled, denied, broken, closed, late or slow
first. Streams are read to their first event, sockets opened, good assertions brought to the token door. The control
API, which can end the world, is tried against a pretend OCP of its own.

    python -m tests.fuzz.simulator --seconds 300
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import itertools
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pg_bridge.simulator.ocp import CONTROL_PATH, create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serving
from tests.doubles.ocp_caller import TOKEN_PATH, OcpCaller, Wall, registrations, shipped_profile, si_entry

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: what was made is called so often, each time in another way: to make it takes longer than to call
VARIANTS = 10
#: of so many calls one goes with the headers that schemathesis made
HEADERS_AS_MADE = 5
#: of so many calls one goes with the participants and numbers that schemathesis made; others name those that are there
MEMBERS_AS_MADE = 4
#: of so many calls one meets a fault
FAULTY = 5
#: of so many calls of the control API one orders what empties, restores or shuts the pretend OCP
GRAVE = 4
#: calls of one operation before the next one's turn
TURN = 8
STREAM, SOCKET, HEALTH = (
    "/api/si/status-events/stream/v1",
    "/api/si/status-events/socket/v1",
    "/api/system/health/v1",
)
#: what goes wrong in turn, and the statuses that it may be answered with instead of those of a good or bad call
FAULTS: tuple[tuple[dict[str, Any], int | None], ...] = (
    ({"kind": "throttled"}, 429),
    ({"kind": "broken"}, 500),
    ({"kind": "closed"}, 503),
    ({"kind": "timed_out"}, 504),
    ({"kind": "broken", "work": True}, 500),
    ({"kind": "late", "delay_s": 0.001}, None),
    ({"kind": "slow", "delay_s": 0.005}, None),
    ({"kind": "denied"}, 401),
    ({"kind": "refused", "refusal": "market_closed"}, None),
    ({"kind": "refused", "refusal": "not_granted"}, None),
    ({"kind": "entries_refused", "refusal": "unknown_account"}, None),
)
#: the faults that a call without a token can meet
_OPEN_FAULTS = 7


@dataclass(frozen=True)
class Wire:
    """How calls go out, until when, and what is counted."""

    session: requests.Session
    url: str
    caller: OcpCaller
    end: float
    found: Counter[str] = field(default_factory=Counter)
    #: how many faults each operation has met, so that it meets them all in turn
    met: Counter[str] = field(default_factory=Counter)

    def control(self, method: str, path: str, order: object = None) -> requests.Response:
        """Command the pretend OCP."""
        reply = self.session.request(method, f"{self.url}{CONTROL_PATH}/{path}", json=order, timeout=60)
        reply.raise_for_status()
        return reply


@contextlib.contextmanager
def running() -> Iterator[tuple[str, OcpCaller]]:
    """A pretend OCP in a thread of its own; gives its URL and a caller with a token that lives long."""
    begun = threading.Event()
    ended = asyncio.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        found["loop"] = asyncio.get_running_loop()
        options = {
            "registrations": registrations(), "token_life_s": 86_400, "company_calls": 0, "machine_calls": 0,
            "start": "2026-11-23T09:30:00+08:00", "clock": "stands", "trades_at_once": 300,
        }  # fmt: skip
        app = create_app(shipped_profile(), read_options(options), lambda: datetime.now(UTC))
        wall = Wall()
        wall.at = datetime.now(UTC)
        async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
            caller = OcpCaller(http, wall)
            await caller.log_in()
            # so that there is an event to be told
            await caller.add(si_entry("R1"))
            found.update(url=url, caller=caller)
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert begun.wait(30), "the pretend OCP did not come up"
        yield found["url"], found["caller"]
    finally:
        found["loop"].call_soon_threadsafe(ended.set)
        thread.join(30)


def fuzz(seconds: float, first_seed: int = 0, calls: int = TURN, turns: int | None = None) -> Counter[str]:
    """Try for so long (or so many turns), so many calls of one operation in its turn; how many calls of which operation got which status.

    Raises at the first broken law.
    """
    end = time.monotonic() + seconds
    with running() as (url, caller), running() as (ruled_url, ruled), requests.Session() as session:
        session.trust_env = False
        wire = Wire(session, url, caller, end)
        control = Wire(session, ruled_url, ruled, end, wire.found)
        document = session.get(f"{ruled_url}{CONTROL_PATH}/openapi.json", timeout=60).json()
        # schemathesis writes into what it is given
        documents = [_Turns(shipped_profile().openapi, wire, calls), _Turns(document, control, calls)]
        for turn in itertools.count(first_seed) if turns is None else range(first_seed, first_seed + turns):
            for each in documents:
                if time.monotonic() < end:
                    each.take(turn)
            if time.monotonic() >= end:
                break
    return wire.found


class _Turns:
    """The operations of one document, one after the other."""

    def __init__(self, document: dict[str, Any], wire: Wire, calls: int) -> None:
        schema = schemathesis.openapi.from_dict(copy.deepcopy(document))
        self._operations = [result.ok() for result in schema.get_all_operations()]
        self._is_control = "/faults" in document["paths"]
        self._wire = wire
        self._calls = calls
        # to make a strategy takes longer than to make a call
        self._strategies: dict[tuple[int, GenerationMode], Any] = {}

    def take(self, turn: int) -> None:
        """The next operation's turn."""
        at = turn % len(self._operations)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if (at, mode) not in self._strategies:
                self._strategies[at, mode] = self._operations[at].as_strategy(generation_mode=mode)
            self._turn(self._operations[at], self._strategies[at, mode], turn)

    def _turn(self, operation: Any, strategy: Any, turn: int) -> None:
        numbers = itertools.count(1)
        try_one = _order if self._is_control else _call

        @seed(turn)
        @settings(
            max_examples=self._calls,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def call(case: Any) -> None:
            body, query = case.body, case.query
            for _ in range(VARIANTS):
                if time.monotonic() < self._wire.end:
                    case.body, case.query = copy.deepcopy(body), copy.deepcopy(query)
                    try_one(self._wire, operation, case, next(numbers) + turn)

        # an operation that takes nothing has no bad calls
        with contextlib.suppress(Unsatisfiable):
            call()


# ---- OCP's own operations


def _call(wire: Wire, operation: Any, case: Any, number: int) -> None:
    headers = {}
    if operation.path == TOKEN_PATH:
        if number % MEMBERS_AS_MADE and isinstance(case.body, dict):
            wire.caller.wall.at = datetime.now(UTC)
            case.body.update(wire.caller.form())
    else:
        headers["Authorization"] = f"Bearer {wire.caller.token}"
        if number % HEADERS_AS_MADE:
            stamp = str(int(time.time() * 1000))
            headers |= {"X-OCP-REQUEST-ID": str(uuid.uuid4()), "X-OCP-TIMESTAMP": stamp}
        if number % MEMBERS_AS_MADE:
            _know(case.body, number)
            _know(case.query, number)
    if isinstance(case.query, dict) and "waitSeconds" in case.query and case.query["waitSeconds"] in range(1, 31):
        case.query["waitSeconds"] = 1
    expected = None
    is_faulty = not number % FAULTY
    if is_faulty:
        choice = FAULTS if operation.path not in (TOKEN_PATH, HEALTH) else FAULTS[:_OPEN_FAULTS]
        order, expected = choice[wire.met[operation.path] % len(choice)]
        wire.met[operation.path] += 1
        wire.control("POST", "faults", order | {"operation": _name(operation)})
    if operation.path == SOCKET and number % 2:
        status = _open_socket(wire, case, headers)
    else:
        status = _judge(wire, operation, case, headers, expected)
    wire.found[f"{operation.method.upper()} {operation.path} {status}"] += 1
    if is_faulty:
        assert expected in (None, status), f"{order} was answered with {status}"
        wire.control("DELETE", "faults")


def _name(operation: Any) -> str:
    if operation.path == TOKEN_PATH:
        return "token"
    method = operation.method.upper()
    return next(
        name.value
        for name, spec in shipped_profile().operations.items()
        if (spec.method, spec.path) == (method, operation.path)
    )


def _judge(wire: Wire, operation: Any, case: Any, headers: dict[str, str], expected: int | None) -> int:
    """Call, hold the answer to the document; its status."""
    checks = CHECKS if expected in (500, 503, 504) else [not_a_server_error, *CHECKS]
    if operation.path != STREAM:
        answer = case.call(base_url=wire.url, session=wire.session, headers=headers, timeout=60)
        case.validate_response(answer, checks=checks)
        return int(answer.status_code)
    given = case.as_transport_kwargs(base_url=wire.url, headers=headers)
    given.pop("cookies", None)
    with wire.session.request(**given, stream=True, timeout=60) as answer:
        if answer.status_code == 200:
            # a stream has no end: it is held to its kind and, where it resumes, to its first event
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            return 200
        case.validate_response(answer, checks=checks)
        return int(answer.status_code)


def _open_socket(wire: Wire, case: Any, headers: dict[str, str]) -> int:
    url = wire.url.replace("http://", "ws://") + f"{SOCKET}?{urlencode(case.query or {}, doseq=True)}"
    try:
        with connect(url, additional_headers=headers, proxy=None, open_timeout=60):
            return 101
    except InvalidStatus as refused:
        status = refused.response.status_code
        described = shipped_profile().openapi["paths"][SOCKET]["get"]["responses"]
        assert str(status) in described, f"a socket was refused with {status}"
        if status != 503:
            document = json.loads(refused.response.body or b"null")
            assert [] == shipped_profile().faults("Envelope", document)
        return status


def _know(values: Any, number: int) -> None:
    """Have a body or a query speak of a participant, a day and an SI that there are, where it names any."""
    entries = values.get("data") if isinstance(values, dict) else None
    for entry in [values, *(entries if isinstance(entries, list) else ())]:
        if isinstance(entry, dict):
            known = {
                "participantId": "B01234", "siNumber": f"I{number:08d}", "settlementDate": "2026-11-25",
                "tradeDate": "2026-11-23", "businessDate": "2026-11-23", "after": "2026-11-23:0", "toDate": "2026-12-01",
                "fromDate": "2026-11-23", "fromSequence": 1, "toSequence": 50, "afterSequence": number % 300,
            }  # fmt: skip
            entry.update({name: value for name, value in known.items() if name in entry})


# ---- the control API


def _order(wire: Wire, operation: Any, case: Any, number: int) -> None:
    if operation.path in ("/reset", "/restore", "/expire-tokens") and number % GRAVE:
        return
    if operation.path == "/restore" and number % (2 * GRAVE):
        case.body = wire.control("GET", "snapshot").json()
    if isinstance(case.body, dict) and number % MEMBERS_AS_MADE:
        known = {"si_number": "I00000001", "company": "CP00001", "jump": None, "participant": "C00019"}
        case.body.update({name: value for name, value in known.items() if name in case.body})
    answer = case.call(base_url=f"{wire.url}{CONTROL_PATH}", session=wire.session, timeout=60)
    wire.found[f"{operation.method.upper()} {CONTROL_PATH}{operation.path} {answer.status_code}"] += 1
    case.validate_response(answer, checks=[not_a_server_error, *CHECKS])


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    found = fuzz(asked.seconds, asked.seed)
    for name, count in sorted(found.items()):
        print(f"{count:>8} {name}")
    print(f"{sum(found.values()):>8} calls, every answer as the document says")


if __name__ == "__main__":
    main()
