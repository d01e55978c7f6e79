"""`pg-bridge exchanges show`: of one exchange, each call that was made for it and what each look found, in order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli.control_options import ConfigOption
from pg_bridge.cli.journal_state import journal_of
from pg_bridge.cli.output import clock_text, console, say_json, table
from pg_bridge.exchange import records as r
from pg_bridge.exchange.entries import Stored
from pg_bridge.exchange.kinds.calls import SeenSi
from pg_bridge.exchange.kinds.doubts import DoubtResolved, ResolutionRefused
from pg_bridge.journal.review import AuditReader


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an exchange. at_us: UTC, microseconds since 1970. request_id: of the call."""

    position: int
    at_us: int
    exchange: str
    what: str
    text: str
    request_id: str = ""


def show(
    key: Annotated[str, typer.Argument(help="An exchange id, a reference, a request id or an SI number.")],
    *,
    config: ConfigOption = None,
    journal: Annotated[
        Path | None, typer.Option("-j", "--journal", help="The journal file, in place of the configuration's.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what was asked of OCP for one exchange: each call with its id and time, what each look found, how it ended.

    It reads the journal, beside the running bridge or without one; `pg-bridge audit show` has the bytes and lineage.

    Example: pg-bridge exchanges show B0123400001 -c bridge.toml
    """
    with AuditReader(journal or journal_of(config)) as reader:
        found = reader.exchange(key)
    steps = [step for stored in found if (step := _step(stored)) is not None]
    if json:
        say_json(steps)
    elif not steps:
        print(f"The journal knows no exchange by {key}.")
    else:
        rows = [
            (one.position, clock_text(one.at_us), one.exchange, one.what, one.request_id, one.text) for one in steps
        ]
        columns = ("position", "time (HKT)", "exchange", "what", "call", "in detail")
        console().print(table(f"{len(steps)} steps", columns, rows))
    raise typer.Exit(0 if steps else 1)


def _step(stored: Stored) -> Step | None:
    record = r.read_entry(stored.entry)
    told = _told(record)
    if told is None:
        return None
    what, text = told
    return Step(
        position=stored.position,
        at_us=stored.entry.at_us,
        exchange=record.exchange,
        what=what,
        text=text,
        request_id=stored.entry.references.get("request_id", ""),
    )


def _told(record: Any) -> tuple[str, str] | None:
    """What happened, and in which words; None for what is not about an exchange's way through OCP."""
    match record:
        case r.RequestReceived():
            named = f", about {record.si_number}" if record.si_number else ""
            return "received", f"{record.function} {record.reference} of {record.participant}{named}"
        case r.MessageRefused():
            return "refused", "; ".join(finding.text for finding in record.findings)
        case r.RequestRepeated():
            return "repeated", "the PSS sent it again"
        case r.SiFound():
            return "SI found", f"{record.by} is {record.si_number}{', known' if record.is_known else ', told by OCP'}"
        case r.BatchCalled():
            return "called", f"{record.operation} with {len(record.members)} entries, hash {record.payload_hash[:16]}"
        case r.BatchRefused():
            return "call refused whole", _faults(record.faults, record.text)
        case r.OcpFailed():
            return "not done", record.text
        case r.OutcomeUnknown():
            asked = f" ({record.asked} questions)" if record.asked else ""
            seen = "".join(f"; {_seen(one)}" for one in record.seen)
            is_look = bool(record.asked or record.is_resent)
            what = "id used" if record.is_duplicate else "looked" if is_look else "outcome unknown"
            return what, f"{record.text}{asked}{seen}"
        case r.ExchangeAwaited():
            return "told to wait", "the PSS was told that the outcome is awaited"
        case r.ExchangeInDoubt():
            return "in doubt", record.text + (f"; {_seen(record.seen)}" if record.seen is not None else "")
        case DoubtResolved():
            word = f"done as {record.si_number}" if record.is_done else "not done"
            checked = "checked with OCP" if record.is_checked else "not checked with OCP"
            return "resolved", f"{word}, {checked}, by {_who(record.who)}"
        case ResolutionRefused():
            against = "; ".join(finding.text for finding in record.findings)
            return "not resolved", f"tried by {_who(record.who)}: {against}"
        case r.ExchangeAnswered():
            told = "answered" if record.reply is not None else "told late"
            return told, _faults(record.faults, f"{record.outcome} {record.si_number}".strip())
        case r.AnswersLeft():
            return "left", "the answer is known to have left"
        case r.DeliveryQueued():
            return "delivery", f"{record.delivery} waits for the PSS: {record.reply.template}"
        case r.DeliveryAcknowledged():
            return "delivered", f"{record.delivery} was acknowledged"
    return None


def _seen(one: SeenSi) -> str:
    last = f", last touched by {one.last_request_reference}" if one.last_request_reference else ""
    return f"OCP shows {one.si_number} {one.status} version {one.version}{last}"


def _faults(faults: tuple[r.Fault, ...], text: str) -> str:
    return "; ".join([text, *(fault.text for fault in faults)])


def _who(who: r.Who) -> str:
    named = " ".join(each for each in (who.by, f"({who.user})" if who.user else "") if each) or "nobody named"
    return f"{named}, because: {who.reason}" if who.reason else named
