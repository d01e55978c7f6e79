"""The state file of the pretend OCP: a JSON line that says what it is and holds the signing key, then a whole image,
then one line for each change, written before it is answered.

Whoever kills the process loses nothing that was answered; a last line that is cut was not. On opening it is written
anew, shorter. It is safe against the end of the process, not against the loss of power: for that it would have to
wait for the disk at each answer.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from pg_bridge.errors import ConfigError
from pg_bridge.simulator.image import (
    AcknowledgedRecord,
    EventRecord,
    Image,
    SiRecord,
    SubscriptionRecord,
    TakenRecord,
    UsedRecord,
    UseRecord,
)

FORM = "pg-bridge simulator state 1"


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line of a state file."""

    form: str
    signing_key: str


class Untaken:
    """What a subscriber was offered and did not take, by number, and the delivery on its way."""

    def __init__(self, record: SubscriptionRecord) -> None:
        self._record = record
        self._offered = record.offered
        self._events = dict(record.untaken)
        self._delivery = record.delivery

    def offer(self, document: msgspec.Raw) -> None:
        """One more event."""
        self._offered += 1
        self._events[self._offered] = document

    def take(self, taken: TakenRecord) -> None:
        """Events were taken, or a delivery begins."""
        for number in taken.numbers:
            self._events.pop(number, None)
        if taken.delivery is not None:
            self._delivery = taken.delivery
        elif self._delivery is not None and not self._events.keys() & set(self._delivery.events):
            self._delivery = None

    def of(self, record: SubscriptionRecord) -> SubscriptionRecord:
        """The whole record of the subscription as it now is."""
        return msgspec.structs.replace(
            record, offered=self._offered, untaken=list(self._events.items()), delivery=self._delivery
        )


class Fold:
    """Many images, each of one change, folded into the whole one. `participants`: those of each company."""

    def __init__(self, participants: Mapping[str, Sequence[str]]) -> None:
        self._participants = participants
        self._last = Image()
        self._sis: dict[int, SiRecord] = {}
        self._uses: list[UseRecord] = []
        self._events: list[EventRecord] = []
        self._done = Image().done
        self._used: list[UsedRecord] = []
        self._subscriptions: dict[tuple[str, str], SubscriptionRecord] = {}
        self._assertions: list[tuple[str, str, float]] = []
        self._company_counts: list[tuple[str, float]] = []
        self._machine_counts: list[tuple[str, float]] = []
        self._acknowledged: dict[tuple[str, str], AcknowledgedRecord] = {}
        self._untaken: dict[tuple[str, str], Untaken] = {}

    def add(self, image: Image) -> None:
        """The next change."""
        last = self._last
        self._last = Image(
            profile=image.profile or last.profile,
            seed=last.seed if image.seed is None else image.seed,
            signing_key=image.signing_key or last.signing_key,
            caught_up=image.caught_up or last.caught_up,
            clock=image.clock or last.clock,
            settings=image.settings or last.settings,
            counterparties=last.counterparties if image.counterparties is None else image.counterparties,
            faults=last.faults if image.faults is None else image.faults,
            deliveries=max(image.deliveries, last.deliveries),
        )
        self._sis.update((si.number, si) for si in image.sis)
        self._uses += image.uses
        self._events += image.events
        self._done += image.done
        self._used += image.used
        self._assertions += image.assertions
        self._company_counts += image.company_counts
        self._machine_counts += image.machine_counts
        self._acknowledged.update(((one.company, one.participant), one) for one in image.acknowledged)
        if image.subscriptions is not None:
            self._subscribe(image.subscriptions)
        for event in image.events:
            if event.event_type is not None:
                self._offer(event)
        for taken in image.taken:
            untaken = self._untaken.get((taken.company, taken.url))
            if untaken is not None:
                untaken.take(taken)

    def whole(self) -> Image:
        """All of them as one."""
        return msgspec.structs.replace(
            self._last,
            sis=list(self._sis.values()),
            uses=self._uses,
            events=[msgspec.structs.replace(event, event_type=None) for event in self._events],
            done=self._done,
            used=self._used,
            assertions=self._assertions,
            company_counts=self._company_counts,
            machine_counts=self._machine_counts,
            acknowledged=list(self._acknowledged.values()),
            subscriptions=[self._untaken[name].of(one) for name, one in self._subscriptions.items()],
        )

    def _subscribe(self, records: list[SubscriptionRecord]) -> None:
        self._subscriptions = {(one.company, one.url): one for one in records}
        self._untaken = {
            name: Untaken(one) if one.offered else self._untaken.get(name, Untaken(one))
            for name, one in self._subscriptions.items()
        }

    def _offer(self, event: EventRecord) -> None:
        for name, one in self._subscriptions.items():
            if event.participant in self._participants.get(one.company, ()) and (
                not one.event_types or event.event_type in one.event_types
            ):
                self._untaken[name].offer(event.document)


