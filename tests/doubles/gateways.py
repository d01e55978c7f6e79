"""A pretend PG without a socket, by a mapping set, with a clock that stands where the test puts it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.gateway import Gateway
from pg_bridge.simulator.gateway_request import Answer
from pg_bridge.simulator.gateway_words import GatewayWords, read_gateway_words
from pg_bridge.simulator.life_cycle import BookRules
from tests.doubles.mapping_sets import set_files

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=HONG_KONG)


@cache
def words_of(set_name: str) -> tuple[LegacyProfile, GatewayWords]:
    """The legacy profile of a set, and the pretend gateway's words."""
    files = set_files(set_name)
    legacy = read_legacy_profile(files)
    return legacy, read_gateway_words(files, legacy)


class GatewayWorld:
    """A pretend gateway, and what it told since it was last asked: every message held against its template."""

    def __init__(self, set_name: str = "shipped", now: datetime = MONDAY, seed: int = 0, **options: Any) -> None:
        self.now = now
        self.legacy, words = words_of(set_name)
        rules = options.pop("rules", BookRules())
        self.gateway = Gateway(self.legacy, words, lambda: self.now, rules, seed, **options)
        self._answered: list[tuple[str, Answer]] = []

    def take(self, participant: str, template: str, message_type: str, body: bytes) -> list[str]:
        """The texts of the answers to a request."""
        answers = self.gateway.take(participant, "PSS1", template, message_type, body)
        self._answered += [(participant, answer) for answer in answers]
        return [answer.body.decode("ascii") for answer in answers]

    def told(self) -> list[tuple[str, str]]:
        """Whom what was told: the answers, then what came unasked."""
        told = [
            (participant, answer.template, answer.message_type, answer.body) for participant, answer in self._answered
        ]
        told += [(one.participant, one.template, one.message_type, one.body) for one in self.gateway.unasked()]
        self._answered.clear()
        for _, template, message_type, body in told:
            findings = self.legacy.templates[template].check(message_type, read(body)).findings
            assert (template, ()) == (template, findings)
        return [(participant, body.decode("ascii")) for participant, _, _, body in told]
