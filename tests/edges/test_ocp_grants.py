"""Every grant, algorithm and kind of key id, between the client and the pretend OCP, which judges by its own code."""

from __future__ import annotations

import uuid
from functools import cache
from itertools import product

import pytest

from pg_bridge.errors import OcpDenied
from pg_bridge.ocp.keys import KeyPair, new_key_pem
from pg_bridge.ocp.tokens import Identity
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from tests.doubles import ocp_world as world
from tests.doubles.pretend_ocp import client_and_pretend

GRANTS = ("jwt_bearer", "client_credentials", "self_signed")


@cache
def profile(grant: str, algorithm: str, kid: str = "thumbprint", signed: str = "false") -> OcpProfile:
    files = world.ocp_files()
    text = files["ocp/profile.toml"]
    for old, new in (
        ('grant = "jwt_bearer"', f'grant = "{grant}"'),
        ('algorithm = "RS256"', f'algorithm = "{algorithm}"'),
        ('kid = "thumbprint"', f'kid = "{kid}"'),
        ("sign_writes = false", f"sign_writes = {signed}"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    return read_ocp_profile(files | {"ocp/profile.toml": text})


@cache
def key(name: str, algorithm: str, kid: str = "") -> KeyPair:
    pem = new_key_pem(algorithm) if algorithm == "ES256" else world.key_pem(name)
    return KeyPair(pem, algorithm=algorithm, kid=kid)


def identity(algorithm: str, kid: str = "") -> Identity:
    return Identity("HKB01234", key("company", algorithm, kid), "HKB01234-M1", key("machine", algorithm, kid))


@pytest.mark.parametrize(
    ("grant", "algorithm", "kid"),
    [(*one, "") for one in product(GRANTS, ("RS256", "PS256", "ES256"))]
    + [(grant, "RS256", "ours-7") for grant in GRANTS],
)
async def test_every_grant_and_algorithm_enters_one_instruction(grant: str, algorithm: str, kid: str) -> None:
    made = profile(grant, algorithm, kid or "thumbprint", "true")
    async with client_and_pretend(made, identity(algorithm, kid)) as (client, pretend):
        (answer,) = await client.write(Operation.SI_ADD, "B01234", str(uuid.uuid4()), world.bulk([world.si_entry()]))

    assert 1 == len(pretend.ledger)
    assert answer["siNumber"]


async def test_what_we_sign_ourselves_is_good_for_one_call_and_no_token_is_asked_for() -> None:
    async with client_and_pretend(profile("self_signed", "RS256"), identity("RS256")) as (client, pretend):
        for _ in range(3):
            assert [] == await client.ask(Operation.ECHO, "", {})

        used = [name for who, name in pretend.tokens._used if who == "machine"]

    assert 3 == len(set(used)) == len(used)
    assert {} == pretend.tokens._callers


@pytest.mark.parametrize("grant", GRANTS)
async def test_a_key_that_is_not_registered_is_denied_once_and_nothing_is_done(grant: str) -> None:
    made = profile(grant, "RS256")
    async with client_and_pretend(made, identity("RS256")) as (client, pretend):
        client._identity.machine_key = key("stranger", "RS256")

        with pytest.raises(OcpDenied):
            await client.write(Operation.SI_ADD, "B01234", str(uuid.uuid4()), world.bulk([world.si_entry()]))

    assert 0 == len(pretend.ledger)


async def test_another_key_takes_the_place_of_the_first_from_the_next_token_on() -> None:
    """Both are registered, so that nothing fails while the one follows the other."""
    made, before = profile("jwt_bearer", "RS256"), identity("RS256")
    after = Identity("HKB01234", key("company-2", "RS256"), "HKB01234-M1", key("machine-2", "RS256"))
    async with client_and_pretend(made, before, after) as (client, pretend):
        assert [] == await client.ask(Operation.ECHO, "", {})
        client._identity.company_key, client._identity.machine_key = after.company_key, after.machine_key
        assert [] == await client.ask(Operation.ECHO, "", {})
        pretend.tokens.expire_all()

        assert [] == await client.ask(Operation.ECHO, "", {})
