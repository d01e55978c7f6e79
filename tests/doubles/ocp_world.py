"""What tests of the OCP side share: the shipped profile, real keys, clocks, and documents that fit the schemas."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pg_bridge.ocp.keys import KeyPair, new_rsa_key_pem
from pg_bridge.ocp.tokens import Identity
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from tests.doubles import ocp_caller

MAPPINGS = Path(__file__).parents[2] / "mappings"
NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
TOKEN_PATH = "/openam/oauth2/eu/access_token"
ADD_PATH = "/api/si/instructions/add/v1"
QUERY_PATH = "/api/si/instructions/query/v1"
EVENTS_PATH = "/api/si/status-events/v1"


@functools.cache
def ocp_profile() -> OcpProfile:
    """The shipped OCP profile."""
    return read_ocp_profile(ocp_files())


def ocp_files() -> dict[str, str]:
    """The shipped files of the OCP profile, path below mappings/ to text."""
    names = ("ocp/profile.toml", "ocp/openapi.yaml")
    return {name: (MAPPINGS / name).read_text(encoding="utf-8") for name in names}


def ocp_profile_with(old: str, new: str) -> OcpProfile:
    """The shipped profile with one piece of profile.toml replaced."""
    files = ocp_files()
    assert old in files["ocp/profile.toml"]
    files["ocp/profile.toml"] = files["ocp/profile.toml"].replace(old, new)
    return read_ocp_profile(files)


@functools.cache
def key_pem(name: str) -> bytes:
    """One RSA key a name and test run."""
    return new_rsa_key_pem()


@functools.cache
def key(name: str) -> KeyPair:
    """That key, loaded; loading one takes 40 ms."""
    return KeyPair(key_pem(name))


def identity() -> Identity:
    return Identity("HKB01234", key("company"), "HKB01234-M1", key("machine"))


def fresh_id() -> str:
    return str(uuid.uuid4())


class FakeClock:
    """A wall clock and a monotonic one that move only when told."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.seconds = 1000.0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


def si_entry(reference: str = "B0123400001", participant: str = "B01234", **changes: Any) -> dict[str, Any]:
    """One entry of siAdd as ocp-profile section 2 shows it."""
    told = {"participantId": participant, "linkageReference": "202611230000001", "remarks": "REMARKS"}
    return ocp_caller.si_entry(reference, **(told | changes))


def bulk(entries: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"data": list(entries)}).encode()


def answer_entry(reference: str = "B0123400001", number: int = 1, **changes: Any) -> dict[str, Any]:
    entry = {
        "requestReference": reference,
        "participantReference": reference,
        "siNumber": f"I{number:08d}",
        "status": "UNMATCHED",
        "version": 1,
        "exception": [],
    }
    return entry | changes


def query_entry(reference: str = "B0123400001", number: int = 1, **changes: Any) -> dict[str, Any]:
    entry = si_entry(reference) | {
        "siNumber": f"I{number:08d}",
        "status": "UNMATCHED",
        "version": 1,
        "settlementPositionNumber": None,
        "holdOwn": False,
        "holdCounterparty": False,
        "revokeOwn": False,
        "revokeCounterparty": False,
        "lastRequestReference": reference,
        "reasonCode": None,
        "reasonText": None,
        "createdAt": "2026-11-23T09:30:00.123+08:00",
        "updatedAt": "2026-11-23T09:30:00.123+08:00",
    }
    return entry | changes


def event(sequence: int = 1, **changes: Any) -> dict[str, Any]:
    found = query_entry() | {
        "eventId": f"E{sequence}",
        "sequence": sequence,
        "businessDate": "2026-11-23",
        "eventType": "MATCHED",
        "occurredAt": "2026-11-23T09:30:01.000+08:00",
        "previousStatus": "UNMATCHED",
        "newStatus": "MATCHED",
        "status": "MATCHED",
        "schemaVersion": "1",
    }
    return found | changes


def envelope(entries: Sequence[Any] = (), code: str = "0", **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "code": code,
        "message": "",
        "data": list(entries),
        "totalSize": len(entries),
        "timestamp": "2026-11-23T09:30:00.123+08:00",
        "nextCursor": "0",
        "exception": [],
    }
    return document | changes


def refusal(*codes: str) -> dict[str, Any]:
    """An envelope that refuses the whole request."""
    errors = [{"recordErrorCode": code, "recordErrorMsg": f"text {code}"} for code in codes]
    return envelope(code=codes[0], message=f"text {codes[0]}", exception=errors)


def token_answer(value: str = "token-1", expires_in: int = 30) -> dict[str, Any]:
    return {"access_token": value, "token_type": "Bearer", "expires_in": expires_in, "scope": "HKB01234"}
