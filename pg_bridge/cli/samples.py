"""Sample files: which of them there are, read in pieces, as samples."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

from pg_bridge.errors import ConfigError
from pg_bridge.link.framing import BadFrame, Framing
from pg_bridge.link.profile import LinkProfile
from pg_bridge.mapping.learning.sample import Sample, SampleStream, text_block

_PIECE = 65_536


def sample_files(given: list[Path]) -> list[Path]:
    """Every file given, and those in the folders given, in order; names that begin with a dot are left out.

    Raises ConfigError for one that is not there, and where there is none at all.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            for here, folders, names in os.walk(path):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                found += [
                    Path(here, name)
                    for name in sorted(names)
                    if not name.startswith(".") and Path(here, name).is_file()
                ]
        elif path.exists():
            found.append(path)
        else:
            raise ConfigError(f"reading samples: there is no {path}")
    if not found:
        raise ConfigError("reading samples: the folders hold no files")
    return found


def read_samples(
    path: Path,
    framing: Framing,
    template: str,
    message_type: str,
    participant: str,
    progressed: Callable[[int], None],
) -> Iterator[Sample | BadFrame]:
    """The messages of one file: frames one after another, or one text block. progressed: is told bytes read.

    Raises ConfigError for a file that cannot be read, and for a text block whose template or participant is not named.
    """
    try:
        with path.open("rb") as file:
            piece = file.read(_PIECE)
            if piece.lstrip(b"\r\n \t").startswith(b"{"):
                stream = SampleStream(framing, str(path))
                while piece:
                    yield from stream.feed(piece)
                    progressed(len(piece))
                    piece = file.read(_PIECE)
                left = stream.end()
                if left is not None:
                    yield left
                return
            if not template or not message_type:
                raise ConfigError(f"reading {path}: it is a text block: name its --template and --message-type")
            if not participant:
                raise ConfigError(f"reading {path}: it is a text block: name the --participant")
            largest = framing.profile.text.largest
            text = piece + file.read(largest)
            if len(text) > largest:
                raise ConfigError(f"reading {path}: a text block has at most {largest} bytes")
            progressed(len(text))
            yield text_block(str(path), text, template, message_type, participant)
    except OSError as error:
        raise ConfigError(f"reading {path}: {error}") from error


class SentAt:
    """When a message was sent, by the timestamp of its header."""

    def __init__(self, link: LinkProfile) -> None:
        self._format = link.timestamp.format
        self._zone = timezone(timedelta(minutes=link.timestamp.utc_offset_minutes))
        self.of = lru_cache(maxsize=1024)(self._of)

    def _of(self, timestamp: str) -> datetime | None:
        if not timestamp:
            return None
        try:
            return datetime.strptime(timestamp, self._format).replace(tzinfo=self._zone)
        except ValueError:
            return None
