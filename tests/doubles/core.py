"""The core alone: a state, a clock that is a value, ids that count, and every entry it wrote."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.decide import decide
from pg_bridge.exchange.delivery_fold import release
from pg_bridge.exchange.entries import Entry
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.records import read_entry
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Options, Terms
from pg_bridge.mapping.book import MappingBook, load
from tests.doubles.mapping_sets import set_files
from tests.doubles.stack import Words, deliver


@lru_cache(maxsize=4)
def book(set_name: str = "shipped") -> MappingBook:
    """A mapping set (tests/doubles/mapping_sets.py), loaded once."""
    return load({path: text for path, text in set_files(set_name).items() if path != "messages.toml"})


class CountingIds:
    """Ids in order: X1, R1, D1, PG1, S1."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def _next(self, letter: str) -> str:
        self._counts[letter] += 1
        return f"{letter}{self._counts[letter]}"

    def exchange_id(self) -> str:
        return self._next("X")

    def request_id(self) -> str:
        return self._next("R")

    def delivery_id(self) -> str:
        return self._next("D")

    def reference(self) -> str:
        return self._next("PG")

    def claim(self) -> str:
        return self._next("F")

    def session_id(self) -> str:
        return f"S{self._next('S'):0>9}"


class Core:
    """Decides, and remembers, by a mapping set."""

    def __init__(self, set_name: str = "shipped", **options: Any) -> None:
        self.now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
        self.words = Words(set_name)
        self.terms = Terms(book(set_name), CountingIds(), Options(**options))
        self.state = State()
        self.entries: list[Entry] = []
        #: False: answers are handed to sessions, and wait there
        self.writes_answers = True

    def offer(self, event: e.Event) -> a.Decision:
        """Decide on one event; its answers are written to their sessions."""
        decision = decide(self.state, event, self.terms, self.now)
        self.entries += decision.entries
        if self.writes_answers:
            for action in decision.actions:
                if isinstance(action, a.Answer) and action.token:
                    exchange = self.state.exchanges[action.token]
                    exchange.is_sent = True
                    release(self.state, exchange)
        return decision

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def request(self, reference: str, *, sequence: int = 2, session: str = "S1", **more: Any) -> a.Decision:
        """A PSS of B01234 sends an MT543."""
        body = self.words.deliver(reference, **more)
        legacy = body.decode("ascii")
        template, message_type = self.words.input["template"], self.words.input["deliver"]
        arrived = e.RequestArrived(session, "B01234", "PSS1", sequence, template, message_type, legacy, body)
        return self.offer(arrived)

    def call(self) -> str:
        """The lane opens; gives the request id of the call."""
        decision = self.offer(e.LaneOpen("B01234", "si_add"))
        (call,) = [action for action in decision.actions if isinstance(action, a.Call)]
        return call.request_id

    def accepted(self, reference: str, number: str, status: str = "UNMATCHED") -> dict[str, Any]:
        """An entry of siAdd's answer that takes an SI."""
        return {
            "requestReference": reference,
            "participantReference": reference,
            "siNumber": number,
            "status": status,
            "version": 1,
            "exception": [],
        }

    def refused(self, reference: str, code: str) -> dict[str, Any]:
        """An entry of siAdd's answer that refuses an SI."""
        error = {"recordErrorCode": code, "recordErrorMsg": "no"}
        return {
            "requestReference": reference,
            "participantReference": reference,
            "siNumber": None,
            "status": None,
            "version": None,
            "exception": [error],
        }

    def event(self, number: str, sequence: int, kind: str, status: str, **more: Any) -> dict[str, Any]:
        """A status event of B01234."""
        document = (
            book().read_request("SI01", "543", deliver("R1"), self.terms.context("B01234", "", self.now)).document
        )
        return {
            **document,
            "siNumber": number,
            "status": status,
            "version": 1,
            "settlementPositionNumber": None,
            "holdOwn": False,
            "holdCounterparty": False,
            "revokeOwn": False,
            "revokeCounterparty": False,
            "lastRequestReference": None,
            "reasonCode": None,
            "reasonText": None,
            "createdAt": "2026-11-24T10:00:00.000+08:00",
            "updatedAt": "2026-11-24T10:00:00.000+08:00",
            "exception": [],
            "eventId": f"E{sequence}",
            "sequence": sequence,
            "businessDate": "2026-11-24",
            "eventType": kind,
            "occurredAt": "2026-11-24T10:00:00.000+08:00",
            "previousStatus": None,
            "newStatus": status,
            "schemaVersion": "1",
            **more,
        }

    def replayed(self) -> State:
        """The state that the journal alone gives."""
        state = State()
        for entry in self.entries:
            apply(state, read_entry(msgspec.json.decode(msgspec.json.encode(entry), type=Entry)), entry.at_us)
        return state


def kinds(decision: a.Decision) -> list[str]:
    """The kinds of a decision's entries."""
    return [entry.kind.value for entry in decision.entries]


def actions(decision: a.Decision) -> list[str]:
    """The names of a decision's actions."""
    return [type(action).__name__ for action in decision.actions]
