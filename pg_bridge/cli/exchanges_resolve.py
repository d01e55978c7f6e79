"""`pg-bridge exchanges resolve`: a person's word on an instruction in doubt."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from pg_bridge.cli.control_client import ask, check_who, door_of
from pg_bridge.cli.control_options import ByOption, ConfigOption, ControlOption
from pg_bridge.cli.output import console, findings_table, say_json
from pg_bridge.console.exchanges import RESOLUTIONS_PATH, Resolution, ResolutionAsked
from pg_bridge.errors import ConfigError

_DOING = "resolving an exchange"


def resolve(
    key: Annotated[str, typer.Argument(help="The exchange id; or its reference, where that is one in doubt alone.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")],
    done: Annotated[
        str, typer.Option(metavar="SI_NUMBER", help="It was done: the SI that it entered or is about.")
    ] = "",
    not_done: Annotated[bool, typer.Option("--not-done", help="It was not done: its PSS is told a refusal.")] = False,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Also where OCP gives no answer about it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    config: ConfigOption = None,
    control: ControlOption = "",
    by: ByOption = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON; without --yes only what would follow.")] = False,
) -> None:
    """Say what became of an instruction in doubt; the running bridge tells its PSS and journals who said it, and why.

    First it is shown what would follow, and asked. What the bridge or OCP knows otherwise is refused, and so is an
    exchange that is not in doubt (exit code 1: the findings).

    Example: pg-bridge exchanges resolve B0123400001 --not-done --reason "OCP desk: no such SI" -c bridge.toml
    """
    check_who(_DOING, by, reason)
    if bool(done) == not_done:
        raise ConfigError(f"{_DOING}: say --done with the number of the SI, or --not-done")
    if not reason.strip():
        raise ConfigError(f"{_DOING}: --reason says why, for the journal")
    door = door_of(config, control)
    asked = ResolutionAsked(
        key=key, is_done=bool(done), si_number=done, is_preview=True, is_unchecked=unchecked, by=by, reason=reason
    )
    if not yes:
        preview = ask(door, "POST", RESOLUTIONS_PATH, Resolution, asked)
        if json:
            say_json(preview)
        else:
            _print(preview)
        if preview.verdict == "refused" or json:
            raise typer.Exit(1 if preview.verdict == "refused" else 0)
        typer.confirm("Is that so?", abort=True)
        # what was shown, and nothing else that came under the same reference meanwhile
        asked = msgspec.structs.replace(asked, key=preview.exchange)
    answer = ask(door, "POST", RESOLUTIONS_PATH, Resolution, msgspec.structs.replace(asked, is_preview=False))
    if json:
        say_json(answer)
    else:
        _print(answer)
    raise typer.Exit(1 if answer.verdict == "refused" else 0)


def _print(answer: Resolution) -> None:
    if answer.findings:
        console().print(findings_table(answer.findings))
    word = f"done as {answer.si_number}" if answer.is_done else "not done"
    named = f"{answer.exchange} ({answer.reference} of {answer.participant}, {answer.function})"
    match answer.verdict:
        case "refused":
            at = f" Journaled at position {answer.position}." if answer.position else ""
            print(f"Refused: nothing changed.{at}")
        case "would_resolve":
            print(f"{named} is in doubt: {answer.why}")
            print(f"As you say it was {word}. Its PSS would be told: {answer.told}.")
        case "resolved":
            print(f"Resolved: {named} was {word}. Its PSS is told: {answer.told}.")
            print(f"Journaled up to position {answer.position}.")
