"""TLS that is not agreed is told with address and reason, on both event loops; and nothing that comes early is lost."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from pg_bridge.cli.world import utc_now
from pg_bridge.errors import SessionError
from pg_bridge.link import events as link
from pg_bridge.link.framing import Framing, Header
from pg_bridge.pss.listener import Listener
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.certificates import Authority
from tests.doubles.desk_stub import DeafPss, NotingDesk, listening, until
from tests.doubles.link_pair import BODY
from tests.doubles.ocp_world import FakeClock

Story = Callable[[Listener], Awaitable[None]]
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def tls(ours: Authority) -> ssl.SSLContext:
    return ours.bridge_context()


def told(
    loop: Callable[[], asyncio.AbstractEventLoop], tls: ssl.SSLContext, story: Story, **limits: object
) -> NotingDesk:
    """What the desk noted when somebody dialled as `story` says."""
    desk = NotingDesk(BODY.decode())

    async def whole() -> None:
        async with listening(desk, limits, tls=tls) as listener:
            await story(listener)
            await desk.until(lambda: bool(desk.refusals or desk.requests))
            # one that is in order is let in all the same
            await until(lambda: not listener.handshakes)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())
    return desk


def come_in(context: ssl.SSLContext) -> Story:
    async def story(listener: Listener) -> None:
        pss = ScriptedPss(listener.profile, participant="B01234", clock=utc_now)
        # by TLS 1.3 the PSS's own handshake is over before the bridge has judged its certificate
        with contextlib.suppress(SessionError):
            await pss.connect(*listener.address, tls=context)
            await pss.log_on()
        pss.close()

    return story


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_pss_without_a_certificate(loop, version, ours: Authority, tls: ssl.SSLContext) -> None:
    context = ours.client()
    context.maximum_version = version
    desk = told(loop, tls, come_in(context))

    assert ["TLS was not agreed: peer did not return a certificate"] == desk.refusals
    assert [] == desk.sessions


@pytest.mark.parametrize("loop", LOOPS)
def test_pss_with_a_certificate_of_another_ca(loop, folder: Path, ours: Authority, tls: ssl.SSLContext) -> None:
    desk = told(loop, tls, come_in(ours.client(Authority(folder, "theirs").sign("stranger"))))

    assert 1 == len(desk.refusals)
    assert "the certificate of the PSS was not taken: " in desk.refusals[0]
    assert "issuer" in desk.refusals[0]


@pytest.mark.parametrize("loop", LOOPS)
def test_pss_that_does_not_trust_the_bridge(loop, folder: Path, ours: Authority, tls: ssl.SSLContext) -> None:
    context = Authority(folder, "others").client(ours.sign("pss"))

    def dial(address: tuple[str, int]) -> None:
        with socket.create_connection(address) as sock, contextlib.suppress(ssl.SSLError):
            context.wrap_socket(sock, server_hostname="127.0.0.1")

    async def story(listener: Listener) -> None:
        await asyncio.to_thread(dial, listener.address)

    desk = told(loop, tls, story)

    assert 1 == len(desk.refusals)
    assert "unknown ca" in desk.refusals[0]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"{1:01B01234PSS1          000001000046}", "wrong version number"),
        (b"GET / HTTP/1.1\r\n\r\n", "http request"),
        (b"", "the connection was closed"),
        (b"\x16\x03\x01", "the connection was closed"),
    ],
)
def test_what_is_no_handshake(loop, first: bytes, reason: str, tls: ssl.SSLContext) -> None:
    async def story(listener: Listener) -> None:
        pss = DeafPss(listener)
        await pss.dial()
        if first:
            await pss.send_bytes(first)
        pss.close()

    desk = told(loop, tls, story)

    assert [f"TLS was not agreed: {reason}"] == desk.refusals


@pytest.mark.parametrize("loop", LOOPS)
def test_silence_is_no_handshake_either(loop, tls: ssl.SSLContext) -> None:
    async def story(listener: Listener) -> None:
        pss = DeafPss(listener)
        await pss.dial()
        await until(lambda: not listener.handshakes and bool(listener.desk.refusals))  # type: ignore[attr-defined]
        pss.close()

    desk = told(loop, tls, story, log_on_silence_s=0.1)

    assert ["TLS was not agreed: the handshake took too long"] == desk.refusals


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_log_on_that_comes_with_the_last_bytes_of_the_handshake_is_read(
    loop, version, ours: Authority, tls: ssl.SSLContext
) -> None:
    """A PSS whose end of the handshake and whose log-on arrive in one piece."""
    context = ours.client(ours.sign("pss"))
    context.maximum_version = version

    async def story(listener: Listener) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        sock = socket.socket()
        sock.setblocking(False)
        running = asyncio.get_running_loop()
        await running.sock_connect(sock, listener.address)
        framing = Framing(listener.profile)
        header = Header("B01234", "PSS1", "", 1, "to_pg", "598", "LGON", "20261123093000", False)
        log_on = framing.write(header, b":20:L1\r\n:12:001\r\n:77E:USER/OPS1\r\n")
        is_agreed = False
        while not is_agreed:
            try:
                end.do_handshake()
                is_agreed = True
                end.write(log_on)
            except ssl.SSLWantReadError:
                pass
            if outgoing.pending:
                await running.sock_sendall(sock, outgoing.read())
            if not is_agreed:
                incoming.write(await running.sock_recv(sock, 65_536))
        got = b""
        while b"STAT/ACCP" not in got:
            incoming.write(await running.sock_recv(sock, 65_536))
            with contextlib.suppress(ssl.SSLWantReadError):
                got += end.read(65_536)
        sock.close()
        listener.desk.refusals.append("none")  # type: ignore[attr-defined]

    desk = told(loop, tls, story)

    assert ["none"] == desk.refusals
    assert 1 == len(desk.sessions)


async def test_stopping_ends_a_handshake_that_is_under_way(tls: ssl.SSLContext) -> None:
    desk = NotingDesk()
    async with listening(desk, tls=tls) as listener:
        pss = DeafPss(listener)
        await pss.dial()
        await until(lambda: listener.handshakes == 1)
    got = await pss.read()
    pss.close()

    assert b"" == got


async def test_a_scanner_is_told_a_few_times_and_then_counted() -> None:
    """Five of an address one by one, the others of the minute in one entry; the next minute begins afresh."""
    desk, clock = NotingDesk(), FakeClock()
    async with listening(desk, clock=clock) as listener:
        for number in range(40):
            pss = DeafPss(listener)
            await pss.dial()
            await pss.send_bytes(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
            pss.close()
        await until(lambda: listener.turned_away.counted >= 55)
        told_at_once = list(desk.refusals)
        clock.forward(60)
        listener.look_after()
        told_later = desk.refusals[len(told_at_once) :]
        pss = DeafPss(listener)
        await pss.dial()
        pss.close()
        await desk.until(lambda: len(desk.refusals) == len(told_at_once) + 2)

    assert 5 == len(told_at_once)
    assert 1 == len(told_later)
    assert told_later[0].startswith("55 more within a minute, the last of them: ")


async def test_what_was_only_counted_is_told_when_the_bridge_stops() -> None:
    desk, clock = NotingDesk(), FakeClock()
    async with listening(desk, clock=clock) as listener:
        for _ in range(7):
            pss = DeafPss(listener)
            await pss.dial()
            pss.close()
        await until(lambda: listener.turned_away.counted == 2)

    assert ["2 more within a minute, the last of them: the other side closed the connection"] == desk.refusals[5:]


async def test_refused_log_on_is_told_once() -> None:
    desk = NotingDesk()
    async with listening(desk, participants={"C00019": frozenset()}) as listener:
        pss = ScriptedPss(listener.profile, participant="B01234", clock=utc_now)
        await pss.connect(*listener.address)
        with pytest.raises(SessionError):
            await pss.log_on()
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        await until(lambda: not listener.connections)

    assert ["PARTICIPANT UNKNOWN HERE"] == desk.refusals
