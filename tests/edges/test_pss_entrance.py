"""Who may come in: TLS with certificates made here, the allow-list of addresses, limits of sessions and connections."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from pg_bridge.cli.world import utc_now
from pg_bridge.errors import ConfigError, SessionError
from pg_bridge.link import events as link
from pg_bridge.pss.listener import Listener
from pg_bridge.pss.tls import server_context
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.certificates import Authority
from tests.doubles.desk_stub import NotingDesk, delivery, listening
from tests.doubles.link_pair import BODY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def tls(ours: Authority) -> ssl.SSLContext:
    return ours.bridge_context()


def a_pss(listener: Listener, terminal: str = "PSS1", participant: str = "B01234") -> ScriptedPss:
    return ScriptedPss(listener.profile, participant=participant, terminal=terminal, clock=utc_now)


async def test_pss_with_a_certificate_of_the_ca_has_a_whole_conversation(ours: Authority, tls: ssl.SSLContext) -> None:
    desk = NotingDesk(BODY.decode())
    async with listening(desk, tls=tls) as listener:
        pss = a_pss(listener)
        await pss.connect(*listener.address, tls=ours.client(ours.sign("pss")))
        await pss.log_on()
        pss.send("543", "SI01", BODY)
        answer = await pss.message("SI51")
        listener.deliver(desk.sessions[0], delivery("D1", BODY.decode()))
        await desk.until(lambda: ["D1"] == desk.acknowledgements)
        await pss.log_off()
        await desk.until(lambda: bool(desk.ends))

    assert BODY.decode() == answer.text
    assert ["the PSS logged off"] == desk.ends
    assert ["X2"] == desk.left


async def come_in(pss: ScriptedPss, listener: Listener, tls: ssl.SSLContext) -> None:
    await pss.connect(*listener.address, tls=tls)
    await pss.log_on()


@pytest.mark.parametrize("shows", ["nothing", "one of another CA"])
async def test_pss_without_such_a_certificate_is_not_let_in(
    shows: str, folder: Path, ours: Authority, tls: ssl.SSLContext
) -> None:
    own = Authority(folder, "theirs").sign("stranger") if shows != "nothing" else None
    desk = NotingDesk()
    async with listening(desk, tls=tls) as listener:
        pss = a_pss(listener)
        # By TLS 1.3 the PSS's own handshake is over before the bridge has judged its certificate.
        with pytest.raises(SessionError):
            await come_in(pss, listener, ours.client(own))

    assert [] == desk.sessions


async def test_plain_tcp_is_not_let_in_where_tls_is_due(tls: ssl.SSLContext) -> None:
    desk = NotingDesk()
    async with listening(desk, tls=tls) as listener:
        pss = a_pss(listener)
        await pss.connect(*listener.address)
        with pytest.raises(SessionError):
            await pss.log_on()

    assert [] == desk.sessions


def test_tls_older_than_1_2_is_not_spoken(tls: ssl.SSLContext) -> None:
    assert ssl.TLSVersion.TLSv1_2 == tls.minimum_version


@pytest.mark.parametrize(
    ("certificate", "key", "client_ca"),
    [("", "", "ours.pem"), ("", "bridge.key", ""), ("none.crt", "none.key", ""), ("ours.pem", "bridge.key", "")],
    ids=["a CA alone", "a key alone", "no such file", "another's key"],
)
def test_tls_files_that_cannot_be_meant_are_refused(
    certificate: str, key: str, client_ca: str, folder: Path, tls: ssl.SSLContext
) -> None:
    names = [str(folder / name) if name else "" for name in (certificate, key, client_ca)]
    with pytest.raises(ConfigError, match="TLS files"):
        server_context(*names)


@pytest.mark.parametrize(("allowed", "is_in"), [({"127.0.0.1"}, True), ({"10.1.2.3"}, False), (set(), True)])
async def test_allow_list_of_a_participant(allowed: set[str], is_in: bool) -> None:
    desk = NotingDesk()
    async with listening(desk, participants={"B01234": frozenset(allowed)}) as listener:
        pss = a_pss(listener)
        await pss.connect(*listener.address)
        if is_in:
            await pss.log_on()
        else:
            with pytest.raises(SessionError, match="ADDRESS NOT ALLOWED"):
                await pss.log_on()

    assert is_in == bool(desk.sessions)
    assert is_in != ("ADDRESS NOT ALLOWED FOR THIS PARTICIPANT" in desk.refusals)


async def test_one_session_more_than_the_limit_is_refused_and_the_others_go_on() -> None:
    desk = NotingDesk(BODY.decode())
    async with listening(desk, most_sessions=2) as listener:
        sessions = [a_pss(listener, f"PSS{number}") for number in range(3)]
        for pss in sessions:
            await pss.connect(*listener.address)
        await sessions[0].log_on()
        await sessions[1].log_on()
        with pytest.raises(SessionError, match="TOO MANY SESSIONS"):
            await sessions[2].log_on()
        sessions[0].send("543", "SI01", BODY)
        await sessions[0].message("SI51")

    assert 2 == len(desk.sessions)


async def test_one_connection_more_than_the_limit_is_cut_and_told() -> None:
    desk = NotingDesk()
    async with listening(desk, most_connections=1) as listener:
        first, second = a_pss(listener), a_pss(listener, "PSS2")
        await first.connect(*listener.address)
        await first.log_on()
        await second.connect(*listener.address)
        await second.wait_for(lambda event: isinstance(event, link.Closed))

    assert ["too many connections"] == desk.refusals
    assert 1 == len(desk.sessions)
