"""The list of keys: what it says, what is wrong with it, and that it reads as it was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.errors import ConfigError
from pg_bridge.ocp.key_list import ListedKey, list_name, read_key_list, write_key_list

HONG_KONG = timezone(timedelta(hours=8))
MOMENTS = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=HONG_KONG)
)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


@pytest.mark.parametrize(
    ("key_file", "listed"),
    [("company.pem", "company.keys.toml"), ("/etc/pg/machine.key", "/etc/pg/machine.keys.toml"), ("k", "k.keys.toml")],
)
def test_the_list_lies_beside_the_key(key_file: str, listed: str) -> None:
    assert listed == list_name(key_file)


@given(st.lists(st.tuples(MOMENTS, MOMENTS, WORDS, WORDS), min_size=1, max_size=4))
def test_a_list_reads_as_it_was_written(given_: list[tuple[datetime | None, datetime | None, str, str]]) -> None:
    keys = [
        ListedKey(file=f"k{n}.pem", used_from=begins, ends_at=ends, by=by, reason=reason)
        for n, (begins, ends, by, reason) in enumerate(given_)
        if not (begins and ends and ends <= begins)
    ]
    if not keys:
        return

    assert keys == read_key_list("company.keys.toml", write_key_list(keys))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "keys"),
        ("keys = []", "lists no key"),
        ('[[keys]]\nfile = "../k.pem"', "names no file beside this one"),
        ('[[keys]]\nfile = ""', "names no file beside this one"),
        ('[[keys]]\nfile = "k.pem"\n[[keys]]\nfile = "k.pem"', "listed twice"),
        ('[[keys]]\nfile = "k.pem"\nends_at = 2026-11-30T00:00:00', "no time zone"),
        ('[[keys]]\nfile = "k.pem"\nused_from = 2026-12-02T00:00:00Z\nends_at = 2026-12-01T00:00:00Z', "ends before"),
        ('[[keys]]\nfile = "k.pem"\npassphrase = "hush"', "passphrase"),
        ('[[keys]\nfile = "k.pem"', "line 1"),
    ],
)
def test_what_is_wrong_with_a_list_is_told_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_key_list("company.keys.toml", text)

    assert caught.value.findings
    assert any(said in str(one) for one in caught.value.findings)
    assert all(one.remedy and "hush" not in one.text for one in caught.value.findings)


def test_a_time_of_any_zone_is_the_same_moment() -> None:
    (key,) = read_key_list("k", '[[keys]]\nfile = "k.pem"\nends_at = 2026-12-01T08:00:00+08:00')

    assert datetime(2026, 12, 1, tzinfo=UTC) == key.ends_at
