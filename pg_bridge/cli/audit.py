"""`pg-bridge audit`: look into the journal, and check that nobody touched it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli.lineage_view import lineage_table
from pg_bridge.cli.output import clock_text, console, findings_table, say_json, table
from pg_bridge.exchange.entries import Stored
from pg_bridge.journal.review import AuditReader, times
from pg_bridge.journal.verify import verify as verify_journal
from pg_bridge.mapping.lineage import Lineage

app = typer.Typer(help="The journal: every message, translation, call and answer.", no_args_is_help=True)

JournalPath = Annotated[Path, typer.Option("-j", "--journal", help="The journal file.")]
DEFAULT_JOURNAL = Path("pg-bridge.journal.sqlite")


@app.command("list")
def list_(
    *,
    journal: JournalPath = DEFAULT_JOURNAL,
    kind: Annotated[str, typer.Option(help="Only this kind of entry.")] = "",
    participant: Annotated[str, typer.Option(help="Only this participant.")] = "",
    reference: Annotated[str, typer.Option(help="Only with this reference (SEME, SI number, request id ...).")] = "",
    finding: Annotated[str, typer.Option(help="Only with this finding code.")] = "",
    most: Annotated[int, typer.Option("-n", help="How many, the newest ones.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the newest entries, oldest of them first.

    Example: pg-bridge audit list -j bridge.sqlite --participant B01234 -n 20
    """
    with AuditReader(journal) as reader:
        found = reader.newest(kind=kind, participant=participant, reference=reference, finding=finding, most=most)
    if json:
        say_json([_plain(stored) for stored in found])
        return
    console().print(entries_table(found))


def entries_table(found: list[Stored]) -> Any:
    """Entries, one a row."""
    return table(
        f"{len(found)} entries",
        ("position", "time (HKT)", "kind", "participant", "references", "findings"),
        [
            (
                stored.position,
                clock_text(stored.entry.at_us),
                stored.entry.kind,
                stored.entry.participant,
                " ".join(f"{name}={value}" for name, value in stored.entry.references.items()),
                " ".join(stored.entry.findings),
            )
            for stored in found
        ],
    )


@app.command("show")
def show(
    key: Annotated[str, typer.Argument(help="An exchange id or any reference: SEME, SI number, request id, event id.")],
    *,
    journal: JournalPath = DEFAULT_JOURNAL,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show all there is of one exchange: bytes of both sides, lineage of each value, times taken.

    Example: pg-bridge audit show B0123400001
    """
    with AuditReader(journal) as reader:
        found = reader.exchange(key)
    if json:
        say_json([{**_plain(stored), "payload": stored.entry.body()} for stored in found])
    elif not found:
        print(f"The journal knows nothing of {key}.")
    else:
        out = console()
        for entry, since_us in times(found):
            body = entry.body()
            out.rule(f"{clock_text(entry.at_us)}  {entry.kind}  (+{since_us / 1000:.1f} ms)", align="left")
            for name, value in body.items():
                if name == "lineage":
                    lineage = [msgspec.convert(item, Lineage) for item in value]
                    out.print(lineage_table(lineage, to_ocp="document" in body))
                elif isinstance(value, dict) and "body" in value:
                    _print_message(out, name, value)
                elif name == "more":
                    for number, further in enumerate(value, 2):
                        _print_message(out, f"reply {number}", further)
                elif name == "legacy":
                    out.print(str(value).replace("\r\n", "\n"), markup=False)
                else:
                    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
                    out.print(f"{name}: {text}", markup=False)
    raise typer.Exit(0 if found else 1)


def _print_message(out: Any, name: str, message: dict[str, Any]) -> None:
    out.print(f"{name}: MT{message.get('message_type')} {message.get('template')}", markup=False)
    out.print(str(message["body"]).replace("\r\n", "\n"), markup=False)
    if message.get("data"):
        copy, _, number = str(message["data"]).rpartition("/")
        out.print(f"... and the lines of data in the entry report_piece {number} of {copy}", markup=False)


@app.command("verify")
def verify(
    *,
    journal: JournalPath = DEFAULT_JOURNAL,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every hash, position, checkpoint and signature by a reader that shares nothing with the writer's memory.

    Example: pg-bridge audit verify -j bridge.sqlite
    """
    verdict = verify_journal(journal)
    if json:
        say_json({"good": verdict.is_good, **msgspec.to_builtins(verdict)})
    else:
        if verdict.findings:
            console().print(findings_table(verdict.findings))
        print(verdict_text(verdict))
    raise typer.Exit(0 if verdict.is_good else 1)


def verdict_text(verdict: Any) -> str:
    """The verdict in one sentence."""
    unsigned = f", {verdict.unsigned} behind the last checkpoint" if verdict.unsigned else ""
    if verdict.is_good:
        return (
            f"The journal is whole: {verdict.entries} entries, {verdict.checkpoints} signed checkpoints{unsigned}. "
            f"Root {verdict.root[:16]}, key {verdict.public_key[:16]}."
        )
    return f"The journal is NOT whole: {len(verdict.findings)} faults in {verdict.entries} entries{unsigned}."


def _plain(stored: Stored) -> dict[str, Any]:
    entry = stored.entry
    return {
        "position": stored.position,
        "at_us": entry.at_us,
        "kind": entry.kind,
        "exchange": entry.exchange,
        "participant": entry.participant,
        "references": entry.references,
        "mapping": entry.mapping,
        "findings": entry.findings,
    }
