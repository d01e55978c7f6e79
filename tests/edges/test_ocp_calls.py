"""Each row of ocp-profile section 3, over real HTTP with a server that misbehaves as told."""

import asyncio
import base64
import hashlib
import json
import socket
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from pg_bridge.errors import ConfigError, OcpDenied, OcpError, OcpOutcomeUnknown, OcpRefused, OcpUnavailable
from pg_bridge.ocp.call_record import CallRecord
from pg_bridge.ocp.client import OcpClient, company_limits
from pg_bridge.ocp.limits import CallLimits, Limit
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile
from tests.doubles import ocp_world as world
from tests.doubles.scripted_http import Answer, Cut, Drip, ScriptedHttp, Silence, Step

REQUEST_ID = "5f1c6e2a-0000-4000-8000-000000000001"
HTML = b"<html><body>closed for maintenance</body></html>"
GOOD = world.envelope([world.answer_entry()])
WHOLE = Answer(200, GOOD).bytes()


class Desk:
    """A client, the scripted server behind it, and what was recorded for the audit."""

    def __init__(self, server: ScriptedHttp) -> None:
        self.server = server
        self.clock = world.FakeClock()
        self.records: list[CallRecord] = []
        self.clients: list[OcpClient] = []
        self.limits = CallLimits([], self.clock.monotonic)
        server.on(world.TOKEN_PATH, Answer(200, world.token_answer()))

    def client(self, profile: OcpProfile | None = None, **options: Any) -> OcpClient:
        settings = {"base_url": self.server.url, "read_s": 10.0, "connect_s": 10.0} | options
        client = OcpClient(
            profile or world.ocp_profile(),
            OcpOptions(**settings),
            world.identity(),
            limits=self.limits,
            clock=self.clock,
            monotonic=self.clock.monotonic,
            fresh_id=world.fresh_id,
            on_call=self.records.append,
        )
        self.clients.append(client)
        return client

    async def write(self, *steps: Step, entries: int = 1, **options: Any) -> list[dict[str, Any]]:
        self.server.on(world.ADD_PATH, *steps)
        body = world.bulk([world.si_entry(f"B012340000{place + 1}") for place in range(entries)])
        return await self.client(**options).write(Operation.SI_ADD, "B01234", REQUEST_ID, body)

    async def error(self, *steps: Step, **options: Any) -> OcpError:
        if any(isinstance(step, Silence) for step in steps):
            options.setdefault("read_s", 0.03)
        with pytest.raises(OcpError) as caught:
            await self.write(*steps, **options)
        return caught.value


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with ScriptedHttp() as server:
        desk = Desk(server)
        yield desk
        for client in desk.clients:
            await client.aclose()


async def test_accepted_entries_come_back_in_order(desk: Desk) -> None:
    answers = [world.answer_entry("B0123400001", 1), world.answer_entry("B0123400002", 2)]

    entries = await desk.write(Answer(200, world.envelope(answers)), entries=2)

    assert answers == entries


async def test_a_refused_entry_is_an_entry_not_an_error(desk: Desk) -> None:
    refused = world.answer_entry(
        siNumber=None,
        status=None,
        version=None,
        exception=[{"recordErrorCode": "400101", "recordErrorMsg": "unknown stock"}],
    )

    assert [refused] == await desk.write(Answer(200, world.envelope([refused])))


async def test_headers_are_those_of_the_profile(desk: Desk) -> None:
    await desk.write(Answer(200, GOOD))

    (request,) = desk.server.seen(world.ADD_PATH)
    assert request.headers["authorization"] == "Bearer token-1"
    assert "application/json" == request.headers["accept"] == request.headers["content-type"]
    assert request.headers["accept-language"] == "en-US"
    assert request.headers["x-ocp-request-id"] == REQUEST_ID
    assert str(int(world.NOW.timestamp() * 1000)) == request.headers["x-ocp-timestamp"]
    assert "x-ocp-signature" not in request.headers


