"""`pg-bridge translate`: one message, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pg_bridge.cli.lineage_view import lineage_table
from pg_bridge.cli.output import console, findings_table, say_json
from pg_bridge.cli.world import RandomIds, read_file, read_mappings, utc_now
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.terms import Terms
from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.book import load


def translate(
    file: Annotated[Path, typer.Argument(help="A whole frame, or the lines of a text block.")],
    *,
    template: Annotated[str, typer.Option(help="The template, when the file is a text block.")] = "",
    message_type: Annotated[str, typer.Option(help="The message type, when the file is a text block.")] = "",
    participant: Annotated[str, typer.Option(help="The participant, when the file is a text block.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Show where each value comes from.")] = False,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what would be sent to OCP for one message, and why. Nothing is sent.

    Example: pg-bridge translate mt543.fin --template SI01 --message-type 543 --participant B01234 --explain
    """
    files = read_mappings(mappings)
    book = load(files)
    raw = read_file(file, "the message")
    frame = _frame(raw, files)
    if isinstance(frame, Frame):
        body = frame.body
        template, message_type, participant = frame.template, frame.message_type, frame.participant
    else:
        if not template or not message_type:
            raise ConfigError("translating a text block: name its --template and --message-type")
        body = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    context = Terms(book, RandomIds()).context(participant or "B00000", "", utc_now())
    request = book.read_request(template, message_type, body, context)
    is_refused = any(finding.severity == "error" for finding in request.findings)
    if json:
        say_json(
            {
                "template": template,
                "message_type": message_type,
                "function": request.function,
                "operation": request.operation,
                "mapping": request.mapping,
                "document": request.document,
                "carried": request.carried,
                "findings": request.findings,
                "lineage": [msgspec.structs.asdict(item) for item in request.lineage] if explain else [],
            }
        )
    else:
        out = console()
        if request.findings:
            out.print(findings_table(request.findings))
        if is_refused:
            print("The message would be refused; correct it and send it again.")
        else:
            print(f"{request.operation} by {request.mapping}:")
            print(msgspec.json.format(msgspec.json.encode(request.document), indent=2).decode())
            if explain:
                out.print(lineage_table(request.lineage))
    raise typer.Exit(1 if is_refused else 0)


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
