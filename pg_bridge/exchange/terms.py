"""What decisions rest on besides the state: the mapping book, settings, and fresh ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.actions import Action, Decision
from pg_bridge.exchange.events import Json
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.records import Fault, Record, write_entry
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.pages import NEXT_REFERENCE
from pg_bridge.mapping.reference import Faults
from pg_bridge.profiles.ocp import OcpProfile

HONG_KONG = timezone(timedelta(hours=8), "HKT")


class Fresh(Protocol):
    """Where new ids come from; journaled with what they name."""

    def exchange_id(self) -> str:
        """A new exchange id."""
        ...

    def request_id(self) -> str:
        """A new OCP request id (UUID)."""
        ...

    def delivery_id(self) -> str:
        """A new delivery id."""
        ...

    def reference(self) -> str:
        """A new reference of the PG, 16x at most."""
        ...


#: participant -> texts of its own for `profile.*` in rules
Profiles = Mapping[str, Mapping[str, str]]
NO_PROFILES: Profiles = {}


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the core. Times in seconds."""

    answer_within_s: float = 20.0
    #: participants whose messages may hold unknown optional fields, carried along and reported
    lenient_participants: frozenset[str] = frozenset()
    profiles: Profiles = field(default_factory=dict)
    retry_first_s: float = 1.0
    retry_most_s: float = 30.0
    #: a file whose parts are not all there after this time is dropped
    file_within_s: float = 600.0
    #: what is done about an instruction at odds with reference data
    reference_faults: Faults = "warn"


@lru_cache(maxsize=64)
def hong_kong_date(day: date, hour: int) -> str:
    """The Hong Kong calendar day of a UTC day and hour, `YYYY-MM-DD`."""
    return (day + timedelta(days=1) if hour >= 16 else day).isoformat()


@lru_cache(maxsize=64)
def hong_kong_stamp(second: datetime) -> str:
    """Hong Kong time of a whole second, `YYYYMMDDhhmmss`."""
    return second.astimezone(HONG_KONG).strftime("%Y%m%d%H%M%S")


def epoch_us(now: datetime) -> int:
    """UTC microseconds since 1970 of an aware `now`."""
    delta = now - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """The mapping book and what goes with it."""

    book: MappingBook
    fresh: Fresh
    options: Options = Options()

    @property
    def ocp(self) -> OcpProfile:
        """The OCP profile of the book."""
        return self.book.ocp

    @property
    def set_hash(self) -> str:
        """The first 12 hexadecimal characters of the set's hash: how translations and exchanges name it."""
        return self.book.hash[:12]

    def business_date(self, now: datetime) -> str:
        """The Hong Kong calendar day of `now` (aware, UTC)."""
        return hong_kong_date(now.date(), now.hour)

    def context(self, participant: str, terminal: str, now: datetime) -> dict[str, Any]:
        """What rules may derive values from."""
        return {
            "reference": self.fresh.reference(),
            NEXT_REFERENCE: self.fresh.reference,
            "participant": participant,
            "terminal": terminal,
            "business_date": self.business_date(now),
            "timestamp": hong_kong_stamp(now.replace(microsecond=0)),
            "snapshot": False,
            "profile": self.options.profiles.get(participant),
        }

    def faults_of_findings(self, findings: Sequence[Finding]) -> tuple[Fault, ...]:
        """Our findings as faults to tell the PSS."""
        return tuple(
            Fault(
                finding.code,
                finding.code,
                f"{finding.path} {finding.text}" if finding.path else finding.text,
                finding.reason or self.book.refusal_reason(finding.code),
            )
            for finding in findings
            if finding.severity == "error"
        )

    def faults_of_ocp(self, pairs: Sequence[tuple[str, str]]) -> tuple[Fault, ...]:
        """OCP's (code, text) pairs as faults; an unknown code means itself."""
        return tuple(
            self.fault(code, str(self.ocp.meaning("refusal", code) or code), f"{code} {text}") for code, text in pairs
        )

    def fault(self, code: str, meaning: str, text: str) -> Fault:
        """One fault, with the legacy reason code of its meaning."""
        return Fault(code, meaning, text, self.book.refusal_reason(meaning))

    def record_errors(self, entry: Json) -> tuple[Fault, ...]:
        """The faults that OCP lists on one entry of an answer; empty when it took it."""
        errors = self.ocp.get("answer", "record_errors", entry) or ()
        return self.faults_of_ocp(
            [
                (
                    str(self.ocp.get("record_error", "record_error_code", error)),
                    str(self.ocp.get("record_error", "record_error_message", error) or ""),
                )
                for error in errors
            ]
        )


def request_of(exchange: Exchange) -> dict[str, Any]:
    """What rules may know of the request that an answer belongs to."""
    return {
        "reference": exchange.reference,
        "message_type": exchange.message_type,
        "template": exchange.template,
        "carried": exchange.carried,
    }


def answer_sources(
    *,
    context: Mapping[str, Any],
    request: Mapping[str, Any] | None = None,
    outcome: str = "",
    si_number: str = "",
    text: str = "",
    faults: Sequence[Fault] = (),
    ocp: Json | Sequence[Json] | None = None,
) -> dict[str, Any]:
    """The sources of a message to the PSS, by the roots that rules name."""
    return {
        "context": context,
        "request": request or {},
        "answer": {
            "outcome": outcome,
            "meaning": faults[0].meaning if faults else None,
            "si_number": si_number or None,
            "participant_reference": request["reference"] if request else None,
            "text": text or None,
            "fault_texts": "\n".join(fault.text for fault in faults) or None,
            "faults": [msgspec.structs.asdict(fault) for fault in faults],
        },
        "ocp": ocp,
    }


class Note:
    """Collects a decision: each record is folded into the state at once and becomes an entry."""

    __slots__ = ("_apply", "at_us", "decision")

    def __init__(self, decision: Decision, apply: Callable[[Record, int], None], at_us: int) -> None:
        self.decision = decision
        self._apply = apply
        self.at_us = at_us

    def record(self, record: Record) -> None:
        """Fold and journal `record`."""
        self._apply(record, self.at_us)
        self.decision.entries.append(write_entry(record, self.at_us))

    def act(self, action: Action) -> None:
        """Do `action` when all is durable."""
        self.decision.actions.append(action)
