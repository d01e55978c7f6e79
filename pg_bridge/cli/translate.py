"""`pg-bridge translate`: one message or document, offline, either way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.bridge.loading import hash_of_ocp
from pg_bridge.cli.lineage_view import lineage_table
from pg_bridge.cli.output import console, findings_table, say_json
from pg_bridge.cli.world import RandomIds, read_file, read_mappings, utc_now
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.exchange.broadcasts import BROADCAST, broadcast_sources
from pg_bridge.exchange.kinds.market import ReferenceDataTaken
from pg_bridge.exchange.records import read_entry
from pg_bridge.exchange.terms import Terms, answer_sources
from pg_bridge.journal.market import MarketReader
from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.reference import NO_TABLES, REFERENCE_TOPICS, ReferenceTables, read_tables
from pg_bridge.mapping.translated import Written
from pg_bridge.profiles.template import Template

#: what an answer is written for when nothing else is said, by the effect of its function
_OUTCOMES = {"enquire": "found", "instruct": "accepted"}


@dataclass(frozen=True, slots=True)
class Told:
    """One translation, ready to print. text: what came out, for people."""

    facts: dict[str, Any]
    headline: str
    text: str
    lineage: tuple[Lineage, ...]
    to_ocp: bool
    findings: tuple[Finding, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        """Nothing came out."""
        return any(finding.severity == "error" for finding in self.findings)


def translate(
    file: Annotated[Path, typer.Argument(help="A frame, the lines of a text block, or a JSON document of OCP.")],
    *,
    template: Annotated[str, typer.Option(help="The template, unless the file is a frame.")] = "",
    message_type: Annotated[str, typer.Option(help="The message type, when the file is a text block.")] = "",
    participant: Annotated[str, typer.Option(help="The participant, unless the file is a frame.")] = "",
    outcome: Annotated[str, typer.Option(help="For an answer from a document: accepted, waits, found ...")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Show where each value comes from.")] = False,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    reference: Annotated[
        Path | None, typer.Option(help="A journal: use the reference data that was taken into it last.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what one message becomes at OCP, or one document of OCP at the PSS, and why. Nothing is sent.

    A request becomes a document; a document becomes the request that would give it, or, with the template of an
    answer or status change, the message that tells of it; such a message becomes what it says of OCP's entry.

    Example: pg-bridge translate mt543.fin --template SI01 --message-type 543 --participant B01234 --explain
    """
    files = read_mappings(mappings)
    book = load(files)
    raw = read_file(file, "the message")
    document = _document(raw)
    frame = _frame(raw, files) if document is None else None
    if frame is not None:
        template, message_type, participant = frame.template, frame.message_type, frame.participant
    spec = _template(book, template)
    context = Terms(book, RandomIds()).context(participant or "B00000", "", utc_now())
    if document is not None:
        told = _from_document(book, spec, document, context, message_type, outcome)
    else:
        if not message_type:
            raise ConfigError("translating a text block: name its --message-type")
        body = frame.body if frame is not None else raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        tables = _tables(book, reference, hash_of_ocp(files)) if reference is not None else NO_TABLES
        told = _from_message(book, spec, message_type, body, context, tables)
    _say(told, explain=explain, as_json=json)
    raise typer.Exit(1 if told.is_refused else 0)


def _template(book: MappingBook, name: str) -> Template:
    if not name:
        raise ConfigError("translating: name the --template")
    found = book.legacy.templates.get(name)
    if found is None:
        raise ConfigError(f"translating: there is no template {name}; there are {', '.join(book.legacy.templates)}")
    return found


def _tables(book: MappingBook, journal: Path, ocp_hash: str) -> ReferenceTables:
    """What was taken last of each kind of reference data. Raises JournalError."""
    with MarketReader(journal) as reader:
        taken = [
            read_entry(reader.read(positions[-1]).entry)
            for topic in REFERENCE_TOPICS
            if (positions := reader.reference_positions(topic))
        ]
    lists = {
        each.topic: bytes(each.entries)
        for each in taken
        if isinstance(each, ReferenceDataTaken) and each.ocp_hash == ocp_hash
    }
    return read_tables(book.ocp, lists)


