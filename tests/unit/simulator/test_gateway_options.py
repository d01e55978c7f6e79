"""What the pretend PG may be started with, and what is refused by name."""

from __future__ import annotations

import pytest

from pg_bridge.errors import ConfigError
from pg_bridge.simulator.gateway_options import read_gateway_options


def test_every_fault_of_the_options_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        read_gateway_options(
            {
                "speed": 1,
                "start": "2026-11-23T09:30:00",
                "day_end": "25:00",
                "settlement_runs": ["10:30", "noon"],
                "port": -1,
                "most_sessions": "many",
                "faults": [{"kind": "melted"}],
            }
        )

    told = [finding.text for finding in refused.value.findings]
    for name in ("speed", "start", "day_end", "settlement_runs", "port", "most_sessions", "faults"):
        assert any(text.startswith(f"{name}: ") for text in told), name


def test_tls_files_that_cannot_be_used_are_refused() -> None:
    for options in ({"tls_key": "key.pem"}, {"tls_certificate": "/nowhere.pem"}):
        with pytest.raises(ConfigError, match="TLS"):
            read_gateway_options(options).door()


def test_a_second_node_is_a_second_port() -> None:
    assert (0,) == read_gateway_options({}).door().ports
    assert (0, 7) == read_gateway_options({"secondary_port": 7}).door().ports
