"""The pretend OCP's token door: keys that overlap and end, what is never a signature, and tokens that end."""

from __future__ import annotations

import base64
import json

import jwt
import pytest

from tests.doubles.ocp_caller import (
    COMPANY,
    MACHINE,
    TOKEN_PATH,
    OcpCaller,
    jwks,
    kid,
    registrations,
    rsa_key,
    si_entry,
)
from tests.doubles.running_ocp import running

NOT_VALID = "JWT assertion is not valid"
ECHO = "/api/system/echo/v1"


def with_keys(*names: str, **members: object) -> dict:
    """Registrations whose machine has these keys; members: more about the first."""
    registered = registrations()
    keys = [jwks(name)["keys"][0] for name in names]
    registered["machines"][MACHINE]["jwks"] = {"keys": [keys[0] | members, *keys[1:]]}
    return registered


def signed(one: OcpCaller, name: str) -> str:
    """A good assertion of the machine by the key of this name."""
    claims = jwt.decode(one.assertion(MACHINE), options={"verify_signature": False})
    return jwt.encode(claims, rsa_key(name), algorithm="RS256", headers={"kid": kid(name)})


async def told(one: OcpCaller, **changes: str) -> tuple[int, str]:
    reply = await one.http.post(TOKEN_PATH, data=one.form(**changes))
    document = reply.json()
    return reply.status_code, document.get("error_description", document.get("scope"))


async def test_two_keys_of_a_machine_are_live_at_once() -> None:
    async with running(registrations=with_keys(MACHINE, "newer")) as (one, _):
        answers = [await told(one, client_assertion=signed(one, name)) for name in (MACHINE, "newer", "third")]

        assert [(200, COMPANY), (200, COMPANY), (400, NOT_VALID)] == answers


async def test_a_key_ends_and_its_successor_goes_on() -> None:
    ends = 1795397460  # a minute on
    async with running(registrations=with_keys(MACHINE, "newer", exp=ends)) as (one, _):
        before = await told(one, client_assertion=signed(one, MACHINE))
        one.wall.pass_s(ends - one.wall.at.timestamp())
        answers = [await told(one, client_assertion=signed(one, name)) for name in (MACHINE, "newer")]

        assert ((200, COMPANY), [(400, NOT_VALID), (200, COMPANY)]) == (before, answers)


@pytest.mark.parametrize("who", ["assertion", "client_assertion"])
@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS384", "HS512"])
async def test_neither_none_nor_a_shared_secret_signs(who, algorithm) -> None:
    """Not even where the secret is the public key's own bytes."""
    subject = COMPANY if who == "assertion" else MACHINE
    async with running() as (one, _):
        claims = jwt.decode(one.assertion(subject), options={"verify_signature": False})
        header = {"typ": "JWT", "alg": algorithm, "kid": kid(subject)}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
        secret = json.dumps(jwks(subject)["keys"][0]).encode()
        signature = b""
        if algorithm != "none":
            made = jwt.get_algorithm_by_name(algorithm).sign(b".".join(parts), secret)
            signature = base64.urlsafe_b64encode(made).rstrip(b"=")
        assertion = b".".join([*parts, signature]).decode()

        assert (400, NOT_VALID) == await told(one, **{who: assertion})


@pytest.mark.parametrize("who", ["assertion", "client_assertion"])
async def test_an_id_of_either_assertion_is_good_once(who) -> None:
    async with running() as (one, _):
        subject = COMPANY if who == "assertion" else MACHINE
        form = {who: one.assertion(subject)}

        assert [(200, COMPANY), (400, NOT_VALID)] == [await told(one, **form), await told(one, **form)]


@pytest.mark.parametrize(
    "claims", [{"jti": 7}, {"exp": "soon"}, {"iat": "now"}, {"aud": []}, {"aud": None}, {"iss": ""}, {"exp": True}]
)
async def test_claims_of_another_type_are_refused(claims) -> None:
    async with running() as (one, _):
        status, description = await told(one, assertion=one.assertion(COMPANY, **claims))

        assert 400 == status
        assert description in (NOT_VALID, "JWT assertion is expired or invalid")


async def test_every_token_ends_at_once_by_order_and_a_new_one_is_good() -> None:
    async with running() as (one, other):
        before = [(await who.http.get(ECHO, headers=who.headers())).status_code for who in (one, other)]
        await one.control("expire-tokens", {})
        ended = [await who.http.get(ECHO, headers=who.headers()) for who in (one, other)]
        await one.log_in()
        after = (await one.http.get(ECHO, headers=one.headers())).status_code

        assert ([200, 200], [401, 401], 200) == (before, [reply.status_code for reply in ended], after)
        assert "Bearer" == ended[0].headers["WWW-Authenticate"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic eA==", "Bearer no.jwt.this"])
async def test_a_call_without_a_token_of_ours_is_refused_and_does_nothing(authorization) -> None:
    async with running() as (one, _):
        headers = one.headers(Authorization=authorization)
        reply = await one.http.post("/api/si/instructions/add/v1", json={"data": [si_entry("R1")]}, headers=headers)

        assert (401, "401") == (reply.status_code, reply.json()["code"])
        assert [] == (await one.control("ledger"))["done"]
