"""Broadcasts: what the operator has told to participants, one delivery each, in one durable unit."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.kinds.broadcasts import BroadcastOrdered
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.formats.iso15022.charset import outside_x

#: the function of its message
BROADCAST = "broadcast"
NOT_SENT = "PGB-XCH-002"


def broadcast_sources(context: Mapping[str, Any], head: str, text: str) -> dict[str, Any]:
    """The sources of its message, by the roots that rules name."""
    return {"context": context, BROADCAST: {"head": head, "text": text}}


def broadcast_findings(head: str, text: str) -> list[Finding]:
    """Why a broadcast cannot be sent as it is: what is empty, and each line with the characters that no PSS reads."""
    return [*_wrong("head", head), *_wrong("text", text)]


def _wrong(part: str, text: str) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(NOT_SENT, "error", part, f"the {part} is empty", remedy="Say what participants are to be told.")
    if part == "head" and "\n" in text:
        yield Finding(NOT_SENT, "error", part, "the head has a line end", remedy="Write it in one line.")
    for number, line in enumerate(text.split("\n"), 1):
        strange = dict.fromkeys(outside_x(line) + ["\r"] * ("\r" in line))
        if strange:
            named = ", ".join(f"{character!r} ({_name(character)})" for character in strange)
            remedy = "Write it with letters, digits, spaces and / - ? : ( ) . , ' + only."
            yield Finding(NOT_SENT, "error", part, f"{named}: outside the x character set", number, remedy=remedy)


def _name(character: str) -> str:
    return unicodedata.name(character, f"U+{ord(character):04X}").lower()


def _given(state: State, event: e.BroadcastGiven, terms: Terms, now: datetime, note: Note) -> None:
    # All are written before the first is recorded: it goes to everybody or to nobody.
    contexts = [terms.context(participant, "", now) for participant in event.participants]
    messages = [
        terms.book.write_unsolicited(BROADCAST, broadcast_sources(context, event.head, event.text))
        for context in contexts
    ]
    note.record(
        BroadcastOrdered(
            exchange=event.broadcast,
            who=event.who,
            head=event.head,
            text=event.text,
            participants=event.participants,
        )
    )
    for context, written in zip(contexts, messages, strict=True):
        participant = context["participant"]
        note.record(
            r.DeliveryQueued(
                exchange=event.broadcast,
                participant=participant,
                delivery=terms.fresh.delivery_id(),
                terminal="",
                si_number="",
                reference=context["reference"],
                reply=r.Reply(written.template, written.message_type, written.body.decode("ascii")),
                lineage=written.lineage,
                findings=written.findings,
                mapping=written.mapping,
            )
        )
        note.act(a.Pump(participant))


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {e.BroadcastGiven: _given}
