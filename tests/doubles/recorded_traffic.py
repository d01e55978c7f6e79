"""Recorded traffic of any framing: whole sessions written by the project's own frame writer, with what a line adds.

Every story has log-ons, heartbeats, instructions of several sizes, status changes acknowledged, one sent again, a
refusal and log-offs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pg_bridge.link.calibration.stream import Piece, Side, Stream
from pg_bridge.link.control import Controls
from pg_bridge.link.framing import Framing, Header
from pg_bridge.link.profile import LinkProfile

START = datetime(2026, 11, 23, 1, 30, 0, tzinfo=UTC)


@dataclass
class Caller:
    """One end of a session: who, with which session id, how far its numbers are."""

    participant: str
    terminal: str
    session_id: str
    connection: str
    numbers: dict[str, int] = field(default_factory=lambda: {"to_pg": 0, "to_pss": 0})


@dataclass(frozen=True)
class Sent:
    """One frame as it went: when, on which connection, to whom."""

    at: datetime
    connection: str
    side: Side
    raw: bytes


class Traffic:
    """Writes conversations in one framing."""

    def __init__(self, profile: LinkProfile, seed: int = 1) -> None:
        self.profile = profile
        self.sent: list[Sent] = []
        self.now = START
        self.has_credentials = True
        self._framing, self._controls = Framing(profile), Controls(profile)
        self._random = random.Random(seed)
        self._width = next(f.width for b in profile.header for f in b.fields if f.concept == "template")
        self._digits = next(f.width for b in profile.header for f in b.fields if f.concept == "sequence")
        self._references = 0

    def frame(
        self, caller: Caller, side: Side, message_type: str, template: str, body: bytes, *, again: bool = False
    ) -> int:
        """Write one frame; its number."""
        self.now += timedelta(seconds=self._random.choice([0, 1, 2, 7, 40]), milliseconds=self._random.randrange(1, 90))
        caller.numbers[side] += 1
        number = caller.numbers[side]
        is_first = side == "to_pg" and number == 1
        stamp = self.now + timedelta(minutes=self.profile.timestamp.utc_offset_minutes)
        header = Header(
            caller.participant,
            caller.terminal,
            "" if is_first else caller.session_id,
            number,
            side,
            message_type,
            template[: self._width],
            stamp.strftime(self.profile.timestamp.format),
            again,
        )
        self.sent.append(Sent(self.now, caller.connection, side, self._framing.write(header, body)))
        return number

    def control(
        self, caller: Caller, side: Side, name: str, *, is_answer: bool = False, keys: dict[str, str] | None = None
    ) -> None:
        """Write one control message; an answer repeats the reference of the control before it."""
        if not is_answer:
            self._references += 1
        body = self._controls.write(
            name, is_answer=is_answer, reference=f"{caller.participant[:3]}{self._references:08d}", keys=keys
        )
        self.frame(caller, side, self._controls.message_type, self._controls.template(name), body)

    def log_on(self, caller: Caller) -> None:
        """Log on."""
        keys = {"user": f"OPS{self._references % 7}"} | ({"credential": "SECRET"} if self.has_credentials else {})
        self.control(caller, "to_pg", "logon", keys=keys)
        self.control(
            caller, "to_pss", "logon", is_answer=True, keys={"status": self._controls.accepted, "text": "WELCOME"}
        )

    def refused_log_on(self, caller: Caller) -> None:
        """Ask to log on, in vain: no session is issued."""
        self.control(caller, "to_pg", "logon", keys={"user": "NOBODY"})
        caller.session_id = ""
        keys = {"status": self._controls.refused, "text": "PARTICIPANT UNKNOWN HERE"}
        self.control(caller, "to_pss", "logon", is_answer=True, keys=keys)

    def heartbeat(self, caller: Caller) -> None:
        """A heartbeat of either side."""
        sides: list[Side] = ["to_pg", "to_pss"]
        self._random.shuffle(sides)
        self.control(caller, sides[0], "heartbeat")
        self.control(caller, sides[1], "heartbeat", is_answer=True)

    def instruction(self, caller: Caller) -> None:
        """An instruction and its answer."""
        self._references += 1
        number = self._random.choice([540, 541, 542, 543])
        extra = "".join(
            f":70E::SPRO//REMARK {'X' * self._random.randrange(20)}\r\n" for _ in range(self._random.randrange(4))
        )
        body = f":16R:GENL\r\n:20C::SEME//{caller.participant[:6]}{self._references:06d}\r\n:23G:NEWM\r\n:16S:GENL\r\n{extra}"
        self.frame(caller, "to_pg", str(number), "SI01", body.encode())
        self.frame(
            caller, "to_pss", "548", "SI51", f":16R:GENL\r\n:20C::SEME//PG{self._references}\r\n:16S:GENL\r\n".encode()
        )

    def enquiry(self, caller: Caller) -> None:
        """An enquiry and its answer."""
        self._references += 1
        self.frame(
            caller, "to_pg", "549", "SI07", f":16R:GENL\r\n:20C::SEME//Q{self._references}\r\n:16S:GENL\r\n".encode()
        )
        self.frame(
            caller, "to_pss", "548", "T03A", f":16R:GENL\r\n:20C::RELA//Q{self._references}\r\n:16S:GENL\r\n".encode()
        )

    def status_change(self, caller: Caller, *, again: bool = False) -> None:
        """A status change that is acknowledged; with `again`, only its second copy is."""
        self._references += 1
        name = self._random.choice(self.profile.unsolicited.templates[:2])
        kind = "548" if name == self.profile.unsolicited.templates[0] else "544"
        body = f":16R:GENL\r\n:20C::SEME//U{self._references}\r\n:16S:GENL\r\n".encode()
        number = self.frame(caller, "to_pss", kind, name, body)
        if again:
            number = self.frame(caller, "to_pss", kind, name, body, again=True)
        self.control(caller, "to_pg", "acknowledge", keys={"sequence": str(number).zfill(self._digits)})

    def refusal(self, caller: Caller) -> None:
        """A frame that the PG refuses."""
        self.instruction(caller)
        keys = {
            "sequence": str(caller.numbers["to_pg"]).zfill(self._digits),
            "code": self.profile.code("busy"),
            "text": "NOT NOW, COME BACK",
        }
        self.control(caller, "to_pss", "refusal", is_answer=True, keys=keys)

    def log_off(self, caller: Caller) -> None:
        """Log off."""
        self.control(caller, "to_pg", "logoff")
        self.control(caller, "to_pss", "logoff", is_answer=True)

    def story(self, callers: Sequence[Caller], rounds: int = 3) -> None:
        """Whole sessions of all callers, interleaved."""
        for caller in callers:
            self.log_on(caller)
        for number in range(rounds):
            for caller in callers:
                self.instruction(caller)
                self.heartbeat(caller)
                self.status_change(caller, again=number == 1)
                self.enquiry(caller)
                self.heartbeat(caller)
        for caller in callers:
            self.refusal(caller)
            self.log_off(caller)

    # --- as it was recorded ------------------------------------------------------------------------------

    def streams(
        self, *, noise: Sequence[bytes] = (b"",), cut: int = 0, timed: bool = True, mixed: bool = False
    ) -> list[Stream]:
        """One stream a direction of a connection. noise: what stands between frames, in turn; cut: bytes lost at each
        end; mixed: all connections in two streams, one a direction."""
        pieces: dict[tuple[str, Side], tuple[bytearray, list[tuple[int, float]]]] = {}
        for number, sent in enumerate(self.sent):
            key = ("all" if mixed else sent.connection, sent.side)
            data, times = pieces.setdefault(key, (bytearray(), []))
            times.append((len(data), sent.at.timestamp()))
            data += sent.raw + noise[number % len(noise)]
        out = []
        for (connection, side), (data, times) in pieces.items():
            kept = bytes(data[cut : len(data) - cut])
            told = tuple((max(0, offset - cut), at) for offset, at in times if offset - cut < len(kept))
            out.append(Stream(f"{connection} {side}", connection, side, (Piece(kept, told if timed else ()),)))
        return out


def two_callers(profile: LinkProfile) -> list[Caller]:
    """Two sessions that differ in every name, and in the length of every name."""
    widths = {f.concept: f.width for b in profile.header for f in b.fields}
    return [
        Caller(
            "B01234"[: widths["participant"]],
            "PSS1"[: widths["terminal"]],
            "7Q0ZK3M1X9AB"[: widths["session_id"]],
            "one",
        ),
        Caller(
            "C00019"[: widths["participant"]], "K2"[: widths["terminal"]], "R8W2TT51"[: widths["session_id"]], "two"
        ),
    ]
