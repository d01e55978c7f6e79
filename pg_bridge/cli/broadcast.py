"""`pg-bridge broadcast`: tell participants something, by the running bridge."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pg_bridge.cli.control_client import ask, check_who, door_of
from pg_bridge.cli.control_options import ByOption, ConfigOption, ControlOption, ReasonOption
from pg_bridge.cli.output import console, findings_table, say_json, table
from pg_bridge.console.control import BROADCASTS_PATH, Broadcast, BroadcastAsked
from pg_bridge.errors import ConfigError

_STANDARD_INPUT = "-"


def broadcast(
    *,
    head: Annotated[str, typer.Option(help="The heading, one line.")],
    text: Annotated[str, typer.Option(help="What is told; line ends begin new lines; - reads standard input.")],
    to: Annotated[
        list[str] | None, typer.Option("--to", help="A participant to be told, once or more; left out: all.")
    ] = None,
    config: ConfigOption = None,
    control: ControlOption = "",
    by: ByOption = "",
    reason: ReasonOption = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have the running bridge send a broadcast to every participant, or to those named; it waits for who is not on.

    Exit code 1: it cannot be sent as it is (the findings say why) and nobody was told anything.

    Example: pg-bridge broadcast -c bridge.toml --head "TYPHOON SIGNAL NO. 8" --text "The second session is cancelled."
    """
    check_who("broadcasting", by, reason)
    if text == _STANDARD_INPUT:
        try:
            text = sys.stdin.read()
        except UnicodeDecodeError as error:
            raise ConfigError(f"reading standard input: {error}") from error
    asked = BroadcastAsked(head=head, text=text, to=to or [], by=by, reason=reason)
    answer = ask(door_of(config, control), "POST", BROADCASTS_PATH, Broadcast, asked)
    if json:
        say_json(answer)
    elif answer.verdict == "refused":
        console().print(findings_table(answer.findings))
        print(f"Not sent: nobody was told anything. Correct it and send it again. Journaled at {answer.position}.")
    else:
        rows = [(told.participant, "goes now" if told.is_on else "waits for its log-on") for told in answer.told]
        console().print(table("", ("participant", "the broadcast"), rows))
        print(f"Broadcast {answer.broadcast}, journaled up to position {answer.position}.")
    raise typer.Exit(1 if answer.verdict == "refused" else 0)
