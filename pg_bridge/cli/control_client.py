"""How verbs give commands to the running bridge: by its control door."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from pg_bridge.cli.world import read_file
from pg_bridge.config import ControlConfig, read_config
from pg_bridge.console.control import MOST_BY, MOST_REASON
from pg_bridge.errors import BridgeError, ConfigError

#: the bridge checks a whole mapping set, beside its traffic
_ANSWER_S = 120.0
_T = TypeVar("_T")


def check_who(doing: str, by: str, reason: str) -> None:
    """What the person states of themselves can be journaled. Raises ConfigError."""
    for name, text, most in (("--by", by, MOST_BY), ("--reason", reason, MOST_REASON)):
        if len(text) > most or not (text.isprintable() or not text):
            raise ConfigError(f"{doing}: {name} takes at most {most} printable characters")


def door_of(config: Path | None, control: str) -> str:
    """The control socket: the one named, or that of the configuration. Raises ConfigError."""
    if control:
        return control
    if config is None:
        return ControlConfig().socket
    text = read_file(config, "the configuration").decode("utf-8", "replace")
    door = read_config(text, os.environ).control.socket
    if not door:
        raise ConfigError(f"{config} opens no control door: name a socket in its [control] section, then start anew")
    return door


def ask(door: str, method: str, path: str, type_: type[_T], document: Any = None, *, answer_s: float = _ANSWER_S) -> _T:
    """What the bridge answers. Raises ConfigError when no bridge listens there, BridgeError when it cannot do it."""
    body = b"" if document is None else msgspec.json.encode(document)
    timeout = httpx.Timeout(answer_s, connect=5.0)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(door)  # where this fails, httpx would leave its socket open
    except OSError as error:
        text = f"dialling the control socket {door}: {error.strerror or error}; does the bridge run?"
        raise ConfigError(text) from error
    try:
        with httpx.Client(transport=httpx.HTTPTransport(uds=door), timeout=timeout) as http:
            answer = http.request(method, f"http://bridge{path}", content=body)
    except httpx.HTTPError as error:
        text = f"asking the bridge at {door}: {type(error).__name__}; the journal says what became of it"
        raise BridgeError(text) from error
    if answer.status_code not in (200, 422):
        raise BridgeError(f"the bridge answers {answer.status_code}: {_message(answer)}")
    try:
        return msgspec.json.decode(answer.content, type=type_)
    except msgspec.MsgspecError as error:
        raise BridgeError(f"the bridge's answer cannot be read, is it of another version? {error}") from error


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
