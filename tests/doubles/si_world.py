"""The core and a small world of SIs around it, driven step by step: what PSSs send, and what OCP does and answers.

`Waits` are what the core asked of OCP and OCP did not do yet; which one comes next is up to the test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.records import Fault, read_entry
from tests.doubles.core import Core

#: operation -> template, message type; what the blocks or the function say
WAYS: dict[str, tuple[str, str, str]] = {
    "si_change": ("SI03", "543", "NEWM"),
    "si_delete": ("SI04", "543", "CANC"),
    "si_revoke": ("SI05", "543", "CANC"),
    "si_authorise": ("SI02", "530", "authorisation"),
    "si_hold": ("SI06", "530", "hold"),
}
#: numbers behind this one are of SIs that were entered elsewhere, on another day
LAST_ENTERED = "I00000089"
MALFORMED = (Fault("400002", "field_malformed", "400002 no", "NARR"),)


@dataclass
class OcpSi:
    """An SI at OCP."""

    reference: str
    is_open: bool = True


class SiWorld:
    """A core, the SIs at OCP, and what waits to be done there."""

    def __init__(self, elsewhere: dict[str, str]) -> None:
        """elsewhere: number -> reference of SIs that were not entered through the bridge."""
        self.core = Core()
        self.sis = {number: OcpSi(reference) for number, reference in elsewhere.items()}
        self.seeks: list[str] = []
        self.looks: list[str] = []
        self.calls: list[str] = []
        self._count = 0

    # --- what PSSs send

    def input(self, reference: str) -> None:
        """Enter an SI; nothing where the reference was used."""
        if not any(use[2] == reference for use in self.core.state.uses):
            self._took(self.core.request(reference, sequence=self._next()))

    def about(self, operation: str, named: str) -> str:
        """Send an instruction about the SI named; gives its reference."""
        template, message_type, how = WAYS[operation]
        reference = f"C{self._next()}"
        words = self.core.words
        if message_type == "530":
            body = words.blocks(how, reference, named)
        else:
            body = words.about(words.deliver(reference, function=how), named)
        text = body.decode("ascii")
        arrived = e.RequestArrived("S1", "B01234", "PSS1", self._count, template, message_type, text, body)
        self._took(self.core.offer(arrived))
        return reference

    def _next(self) -> int:
        self._count += 1
        return self._count

    # --- what the bridge and OCP do

    def open(self, operation: str) -> bool:
        """The lane of an operation may call; gives whether it does."""
        before = len(self.calls)
        self._took(self.core.offer(e.LaneOpen("B01234", operation)))
        return len(self.calls) > before

    def tell_seek(self, which: int) -> None:
        """OCP tells which SIs fit what one request names."""
        id_ = self.seeks.pop(which % len(self.seeks))
        exchange = self.core.state.exchanges[id_]
        document = msgspec.json.decode(exchange.document)
        number, reference = document["siNumber"], document["participantReference"]
        found = [
            self._entry(each, si)
            for each, si in self.sis.items()
            if (each == number if number else si.reference == reference)
        ]
        self._took(self.core.offer(e.SiSought(id_, found)))

    def answer(self, which: int) -> None:
        """OCP does a call and answers it."""
        request_id = self.calls.pop(which % len(self.calls))
        self._took(self.core.offer(e.CallAnswered(request_id, [self._do(one) for one in self._documents(request_id)])))

    def refuse(self, which: int) -> None:
        """OCP refuses a call whole."""
        self._took(self.core.offer(e.CallRefused(self.calls.pop(which % len(self.calls)), MALFORMED)))

    def lose(self, which: int, *, is_done: bool) -> None:
        """A call is lost, before or after its work."""
        request_id = self.calls.pop(which % len(self.calls))
        if is_done:
            for document in self._documents(request_id):
                self._do(document)
        self._took(self.core.offer(e.CallLost(request_id, "cut")))

    def look(self, which: int, *, finds: bool) -> None:
        """OCP tells what became of a lost call: all of it, or nothing, which sends it again."""
        request_id = self.looks.pop(which % len(self.looks))
        batch = self.core.state.batches[request_id]
        found = {}
        if finds:
            for member in batch.members:
                exchange = self.core.state.exchanges[member]
                number = exchange.si_number or self._number_of(exchange.reference)
                if number:
                    found[member] = self._entry(number, self.sis[number])
        self._took(self.core.offer(e.Looked(request_id, found)))

    def doubt(self, which: int) -> None:
        """A lost call is so old that nothing settles it any more."""
        request_id = self.looks.pop(which % len(self.looks))
        self.core.wait(86_400)
        self._took(self.core.offer(e.Looked(request_id, {})))
        self.core.wait(-86_400)

    def settle_until_called(self, operation: str) -> None:
        """Tell what is sought, and let the lane call."""
        while self.seeks:
            self.tell_seek(0)
        self.open(operation)

    def settle(self) -> None:
        """Do all that waits, until nothing does."""
        while True:
            if self.seeks:
                self.tell_seek(0)
            elif self.looks:
                self.look(0, finds=True)
            elif self.calls:
                self.answer(0)
            elif not any(self.open(lane.operation) for lane in list(self.core.state.lanes.values())):
                return

    def _took(self, decision: a.Decision) -> None:
        for action in decision.actions:
            match action:
                case a.Seek():
                    self.seeks.append(action.exchange)
                case a.Look():
                    self.looks.append(action.request_id)
                case a.Call():
                    self.calls.append(action.request_id)

    def _documents(self, request_id: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = msgspec.json.decode(self.core.state.batches[request_id].body)["data"]
        return entries

    def _do(self, document: dict[str, Any]) -> dict[str, Any]:
        reference, number = document["requestReference"], document.get("siNumber")
        if number is None:
            number = self._number_of(reference)
            if not number:
                number = f"I{sum(each <= LAST_ENTERED for each in self.sis) + 1:08d}"
                self.sis[number] = OcpSi(document["participantReference"])
        return self.core.accepted(reference, number)

    def _number_of(self, reference: str) -> str:
        """The SI that was entered here by this request."""
        return next(
            (number for number, si in self.sis.items() if si.reference == reference and number <= LAST_ENTERED), ""
        )

    def _entry(self, number: str, si: OcpSi) -> dict[str, Any]:
        told: dict[str, Any] = {"participantReference": si.reference, "requestReference": si.reference}
        if number > LAST_ENTERED:
            told |= {"requestReference": f"OLD{si.reference}", "createdAt": "2026-11-20T10:00:00.000+08:00"}
        return self.core.event(number, 1, "CHANGED", "UNMATCHED" if si.is_open else "SETTLED", **told)

    # --- what came of it

    def lives(self) -> Iterator[Life]:
        """What the journal says of each instruction, in the order of receipt."""
        found: dict[str, Life] = {}
        for position, entry in enumerate(self.core.entries):
            match entry.kind:
                case Kind.INSTRUCTION_RECEIVED:
                    found[entry.exchange] = Life(entry.exchange, position, entry.references.get("si_number", ""))
                case Kind.SI_FOUND:
                    found[entry.exchange].number = entry.references["si_number"]
                case Kind.BATCH_CALLED:
                    for member in read_entry(entry).members:  # type: ignore[attr-defined]
                        found[member].called = found[member].called or position
                case Kind.EXCHANGE_ANSWERED | Kind.EXCHANGE_IN_DOUBT:
                    life = found[entry.exchange]
                    life.ended = position
                    if not life.number:
                        life.is_input = "si_number" in entry.references
                        life.number = entry.references.get("si_number", "")
        yield from found.values()

    def open_exchanges(self) -> list[str]:
        """The exchanges that are not over."""
        over = (Stage.ANSWERED, Stage.IN_DOUBT)
        return [exchange.id for exchange in self.core.state.exchanges.values() if exchange.stage not in over]


@dataclass
class Life:
    """An instruction in the journal: positions, and the number of its SI in the end."""

    exchange: str
    received: int
    number: str
    called: int = 0
    ended: int = 0
    is_input: bool = False
