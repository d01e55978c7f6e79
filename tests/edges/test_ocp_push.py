"""Pushed deliveries: signature, then freshness, then schema, with real keys."""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import OcpUnavailable, PushRefused
from pg_bridge.ocp.keys import KeyPair, base64url
from pg_bridge.ocp.push import ASK_AGAIN_S, KEYS_LIFE_S, Delivery, PushDoor
from tests.doubles import ocp_world as world

NOW = world.NOW
BODY = json.dumps({"data": [world.event(1), world.event(2)]}).encode()


class OcpKeys:
    """OCP's key list: what it holds now, and how often it was asked."""

    def __init__(self, *keys: KeyPair) -> None:
        self.documents: list[Any] = [dict(key.public_jwk) for key in keys]
        self.asked = 0
        self.is_down = False

    async def __call__(self) -> Sequence[Mapping[str, Any]]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise OcpUnavailable
        return self.documents


def sign(
    body: bytes = BODY,
    *,
    key: KeyPair | None = None,
    delivery_id: str = "d-1",
    at: datetime = NOW,
    header: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The three headers of a delivery, signed as ocp-profile section 4 says, without any code of ours."""
    key = key or world.key("ocp")
    timestamp = str(int(at.timestamp() * 1000))
    fields = {"alg": "RS256", "kid": key.thumbprint, "b64": False, "crit": ["b64"]} | dict(header or {})
    protected = base64url(json.dumps(fields).encode())
    signature = key.sign(f"{protected}.{delivery_id}.{timestamp}.".encode() + body)
    return {
        "X-OCP-DELIVERY-ID": delivery_id,
        "X-OCP-TIMESTAMP": timestamp,
        "X-OCP-SIGNATURE": f"{protected}..{base64url(signature)}",
    }


def door(keys: OcpKeys | None = None) -> PushDoor:
    return PushDoor(world.ocp_profile(), keys or OcpKeys(world.key("ocp")))


async def refused(headers: Mapping[str, str], body: bytes = BODY, at: PushDoor | None = None) -> int:
    with pytest.raises(PushRefused) as caught:
        await (at or door()).receive(headers, body, NOW)
    return caught.value.status


async def test_a_good_delivery_gives_its_events() -> None:
    delivery = await door().receive(sign(), BODY, NOW)

    assert delivery == Delivery([world.event(1), world.event(2)], "d-1", is_late=False)


async def test_header_names_may_come_in_lower_case() -> None:
    headers = {name.lower(): value for name, value in sign().items()}

    assert (await door().receive(headers, BODY, NOW)).delivery_id == "d-1"


@pytest.mark.parametrize(
    ("seconds", "is_late"), [(0, False), (-299, False), (299, False), (-301, True), (-86_000, True), (301, True)]
)
async def test_an_old_timestamp_with_a_good_signature_is_late_not_refused(seconds: int, is_late: bool) -> None:
    headers = sign(at=NOW + timedelta(seconds=seconds))

    assert (await door().receive(headers, BODY, NOW)).is_late is is_late


async def test_freshness_is_judged_after_the_signature() -> None:
    headers = sign(at=NOW - timedelta(days=1)) | {"X-OCP-SIGNATURE": sign()["X-OCP-SIGNATURE"]}

    assert await refused(headers) == 401


@pytest.mark.parametrize("name", ["X-OCP-DELIVERY-ID", "X-OCP-TIMESTAMP", "X-OCP-SIGNATURE"])
@pytest.mark.parametrize("value", [None, "", "\u00e4\u00f6", "x y", "9" * 400])
async def test_a_header_missing_or_malformed_is_401(name: str, value: str | None) -> None:
    headers = sign()
    if value is None:
        del headers[name]
    else:
        headers[name] = value

    assert await refused(headers) == 401


@pytest.mark.parametrize(
    "other",
    [
        {"X-OCP-DELIVERY-ID": "d-2"},
        {"X-OCP-TIMESTAMP": str(int(NOW.timestamp() * 1000) + 1)},
        {"X-OCP-SIGNATURE": "a.b"},
        {"X-OCP-SIGNATURE": "e30..AAAA"},
        {"X-OCP-SIGNATURE": ".."},
    ],
)
async def test_headers_of_another_delivery_are_401(other: dict[str, str]) -> None:
    assert await refused(sign() | other) == 401


async def test_another_body_is_401() -> None:
    assert await refused(sign(), BODY + b" ") == 401


async def test_a_stranger_with_the_right_key_id_is_401() -> None:
    stranger = world.key("stranger")

    assert await refused(sign(key=stranger, header={"kid": world.key("ocp").thumbprint})) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"b64": True},
        {"crit": []},
        {"crit": "b64"},
        {"crit": ["b64", "exp"], "exp": 1},
        {"crit": None},
        {"kid": 7},
        {"kid": None},
        {"kid": ["a"]},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"alg": "none"},
        {"alg": None},
    ],
    ids=str,
)
async def test_any_other_jws_header_is_401(header: dict[str, Any]) -> None:
    assert await refused(sign(header=header)) == 401


async def test_a_signature_over_its_own_payload_signs_no_body() -> None:
    """A whole JWS by the right key, as one may have been given elsewhere, must not open the door to any body."""
    key = world.key("ocp")
    whole = key.sign_jwt({"sub": "anything"}, key.thumbprint)

    assert await refused(sign() | {"X-OCP-SIGNATURE": whole}) == 401


async def test_the_public_key_as_an_hmac_secret_is_401() -> None:
    """The classic confusion: HS256 with the public key as secret."""
    key = world.key("ocp")
    forged = jwt.PyJWS().encode(
        BODY,
        base64.urlsafe_b64decode(key.public_jwk["n"] + "=="),
        algorithm="HS256",
        headers={"kid": key.thumbprint, "b64": False},
        is_payload_detached=True,
    )

    assert await refused(sign() | {"X-OCP-SIGNATURE": forged}) == 401


async def test_no_signature_at_all_is_401() -> None:
    protected = base64url(json.dumps({"alg": "none", "b64": False, "crit": ["b64"], "kid": "k"}).encode())

    assert await refused(sign() | {"X-OCP-SIGNATURE": f"{protected}.."}) == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"data": []}',
        b'{"data": [{}]}',
        json.dumps({"data": [world.event(0)]}).encode(),
        json.dumps({"data": [world.event(1), {**world.event(2), "eventId": None}]}).encode(),
        json.dumps({"data": [world.event(n + 1) for n in range(101)]}).encode(),
    ],
    ids=range(11),
)
async def test_a_signed_body_that_is_no_delivery_is_400(body: bytes) -> None:
    assert await refused(sign(body), body) == 400


async def test_unknown_members_of_an_event_are_kept() -> None:
    body = json.dumps({"data": [world.event(1, somethingNew=1)]}).encode()

    (event,) = (await door().receive(sign(body), body, NOW)).events
    assert event["somethingNew"] == 1


async def test_keys_are_asked_for_once_however_many_deliveries_come() -> None:
    keys = OcpKeys(world.key("ocp"))
    at = door(keys)

    await asyncio.gather(*(at.receive(sign(delivery_id=f"d-{n}"), BODY, NOW) for n in range(20)))

    assert keys.asked == 1


async def test_a_new_key_is_found_by_asking_once_more() -> None:
    keys = OcpKeys(world.key("ocp"))
    at = door(keys)
    await at.receive(sign(), BODY, NOW)
    keys.documents = [dict(world.key("ocp 2").public_jwk)]
    later = NOW + timedelta(seconds=ASK_AGAIN_S)

    delivery = await at.receive(sign(key=world.key("ocp 2"), at=later), BODY, later)

    assert not delivery.is_late
    assert keys.asked == 2


async def test_a_withdrawn_key_stops_counting() -> None:
    keys = OcpKeys(world.key("ocp"))
    at = door(keys)
    await at.receive(sign(), BODY, NOW)
    keys.documents = [dict(world.key("ocp 2").public_jwk)]
    later = NOW + timedelta(seconds=KEYS_LIFE_S)

    with pytest.raises(PushRefused) as caught:
        await at.receive(sign(at=later), BODY, later)

    assert caught.value.status == 401


async def test_strangers_cannot_make_us_ask_without_end() -> None:
    keys = OcpKeys(world.key("ocp"))
    at = door(keys)

    for n in range(50):
        assert await refused(sign(key=world.key("stranger"), delivery_id=f"d-{n}"), at=at) == 401

    assert keys.asked == 1


async def test_without_keys_the_delivery_must_come_again() -> None:
    keys = OcpKeys(world.key("ocp"))
    keys.is_down = True
    at = door(keys)

    assert [await refused(sign(), at=at) for _ in range(20)] == [503] * 20
    assert keys.asked == 1
    keys.is_down = False
    later = NOW + timedelta(seconds=2)
    assert (await at.receive(sign(), BODY, later)).delivery_id == "d-1"


async def test_known_keys_serve_while_the_list_cannot_be_had() -> None:
    keys = OcpKeys(world.key("ocp"))
    at = door(keys)
    await at.receive(sign(), BODY, NOW)
    keys.is_down = True
    later = NOW + timedelta(seconds=KEYS_LIFE_S)

    assert not (await at.receive(sign(at=later), BODY, later)).is_late


@pytest.mark.parametrize(
    "change",
    [{"kty": "oct", "k": "AAAA"}, {"use": "enc"}, {"alg": "HS256"}, {"n": "!!"}, {"n": "AQAB"}, {"kid": 7}],
    ids=str,
)
async def test_a_key_that_may_not_sign_is_none(change: dict[str, Any]) -> None:
    keys = OcpKeys(world.key("ocp"))
    keys.documents = [keys.documents[0] | change]

    assert await refused(sign(), at=door(keys)) == 401


KEYS = OcpKeys(world.key("ocp"))
HEADERS = sign()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
async def test_no_change_of_any_byte_gets_through(data: st.DataObject) -> None:
    """Signature, headers or body: one character differs and nothing is taken."""
    name = data.draw(st.sampled_from([*HEADERS, "body"]))
    whole = BODY if name == "body" else HEADERS[name].encode()
    # The last character of base64url carries unused bits, which no signature covers.
    at = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.integers(0x21, 0x7E).filter(lambda byte: byte != whole[at]))
    changed = whole[:at] + bytes([other]) + whole[at + 1 :]
    headers = HEADERS if name == "body" else HEADERS | {name: changed.decode()}

    with pytest.raises(PushRefused) as caught:
        await door(KEYS).receive(headers, changed if name == "body" else BODY, NOW)

    assert caught.value.status == 401
