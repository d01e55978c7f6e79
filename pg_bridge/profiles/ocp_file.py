"""ocp/profile.toml as typed values, before anything is looked up. Explained in the file itself."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

PROFILE_FILE = "ocp/profile.toml"

#: a JSON path, or a table with `path`, `type` and the options of that representation
Binding = str | dict[str, Any]


class OperationSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One OCP operation: where it is called, whether it writes, how many entries it takes, and how it answers.

    bulk: the body holds up to `most` entries where `request.entries` is bound; else it is the one entry itself.
    answers: the answer's entries are a list, or one object.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    writes: bool = False
    bulk: bool = False
    most: int = 1
    entry: str = ""
    answer: str = ""
    answers: Literal["list", "object"] = "list"


class TokenProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a token is asked for; lives in seconds. `refusals`: why one is refused -> OCP's own words for it."""

    path: str
    grant: str
    algorithm: str
    kid: str
    assertion_life_s: int
    longest_assertion_life_s: int
    refresh_before_s: int
    refusals: dict[str, str] = {}


class HeaderNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names of OCP's own HTTP headers; a delivery's timestamp and signature, left out, are named as a call's."""

    request_id: str
    timestamp: str
    signature: str
    delivery_id: str
    delivery_timestamp: str = ""
    delivery_signature: str = ""
    sign_writes: bool
    freshness_s: int

    @property
    def of_delivery(self) -> tuple[str, str, str]:
        """The names of a delivery's id, timestamp and signature."""
        return self.delivery_id, self.delivery_timestamp or self.timestamp, self.delivery_signature or self.signature


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Call limits of a company and a machine (0 calls: off) and the rules about request ids.

    refuses_whole_bulk: OCP may refuse a bulk whole for one bad entry, so that its members go again in smaller calls.
    """

    company_calls: int
    company_period_s: int
    machine_calls: int
    machine_period_s: int
    request_id_life_s: int
    in_doubt_looks: int
    in_doubt_window_s: int
    push_answer_s: int
    refuses_whole_bulk: bool = True


class PushProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How updates come. algorithm: by which OCP signs deliveries. poll_s: between two questions of driver `poll`."""

    driver: str
    algorithm: str = "RS256"
    silence_s: int
    events_page: int
    poll_s: float = 2.0


class EnvelopeCodes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The constants of the envelope, as Python holds them."""

    code_ok: str
    first_cursor: str


class ProfileFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    name: str
    version: str
    source: str
    token: TokenProfile
    headers: HeaderNames
    limits: Limits
    push: PushProfile
    envelope: EnvelopeCodes
    operations: dict[str, OperationSpec]
    binding: dict[str, dict[str, Binding]]
    codes: dict[str, dict[str, str]]
