"""Two real sessions joined by a cable that can be cut, held, corrupted, or split at any byte; time is a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pg_bridge.link.events import Event, LogOnAsked
from pg_bridge.link.framing import Frame, FrameReader, Framing
from pg_bridge.link.pg_session import PgSession
from pg_bridge.link.profile import LinkProfile, read_link_profile
from pg_bridge.link.pss_session import PssSession

START = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
REQUESTS = frozenset({("SI01", "543"), ("SI07", "549")})
BODY = b":16R:GENL\r\n:16S:GENL\r\n"


def framing_text() -> str:
    """The shipped framing.toml."""
    return (Path(__file__).parents[2] / "mappings/legacy/framing.toml").read_text()


def shipped_profile(**limits: object) -> LinkProfile:
    """The shipped profile, with other limits where given (`max_in_flight=2`)."""
    text = framing_text()
    for name, value in limits.items():
        lines = text.splitlines()
        at = next(index for index, line in enumerate(lines) if line.startswith(f"{name} = "))
        lines[at] = f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
        text = "\n".join(lines)
    return read_link_profile(text)


class LinkPair:
    """A PSS and a PG on one cable. `step` carries what both have to say until neither says more.

    `is_cut`: nothing arrives; `is_held`: bytes wait on the cable; `piece`: bytes that arrive at once (0: all);
    `corrupt_to_pg`: changes what the PG gets. `pg_events` and `pss_events` are all that happened so far;
    `to_pss` and `to_pg` are all bytes that were sent.
    """

    def __init__(self, *, piece: int = 0, is_decided: bool = True, acknowledges: bool = True, **limits: object) -> None:
        self.profile = shipped_profile(**limits)
        self.framing = Framing(self.profile)
        self.now = START
        self.pg = PgSession(self.profile, session_id="S000000001", request_templates=REQUESTS)
        self.pss = PssSession(self.profile, participant="B01234", terminal="PSS1", acknowledges=acknowledges)
        self.piece = piece
        self.is_decided = is_decided
        self.is_cut = self.is_held = False
        self.corrupt_to_pg: Callable[[bytes], bytes] = bytes
        self.pg_events: list[Event] = []
        self.pss_events: list[Event] = []
        self.to_pg = self.to_pss = b""
        self._waiting_pg = self._waiting_pss = b""
        self.pg.connected(self.now)
        self.pss.connected(self.now)

    def step(self) -> LinkPair:
        """Carry bytes both ways until there are none."""
        while True:
            out, back = self.pss.data_to_send(), self.pg.data_to_send()
            self.to_pg += out
            self.to_pss += back
            if not self.is_cut:
                self._waiting_pg += self.corrupt_to_pg(out) if out else b""
                self._waiting_pss += back
            if self.is_cut or self.is_held or not (self._waiting_pg or self._waiting_pss):
                return self
            there, self._waiting_pg = self._waiting_pg, b""
            here, self._waiting_pss = self._waiting_pss, b""
            for data in self._pieces(there):
                self.happened(self.pg.receive_data(data, self.now))
            for data in self._pieces(here):
                self.pss_events += self.pss.receive_data(data, self.now)

    def happened(self, events: list[Event]) -> None:
        """Note what the PG said; accept a log-on when the pair decides by itself."""
        self.pg_events += events
        if self.is_decided and any(isinstance(event, LogOnAsked) for event in events):
            self.happened(self.pg.accept_log_on(self.now))

    def logged_on(self) -> LinkPair:
        """Log on."""
        self.pss.log_on("OPS1", "", "B0123400001", self.now)
        return self.step()

    def wait(self, seconds: float) -> LinkPair:
        """Let time pass in one leap, then let both ends do what is due."""
        self.now += timedelta(seconds=seconds)
        self.happened(self.pg.due(self.now))
        self.pss_events += self.pss.due(self.now)
        return self.step()

    def request(self) -> int:
        """Send one request; gives its sequence number."""
        sequence = self.pss.send("543", "SI01", BODY, self.now)
        self.step()
        return sequence

    def answer(self, sequence: int, token: str, *, is_last: bool = True) -> None:
        """Answer one request."""
        self.happened(self.pg.answer(sequence, "548", "SI51", BODY, self.now, token=token, is_last=is_last))
        self.step()

    def deliver(self, token: str) -> None:
        """Deliver one status change."""
        self.happened(self.pg.deliver(token, "548", "SI60", BODY, self.now))
        self.step()

    def frames_to_pss(self) -> list[Frame]:
        """All frames that the PG sent so far."""
        return [frame for frame in FrameReader(self.framing).feed(self.to_pss) if isinstance(frame, Frame)]

    def _pieces(self, data: bytes) -> list[bytes]:
        size = self.piece or max(1, len(data))
        return [data[start : start + size] for start in range(0, len(data), size)]
