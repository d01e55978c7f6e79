"""OCP's clock from its Date header, and Retry-After."""

import pytest

from pg_bridge.ocp.retry_after import read_retry_after
from pg_bridge.ocp.server_clock import ServerClock
from tests.doubles.ocp_world import NOW, FakeClock


@pytest.mark.parametrize(
    ("date", "skew_s"),
    [
        ("Mon, 23 Nov 2026 01:30:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 01:29:59 GMT", 0.0),
        ("Mon, 23 Nov 2026 01:50:00 GMT", 1200.0),
        ("Mon, 23 Nov 2026 01:10:00 GMT", -1200.0),
        ("Mon, 23 Nov 2026 09:50:00 +0800", 1200.0),
        ("", 0.0),
        ("yesterday", 0.0),
        ("Mon, 99 Nov 2026 01:50:00 GMT", 0.0),
    ],
)
def test_skew_is_what_the_date_header_shows(date: str, skew_s: float) -> None:
    clock = ServerClock(FakeClock())

    clock.observe(date)

    assert clock.skew_s == skew_s
    assert clock.now() == NOW.timestamp() + skew_s


def test_the_last_date_counts() -> None:
    clock = ServerClock(FakeClock())
    clock.observe("Mon, 23 Nov 2026 01:50:00 GMT")

    clock.observe("Mon, 23 Nov 2026 01:30:00 GMT")

    assert clock.skew_s == 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Mon, 23 Nov 2026 01:31:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 01:29:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
        ("\u0663", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert read_retry_after(value, NOW.timestamp()) == seconds
