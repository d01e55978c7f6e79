"""`pg-bridge send`: be a PSS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from pg_bridge.cli.output import say_json
from pg_bridge.cli.world import read_file, read_mappings, utc_now
from pg_bridge.errors import ConfigError
from pg_bridge.link import events as link
from pg_bridge.link.framing import Frame, FrameReader, Framing
from pg_bridge.link.profile import LinkProfile, link_profile_of
from pg_bridge.simulator.pss import ScriptedPss


def send(
    files: Annotated[list[Path], typer.Argument(help="Whole frames, or text blocks (then name template and type).")],
    *,
    to: Annotated[str, typer.Option("--to", help="HOST:PORT of the bridge (or PG).")],
    participant: Annotated[str, typer.Option(help="Log on as this participant; left out: the first frame's.")] = "",
    terminal: Annotated[str, typer.Option(help="Log on as this terminal.")] = "PSS1",
    user: Annotated[str, typer.Option(help="Log on as this user.")] = "OPS1",
    template: Annotated[str, typer.Option(help="The template of text blocks.")] = "",
    message_type: Annotated[str, typer.Option(help="The message type of text blocks.")] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for answers, and then for what comes unasked.")] = 3.0,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Log on, send messages, print the answers and what comes unasked, log off.

    Example: pg-bridge send si.fin --to 127.0.0.1:7000 --participant B01234 --template SI01 --message-type 543
    """
    profile = link_profile_of(read_mappings(mappings))
    host, _, port = to.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"reading --to: HOST:PORT is due, not {to!r}")
    requests = [_request(path, profile, template, message_type) for path in files]
    who = participant or next((frame_participant for *_, frame_participant in requests if frame_participant), "")
    if not who:
        raise ConfigError("logging on: name the --participant")
    pss = ScriptedPss(profile, participant=who, terminal=terminal, clock=utc_now)
    facts = asyncio.run(_send(pss, host, int(port), user, requests, wait))
    if json:
        say_json(facts)
    else:
        for fact in facts:
            print(f"--- {fact['what']} {fact.get('template', '')} {fact.get('message_type', '')}".rstrip())
            print(str(fact["text"]).replace("\r\n", "\n"))
    answered = sum(fact["what"] in ("answer", "refused") for fact in facts)
    raise typer.Exit(0 if answered >= len(requests) else 1)


def _request(path: Path, profile: LinkProfile, template: str, message_type: str) -> tuple[str, str, bytes, str]:
    """Message type, template, body and participant of a file."""
    raw = read_file(path, "the message")
    if raw.lstrip().startswith(b"{"):
        found = FrameReader(Framing(profile)).feed(raw.strip())
        if not found or not isinstance(found[0], Frame):
            raise ConfigError(f"reading {path}: it is no whole frame")
        frame = found[0]
        return frame.message_type, frame.template, frame.body, frame.participant
    if not template or not message_type:
        raise ConfigError(f"reading {path}: it is a text block: name its --template and --message-type")
    return message_type, template, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), ""


async def _send(
    pss: ScriptedPss, host: str, port: int, user: str, requests: list[tuple[str, str, bytes, str]], wait_s: float
) -> list[dict[str, Any]]:
    await pss.connect(host, port)
    await pss.log_on(user)
    for message_type, template, body, _ in requests:
        pss.send(message_type, template, body)

    def is_outcome(event: link.Event) -> bool:
        return isinstance(event, link.AnswerReceived | link.RequestRefused | link.Closed)

    after = 0
    for _ in requests:
        try:
            event = await pss.wait_for(is_outcome, wait_s, after=after)
        except TimeoutError:
            break
        after = pss.events.index(event) + 1
    await asyncio.sleep(wait_s)
    if pss.is_connected:
        await pss.log_off()
    return [fact for event in pss.events if (fact := _fact(event)) is not None]


def _fact(event: link.Event) -> dict[str, Any] | None:
    match event:
        case link.AnswerReceived(frame) | link.UnsolicitedReceived(frame):
            return {
                "what": "answer" if isinstance(event, link.AnswerReceived) else "unasked",
                "template": frame.template,
                "message_type": frame.message_type,
                "possible_duplicate": frame.possible_duplicate,
                "text": frame.body.decode("ascii"),
            }
        case link.RequestRefused(sequence, code, text):
            return {"what": "refused", "text": f"frame {sequence}: {code} {text}"}
        case link.Closed(reason):
            return {"what": "closed", "text": reason}
    return None
