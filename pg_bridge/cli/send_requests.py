"""What `pg-bridge send` sends: frames and text blocks, from files or standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pg_bridge.cli.world import read_file
from pg_bridge.errors import ConfigError
from pg_bridge.link.framing import BadFrame, Frame, FrameReader, Framing
from pg_bridge.link.profile import LinkProfile

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request to send. participant: of the frame it came in, if it came in one.

    turn: which session it goes on, counted over all of them; None: each in its turn. is_answered: it gets an answer.
    """

    message_type: str
    template: str
    body: bytes
    participant: str = ""
    turn: int | None = None
    is_answered: bool = True


def read_requests(files: Sequence[Path], profile: LinkProfile, template: str, message_type: str) -> list[Outgoing]:
    """The requests of all files, in order. Raises ConfigError when one cannot be read as such.

    A file holds frames one after another, or one text block, or several, each in the braces of its block.
    """
    found: list[Outgoing] = []
    for path in files:
        is_piped = path == STANDARD_INPUT
        raw = sys.stdin.buffer.read() if is_piped else read_file(path, "the message")
        found += _of_file("standard input" if is_piped else str(path), raw, profile, template, message_type)
    return found


def _of_file(name: str, raw: bytes, profile: LinkProfile, template: str, message_type: str) -> Iterator[Outgoing]:
    opened = f"{{{profile.text.block}:".encode()
    start = raw.lstrip()
    if start.startswith(b"{") and not start.startswith(opened):
        yield from _frames(name, start, profile)
        return
    if not template or not message_type:
        raise ConfigError(f"reading {name}: it is a text block: name its --template and --message-type")
    if not start:
        raise ConfigError(f"reading {name}: it is empty")
    blocks = [raw]
    if start.startswith(opened):
        blocks = re.findall(re.escape(opened) + rb"\r?\n(.*?)^-\}", raw, re.DOTALL | re.MULTILINE)
        if len(blocks) != raw.count(opened):
            raise ConfigError(f"reading {name}: a text block has no end")
    for block in blocks:
        body = block.replace(b"\r\n", b"\n")
        body += b"" if body.endswith(b"\n") else b"\n"
        yield Outgoing(message_type, template, body.replace(b"\n", b"\r\n"))


def _frames(name: str, raw: bytes, profile: LinkProfile) -> Iterator[Outgoing]:
    reader = FrameReader(Framing(profile))
    for number, frame in enumerate(reader.feed(raw.rstrip()), 1):
        if isinstance(frame, BadFrame):
            raise ConfigError(f"reading {name}: frame {number} is none: {frame.text}")
        yield _outgoing(frame)
    if reader.in_frame:
        raise ConfigError(f"reading {name}: its last frame has no end")


def _outgoing(frame: Frame) -> Outgoing:
    return Outgoing(frame.message_type, frame.template, frame.body, frame.participant)
