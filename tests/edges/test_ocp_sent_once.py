"""No layer below the bridge sends a request a second time by itself, whatever its method and however it is cut."""

from __future__ import annotations

import httpx
import pytest

from pg_bridge.errors import OcpOutcomeUnknown
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.server_clock import ServerClock
from pg_bridge.ocp.wire import Wire
from tests.doubles import ocp_world as world
from tests.doubles.scripted_http import Answer, Cut, ScriptedHttp, Step

PATH = "/written"
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
CUTS: dict[str, Step] = {
    "closed without an answer": Cut(),
    "reset without an answer": Cut(hard=True),
    "closed within the head": Cut(b"HTTP/1.1 200 OK\r\nContent-"),
    "reset within the head": Cut(b"HTTP/1.1 200 OK\r\nContent-", hard=True),
    "closed within the body": Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "reset within the body": Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", hard=True),
    "told to go elsewhere": Answer(307, b"", {"Location": PATH}),
    "told to come again": Answer(503, b"", {"Retry-After": "0"}),
    "told that it took too long": Answer(408, b"", {"Connection": "close"}),
    "told that it was misdirected": Answer(421, b""),
    "asked who we are": Answer(401, b"", {"WWW-Authenticate": 'Basic realm="x"'}),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("method", METHODS)
async def test_request_goes_over_once(method: str, cut: str) -> None:
    """On a connection that was used before: there aiohttp itself would try again."""
    async with ScriptedHttp() as server:
        server.on(PATH, Answer(200, b"{}"), CUTS[cut], Answer(200, b"{}"))
        wire = Wire(OcpOptions(base_url=server.url), ServerClock(world.FakeClock()))
        url = httpx.URL(server.url + PATH)
        try:
            await wire.send(method, url, [], b"first", "calling")
            if isinstance(CUTS[cut], Answer):
                await wire.send(method, url, [], b"second", "calling")
            else:
                with pytest.raises(OcpOutcomeUnknown):
                    await wire.send(method, url, [], b"second", "calling")
        finally:
            await wire.aclose()

        assert [b"first", b"second"] == [request.body for request in server.seen(PATH)]
        assert 1 == server.connections
