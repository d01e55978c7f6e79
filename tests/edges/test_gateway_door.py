"""The rules of conversation at the pretend PG's door, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from pg_bridge.errors import SessionError
from pg_bridge.link import events as link
from pg_bridge.simulator.gateway_options import read_gateway_options
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.certificates import Authority
from tests.doubles.pg_desk import LINK, at_the_door


def _body(text: str) -> bytes:
    return f":20C::SEME//{text}\r\n".encode()


async def _closed(pss: ScriptedPss) -> None:
    await pss.wait_for(lambda event: isinstance(event, link.Closed), 5)


async def test_requests_are_answered_in_order_and_unasked_is_acknowledged() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        for number in range(200):
            pss.send("543", "SI01", _body(f"R{number}"))
        await pss.message("SI51", "R199")
        for number in range(40):
            there.tell("B01234", f"N{number}")
        await pss.message("SI60", "N39")
        await pss.log_off()

        texts = [one.text.strip().removeprefix(":20C::SEME//") for one in pss.received]
        assert [f"R{n}" for n in range(200)] + [f"N{n}" for n in range(40)] == texts
        assert 0 == len(there.door.post)


async def test_session_ids_and_headers_repeat_from_the_seed() -> None:
    raws = []
    for _ in range(2):
        async with at_the_door() as there:
            pss = await there.pss()
            pss.send("543", "SI01", _body("R1"))
            raws.append((await pss.message("SI51")).frame.raw)

    assert raws[0] == raws[1]
    assert b"20261123093000N" in raws[0]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"participants": frozenset({"C00019"})}, "UNKNOWN"),
        ({"credentials": {"B01234": "SECRET"}}, "CREDENTIAL WRONG"),
        ({"most_sessions": 0}, "TOO MANY SESSIONS"),
    ],
)
async def test_a_log_on_is_refused_by_name(options, why) -> None:
    async with at_the_door(**options) as there:
        with pytest.raises(SessionError) as refused:
            await there.pss()

        assert why in str(refused.value)


async def test_a_credential_lets_its_participant_in() -> None:
    async with at_the_door(credentials={"B01234": "SECRET"}) as there:
        pss = await there.dialled("B01234")
        await pss.log_on(credential="SECRET")

        assert pss.session.is_logged_on


async def test_a_second_log_on_of_a_terminal_ends_the_first_and_another_terminal_does_not() -> None:
    async with at_the_door(most_sessions=2) as there:
        first = await there.pss(terminal="PSS1")
        other = await there.pss(terminal="PSS2")
        again = await there.pss(terminal="PSS1")
        await _closed(first)

        assert (True, True) == (other.is_connected, again.is_connected)
        with pytest.raises(SessionError, match="TOO MANY"):
            await there.pss(terminal="PSS3")


async def test_a_message_goes_to_the_terminal_that_entered_its_subject_else_to_the_oldest() -> None:
    async with at_the_door() as there:
        first = await there.pss(terminal="PSS1")
        second = await there.pss(terminal="PSS2")
        there.tell("B01234", "OWN", terminal="PSS2", subject="I1")
        there.tell("B01234", "AWAY", terminal="PSS9", subject="I2")
        await second.message("SI60", "OWN")
        await first.message("SI60", "AWAY")

        assert (1, 1) == (len(first.received), len(second.received))


async def test_messages_of_one_subject_wait_for_the_session_that_has_an_earlier_one() -> None:
    async with at_the_door() as there:
        first = await there.pss(terminal="PSS1", acknowledges=False)
        there.tell("B01234", "N1", terminal="PSS2", subject="I1")
        got = await first.message("SI60", "N1")
        second = await there.pss(terminal="PSS2")
        there.tell("B01234", "N2", terminal="PSS2", subject="I1")
        await first.message("SI60", "N2")
        first.session.acknowledge(got.frame.sequence, there.wall())
        first.session.acknowledge(got.frame.sequence + 1, there.wall())
        first.send("543", "SI01", _body("R1"))
        await first.message("SI51")
        there.tell("B01234", "N3", terminal="PSS2", subject="I1")
        await second.message("SI60", "N3")

        assert 3 == len(first.received)


async def test_what_was_not_acknowledged_goes_again_marked_at_the_next_log_on_in_order() -> None:
    async with at_the_door() as there:
        pss = await there.pss(acknowledges=False)
        for number in range(20):
            there.tell("B01234", f"N{number:02d}")
        await pss.message("SI60", "N15")
        count = len(pss.received)
        pss.abort()
        await _closed(pss)
        again = await there.pss()
        await again.message("SI60", "N19")

        assert 16 == count
        assert [f"N{n:02d}" for n in range(20)] == [one.text.strip()[-3:] for one in again.received]
        assert [True] * 16 + [False] * 4 == [one.frame.possible_duplicate for one in again.received]


async def test_silence_about_a_delivery_sends_it_again_and_then_closes() -> None:
    async with at_the_door() as there:
        pss = await there.pss(acknowledges=False)
        there.tell("B01234", "N1")
        await pss.message("SI60")
        for copies in range(2, 5):
            there.wall.pass_s(30)
            there.door.look_after()
            pss.send("543", "SI01", _body(f"R{copies}"))
            await pss.message("SI51", f"R{copies}")
        there.wall.pass_s(30)
        there.door.look_after()
        await _closed(pss)

        assert [False, True, True, True] == [
            one.frame.possible_duplicate for one in pss.received if one.frame.template == "SI60"
        ]


async def test_silence_before_the_log_on_closes_and_a_silent_session_is_asked() -> None:
    async with at_the_door() as there:
        silent = await there.dialled("B01234")
        pss = await there.pss()
        await there.until(lambda: len(there.door.lines) == 2)
        there.wall.pass_s(10)
        there.door.look_after()
        await _closed(silent)
        there.wall.pass_s(30)
        there.door.look_after()
        pss.send("543", "SI01", _body("R1"))

        assert await pss.message("SI51", "R1")


async def test_what_is_no_log_on_closes_and_a_bad_frame_is_named() -> None:
    async with at_the_door() as there:
        loose = await there.dialled("B01234")
        loose.send_bytes(b"hello")
        await _closed(loose)
        pss = await there.pss()
        pss.send("543", "SI99", _body("R1"))
        refused = await pss.wait_for(lambda event: isinstance(event, link.RequestRefused))

        assert LINK.code("template") == refused.code
        assert [] == there.desk.taken


async def test_two_nodes_are_one_gateway() -> None:
    async with at_the_door(ports=(0, 0)) as there:
        first = await there.pss(terminal="PSS1", node=0)
        await there.pss(terminal="PSS2", node=1)
        again = await there.pss(terminal="PSS1", node=1)
        await _closed(first)
        there.tell("B01234", "N1", terminal="PSS1")

        assert 2 == len(set(there.door.addresses))
        assert await again.message("SI60", "N1")


async def test_two_hundred_sessions_are_served_at_once() -> None:
    async with at_the_door(most_sessions=1) as there:
        many = await asyncio.gather(*(there.pss(f"B{n:05d}") for n in range(200)))
        for number, pss in enumerate(many):
            pss.send("543", "SI01", _body(f"R{number}"))
        await asyncio.gather(*(pss.message("SI51", f"R{n}") for n, pss in enumerate(many)))

        assert 200 == len(there.desk.taken)


async def test_by_tls_only_who_shows_a_certificate_of_the_ca_comes_in(tmp_path: Path) -> None:
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    certificate, key = ours.sign("gateway")
    options = read_gateway_options(
        {"tls_certificate": str(certificate), "tls_key": str(key), "tls_client_ca": str(ours.ca_file)}
    )

    def client(authority: Authority) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(ours.ca_file))
        context.load_cert_chain(*authority.sign("pss"))
        return context

    async with at_the_door(tls=options.door().tls) as there:
        good, bad = there.fresh("B01234"), there.fresh("B01234")
        await good.connect(*there.door.addresses[0], tls=client(ours))
        await good.log_on()
        good.send("543", "SI01", _body("R1"))
        # by TLS 1.3 a client learns only behind the handshake that its certificate was not taken
        with contextlib.suppress(SessionError):
            await bad.connect(*there.door.addresses[0], tls=client(others))
            bad.session.log_on("OPS1", "", "LOGON", there.wall())
            bad.flush()
            await bad.wait_for(lambda event: isinstance(event, link.Closed), 5)

        assert ["B01234"] == list(there.door.sessions)
        assert not bad.session.is_logged_on
        assert await good.message("SI51", "R1")


async def test_a_pss_that_does_not_read_is_given_no_more_and_gets_all_when_it_does() -> None:
    async with at_the_door() as there:
        pss = await there.pss()
        pss._transport.pause_reading()
        text = "X" * 60_000
        for number in range(400):
            pss.send("543", "SI01", f":20C::SEME//R{number}\r\n:77E:{text}\r\n".encode())
        await there.until(lambda: any(not line._transport.is_reading() for line in there.door.lines))
        taken = len(there.desk.taken)
        pss._transport.resume_reading()
        await pss.message("SI51", "R399\r\n", timeout_s=20)

        assert 400 > taken
        assert 400 == len(there.desk.taken) == len(pss.received)
