"""`pg-bridge mappings calibrate`: from recorded traffic to the framing file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.world import read_file, read_mappings
from pg_bridge.errors import ConfigError
from pg_bridge.formats.pcap import TcpStream, is_capture, read_tcp
from pg_bridge.link.calibration.calibrate import STEPS, Calibration
from pg_bridge.link.calibration.calibrate import calibrate as find_framing
from pg_bridge.link.calibration.framing_file import framing_text
from pg_bridge.link.calibration.questions import LEAST_FRAMES
from pg_bridge.link.calibration.stream import Answer, Piece, Side, Stream
from pg_bridge.link.profile import LinkProfile, link_profile_of

#: how a raw stream's file ends -> where its bytes went, seen from the PG
_SIDES: dict[str, Side] = {".in": "to_pg", ".out": "to_pss"}
_GRADES = {"sure": "sure", "likely": "not sure", "open": "not enough frames to tell"}


def calibrate(
    captures: Annotated[
        list[Path],
        typer.Argument(help="pcap, pcapng, or raw bytes: NAME.in to the PG, NAME.out from it, else both mixed."),
    ],
    *,
    out: Annotated[Path | None, typer.Option("--out", help="The framing file to write.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write it over an existing one.")] = False,
    participant: Annotated[
        list[str] | None, typer.Option(help="A participant's id that stands in the traffic, in full; may be repeated.")
    ] = None,
    terminal: Annotated[
        list[str] | None, typer.Option(help="A terminal's name that stands in the traffic; may be repeated.")
    ] = None,
    mappings: Annotated[
        str, typer.Option(help="The folder whose framing fills what is not seen; left out: the shipped one.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the framing of recorded traffic between a PSS and its PG: every question, how sure, on how many frames.

    Exit code 0: every answer is sure, all that traffic can tell is told; 1: something is not sure, and it says what to
    record, or the framing cannot be written as a file; 2: wrong use. What no traffic tells is not asked: whether other
    templates come unasked, refusal codes, time-outs and limits. The file has the default's; correct them by hand.

    Example: pg-bridge mappings calibrate monday.pcap --participant B01234 --terminal PSS1 --out framing.toml
    """
    if out is not None and out.exists() and not force:
        raise ConfigError(f"calibrating: {out} is there already; name another file, or say --force")
    default = link_profile_of(read_mappings(mappings))
    streams, found = _find(captures, default, participant or (), terminal or (), is_quiet=json)
    text = framing_text(found, found.profile) if found.profile is not None else ""
    if out is not None and text:
        try:
            out.write_text(text, "utf-8")
        except OSError as error:
            raise ConfigError(f"calibrating: {out} cannot be written: {error.strerror}") from error
    written = str(out) if out is not None and text else ""
    if json:
        say_json(_told(found, streams, written, text))
    else:
        _print(found, streams, written)
    raise typer.Exit(0 if found.is_sure else 1)


def _find(
    captures: Sequence[Path],
    default: LinkProfile,
    participants: Sequence[str],
    terminals: Sequence[str],
    *,
    is_quiet: bool,
) -> tuple[list[Stream], Calibration]:
    """Read the captures and find what they show; a bar on standard error says how far that is."""
    out = console()
    out.stderr = True
    with Progress(disable=is_quiet or not sys.stderr.isatty(), console=out, transient=True) as progress:
        task = progress.add_task("reading", total=len(captures) + len(STEPS))
        streams: list[Stream] = []
        for capture in captures:
            progress.update(task, description=f"reading {capture.name}")
            streams += _streams(capture)
            progress.advance(task)
        # a step is told when it begins: the one before it is done
        begun = iter((0, *[1] * (len(STEPS) - 1)))
        found = find_framing(
            streams,
            default,
            participants=participants,
            terminals=terminals,
            step=lambda name: progress.update(task, description=f"looking for {name}", advance=next(begun)),
        )
    return streams, found


def _streams(capture: Path) -> list[Stream]:
    data = read_file(capture, "the capture")
    if is_capture(data):
        return [_of_tcp(capture, stream) for stream in read_tcp(data)]
    side = _SIDES.get(capture.suffix, "")
    connection = str(capture.with_suffix("")) if side else str(capture)
    return [Stream(str(capture), connection, side, (Piece(data),))]


def _of_tcp(capture: Path, stream: TcpStream) -> Stream:
    """The PSS dials the PG."""
    side: Side = "" if stream.dialled is None else "to_pg" if stream.dialled else "to_pss"
    pieces = tuple(Piece(run.data, run.times) for run in stream.runs)
    name = f"{capture}: {stream.source} to {stream.target}"
    return Stream(name, f"{capture}: {stream.connection}", side, pieces)


def _told(found: Calibration, streams: Sequence[Stream], written: str, text: str) -> dict[str, Any]:
    return {
        "streams": [{"name": stream.name, "side": stream.side, "bytes": _size(stream)} for stream in streams],
        "frames": found.frames,
        "damaged": found.damaged,
        "between": found.between,
        "sure": found.is_sure,
        "answers": [answer._asdict() for answer in found.answers],
        "faults": found.faults,
        "written": written,
        "framing": text,
    }


def _size(stream: Stream) -> int:
    return sum(len(piece.data) for piece in stream.pieces)


def _print(found: Calibration, streams: Sequence[Stream], written: str) -> None:
    print(f"{found.frames} frames in {len(streams)} streams; {found.damaged} of them damaged, left out below")
    if found.between:
        print(
            f"{found.between} bytes stand outside frames: cut frames or something else, which the bridge would refuse"
        )
    if found.answers:
        columns = ("question", "answer", "how sure", "frames", "what else would fit")
        console().print(
            table("What the traffic shows", columns, (_row(answer, found.frames) for answer in found.answers))
        )
    for text in dict.fromkeys(answer.record for answer in found.answers if answer.record):
        questions = ", ".join(answer.question for answer in found.answers if answer.record == text)
        print(f"To settle {questions}: {text}")
    for fault in found.faults:
        print(f"NOT WRITTEN: {fault}")
    if written:
        print(f"{written} is written. Put it in a set as legacy/framing.toml, and check the set.")
    unsure = sum(answer.grade != "sure" for answer in found.answers)
    print(f"{len(found.answers) - unsure} of {len(found.answers)} answers are sure.")


def _row(answer: Answer, seen: int) -> tuple[str, ...]:
    frames = f"{answer.agree} of {answer.frames}" if answer.frames else "none"
    grade = "open" if seen < LEAST_FRAMES and answer.grade == "likely" else answer.grade
    return answer.question, answer.answer, _GRADES[grade], frames, "; ".join(answer.rivals)
