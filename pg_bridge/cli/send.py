"""`pg-bridge send`: be a PSS."""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path
from typing import Annotated

import typer

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.send_reports import SavedReports
from pg_bridge.cli.send_requests import STANDARD_INPUT, read_requests
from pg_bridge.cli.send_sessions import Conversation, Fact, converse
from pg_bridge.cli.send_upload import read_uploads
from pg_bridge.cli.world import read_mappings
from pg_bridge.errors import ConfigError
from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import link_profile_of
from pg_bridge.profiles.legacy import read_legacy_profile

#: the path of what stands between them says where they stand
BRACKETS = ("16R", "16S")


def send(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Frames, or text blocks (then name template and type); - is standard input."),
    ] = None,
    *,
    to: Annotated[str, typer.Option("--to", help="HOST:PORT of the bridge (or PG).")],
    participant: Annotated[str, typer.Option(help="Log on as this participant; left out: the first frame's.")] = "",
    terminal: Annotated[
        str, typer.Option(help="Log on as this terminal; with several sessions its first character and a number.")
    ] = "PSS1",
    user: Annotated[str, typer.Option(help="Log on as this user.")] = "OPS1",
    template: Annotated[str, typer.Option(help="The template of text blocks.")] = "",
    message_type: Annotated[str, typer.Option(help="The message type of text blocks.")] = "",
    upload: Annotated[
        list[Path] | None, typer.Option(help="A batch file to send in parts, behind the messages; may be repeated.")
    ] = None,
    upload_name: Annotated[str, typer.Option(help="The name that the uploaded file gets; left out: its own.")] = "",
    sessions: Annotated[int, typer.Option(min=1, max=999, help="Spread the messages over so many sessions.")] = 1,
    rate: Annotated[float, typer.Option(min=0.0, help="Messages a second, over all sessions; 0: at once.")] = 0.0,
    wait: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds of silence after which no answer is awaited any more."),
    ] = 3.0,
    listen: Annotated[
        float | None,
        typer.Option(min=0.0, help="Seconds of silence to wait then for what comes unasked; left out: as --wait."),
    ] = None,
    tls_ca: Annotated[str, typer.Option(help="Use TLS, and trust this CA (PEM).")] = "",
    tls_certificate: Annotated[str, typer.Option(help="Our certificate for TLS (PEM).")] = "",
    tls_key: Annotated[str, typer.Option(help="Its key (PEM).")] = "",
    save: Annotated[
        Path | None, typer.Option(help="A folder: put reports that come in parts together, and write them there.")
    ] = None,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    raw: Annotated[bool, typer.Option("--raw", help="Print the bytes of what comes, and nothing else.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Log on, send messages, print and acknowledge what comes back as bytes and as fields, log off.

    Exit code 0: every message was accepted; 1: one was refused or not answered, or a report did not come whole;
    2: wrong use.

    Example: pg-bridge send si.fin --to 127.0.0.1:7000 --participant B01234 --template SI01 --message-type 543
    """
    if raw and json:
        raise ConfigError("printing: choose one of --raw and --json")
    files, upload = files or [], upload or []
    if not files and not upload:
        raise ConfigError("sending: name FILEs, or a batch file with --upload")
    if files.count(STANDARD_INPUT) > 1:
        raise ConfigError("reading the messages: standard input can be read once")
    if len(terminal) > 4 or not terminal:
        raise ConfigError(f"logging on: a terminal has 1 to 4 characters, not {terminal!r}")
    tls = _tls(tls_ca, tls_certificate, tls_key)
    mapping_files = read_mappings(mappings)
    profile = link_profile_of(mapping_files)
    host, _, port = to.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ConfigError(f"reading --to: HOST:PORT is due, not {to!r}")
    requests = read_requests(files, profile, template, message_type)
    requests += read_uploads(upload, upload_name, mapping_files)
    who = participant or next((request.participant for request in requests if request.participant), "")
    if not who:
        raise ConfigError("logging on: name the --participant")
    how = Conversation(
        host.strip("[]"),
        int(port),
        who,
        terminal,
        user,
        sessions,
        rate,
        wait,
        wait if listen is None else listen,
        tls,
    )
    facts: list[Fact] = []
    saved = SavedReports(read_legacy_profile(mapping_files).parts, save) if save is not None else None

    def say(fact: Fact, frame: Frame | None) -> None:
        if json:
            facts.append(fact)
        elif raw:
            _say_raw(fact, frame)
        else:
            _say(fact)
        done = saved.take(frame) if saved is not None and frame is not None else None
        if done is not None:
            say({"terminal": fact["terminal"], **done}, None)

    tally = asyncio.run(converse(how, requests, mapping_files, profile, say))
    for text in saved.end() if saved is not None else ():
        say({"what": "spoilt", "terminal": terminal, "text": text}, None)
    told = ", ".join(f"{count} {what}" for what, count in tally.items())
    if json:
        say_json([*facts, {"what": "outcome", **tally, "text": told}])
    elif raw:
        print(told, file=sys.stderr)
    else:
        print(f"--- {told}")
    is_whole = saved is None or saved.is_whole
    answered = sum(each.is_answered for each in requests)
    raise typer.Exit(0 if is_whole and tally["accepted"] == answered else 1)


def _say(fact: Fact) -> None:
    """For people: what it is, its bytes, and its fields."""
    names = [f"{name} {fact[name]}" for name in ("template", "message_type", "sequence", "outcome") if fact.get(name)]
    if "bytes" not in fact:
        print(f"--- {fact['what']} on {fact['terminal']}: {fact['text']}")
        return
    names += ["possible duplicate"] * bool(fact["possible_duplicate"])
    names += [f"to request {fact['request']}"] * bool(fact["request"])
    print(f"--- {fact['what']} on {fact['terminal']}: {', '.join(names)}")
    print(_printable(fact["bytes"]))
    rows = [
        (field["path"], field["tag"], field["qualifier"], field["value"].replace("\r\n", "\n"))
        for field in fact["fields"]
        if field["tag"] not in BRACKETS
    ]
    console().print(table("", ("path", "tag", "qualifier", "value"), rows))


def _say_raw(fact: Fact, frame: Frame | None) -> None:
    if frame is None:
        print(f"{fact['what']} on {fact['terminal']}: {fact['text']}", file=sys.stderr)
        return
    sys.stdout.buffer.write(frame.raw + b"\r\n")
    sys.stdout.buffer.flush()


def _printable(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in line) for line in lines)


def _tls(ca: str, certificate: str, key: str) -> ssl.SSLContext | None:
    if not ca:
        if certificate or key:
            raise ConfigError("reading the TLS files: name whom to trust, --tls-ca")
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(certificate, key or None)
    except OSError as error:
        raise ConfigError(f"reading the TLS files: {error}") from error
    return context
