"""The state that a journal file alone gives, for verbs that look at exchanges while no bridge runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress

from pg_bridge.cli.world import read_file
from pg_bridge.config import read_config
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.records import read_entry
from pg_bridge.exchange.recovery import recover
from pg_bridge.exchange.state import State
from pg_bridge.journal.review import AuditReader

#: kinds of entries about what no rule could write
_PARKED = ("request_parked", "update_parked")


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A request or an update for which no message could be written. at_us: UTC, microseconds since 1970."""

    position: int
    at_us: int
    kind: str
    participant: str
    text: str


def journal_of(config: Path | None) -> Path:
    """The journal file of a configuration. Raises ConfigError."""
    if config is None:
        raise ConfigError("looking into the journal: name it with --journal, or the configuration with -c")
    text = read_file(config, "the configuration").decode("utf-8", "replace")
    return Path(read_config(text, os.environ).journal.path)


def state_of(journal: Path, *, shows: bool) -> State:
    """The state as a bridge that starts on this journal would take it up. Raises JournalError.

    shows: a progress bar, where a person looks.
    """
    state = State()
    position = 0
    bar = Progress(console=Console(stderr=True), disable=not (shows and sys.stderr.isatty()), transient=True)
    with AuditReader(journal) as reader, bar:
        newest = reader.newest(most=1)
        task = bar.add_task("reading the journal", total=newest[-1].position if newest else 0)
        while found := reader.behind(position):
            for stored in found:
                apply(state, read_entry(stored.entry), stored.entry.at_us)
            position = found[-1].position
            bar.update(task, completed=position)
    recover(state)
    return state


def parked(journal: Path, participant: str, most: int) -> list[Parked]:
    """The newest `most` parked requests and updates, oldest first. Raises JournalError."""
    with AuditReader(journal) as reader:
        found = [stored for kind in _PARKED for stored in reader.newest(kind=kind, participant=participant, most=most)]
    return [
        Parked(
            position=stored.position,
            at_us=stored.entry.at_us,
            kind=stored.entry.kind.value,
            participant=stored.entry.participant,
            text="; ".join(str(finding.get("text", "")) for finding in stored.entry.body().get("findings", ())),
        )
        for stored in sorted(found, key=lambda stored: stored.position)[-most:]
    ]
