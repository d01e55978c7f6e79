"""What an answer of OCP means for the request, to the letter of ocp-profile section 3 (assumed).

One table by HTTP status. Whatever is not surely known to be done, refused or untouched is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import msgspec

from pg_bridge.errors import OcpDenied, OcpOutcomeUnknown, OcpRefused, OcpThrottled, OcpUnavailable
from pg_bridge.ocp.schemas import answer_schema
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile

Json = dict[str, Any]
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, whole. `retry_after_s`: what its header says, in seconds from now."""

    status: int
    body: bytes
    retry_after_s: float | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()


class Page(NamedTuple):
    """The entries of one answer, and where the listing goes on (None: it ends here)."""

    entries: list[Json]
    next_cursor: Any


class Answers:
    """Reads the answers of one operation."""

    def __init__(self, profile: OcpProfile, operation: Operation) -> None:
        self._profile = profile
        self._doing = f"calling {operation}"
        self._schema = answer_schema(profile, operation)
        self._code = profile.place("envelope", "code").read
        entries = profile.place("envelope", "entries").read
        self._entries = entries if profile.operations[operation].answers == "list" else _as_list(entries)
        self._errors = profile.place("envelope", "errors").read
        self._message = profile.place("envelope", "message").read
        self._cursor = profile.place("envelope", "next_cursor").read
        self._reference = profile.place("answer", "request_reference").read
        self._error_code = profile.place("record_error", "record_error_code").read
        self._error_text = profile.place("record_error", "record_error_message").read

    def read(self, reply: Reply, asked: Sequence[str | None] | None = None) -> Page:
        """The page of entries. `asked`: the request references of a write, in order; None for a query.

        Raises OcpRefused, OcpDenied, OcpUnavailable or OcpOutcomeUnknown.
        """
        return _BY_STATUS.get(reply.status, Answers._unknown)(self, reply, asked)

    def _done(self, reply: Reply, asked: Sequence[str | None] | None) -> Page:
        document = self._document(reply)
        if document is None:
            self._unknown(reply, asked)
        entries: list[Json] = self._entries(document)
        if self._code(document) != self._profile.envelope.code_ok:
            self._refuse(document, reply)
        if self._errors(document):
            raise OcpOutcomeUnknown(f"{self._doing}: the answer says both that all is well and that it is not")
        if asked is not None:
            if len(entries) != len(asked):
                raise OcpOutcomeUnknown(f"{self._doing}: {len(asked)} entries were asked and {len(entries)} answered")
            for place, (reference, entry) in enumerate(zip(asked, entries, strict=True)):
                if reference is not None and self._reference(entry) != reference:
                    raise OcpOutcomeUnknown(f"{self._doing}: entry {place} answers another request")
        cursor = self._cursor(document)
        return Page(entries, None if cursor in (None, "", self._profile.envelope.first_cursor) else cursor)

    def _malformed(self, reply: Reply, asked: Sequence[str | None] | None) -> Page:
        document = self._document(reply)
        if document is None or self._code(document) == self._profile.envelope.code_ok:
            self._unknown(reply, asked)
        self._refuse(document, reply)

    def _forbidden(self, reply: Reply, asked: Sequence[str | None] | None) -> Page:
        document = self._document(reply)
        if document is None or self._code(document) == self._profile.envelope.code_ok:
            raise OcpDenied(f"{self._doing}: OCP does not grant it (403)")
        self._refuse(document, reply)

    def _denied(self, reply: Reply, asked: Sequence[str | None] | None) -> Page:
        raise OcpDenied(f"{self._doing}: OCP does not accept our token (401)")

    def _throttled(self, reply: Reply, asked: Sequence[str | None] | None) -> Page:
        raise OcpThrottled(f"{self._doing}: too many calls (429)", retry_after_s=reply.retry_after_s)

    def _closed(self, reply: Reply, asked: Sequence[str | None] | None) -> Page:
        raise OcpUnavailable(f"{self._doing}: OCP is closed (503)", retry_after_s=reply.retry_after_s)

    def _unknown(self, reply: Reply, asked: Sequence[str | None] | None) -> NoReturn:
        if reply.status in _READ:
            raise OcpOutcomeUnknown(f"{self._doing}: the answer ({reply.status}) {self._complaint(reply)}")
        raise OcpOutcomeUnknown(f"{self._doing}: OCP answered {reply.status}")

    def _refuse(self, document: Json, reply: Reply) -> NoReturn:
        """The whole request is refused; an answer that also holds entries is none that we know."""
        if self._entries(document):
            raise OcpOutcomeUnknown(f"{self._doing}: the answer ({reply.status}) refuses all and holds entries")
        refusals = [
            (str(self._error_code(error)), str(self._error_text(error) or "")) for error in self._errors(document)
        ] or [(str(self._code(document)), str(self._message(document) or ""))]
        raise OcpRefused(f"{self._doing}: refused whole with {refusals[0][0]}", refusals=refusals)

    def _document(self, reply: Reply) -> Json | None:
        """The answer's document when it is one and fits the schema."""
        document = _read(reply.body)
        if not isinstance(document, dict) or self._profile.faults(self._schema, document):
            return None
        return document

    def _complaint(self, reply: Reply) -> str:
        """What is wrong with an answer: where, never what, for the values are the client's."""
        document = _read(reply.body)
        if document is None:
            return "is no JSON"
        faults = self._profile.faults(self._schema, document)
        if not faults:
            return "does not fit its status"
        return f"does not fit {self._schema}: {len(faults)} faults, the first at {faults[0].partition(':')[0]}"


def _as_list(read: Callable[[Any], Any]) -> Callable[[Any], list[Json]]:
    """The one object that an answer has, as a list of at most one."""

    def entries(document: Any) -> list[Json]:
        found = read(document)
        return [] if found is None else [found]

    return entries


def _read(body: bytes) -> Any:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


#: HTTP status -> what it means; every other status leaves the outcome unknown
_BY_STATUS: dict[int, Callable[[Answers, Reply, Sequence[str | None] | None], Page]] = {
    200: Answers._done,
    400: Answers._malformed,
    401: Answers._denied,
    403: Answers._forbidden,
    429: Answers._throttled,
    503: Answers._closed,
}
_READ = frozenset({200, 400})
