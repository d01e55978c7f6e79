"""The pretend OCP as a process, without a socket, and the stub."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest

from pg_bridge.errors import ConfigError
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.stub import Stub, start_stub
from tests.doubles.ocp_caller import MAPPINGS, OcpCaller, Wall, registrations, shipped_profile, si_entry

PROCESS = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serve
from pg_bridge.simulator.stub import serve_stub
mappings = Path(sys.argv[1])
profile = read_ocp_profile({str(path.relative_to(mappings)): path.read_text() for path in mappings.glob("ocp/*")})
if sys.argv[2] == "stub":
    serve_stub(profile, datetime.now(UTC))
else:
    serve(profile, read_options(json.loads(sys.argv[2])), lambda: datetime.now(UTC))
"""


@pytest.mark.parametrize("kind", ["stub", json.dumps({"clock": "runs", "rate": 600})])
def test_it_says_where_it_listens_and_ends_when_told(kind) -> None:
    command = [sys.executable, "-c", PROCESS, str(MAPPINGS), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = json.loads(process.stdout.readline())
        health = httpx.get(f"{line['listening']}/api/system/health/v1", trust_env=False)
        process.send_signal(signal.SIGTERM)

        assert ("0", 0, b"") == (health.json()["code"], process.wait(10), process.stderr.read())


async def test_the_app_works_without_a_socket() -> None:
    wall = Wall()
    options = read_options({"registrations": registrations(), "start": "2026-11-23T09:30:00+08:00"})
    app = create_app(shipped_profile(), options, wall)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ocp.example") as http:
        caller = OcpCaller(http, wall)
        await caller.log_in()
        reply = await caller.add(si_entry("R1"))
    await app.state.ocp.aclose()

    assert "I00000001" == reply.json()["data"][0]["siNumber"]


@pytest.mark.parametrize(
    "options",
    [
        {"speed": 1},
        {"start": "2026-11-23T09:30:00"},
        {"registrations": {"machines": {"M1": {"jwks": {}, "company": "NOBODY"}}}},
    ],
)
def test_options_that_do_not_fit_are_refused(options) -> None:
    with pytest.raises(ConfigError):
        read_options(options)


def test_keys_and_times_that_do_not_fit_are_refused() -> None:
    for options in (
        {"registrations": {"companies": {"C": {"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}, "participants": []}}}},
        {"signing_key": "no PEM"},
        {"day_end": "25:00"},
    ):
        with pytest.raises(ConfigError):
            create_app(shipped_profile(), read_options(options), Wall())


async def test_the_stub_accepts_everything_in_order_on_one_connection() -> None:
    profile = shipped_profile()
    server, url = await start_stub(Stub(profile, datetime(2026, 11, 23, tzinfo=UTC)))
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    def request(method: str, path: str, document: object) -> bytes:
        body = json.dumps(document).encode()
        return f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body

    async def answer() -> tuple[bytes, dict]:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        return head.split(b"\r\n")[0], json.loads(await reader.readexactly(length))

    calls = request("POST", "/api/si/instructions/add/v1", {"data": [si_entry("R1"), si_entry("R2")]})
    calls += request("GET", "/api/si/status-events/v1?participantId=B01234", {})
    calls += request("POST", "/api/si/instructions/hold/v1", {"data": [{"siNumber": "I00000001"}]})
    calls += request("POST", "/api/si/instructions/query/v1", {"participantId": "B01234"})
    calls += request("POST", "/api/si/subscriptions/add/v1", {"url": "http://b/e"})
    calls += request("GET", "/api/crypto/meta", {})
    calls += request("GET", "/nowhere", {})
    for byte in (calls[:50], calls[50:]):
        writer.write(byte)
        await writer.drain()
    answers = [await answer() for _ in range(7)]
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()

    documents = [document for _, document in answers]
    assert [("R1", "I00000001"), ("R2", "I00000002")] == [
        (entry["requestReference"], entry["siNumber"]) for entry in documents[0]["data"]
    ]
    assert [2, 0, 1, 0, 1, 1] == [document["totalSize"] for document in documents[:6]]
    assert b"HTTP/1.1 404 Not Found" == answers[6][0]
    for schema, document in zip(
        ("SiAnswer", "StatusEventsAnswer", "Envelope", "SiQueryAnswer", "SubscriptionAnswer", "CryptoMetaAnswer"),
        documents,
        strict=False,
    ):
        assert [] == profile.faults(schema, document)
