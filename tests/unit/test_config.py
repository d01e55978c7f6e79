"""The configuration: what is needed, what overrides it, and that everything wrong is said at once."""

from __future__ import annotations

import pytest

from pg_bridge.config import read_config
from pg_bridge.errors import ConfigError
from pg_bridge.example_config import EXAMPLE


def test_example_holds_the_defaults() -> None:
    config = read_config(EXAMPLE, {})

    assert ("127.0.0.1", 7000, 7080, 20.0) == (
        config.pss.host,
        config.pss.port,
        config.push.port,
        config.exchange.answer_within_s,
    )


def test_environment_overrides_text_numbers_and_flags() -> None:
    environment = {
        "PG_BRIDGE_PSS_PORT": "7001",
        "PG_BRIDGE_PUSH_SUBSCRIBE": "false",
        "PG_BRIDGE_OCP_BASE_URL": "https://other.example",
        "PG_BRIDGE_EXCHANGE_ANSWER_WITHIN_S": "7.5",
        "PATH": "/bin",
    }
    config = read_config(EXAMPLE, environment)

    assert 7001 == config.pss.port
    assert not config.push.subscribe
    assert "https://other.example" == config.ocp.base_url
    assert 7.5 == config.exchange.answer_within_s


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ocp", "reading the configuration"),
        (EXAMPLE.replace("company_id =", "compani_id ="), "compani_id"),
        (EXAMPLE.replace("port = 7000", 'port = "many"'), "port"),
        (EXAMPLE.replace("[participants.B01234]", "[participants.B1]"), "6 characters"),
        (EXAMPLE.replace('secondary = ""', 'secondary = "7001"'), "no host:port"),
        (EXAMPLE.replace('secondary = ""', 'secondary = "gateway:70000"'), "no host:port"),
        (EXAMPLE.replace('answer_order = ""', 'answer_order = "reverse"'), "answer_order"),
        (EXAMPLE.replace("resume_unsent_bytes = 65536", "resume_unsent_bytes = 65536000"), "follow each other in size"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_config(text, {})


def test_all_findings_are_said_at_once() -> None:
    text = EXAMPLE.replace("[participants.B01234]", "[participants.B1]")
    with pytest.raises(ConfigError) as raised:
        read_config(text, {"PG_BRIDGE_PUSH_HOST": "0.0.0.0"})

    assert {"PGB-CFG-003", "PGB-CFG-004"} == {finding.code for finding in raised.value.findings}


def test_control_door_has_a_default_and_may_be_closed() -> None:
    assert "pg-bridge.control.sock" == read_config(EXAMPLE, {}).control.socket
    assert "" == read_config(EXAMPLE, {"PG_BRIDGE_CONTROL_SOCKET": ""}).control.socket


@pytest.mark.parametrize(
    ("text", "node"),
    [("", None), ("127.0.0.1:7001", ("127.0.0.1", 7001)), ("[::1]:7001", ("::1", 7001)), ("gw2:0", ("gw2", 0))],
)
def test_second_node(text: str, node: tuple[str, int] | None) -> None:
    config = read_config(EXAMPLE.replace('secondary = ""', f'secondary = "{text}"'), {})

    assert node == config.pss.second_node()


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [("drop/B", "drop/C", 0), ("drop", "drop-2", 0), ("drop", "./drop/", 2), ("drop", "drop/C/", 1)],
)
def test_a_drop_folder_is_of_one_participant(one: str, other: str, count: int) -> None:
    text = EXAMPLE.replace('drop_folder = ""', f'drop_folder = "{one}"')
    text += f'[participants.C00019]\ndrop_folder = "{other}"\n'
    if not count:
        assert one == read_config(text, {}).participants["B01234"].drop_folder
        return
    with pytest.raises(ConfigError) as told:
        read_config(text, {})

    assert ["PGB-CFG-006"] * count == [finding.code for finding in told.value.findings]