async def test_a_query_carries_no_request_id(desk: Desk) -> None:
    desk.server.on(world.QUERY_PATH, Answer(200, world.envelope()))

    await desk.client().ask(Operation.SI_QUERY, "B01234", {"participantId": "B01234"})

    (request,) = desk.server.seen(world.QUERY_PATH)
    assert "x-ocp-request-id" not in request.headers
    assert json.loads(request.body) == {"participantId": "B01234", "size": 1000}


async def test_writes_are_signed_when_the_profile_says_so(desk: Desk) -> None:
    desk.server.on(world.ADD_PATH, Answer(200, GOOD))
    client = desk.client(world.ocp_profile_with("sign_writes = false", "sign_writes = true"))
    body = world.bulk([world.si_entry()])

    await client.write(Operation.SI_ADD, "B01234", REQUEST_ID, body)

    (request,) = desk.server.seen(world.ADD_PATH)
    signature = base64.urlsafe_b64decode(request.headers["x-ocp-signature"] + "==")
    stamp = request.headers["x-ocp-timestamp"]
    said = f"{REQUEST_ID}.{stamp}.POST.{world.ADD_PATH}.{hashlib.sha256(body).hexdigest()}".encode()
    private = serialization.load_pem_private_key(world.key_pem("machine"), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    private.public_key().verify(signature, said, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("codes", [("400001", "400002"), ("405904",), ("406001",), ("411002",), ("999999",)])
async def test_refused_whole_gives_every_code(desk: Desk, status: int, codes: tuple[str, ...]) -> None:
    error = await desk.error(Answer(status, world.refusal(*codes)))

    assert isinstance(error, OcpRefused)
    assert tuple((code, f"text {code}") for code in codes) == error.refusals


async def test_a_refusal_without_a_list_of_errors_gives_its_code(desk: Desk) -> None:
    error = await desk.error(Answer(400, world.envelope(code="400001", message="bad")))

    assert isinstance(error, OcpRefused)
    assert error.refusals == (("400001", "bad"),)


async def test_403_with_codes_is_a_refusal(desk: Desk) -> None:
    error = await desk.error(Answer(403, world.refusal("403001")))

    assert isinstance(error, OcpRefused)
    assert error.refusals == (("403001", "text 403001"),)


@pytest.mark.parametrize("body", [b"", HTML, world.envelope(), {"error": "forbidden"}])
async def test_403_without_codes_is_denied(desk: Desk, body: Any) -> None:
    assert isinstance(await desk.error(Answer(403, body)), OcpDenied)


async def test_401_is_tried_once_more_with_a_new_token_and_the_same_id(desk: Desk) -> None:
    desk.server.on(
        world.TOKEN_PATH, Answer(200, world.token_answer("token-1")), Answer(200, world.token_answer("token-2"))
    )

    entries = await desk.write(Answer(401, world.refusal("411003")), Answer(200, GOOD))

    first, second = desk.server.seen(world.ADD_PATH)
    assert GOOD["data"] == entries
    assert (first.headers["authorization"], second.headers["authorization"]) == ("Bearer token-1", "Bearer token-2")
    assert REQUEST_ID == first.headers["x-ocp-request-id"] == second.headers["x-ocp-request-id"]
    assert first.body == second.body
    assert [(record.error, record.status) for record in desk.records] == [("PGB-OCP-003", 401), ("", 200)]


async def test_401_twice_is_denied_after_exactly_one_renewal(desk: Desk) -> None:
    error = await desk.error(Answer(401))

    assert isinstance(error, OcpDenied)
    assert 2 == len(desk.server.seen(world.ADD_PATH)) == len(desk.server.seen(world.TOKEN_PATH))


@pytest.mark.parametrize(
    ("status", "headers", "retry_after_s"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (429, {}, None),
        (503, {"Retry-After": "Mon, 23 Nov 2026 01:31:00 GMT"}, 60.0),
        (503, {"Retry-After": "soon"}, None),
        (503, {"Content-Type": "text/html"}, None),
    ],
)
async def test_throttled_or_closed_did_nothing(
    desk: Desk, status: int, headers: dict[str, str], retry_after_s: float | None
) -> None:
    error = await desk.error(Answer(status, HTML, headers))

    assert isinstance(error, OcpUnavailable)
    assert retry_after_s == error.retry_after_s


async def test_throttling_holds_other_calls_back(desk: Desk) -> None:
    await desk.error(Answer(429, b"", {"Retry-After": "7"}))

    assert not desk.limits.try_slot()
    desk.clock.forward(7)
    assert desk.limits.try_slot()


LOST: dict[str, Step] = {
    "500": Answer(500, world.refusal("400001")),
    "500 in html": Answer(500, HTML),
    "502": Answer(502, HTML),
    "504": Answer(504),
    "404": Answer(404, HTML),
    "redirect": Answer(307, b"", {"Location": "/elsewhere"}),
    "204": Answer(204),
    "201": Answer(201, GOOD),
    "no json": Answer(200, b"{not json"),
    "html with 200": Answer(200, HTML),
    "no utf-8": Answer(200, b'{"code":"\xff\xfe"}'),
    "deep json": Answer(200, b"[" * 200_000),
    "a list": Answer(200, [GOOD]),
    "not the schema": Answer(200, world.envelope([{"requestReference": "B0123400001"}])),
    "member of another type": Answer(200, world.envelope([world.answer_entry(siNumber=7)])),
    "ok and errors": Answer(200, GOOD | {"exception": world.refusal("400001")["exception"]}),
    "refused and entries": Answer(200, GOOD | {"code": "400001"}),
    "fewer entries": Answer(200, world.envelope()),
    "more entries": Answer(200, world.envelope([world.answer_entry(), world.answer_entry()])),
    "another reference": Answer(200, world.envelope([world.answer_entry("OTHER")])),
    "no reference": Answer(200, world.envelope([world.answer_entry(requestReference=None)])),
    "400 in html": Answer(400, HTML),
    "400 that says ok": Answer(400, GOOD),
    "cut before the answer": Cut(),
    "reset before the answer": Cut(hard=True),
    "cut in the head": Cut(WHOLE[:20]),
    "cut in the body": Cut(WHOLE[:-10]),
    "reset in the body": Cut(WHOLE[:-10], hard=True),
    "no http": Cut(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "silence": Silence(),
    "silence in the head": Silence(WHOLE[:20]),
    "silence in the body": Silence(WHOLE[:-10]),
    "broken chunks": Cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc"),
    "wrong gzip": Answer(200, b"not gzip", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("step", LOST.values(), ids=LOST.keys())
async def test_the_outcome_is_unknown(desk: Desk, step: Step) -> None:
    error = await desk.error(step)

    assert isinstance(error, OcpOutcomeUnknown)
    assert len(desk.server.seen(world.ADD_PATH)) == 1
    assert [record.error for record in desk.records] == ["PGB-OCP-002"]


async def test_answers_in_another_order_are_unknown(desk: Desk) -> None:
    answers = [world.answer_entry("B0123400002", 2), world.answer_entry("B0123400001", 1)]

    assert isinstance(await desk.error(Answer(200, world.envelope(answers)), entries=2), OcpOutcomeUnknown)


async def test_a_connection_closed_while_idle_never_doubles_a_write(desk: Desk) -> None:
    """The server answers once and closes; the next write meets a dead connection and is unknown, not sent again."""
    desk.server.on(world.ADD_PATH, Answer(200, GOOD), Cut(), Answer(200, GOOD))
    client = desk.client()
    body = world.bulk([world.si_entry()])
    await client.write(Operation.SI_ADD, "B01234", REQUEST_ID, body)

    with pytest.raises(OcpOutcomeUnknown):
        await client.write(Operation.SI_ADD, "B01234", REQUEST_ID, body)

    assert len(desk.server.seen(world.ADD_PATH)) == 2


async def test_an_endless_answer_is_cut_off(desk: Desk) -> None:
    error = await desk.error(Answer(200, b" " * 5000), largest_answer=4000)

    assert isinstance(error, OcpOutcomeUnknown)


async def test_a_peer_that_reads_and_answers_for_ever_is_bounded_by_the_whole(desk: Desk) -> None:
    """Each wait alone may be long; the whole request ends after pool, write and read time together."""
    error = await desk.error(Drip(WHOLE, every_s=0.01), read_s=0.04, write_s=0.02, pool_s=0.02)

    assert isinstance(error, OcpOutcomeUnknown)


def _refused_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    "base_url",
    [_refused_port, lambda: "http://no-such-host.invalid", lambda: "https://{plain}"],
    ids=["refused", "unknown name", "no TLS there"],
)
async def test_nothing_was_sent(desk: Desk, base_url: Callable[[], str]) -> None:
    plain = desk.server.url.removeprefix("http://")
    url = base_url().replace("{plain}", plain)

    error = await desk.error(Answer(200, GOOD), base_url=url, auth_base_url=desk.server.url, connect_s=0.5)

    assert isinstance(error, OcpUnavailable)
    assert desk.server.seen(world.ADD_PATH) == []


async def test_a_full_listen_queue_is_a_connect_time_out(desk: Desk) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
            fillers.append(filler)

        error = await desk.error(Answer(200, GOOD), base_url=url, auth_base_url=desk.server.url, connect_s=0.05)

        for filler in fillers:
            filler.close()
    assert isinstance(error, OcpUnavailable)


async def test_no_free_connection_is_a_pool_time_out(desk: Desk) -> None:
    desk.server.on(world.ADD_PATH, Silence())
    client = desk.client(most_connections=1, pool_s=0.05)
    body = world.bulk([world.si_entry()])
    desk.server.on(world.QUERY_PATH, Answer(200, world.envelope()))
    await client.ask(Operation.SI_QUERY, "B01234", {"participantId": "B01234"})

    desk.server.arrived.clear()
    holding = asyncio.create_task(client.write(Operation.SI_ADD, "B01234", REQUEST_ID, body))
    await desk.server.arrived.wait()
    with pytest.raises(OcpUnavailable):
        await client.write(Operation.SI_ADD, "B01234", REQUEST_ID, body)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)

    assert len(desk.server.seen(world.ADD_PATH)) == 1


@pytest.mark.parametrize("step", [Answer(500), Answer(503, HTML), Cut(), Silence(), Answer(200, b"{"), Answer(200, {})])
async def test_no_token_for_now_means_nothing_was_sent(desk: Desk, step: Step) -> None:
    desk.server.on(world.TOKEN_PATH, step)
    read_s = 0.03 if isinstance(step, Silence) else 10.0

    error = await desk.error(Answer(200, GOOD), read_s=read_s)

    assert isinstance(error, OcpUnavailable)
    assert desk.server.seen(world.ADD_PATH) == []


async def test_connections_are_reused(desk: Desk) -> None:
    desk.server.on(world.ADD_PATH, Answer(200, GOOD))
    client = desk.client()
    for _ in range(5):
        await client.write(Operation.SI_ADD, "B01234", REQUEST_ID, world.bulk([world.si_entry()]))

    assert desk.server.connections == 1


async def test_a_body_of_ours_that_is_no_bulk_is_not_sent(desk: Desk) -> None:
    with pytest.raises(OcpRefused):
        await desk.client().write(Operation.SI_ADD, "B01234", REQUEST_ID, b"[]")

    assert desk.server.requests == []


async def test_a_closed_client_sends_nothing(desk: Desk) -> None:
    client = desk.client()
    await client.aclose()

    with pytest.raises(OcpUnavailable):
        await client.write(Operation.SI_ADD, "B01234", REQUEST_ID, world.bulk([world.si_entry()]))


async def test_pages_are_followed_by_their_cursor(desk: Desk) -> None:
    first = world.envelope([world.query_entry("R1", 1)], nextCursor="1")
    second = world.envelope([world.query_entry("R2", 2)])
    desk.server.on(world.QUERY_PATH, Answer(200, first), Answer(200, second))

    entries = await desk.client().ask(Operation.SI_QUERY, "B01234", {"participantId": "B01234", "size": 1})

    asked = [json.loads(request.body) for request in desk.server.seen(world.QUERY_PATH)]
    assert [entry["siNumber"] for entry in entries] == ["I00000001", "I00000002"]
    assert asked == [{"participantId": "B01234", "size": 1}, {"participantId": "B01234", "size": 1, "nextCursor": "1"}]


async def test_events_are_followed_by_their_sequence(desk: Desk) -> None:
    desk.server.on(
        world.EVENTS_PATH,
        Answer(200, world.envelope([world.event(4), world.event(5)], nextCursor="5")),
        Answer(200, world.envelope([world.event(6)])),
    )
    asked = {"participantId": "B01234", "businessDate": "2026-11-23", "afterSequence": 3}

    events = await desk.client().ask(Operation.STATUS_EVENTS, "B01234", asked)

    first, second = desk.server.seen(world.EVENTS_PATH)
    assert [event["sequence"] for event in events] == [4, 5, 6]
    assert (first.method, first.body) == ("GET", b"")
    assert first.query == "participantId=B01234&businessDate=2026-11-23&afterSequence=3&size=100"
    assert second.query == "participantId=B01234&businessDate=2026-11-23&afterSequence=5&size=100"


async def test_a_cursor_that_stands_still_ends_the_listing(desk: Desk) -> None:
    page = world.envelope([world.query_entry()], nextCursor="1")
    desk.server.on(world.QUERY_PATH, Answer(200, page))

    with pytest.raises(OcpOutcomeUnknown):
        await desk.client().ask(Operation.SI_QUERY, "B01234", {"participantId": "B01234"})

    assert len(desk.server.seen(world.QUERY_PATH)) == 2


async def test_the_audit_sees_what_went_over_but_no_token(desk: Desk) -> None:
    await desk.write(Answer(200, GOOD))

    (record,) = desk.records
    assert (
        record.operation,
        record.participant,
        record.request_id,
        record.method,
        record.status,
        record.error,
    ) == ("si_add", "B01234", REQUEST_ID, "POST", 200, "")
    assert desk.server.seen(world.ADD_PATH)[0].body == record.asked
    assert json.loads(record.answered) == GOOD
    assert "token-1" not in repr(record)


@pytest.mark.parametrize("step", LOST.values(), ids=LOST.keys())
async def test_no_error_holds_the_token_or_the_message(desk: Desk, step: Step) -> None:
    error = await desk.error(step)

    shown = "".join(traceback.format_exception(error))
    chain: BaseException | None = error
    while chain is not None:
        shown += repr(chain) + str(chain)
        chain = chain.__cause__
    assert "token-1" not in shown
    assert "CLIENT0001" not in shown


def test_limits_are_the_profiles_unless_overridden() -> None:
    profile = world.ocp_profile()

    assert [Limit(480, 60), Limit(0, 60)] == company_limits(profile)
    assert [Limit(0, 60), Limit(0, 60)] == company_limits(profile, -1)
    assert [Limit(60, 60), Limit(0, 60)] == company_limits(profile, 60)


@pytest.mark.parametrize("url", ["", "ocp.example", "ftp://ocp.example", "http://"])
def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError):
        OcpOptions(base_url=url)


def test_a_proxy_password_is_not_shown() -> None:
    assert "hush" not in repr(OcpOptions(base_url="http://ocp", proxy="http://u:hush@proxy:3128"))
