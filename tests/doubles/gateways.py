"""A pretend PG without a socket, by a mapping set, with a clock that stands where the test puts it."""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from typing import Any

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.gateway import Gateway
from pg_bridge.simulator.gateway_notices import Notice
from pg_bridge.simulator.gateway_request import Answer
from pg_bridge.simulator.gateway_words import GatewayWords, read_gateway_words
from pg_bridge.simulator.life_cycle import BookRules
from tests.doubles.mapping_sets import set_files

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=HONG_KONG)
SELLER, BUYER = "B01234", "C00019"
_USUAL = {"stock": "00005", "quantity": "1000", "day": "20261125", "amount": "5000", "today": "20261123"}
_MESSAGES = "samples/scenarios/messages.toml"


@cache
def words_of(set_name: str) -> tuple[LegacyProfile, GatewayWords]:
    """The legacy profile of a set, and the pretend gateway's words."""
    files = set_files(set_name)
    legacy = read_legacy_profile(files)
    return legacy, read_gateway_words(files, legacy)


@cache
def _messages(set_name: str) -> dict[str, Any]:
    messages: dict[str, Any] = tomllib.loads(set_files(set_name)[_MESSAGES])["message"]
    return messages


class GatewayWorld:
    """A pretend gateway, and what it told since it was last asked: every message held against its template."""

    def __init__(self, set_name: str = "shipped", now: datetime = MONDAY, seed: int = 0, **options: Any) -> None:
        self.now = now
        self.set_name = set_name
        self.legacy, words = words_of(set_name)
        rules = options.pop("rules", BookRules())
        self.gateway = Gateway(self.legacy, words, lambda: self.now, rules, seed, **options)
        self._answered: list[tuple[str, Answer]] = []

    def take(self, participant: str, template: str, message_type: str, body: bytes) -> list[str]:
        """The texts of the answers to a request."""
        answers = self.gateway.take(participant, "PSS1", template, message_type, body)
        self._answered += [(participant, answer) for answer in answers]
        return [_checked(self.legacy, answer) for answer in answers]

    def body(self, message: str, **values: str) -> bytes:
        """The text block of a message of the scenarios."""
        text: str = _messages(self.set_name)[message]["body"].lstrip("\n")
        return text.format(**_USUAL | values).replace("\n", "\r\n").encode("ascii")

    def send(self, participant: str, message: str, **values: str) -> list[str]:
        """The texts of the answers to a message of the scenarios."""
        entry = _messages(self.set_name)[message]
        return self.take(participant, entry["template"], entry["message_type"], self.body(message, **values))

    def pair(self, reference: str = "1", **values: str) -> None:
        """Have both sides enter an SI, which match: S and R, then the reference."""
        self.send(SELLER, "deliver", reference=f"S{reference}", counterparty=BUYER, **values)
        self.send(BUYER, "receive", reference=f"R{reference}", counterparty=SELLER, **values)

    def unasked(self) -> list[Notice]:
        """What comes unasked now."""
        notices = self.gateway.unasked()
        for notice in notices:
            _checked(self.legacy, notice)
        return notices

    def told(self) -> list[tuple[str, str]]:
        """Whom what was told: the answers, then what came unasked."""
        told = [(participant, _checked(self.legacy, answer)) for participant, answer in self._answered]
        self._answered.clear()
        return told + [(notice.participant, notice.body.decode("ascii")) for notice in self.unasked()]


def _checked(legacy: LegacyProfile, message: Answer | Notice) -> str:
    findings = legacy.templates[message.template].check(message.message_type, read(message.body)).findings
    assert [message.template] == [message.template, *findings]
    return message.body.decode("ascii")
