"""Which key signs at a moment, and which end is worth a warning."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pg_bridge.errors import ConfigError, KeyMisfit
from pg_bridge.ocp.key_list import KeyText, ListedKey
from pg_bridge.ocp.key_ring import KeyRing
from pg_bridge.ocp.keys import new_key_pem
from tests.doubles import ocp_world as world

NOW = world.NOW


def at(days: float | None) -> datetime | None:
    return None if days is None else NOW + timedelta(days=days)


def ring(*times: tuple[float | None, float | None]) -> KeyRing:
    """Keys `0`, `1` ... that are used from and end so many days from now on."""
    texts = [
        KeyText(world.key_pem("company"), ListedKey(file=str(n), used_from=at(begins), ends_at=at(ends)))
        for n, (begins, ends) in enumerate(times)
    ]
    return KeyRing("company", texts, "RS256")


@pytest.mark.parametrize(
    ("times", "signs"),
    [
        ([(None, None)], "0"),
        ([(None, 3), (1, None)], "0"),  # the new one's time has not come
        ([(None, 3), (-1, None)], "1"),  # both are live: the newer signs
        ([(-2, None), (-1, None), (1, None)], "1"),
        ([(-1, None), (None, None)], "0"),  # by their times, not by their order
        ([(None, None), (None, None)], "1"),  # of equals the last
        ([(None, 5), (-1, -0.5)], "0"),  # the newer one has ended already
        ([(None, -2), (-9, -1)], "1"),  # all have ended: the last of them, OCP decides
        ([(2, None), (1, None)], "1"),  # none has begun: the first that will
    ],
)
def test_the_key_that_signs(times: list[tuple[float | None, float | None]], signs: str) -> None:
    assert signs == ring(*times).at(NOW).listed.file


@pytest.mark.parametrize(
    ("times", "days"),
    [
        ([(None, None)], None),
        ([(None, 14.1)], None),
        ([(None, 14)], 14),
        ([(None, -1)], -1),
        ([(None, 3), (1, None)], None),  # another follows in time
        ([(None, 3), (4, None)], 3),  # a day without a key
        ([(None, 3), (1, 2)], 3),  # what follows ends before it does
        ([(None, 3), (-1, None)], None),  # it does not sign any longer
    ],
)
def test_an_end_is_near_where_no_key_follows_in_time(
    times: list[tuple[float | None, float | None]], days: float | None
) -> None:
    ending = ring(*times).ending(NOW)

    assert days == (None if ending is None else ending[1])


def test_those_to_register_have_not_ended() -> None:
    assert ["1", "2"] == [key.listed.file for key in ring((None, -1), (None, 2), (1, None)).live(NOW)]


def test_a_list_may_hold_keys_for_the_algorithm_before() -> None:
    texts = [
        KeyText(world.key_pem("company"), ListedKey(file="rsa.pem")),
        KeyText(new_key_pem("ES256"), ListedKey(file="ec.pem")),
    ]

    assert ["rsa.pem"] == [key.listed.file for key in KeyRing("company", texts, "PS256").keys]
    assert ["ec.pem"] == [key.listed.file for key in KeyRing("company", texts, "ES256").keys]
    with pytest.raises(KeyMisfit, match=r"machine has no key for ES256: rsa\.pem"):
        KeyRing("machine", texts[:1], "ES256")


def test_a_key_that_cannot_be_read_is_named_and_not_shown() -> None:
    texts = [
        KeyText(b"-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----", ListedKey(file="bad.pem"))
    ]

    with pytest.raises(ConfigError, match=r"bad\.pem") as caught:
        KeyRing("company", texts, "RS256")

    assert "SECRET" not in str(caught.value) + repr(texts)
    assert caught.value.__cause__ is None
