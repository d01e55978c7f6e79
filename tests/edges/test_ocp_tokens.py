"""Tokens: RFC 7523 with real keys, one renewal at a time, before the end, by OCP's clock."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from pg_bridge.errors import ConfigError, OcpDenied, OcpError, OcpUnavailable
from pg_bridge.ocp.keys import KeyPair
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.server_clock import ServerClock
from pg_bridge.ocp.tokens import Identity, TokenSource
from pg_bridge.ocp.wire import Wire
from pg_bridge.profiles.ocp import OcpProfile
from tests.doubles import ocp_world as world
from tests.doubles.scripted_http import Answer, Cut, Request, ScriptedHttp, Step


class Desk:
    """A token source and the scripted server that it asks."""

    def __init__(self, server: ScriptedHttp) -> None:
        self.server = server
        self.clock = world.FakeClock()
        self.server_clock = ServerClock(self.clock)
        self.wire = Wire(OcpOptions(base_url=server.url), self.server_clock)
        self.sources: list[TokenSource] = []
        self.grants(30)

    def grants(self, *lives_s: int) -> None:
        """Grant `token-1`, `token-2` ... with these lives in seconds; the last repeats, always a new token."""
        count = len(self.asked)

        def grant(life_s: int) -> Step:
            def answer(_: Request) -> Answer:
                return Answer(200, world.token_answer(f"token-{len(self.asked) - count}", life_s))

            return answer

        self.server.on(world.TOKEN_PATH, *(grant(life_s) for life_s in lives_s))

    def source(self, profile: OcpProfile | None = None, identity: Identity | None = None) -> TokenSource:
        source = TokenSource(
            (profile or world.ocp_profile()).token,
            identity or world.identity(),
            self.server.url,
            self.wire,
            self.server_clock,
            world.fresh_id,
        )
        self.sources.append(source)
        return source

    @property
    def asked(self) -> list[Request]:
        return self.server.seen(world.TOKEN_PATH)

    def form(self, index: int = -1) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.asked[index].body.decode()).items()}

    def claims(self, member: str, key: KeyPair, index: int = -1) -> dict[str, Any]:
        public = RSAAlgorithm.from_jwk(key.public_jwk)
        decoded: dict[str, Any] = jwt.decode(
            self.form(index)[member],
            public,
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        return decoded


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with ScriptedHttp() as server:
        desk = Desk(server)
        yield desk
        for source in desk.sources:
            await source.aclose()
        await desk.wire.aclose()


async def test_the_form_and_both_assertions_are_those_of_rfc_7523(desk: Desk) -> None:
    token = await desk.source().token()

    form = desk.form()
    company = desk.claims("assertion", world.key("company"))
    machine = desk.claims("client_assertion", world.key("machine"))
    now = int(world.NOW.timestamp())
    assert token.value == "token-1"
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert company["iss"] == company["sub"] == "HKB01234"
    assert machine["iss"] == machine["sub"] == "HKB01234-M1"
    for claims in (company, machine):
        assert claims["aud"] == desk.server.url + world.TOKEN_PATH
        assert (claims["iat"], claims["exp"]) == (now, now + 300)
    assert company["jti"] != machine["jti"]
    assert jwt.get_unverified_header(form["assertion"]) == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": world.key("company").thumbprint,
    }
    assert jwt.get_unverified_header(form["client_assertion"])["kid"] == world.key("machine").thumbprint


async def test_client_credentials_asks_with_the_machine_alone(desk: Desk) -> None:
    await desk.source(world.ocp_profile_with('grant = "jwt_bearer"', 'grant = "client_credentials"')).token()

    assert desk.form()["grant_type"] == "client_credentials"
    assert "assertion" not in desk.form()
    assert desk.claims("client_assertion", world.key("machine"))["sub"] == "HKB01234-M1"


async def test_a_fixed_key_id_is_used_as_it_is(desk: Desk) -> None:
    await desk.source(world.ocp_profile_with('kid = "thumbprint"', 'kid = "our-key-7"')).token()

    assert jwt.get_unverified_header(desk.form()["assertion"])["kid"] == "our-key-7"


async def test_another_algorithm_signs_when_the_profile_says_so(desk: Desk) -> None:
    key = KeyPair(world.key_pem("company"), algorithm="PS256")
    profile = world.ocp_profile_with('algorithm = "RS256"', 'algorithm = "PS256"')

    await desk.source(profile, Identity("C", key, "M", key)).token()

    assert jwt.get_unverified_header(desk.form()["assertion"])["alg"] == "PS256"


async def test_keys_must_be_those_of_the_profile(desk: Desk) -> None:
    with pytest.raises(ConfigError):
        desk.source(world.ocp_profile_with('algorithm = "RS256"', 'algorithm = "ES256"'))


async def test_many_calls_wait_for_one_token(desk: Desk) -> None:
    source = desk.source()

    tokens = await asyncio.gather(*(source.token() for _ in range(50)))

    assert {token.value for token in tokens} == {"token-1"}
    assert len(desk.asked) == 1


async def test_a_caller_that_gives_up_does_not_take_the_token_from_the_others(desk: Desk) -> None:
    source = desk.source()
    first = asyncio.create_task(source.token())
    second = asyncio.create_task(source.token())
    await desk.server.arrived.wait()

    first.cancel()

    assert (await second).value == "token-1"
    assert len(desk.asked) == 1


async def test_a_token_is_kept_until_shortly_before_its_end(desk: Desk) -> None:
    source = desk.source()
    first = await source.token()
    desk.clock.forward(24.9)

    assert await source.token() is first
    assert len(desk.asked) == 1


async def test_before_its_end_it_is_renewed_while_calls_go_on(desk: Desk) -> None:
    """From 5 s before the end the old token still serves; one renewal runs beside the calls."""
    source = desk.source()
    first = await source.token()
    desk.clock.forward(26)
    desk.server.arrived.clear()

    assert [await source.token() for _ in range(10)] == [first] * 10
    renewed = await source.renew(first)

    assert renewed.value == "token-2"
    assert await source.token() is renewed
    assert len(desk.asked) == 2


async def test_a_failed_early_renewal_leaves_the_good_token(desk: Desk) -> None:
    source = desk.source()
    first = await source.token()
    desk.server.on(world.TOKEN_PATH, Answer(500))
    desk.clock.forward(26)
    desk.server.arrived.clear()

    assert await source.token() is first
    await desk.server.arrived.wait()
    with pytest.raises(OcpUnavailable):
        await asyncio.shield(source._renewal or asyncio.sleep(0))
    assert await source.token() is first
    assert len(desk.asked) == 2


async def test_after_its_end_calls_wait_for_the_next(desk: Desk) -> None:
    source = desk.source()
    await source.token()
    desk.clock.forward(31)

    assert (await source.token()).value == "token-2"


async def test_a_refused_token_is_renewed_once_for_all_who_saw_it_refused(desk: Desk) -> None:
    source = desk.source()
    first = await source.token()

    renewed = await asyncio.gather(*(source.renew(first) for _ in range(20)))
    later = await source.renew(first)

    assert {token.value for token in renewed} == {"token-2"} == {later.value}
    assert len(desk.asked) == 2


async def test_a_refused_token_is_used_by_nobody_else(desk: Desk) -> None:
    source = desk.source()
    first = await source.token()

    renewing = asyncio.create_task(source.renew(first))
    await asyncio.sleep(0)

    assert (await source.token()).value == "token-2"
    assert (await renewing).value == "token-2"


@pytest.mark.parametrize("life_s", [0, -5])
async def test_a_token_that_ends_at_once_serves_the_call_that_asked(desk: Desk, life_s: int) -> None:
    desk.grants(life_s)
    source = desk.source()

    assert (await source.token()).value == "token-1"
    assert (await source.token()).value == "token-2"
    assert len(desk.asked) == 2


async def test_a_short_life_is_used_to_its_half(desk: Desk) -> None:
    desk.grants(4)
    source = desk.source()
    first = await source.token()
    desk.clock.forward(1.9)

    assert await source.token() is first
    assert len(desk.asked) == 1


def _date(clock: world.FakeClock, ahead_s: float) -> dict[str, str]:
    server = world.FakeClock(clock.now)
    server.forward(ahead_s)
    return {"Date": format_datetime(server.now, usegmt=True)}


async def test_assertions_are_dated_by_the_clock_of_ocp(desk: Desk) -> None:
    desk.server.on(world.TOKEN_PATH, Answer(200, world.token_answer("t", 1), _date(desk.clock, 1200)))
    source = desk.source()
    await source.token()
    desk.clock.forward(2)

    await source.token()

    claims = desk.claims("assertion", world.key("company"))
    assert claims["iat"] == int(desk.clock.now.timestamp()) + 1200
    assert claims["exp"] == claims["iat"] + 300


async def test_a_refusal_for_our_wrong_clock_is_tried_once_more_by_theirs(desk: Desk) -> None:
    refused = {"error": "invalid_grant", "error_description": "JWT has expired"}
    desk.server.on(
        world.TOKEN_PATH,
        Answer(400, refused, _date(desk.clock, -3600)),
        Answer(200, world.token_answer(), _date(desk.clock, -3600)),
    )

    assert (await desk.source().token()).value == "token-1"
    assert desk.claims("assertion", world.key("company"))["iat"] == int(desk.clock.now.timestamp()) - 3600


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_is_denied_with_the_words_of_ocp(desk: Desk, status: int) -> None:
    refused = {"error": "invalid_grant", "error_description": "JWT assertion is not valid"}
    desk.server.on(world.TOKEN_PATH, Answer(status, refused, _date(desk.clock, 0)))

    with pytest.raises(OcpDenied) as caught:
        await desk.source().token()

    assert "JWT assertion is not valid" in str(caught.value)
    assert caught.value.ocp_code == "invalid_grant"
    assert len(desk.asked) == 1


BROKEN: dict[str, Step] = {
    "500": Answer(500),
    "503 in html": Answer(503, b"<html>"),
    "429": Answer(429),
    "404": Answer(404),
    "redirect": Answer(302, b"", {"Location": "/"}),
    "cut": Cut(),
    "no json": Answer(200, b"{"),
    "no token": Answer(200, {"expires_in": 30}),
    "no life": Answer(200, {"access_token": "t"}),
    "another type": Answer(200, world.token_answer() | {"token_type": "MAC"}),
    "empty": Answer(200, world.token_answer("")),
    "a header inside": Answer(200, world.token_answer("t\r\nX-Other: 1")),
    "not ascii": Answer(200, world.token_answer("t\u00e4")),
    "deep": Answer(200, b"[" * 100_000),
}


@pytest.mark.parametrize("step", BROKEN.values(), ids=BROKEN.keys())
async def test_no_token_now_is_unavailable(desk: Desk, step: Step) -> None:
    desk.server.on(world.TOKEN_PATH, step)

    with pytest.raises(OcpUnavailable):
        await desk.source().token()


async def test_retry_after_of_the_token_door_is_told(desk: Desk) -> None:
    desk.server.on(world.TOKEN_PATH, Answer(503, b"", {"Retry-After": "9"}))

    with pytest.raises(OcpUnavailable) as caught:
        await desk.source().token()

    assert caught.value.retry_after_s == 9


@pytest.mark.parametrize("status", [400, 200, 500])
async def test_no_secret_is_shown_even_when_they_quote_it_back(desk: Desk, status: int) -> None:
    def quote(request: Request) -> Answer:
        assertion = parse_qs(request.body.decode())["assertion"][0]
        return Answer(status, {"error": f"bad {assertion}", "error_description": f"was: {assertion}"})

    desk.server.on(world.TOKEN_PATH, quote)

    with pytest.raises(OcpError) as caught:
        await desk.source().token()

    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
    for part in desk.form()["assertion"].split("."):
        assert part not in shown


async def test_a_token_does_not_show_itself(desk: Desk) -> None:
    source = desk.source()

    assert "token-1" not in repr(await source.token()) + repr(source)


async def test_closing_gives_up_the_renewal_under_way(desk: Desk) -> None:
    source = desk.source()
    waiting = asyncio.create_task(source.token())
    await asyncio.sleep(0)

    await source.aclose()

    with pytest.raises(asyncio.CancelledError):
        await waiting