def _from_message(
    book: MappingBook,
    spec: Template,
    message_type: str,
    body: bytes,
    context: dict[str, Any],
    tables: ReferenceTables = NO_TABLES,
) -> Told:
    if spec.effect in ("instruct", "enquire"):
        request = book.read_request(spec.name, message_type, body, context)
        use = book.reference_use(spec.name)
        if use is not None and not any(finding.severity == "error" for finding in request.findings):
            request = use.apply(request, tables, "warn", book.refusal_reason)
        return Told(
            facts={
                "template": spec.name,
                "message_type": message_type,
                "function": request.function,
                "operation": request.operation,
                "mapping": request.mapping,
                "document": request.document,
                "carried": request.carried,
            },
            headline=f"{request.operation or 'a report is asked for'} by {request.mapping}:",
            text=_json(request.document),
            lineage=request.lineage,
            to_ocp=True,
            findings=request.findings,
        )
    reading = WayBack(book).read_message(spec.name, message_type, body)
    return Told(
        facts={
            "template": spec.name,
            "message_type": message_type,
            "function": spec.function,
            "members": reading.members,
            **({"entries": reading.entries} if reading.more else {}),
            "unread": reading.unread,
        },
        headline=f"what MT{message_type} {spec.name} says of OCP's entry:",
        text=_json(reading.entries if reading.more else reading.members),
        lineage=reading.lineage,
        to_ocp=True,
        findings=reading.findings,
        notes=reading.unread,
    )


def _from_document(
    book: MappingBook,
    spec: Template,
    document: dict[str, Any],
    context: dict[str, Any],
    message_type: str,
    outcome: str,
) -> Told:
    if spec.effect in ("instruct", "enquire"):
        written = WayBack(book).write_request(spec.name, document, context, message_type=message_type)
    elif spec.function == BROADCAST:
        told = {name: str(document.get(name) or "") for name in ("head", "text")}
        written = book.write_unsolicited(spec.function, broadcast_sources(context, **told))
    elif spec.effect == "unsolicited":
        sources = answer_sources(context=context, ocp=document, outcome=outcome)
        sources["answer"]["outcome"] = outcome or None
        written = book.write_unsolicited(spec.function, sources)
    else:
        effect = next(
            (
                other.effect
                for other in book.legacy.templates.values()
                if other.function == spec.function and other.effect in _OUTCOMES
            ),
            "instruct",
        )
        number = book.ocp.get("answer", "si_number", document)
        sources = answer_sources(
            context=context, ocp=document, outcome=outcome or _OUTCOMES[effect], si_number=str(number or "")
        )
        written = book.write_answer(spec.function, sources)
    return _told(spec, written)


def _told(spec: Template, written: Written) -> Told:
    body = written.body.decode("ascii")
    return Told(
        facts={
            "template": spec.name,
            "message_type": written.message_type,
            "function": spec.function,
            "mapping": written.mapping,
            "body": body,
        },
        headline=f"MT{written.message_type} {spec.name} by {written.mapping}:",
        text=body.replace("\r\n", "\n"),
        lineage=written.lineage,
        to_ocp=False,
        findings=written.findings,
    )


def _say(told: Told, *, explain: bool, as_json: bool) -> None:
    if as_json:
        lineage = [msgspec.structs.asdict(item) for item in told.lineage] if explain else []
        say_json({**told.facts, "findings": told.findings, "lineage": lineage})
        return
    out = console()
    if told.findings:
        out.print(findings_table(told.findings))
    if told.is_refused:
        print("The message would be refused; correct it and send it again.")
        return
    print(told.headline)
    print(told.text)
    if explain:
        out.print(lineage_table(told.lineage, to_ocp=told.to_ocp))
        for place, why in told.notes.items():
            print(f"not read: {place}: {why}")


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _document(raw: bytes) -> dict[str, Any] | None:
    """The JSON document that the file holds, None when it holds none. Raises ConfigError for one that is broken."""
    if not raw.lstrip().startswith(b"{") or raw.lstrip()[1:].lstrip()[:1] not in (b'"', b"}"):
        return None
    try:
        document: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigError(f"reading the document: {error}") from error
    return document


def _frame(raw: bytes, files: dict[str, str]) -> Frame | None:
    """The frame that the file holds, None when it holds a text block."""
    if not raw.lstrip().startswith(b"{"):
        return None
    found = FrameReader(Framing(read_link_profile(files[LINK_FILE]))).feed(raw.strip())
    if not found:
        raise ConfigError("reading the frame: it has no end")
    if isinstance(found[0], BadFrame):
        raise ConfigError(f"reading the frame: {found[0].text}")
    return found[0]