class StateFile:
    """The file in which one pretend OCP keeps its state. Raises ConfigError where it cannot be used.

    is_durable: what is appended is on the disk before `append` returns; else it survives a kill, but no loss of power.
    """

    def __init__(self, path: Path, participants: Mapping[str, Sequence[str]], is_durable: bool = False) -> None:
        self._path = path
        self._is_durable = is_durable
        self._file: IO[bytes] | None = None
        self.head: Head | None = None
        self.image: Image | None = None
        try:
            if path.exists():
                self._file = _locked(path)
                self._read(path.read_bytes(), participants)
        except OSError as error:
            self.close()
            raise ConfigError(f"reading the state in {path}: {error.strerror}") from error
        except ConfigError:
            self.close()
            raise

    def _read(self, content: bytes, participants: Mapping[str, Sequence[str]]) -> None:
        lines = _lines(content)
        fold = Fold(participants)
        number = 0
        try:
            for number, line in lines:
                if number == 1:
                    self.head = msgspec.json.decode(line, type=Head)
                else:
                    fold.add(msgspec.json.decode(line, type=Image))
        except msgspec.DecodeError as error:
            raise ConfigError(f"reading the state in {self._path}: line {number}: {error}") from error
        if self.head is None:
            if content.strip():
                raise ConfigError(f"reading the state in {self._path}: it is no state of a simulator")
            return
        if self.head.form != FORM:
            raise ConfigError(f"reading the state in {self._path}: its form is {self.head.form!r}, not {FORM!r}")
        # a process that ended before it wrote the first image did nothing yet
        self.image = fold.whole() if number > 1 else None

    def rewrite(self, signing_key: str, image: Image) -> None:
        """Hold this image and nothing else; whole or not at all."""
        temporary = self._path.with_name(self._path.name + ".new")
        head = Head(form=FORM, signing_key=signing_key)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            file = os.fdopen(descriptor, "ab")
            file.write(msgspec.json.encode(head) + b"\n" + msgspec.json.encode(image) + b"\n")
            file.flush()
            os.fsync(file.fileno())
            _lock(file, self._path)
            temporary.replace(self._path)
        except OSError as error:
            raise ConfigError(f"writing the state in {self._path}: {error.strerror}") from error
        self.close()
        self._file = file

    def append(self, image: Image) -> None:
        """Hold what one change made different. Raises OSError: who cannot keep it must not answer."""
        if self._file is not None:
            self._file.write(msgspec.json.encode(image) + b"\n")
            self._file.flush()
            if self._is_durable:
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that were written to their end, numbered from 1."""
    lines = content.split(b"\n")
    return ((number, line) for number, line in enumerate(lines[:-1], 1))


def _locked(path: Path) -> IO[bytes]:
    file = path.open("ab")
    _lock(file, path)
    return file


def _lock(file: IO[bytes], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ConfigError(f"another simulator keeps its state in {path}") from error
