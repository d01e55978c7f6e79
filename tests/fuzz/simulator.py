"""The pretend OCP against its own OpenAPI document: schemathesis makes calls, good ones and bad ones, over real HTTP.

The laws: no server error, no status, type or body of an answer that the document does not describe.

    python -m tests.fuzz.simulator --seconds 300
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import itertools
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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

from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serving
from tests.doubles.ocp_caller import TOKEN_PATH, OcpCaller, Wall, registrations, shipped_profile

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: of so many calls one goes with the headers that schemathesis made
HEADERS_AS_MADE = 5
#: of so many calls one goes with the participants and numbers that schemathesis made; others name those that are there
MEMBERS_AS_MADE = 4
#: calls of one operation before the next one's turn
TURN = 20


@contextlib.contextmanager
def running() -> Iterator[tuple[str, str]]:
    """A pretend OCP in a thread of its own; gives its URL and a token that lives long."""
    begun = threading.Event()
    ended = asyncio.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        found["loop"] = asyncio.get_running_loop()
        options = {
            "registrations": registrations(), "token_life_s": 86_400, "company_calls": 0, "machine_calls": 0,
            "start": "2026-11-23T09:30:00+08:00", "clock": "stands",
        }  # fmt: skip
        app = create_app(shipped_profile(), read_options(options), lambda: datetime.now(UTC))
        wall = Wall()
        wall.at = datetime.now(UTC)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ocp.example") as http:
            caller = OcpCaller(http, wall)
            await caller.log_in()
        async with serving(app) as url:
            found.update(url=url, token=caller.token)
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert begun.wait(30), "the pretend OCP did not come up"
        yield found["url"], found["token"]
    finally:
        found["loop"].call_soon_threadsafe(ended.set)
        thread.join(30)


def fuzz(seconds: float, first_seed: int = 0, calls: int = TURN) -> Counter[str]:
    """Try for so long, so many calls of one operation in its turn; how many calls of which operation got which status. Raises at the first broken law."""
    found: Counter[str] = Counter()
    # schemathesis writes into what it is given
    schema = schemathesis.openapi.from_dict(copy.deepcopy(shipped_profile().openapi))
    end = time.monotonic() + seconds
    with running() as (url, token), requests.Session() as session:
        session.trust_env = False
        operations = [result.ok() for result in schema.get_all_operations()]
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        # to make a strategy takes longer than to make a call
        strategies = {
            (at, mode): operation.as_strategy(generation_mode=mode)
            for at, operation in enumerate(operations)
            for mode in modes
        }
        turn = first_seed
        while time.monotonic() < end:
            at = turn % len(operations)
            for mode in modes:
                _turn(operations[at], strategies[at, mode], turn, calls, Wire(session, url, token, found, end))
            turn += 1
    return found


@dataclass(frozen=True)
class Wire:
    """How calls go out, until when, and what is counted."""

    session: requests.Session
    url: str
    token: str
    found: Counter[str]
    end: float


def _turn(operation: Any, strategy: Any, turn: int, calls: int, wire: Wire) -> None:
    numbers = itertools.count(1)

    @seed(turn)
    @settings(
        max_examples=calls,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def call(case: Any) -> None:
        if time.monotonic() >= wire.end:
            return
        headers = {}
        if operation.path != TOKEN_PATH:
            headers["Authorization"] = f"Bearer {wire.token}"
            number = next(numbers)
            if number % HEADERS_AS_MADE:
                stamp = str(int(time.time() * 1000))
                headers |= {"X-OCP-REQUEST-ID": str(uuid.uuid4()), "X-OCP-TIMESTAMP": stamp}
            if number % MEMBERS_AS_MADE:
                _know(case.body, number)
        answer = case.call(base_url=wire.url, session=wire.session, headers=headers)
        wire.found[f"{operation.method.upper()} {operation.path} {answer.status_code}"] += 1
        case.validate_response(answer, checks=CHECKS)

    # an operation that takes nothing has no bad calls
    with contextlib.suppress(Unsatisfiable):
        call()


def _know(body: Any, number: int) -> None:
    """Have a body speak of a participant, a day and an SI that there are, where it names any."""
    entries = body.get("data") if isinstance(body, dict) else None
    for entry in [body, *(entries if isinstance(entries, list) else ())]:
        if isinstance(entry, dict):
            known = {
                "participantId": "B01234", "siNumber": f"I{number:08d}", "settlementDate": "2026-11-25", "tradeDate": None,
                "businessDate": "2026-11-23",
            }  # fmt: skip
            entry.update({name: value for name, value in known.items() if name in entry})


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
