"""What a recorded translation was given, rebuilt from its record."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pg_bridge.exchange import records as r
from pg_bridge.exchange.retranslated import values_by_place
from pg_bridge.exchange.terms import Terms
from pg_bridge.link.framing import Frame, FrameReader, Framing
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.translated import Written
from pg_bridge.profiles.concepts import Refusal

REFERENCE = "context.reference"
#: the finding of a field that the template does not have; a warning where the participant is treated leniently
_UNKNOWN_FIELD = "PGB-MSG-024"

_TEXT_OPENS = ":\r\n"
_TEXT_CLOSES = "\r\n-}"


def body_of(legacy: str) -> bytes | None:
    """The lines of the text block of a frame, or of a text that is no frame; None when it has none.

    Found by what every framing shares, `{id:` CRLF lines `-}`: the frame may be of another framing than today's.
    """
    text = legacy
    if legacy.startswith("{"):
        start, end = legacy.find(_TEXT_OPENS), legacy.rfind(_TEXT_CLOSES)
        if start < 0 or end < start:
            return None
        text = legacy[start + len(_TEXT_OPENS) : end + 2]
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        return None  # bytes were replaced when it was journaled


def message_type_of(record: r.RequestParked, framing: Framing | None, served: Collection[tuple[str, str]]) -> str:
    """The message type of a parked request: as its frame says, else the only one of its template; empty: not known."""
    if framing is not None and record.legacy.startswith("{"):
        found = FrameReader(framing).feed(record.legacy.encode("ascii", "replace"))
        if len(found) == 1 and isinstance(found[0], Frame):
            return found[0].message_type
    types = [message_type for template, message_type in served if template == record.template]
    return types[0] if len(types) == 1 else ""


class Leniency:
    """Which participants were treated leniently: a request says it by its findings, if it has an unknown field."""

    def __init__(self) -> None:
        self._lenient: set[str] = set()

    def of_taken(self, record: r.RequestReceived) -> bool:
        """Of a request that was taken."""
        if any(finding.code == _UNKNOWN_FIELD for finding in record.findings):
            self._lenient.add(record.participant)
        return self.of_participant(record.participant)

    def of_refused(self, record: r.MessageRefused) -> bool:
        """Of a message that was refused."""
        for finding in record.findings:
            if finding.code == _UNKNOWN_FIELD:
                if finding.severity == "warning":
                    self._lenient.add(record.participant)
                else:
                    self._lenient.discard(record.participant)
        return self.of_participant(record.participant)

    def of_participant(self, participant: str) -> bool:
        """As last seen."""
        return participant in self._lenient


def references_in(lineage: Sequence[Lineage]) -> list[str]:
    """Our own references that a translation was given, one a message, as far as its lineage tells."""
    return list(dict.fromkeys(line.before for line in lineage if line.sources == (REFERENCE,)))


def reference_used(book: MappingBook, was: r.Reply, now: Written) -> str | None:
    """Our own reference in a recorded message: what stands there in the places where the new one has it."""
    places = [line.target for line in now.lineage if line.sources == (REFERENCE,)]
    if not places:
        return None
    values = values_by_place(book, was.template, was.message_type, was.body)
    return next((values[place] for place in places if place in values), None)


def faults_anew(terms: Terms, faults: Sequence[r.Fault]) -> tuple[r.Fault, ...]:
    """Faults as the new set would have understood OCP's codes. What the bridge itself called a fault stays."""
    return tuple(_fault(terms, fault) for fault in faults)


def _fault(terms: Terms, fault: r.Fault) -> r.Fault:
    meaning = fault.meaning
    if meaning == fault.code or meaning in _MEANINGS:
        meaning = str(terms.ocp.meaning("refusal", fault.code) or fault.code)
    return terms.fault(fault.code, meaning, fault.text)


_MEANINGS = frozenset(refusal.value for refusal in Refusal)
