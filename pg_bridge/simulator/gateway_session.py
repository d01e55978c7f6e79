"""The PG's end of a session, with the faults of single frames: what the door sends, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from pg_bridge.link.framing import Framing
from pg_bridge.link.pg_session import PgSession
from pg_bridge.link.profile import LinkProfile
from pg_bridge.link.session import next_sequence
from pg_bridge.simulator.wire_faults import WireFault, WireFaultKind

#: how the fault of a frame that is going out is asked for: template, whether it is a control message
GoesWrong = Callable[[str, bool], WireFault | None]
#: faults that are of how a frame's bytes leave, not of what they are
OF_LEAVING = frozenset({WireFaultKind.CUT_WITHIN, WireFaultKind.SLOW, WireFaultKind.SILENCE})


class WrongFramings:
    """Framings of a profile that write a wrong checksum and a wrong length."""

    def __init__(self, profile: LinkProfile) -> None:
        checksum, length = profile.checksum, profile.length
        other = "sum" if checksum.algorithm != "sum" else "crc32"
        replace = msgspec.structs.replace
        self.checksum = Framing(replace(profile, checksum=replace(checksum, algorithm=other)))
        self.length = Framing(replace(profile, length=replace(length, add=length.add + 1)))


class WireSession(PgSession):
    """A PgSession whose headers tell the simulated time, and whose frames go wrong when that was ordered."""

    def __init__(
        self,
        profile: LinkProfile,
        *,
        session_id: str,
        request_templates: frozenset[tuple[str, str]],
        wrong_framings: WrongFramings,
        stamp: Callable[[], str],
        goes_wrong: GoesWrong,
    ) -> None:
        super().__init__(profile, session_id=session_id, request_templates=request_templates)
        self._right_framing = self._framing
        self._wrong_framings = wrong_framings
        self._stamp_of = stamp
        self._goes_wrong = goes_wrong
        #: place in _out -> how that frame leaves
        self._leaving: dict[int, WireFault] = {}

    def pieces(self) -> list[tuple[bytes, WireFault | None]]:
        """What waits to go out, a frame that leaves otherwise than it should by itself; it is gone from here."""
        if not self._leaving:
            data = self.data_to_send()
            return [(data, None)] if data else []
        pieces: list[tuple[bytes, WireFault | None]] = []
        for at, raw in enumerate(self._out):
            pieces.append((raw, self._leaving.get(at)))
        self._out.clear()
        self._leaving.clear()
        return pieces

    def _timestamp(self, now: datetime) -> str:
        return self._stamp_of()

    def _send(
        self,
        message_type: str,
        template: str,
        body: bytes,
        now: datetime,
        *,
        possible_duplicate: bool = False,
    ) -> int:
        fault = self._goes_wrong(template, bool(self._controls.name(template)))
        kind = fault.kind if fault is not None else None
        if kind is WireFaultKind.LOST:
            return next_sequence(self._sent_sequence)
        if kind is WireFaultKind.BAD_SEQUENCE:
            self._sent_sequence = next_sequence(self._sent_sequence)
        if kind is WireFaultKind.BAD_CHECKSUM:
            self._framing = self._wrong_framings.checksum
        elif kind is WireFaultKind.BAD_LENGTH:
            self._framing = self._wrong_framings.length
        try:
            number = super()._send(message_type, template, body, now, possible_duplicate=possible_duplicate)
        finally:
            self._framing = self._right_framing
        if kind is WireFaultKind.TWICE:
            self._out.append(self._out[-1])
        elif kind is WireFaultKind.AGAIN:
            super()._send(message_type, template, body, now, possible_duplicate=possible_duplicate)
        elif fault is not None and kind in OF_LEAVING:
            self._leaving[len(self._out) - 1] = fault
        return number
