"""Between OCP's documents and concepts, for the pretend OCP: the only place that reads or writes a document.

Everything goes through the profile's binding; values change shape here (dates, decimals, enums) and names do not
occur.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import msgspec

from pg_bridge.profiles.concepts import SI_ENTRY, Direction, Operation, Payment, Refusal
from pg_bridge.profiles.ocp import OcpProfile, SchemaFault
from pg_bridge.profiles.openapi import Document, answer_name
from pg_bridge.simulator.life_cycle import Outcome, StatusEvent

Refused = tuple[Refusal, str]

#: keyword of JSON Schema -> what a value that offends it is refused as; any other: malformed
_KEYWORDS = {
    "required": Refusal.FIELD_MISSING,
    "anyOf": Refusal.FIELD_MISSING,
    "enum": Refusal.FIELD_OUT_OF_RANGE,
    "minimum": Refusal.FIELD_OUT_OF_RANGE,
    "maximum": Refusal.FIELD_OUT_OF_RANGE,
    "minItems": Refusal.FIELD_MISSING,
    "additionalProperties": Refusal.FIELD_UNKNOWN,
}
#: what an event says besides its SI
_EVENT = (
    "event_id", "event_sequence", "event_business_date", "event_type", "occurred_at", "previous_status",
    "new_status", "event_reason_code", "event_reason_text", "schema_version",
)  # fmt: skip
#: the version of a status event's shape
SCHEMA_VERSION = "1"


class Binding:
    """The profile as the pretend OCP uses it."""

    def __init__(self, profile: OcpProfile) -> None:
        self.profile = profile
        self._encode = msgspec.json.Encoder().encode
        self._answers = {
            operation: answer_name(profile.openapi, spec.path, spec.method)
            for operation, spec in profile.operations.items()
        }
        codes: dict[str, Callable[[Any], Any]] = {
            "direction": profile.codes("direction").__getitem__,
            "payment_instruction": profile.codes("payment_instruction").__getitem__,
            "status": profile.codes("status").__getitem__,
            "reason_code": profile.codes("reason").__getitem__,
            "amount": str,
            "trade_date": date.isoformat,
            "settlement_date": date.isoformat,
            "created_at": LastTime().write,
            "updated_at": (last := LastTime()).write,
        }
        #: as `write_time`; the last moment again costs nothing
        self.write_moment = last.write
        places = {name: profile.place("si", name) for name in SI_ENTRY}
        self._writers = [(name, place, codes.get(name)) for name, place in places.items()]
        #: where every value is a member of the entry itself, they are taken over together and then turned
        self._members: tuple[str, ...] = ()
        members = {place.members for place in places.values()}
        if len(members) == len(places) and all(len(one) == 1 for one in members):
            self._members = tuple(place.members[0] for place in places.values())
        self._values = itemgetter(*SI_ENTRY)
        self._event_codes = tuple(profile.codes(table) for table in ("event_type", "status", "reason"))
        #: where an event is its SI and some members more
        self._event_members: tuple[str, ...] = ()
        of_event = [profile.place("event", name) for name in _EVENT]
        if not profile.place("event", "si").members and all(place.is_plain for place in of_event):
            self._event_members = tuple(place.members[0] for place in of_event)
        self._turned = [
            (place.members[0], codes.get(name), place.to_json)
            for name, place in places.items()
            if self._members and (name in codes or place.to_json is not None)
        ]

    # ---- requests

    def read_entry(self, operation: Operation, entry: Any) -> tuple[dict[str, Any], list[Refused]]:
        """What one entry of a write states, by concept, and what is wrong with its form."""
        refusals = self.check(operation, entry)
        if refusals:
            return self.profile.read("si", entry), refusals
        return self._stated(self.profile.read("si", entry))

    def _stated(self, values: dict[str, Any]) -> tuple[dict[str, Any], list[Refused]]:
        refusals: list[Refused] = []
        for concept in ("trade_date", "settlement_date"):
            if values[concept] is not None:
                try:
                    values[concept] = date.fromisoformat(values[concept])
                except ValueError:
                    refusals.append((Refusal.FIELD_MALFORMED, f"{self._name(concept)}: this is no date"))
        if values["amount"] is not None:
            values["amount"] = Decimal(values["amount"])
        for table, kind in (("direction", Direction), ("payment_instruction", Payment)):
            if values[table] is not None:
                values[table] = self.profile.meaning(table, values[table])
                if not isinstance(values[table], kind):
                    refusals.append((Refusal.FIELD_OUT_OF_RANGE, f"{self._name(table)}: no such code"))
        return values, refusals

    def read_query(self, operation: Operation, document: Any) -> tuple[dict[str, Any], list[Refused]]:
        """The concepts of a query's document, and what is wrong with it."""
        refusals = self.check(operation, document)
        values = self.profile.read(_QUERY_GROUPS[operation], document)
        if refusals:
            return values, refusals
        for concept in ("business_date", "settlement_from", "settlement_to"):
            if values.get(concept) is not None:
                values[concept] = date.fromisoformat(values[concept])
        if values.get("status") is not None:
            values["status"] = self.profile.meaning("status", values["status"])
        return values, []

    def read_parameters(self, operation: Operation, parameters: Sequence[tuple[str, str]]) -> Document:
        """The document that query parameters make; those whose schema is an integer become one."""
        document: Document = {}
        for name, text in parameters:
            document.setdefault(name, int(text) if text.isdecimal() and self._is_integer(operation, name) else text)
        return document

    def _is_integer(self, operation: Operation, name: str) -> bool:
        schema = self.profile.operations[operation].entry
        if not schema:
            return False
        member = self.profile.schema(schema).get("properties", {}).get(name, {})
        if "$ref" in member:
            member = self.profile.schema(member["$ref"].rsplit("/", 1)[-1])
        return "integer" in member.get("type", ())

    def check(self, operation: Operation, document: Any) -> list[Refused]:
        """What is wrong with a document by the operation's schema, as refusals."""
        schema = self.profile.operations[operation].entry
        if not schema:
            return []
        return [_refusal(fault) for fault in self.profile.schema_faults(schema, document)]

    def _name(self, concept: str) -> str:
        return ".".join(self.profile.place("si", concept).members)

    # ---- answers

    def write_si(self, si: Mapping[str, Any]) -> Document:
        """An SI's values as OCP's query entry."""
        if self._members:
            document: Document = dict(zip(self._members, self._values(si), strict=True))
            for member, writer, to_json in self._turned:
                value = document[member]
                if value is not None:
                    value = writer(value) if writer is not None else value
                    document[member] = to_json(value) if to_json is not None else value
            return document
        document = {}
        for concept, place, writer in self._writers:
            value = si[concept]
            place.write(document, writer(value) if writer is not None and value is not None else value)
        return document

    def write_event(self, event: StatusEvent) -> msgspec.Raw:
        """A status event as OCP's document, encoded once for all who get it."""
        types, statuses, reasons = self._event_codes
        previous, reason = event.previous_status, event.reason
        values = (
            event.event_id,
            event.sequence,
            event.business_date.isoformat(),
            types[event.event_type],
            self.write_moment(event.occurred_at),
            statuses[previous] if previous is not None else None,
            statuses[event.new_status],
            reasons[reason] if reason is not None else None,
            event.reason_text,
            SCHEMA_VERSION,
        )
        document = self.write_si(event.si)
        if self._event_members:
            document.update(zip(self._event_members, values, strict=True))
        else:
            stated = dict(zip(_EVENT, values, strict=True))
            document = self.profile.write("event", {"si": document, **stated})
        return msgspec.Raw(self._encode(document))

    def write_answer(self, stated: Mapping[str, Any], outcome: Outcome) -> Document:
        """One entry of a write's answer."""
        si = outcome.si
        reference = stated.get("request_reference")
        own = si.stated["participant_reference"] if si else stated.get("participant_reference")
        return self.profile.write(
            "answer",
            {
                "request_reference": reference if isinstance(reference, str) else None,
                "participant_reference": own if isinstance(own, str) else None,
                "si_number": si.si_number if si else None,
                "status": self.profile.code("status", si.status) if si else None,
                "version": si.version if si else None,
                "record_errors": self.write_refusals(outcome.refusals),
            },
        )

    def write_refusals(self, refusals: Sequence[Refused]) -> list[Document]:
        """Refusals as OCP's record errors."""
        return [
            self.profile.write(
                "record_error",
                {
                    "record_error_code": self.profile.code("refusal", refusal),
                    "record_error_message": text,
                },
            )
            for refusal, text in refusals
        ]

    def envelope(
        self,
        now: datetime,
        entries: Sequence[Any] = (),
        refusals: Sequence[Refused] = (),
        total: int | None = None,
        cursor: int = 0,
        *,
        operation: Operation | None = None,
    ) -> bytes:
        """A whole answer. With `refusals` the request is refused and has no entries. cursor 0: no more.

        operation: whose answer it is; its entries are a list or the one object that the profile says.
        """
        first = refusals[0] if refusals else None
        constants = self.profile.envelope
        return msgspec.json.encode(
            self.profile.write(
                "envelope",
                {
                    "code": self.profile.code("refusal", first[0]) if first else constants.code_ok,
                    "message": first[1] if first else "",
                    "entries": self.entries(operation, entries),
                    "total_size": len(entries) if total is None else total,
                    "timestamp": write_time(now),
                    "next_cursor": str(cursor) if cursor else constants.first_cursor,
                    "errors": self.write_refusals(refusals),
                },
            )
        )

    def answer_fault(self, operation: Operation, body: bytes) -> str | None:
        """What is wrong with an answer, as it is sent, by the schema that the OpenAPI document gives it."""
        schema = self._answers.get(operation)
        if not schema:
            return None
        return next(iter(self.profile.faults(schema, msgspec.json.decode(body))), None)

    def entries(self, operation: Operation | None, entries: Sequence[Any]) -> Any:
        """The entries as the answer has them."""
        if operation is not None and self.profile.operations[operation].answers == "object":
            return entries[0] if entries else None
        return list(entries)


_QUERY_GROUPS = {
    Operation.SI_QUERY: "query",
    Operation.STATUS_EVENTS: "events_query",
    Operation.SUBSCRIPTION_ADD: "subscription",
    Operation.SUBSCRIPTION_CHANGE: "subscription",
    Operation.SUBSCRIPTION_INVALIDATE: "subscription",
    Operation.SUBSCRIPTION_QUERY: "subscription",
}


def write_time(at: datetime) -> str:
    """RFC 3339 with milliseconds and the offset of `at`."""
    return at.isoformat(timespec="milliseconds")


class LastTime:
    """Writes a moment; the same one again costs nothing."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._text = ""

    def write(self, at: datetime) -> str:
        """As `write_time`."""
        if at is not self._at:
            self._at, self._text = at, write_time(at)
        return self._text


def _refusal(fault: SchemaFault) -> Refused:
    refusal = _KEYWORDS.get(fault.keyword, Refusal.FIELD_MALFORMED)
    if fault.keyword == "type" and fault.value is None:
        refusal = Refusal.FIELD_MISSING
    return refusal, f"{fault.path}: {fault.text}" if fault.path else fault.text
