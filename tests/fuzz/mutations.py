"""Mutated frames, messages and pushes, and the laws that hold of each: no crash, no hang, every refusal named.

A case is a number: the same number is the same case, always. `run(number)` raises when a law is broken.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pg_bridge.errors import MappingError, PushRefused
from pg_bridge.exchange import events as e
from pg_bridge.formats.iso15022.reader import read, read_plain
from pg_bridge.formats.iso15022.writer import write
from pg_bridge.link import events as link
from pg_bridge.link.framing import Framing, Header
from pg_bridge.link.pg_session import PgSession
from pg_bridge.link.pss_session import PssSession
from pg_bridge.link.session import Session
from pg_bridge.ocp.push import Delivery, PushDoor
from tests.doubles import ocp_world as world
from tests.doubles.core import Core
from tests.doubles.link_pair import REQUESTS, START, shipped_profile
from tests.doubles.stack import deliver, enquiry, receive
from tests.edges.test_ocp_push import sign

#: of processor time; what takes longer counts as a hang
LIMIT_S = 1.0
#: bytes that a session may have to send for each byte that it was given, and at least
MOST_OUT_PER_BYTE, MOST_OUT = 20, 20_000
_FRESH_CORE = 200
_PIECES = (
    b"\r\n", b"\r", b"\n", b"-}", b"-}{5:", b"\r\n-}{5:", b"{1:", b"{4:\r\n", b"}", b"//", b"/", b":", b"::", b"\x00", b"\xff",
    b":16R:GENL\r\n", b":16S:GENL\r\n", b":20C::SEME//", b":77E:", b"SEQN/", b"999999", b"000000", b"-1", b"1e400", b"null",
    b"[]", b"{}", b'"', b"\\u0000", b"\\ud800", b"true", b"NaN", b"9" * 400, b"A" * 3_000, b"[" * 2_000, b'{"a":' * 500,
    "\u0663".encode(), "\u00e9".encode(), b"UNIT/", b",", b"20261131", b"Y", b"N", b"I", b"O", b"LGON", b"HBEA", b"ACKN", b"LGOF",
)  # fmt: skip


def mutated(chance: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """`data` with one to six edits."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        size = len(out)
        at = chance.randrange(size + 1)
        to = min(size, at + chance.choice((1, 1, 2, 4, 10, 40, 200)))
        match chance.randrange(8):
            case 0 if size:
                out[min(at, size - 1)] = chance.randrange(256)
            case 1:
                out[at:at] = chance.choice(_PIECES)
            case 2:
                del out[at:to]
            case 3:
                out[at:at] = out[at:to] * chance.choice((1, 1, 2, 20))
            case 4:
                out[at:to] = chance.choice(_PIECES)
            case 5:
                del out[at:]
            case 6 if size:
                out[min(at, size - 1)] ^= 1 << chance.randrange(8)
            case _:
                other = chance.choice(others) if others else data
                start = chance.randrange(len(other) + 1)
                out[at:to] = other[start : start + chance.choice((5, 50, 500))]
    return bytes(out)


# --- frames ------------------------------------------------------------------------------------------------

_PROFILE = shipped_profile()
_FRAMING = Framing(_PROFILE)
_BODIES = [deliver("B0123400001"), receive("B0123400002"), enquiry("B0123400003", number="I00000001")]
_KEYS = [
    b":20:R1\r\n:12:003\r\n",
    b":20:R2\r\n:12:103\r\n",
    b":20:R3\r\n:12:004\r\n:77E:SEQN/000002\r\n",
    b":20:R4\r\n:12:002\r\n",
]
_TO_PG = [
    ("598", "LGON", b":20:L1\r\n:12:001\r\n:77E:USER/OPS1\r\nCRED/SECRET\r\n"),
    ("543", "SI01", _BODIES[0]), ("541", "SI01", _BODIES[1]), ("549", "SI07", _BODIES[2]),
    ("598", "HBEA", _KEYS[0]), ("598", "HBEA", _KEYS[1]), ("598", "ACKN", _KEYS[2]), ("598", "LGOF", _KEYS[3]),
]  # fmt: skip
_TO_PSS = [
    ("598", "LGON", b":20:L1\r\n:12:101\r\n:77E:STAT/ACCP\r\n"),
    ("548", "SI51", b":16R:GENL\r\n:20C::SEME//PG1\r\n:16S:GENL\r\n"), ("548", "SI60", b":16R:GENL\r\n:16S:GENL\r\n"),
    ("598", "HBEA", _KEYS[0]), ("598", "RJCT", b":20:R5\r\n:12:105\r\n:77E:SEQN/000002\r\nCODE/TMPL\r\nTEXT/NO\r\n"),
    ("598", "LGOF", b":20:R4\r\n:12:102\r\n"),
]  # fmt: skip
_SESSION = "S000000001"


@lru_cache(maxsize=2)
def _wire(direction: str) -> list[bytes]:
    """Each frame of a conversation, in order, as it stands on the wire."""
    frames = []
    for number, (message_type, template, body) in enumerate(_TO_PG if direction == "to_pg" else _TO_PSS, 1):
        session = "" if direction == "to_pg" and number == 1 else _SESSION
        header = Header("B01234", "PSS1", session, number, direction, message_type, template, "20261123093000", False)
        frames.append(_FRAMING.write(header, body))
    return frames


def _stream(chance: random.Random, direction: str) -> bytes:
    """A conversation in which one frame, or what lies between frames, is mutated; seldom one without an end."""
    frames = list(_wire(direction))
    at = chance.randrange(len(frames))
    frames[at] = mutated(chance, frames[at], frames)
    if chance.randrange(20_000) == 0:
        frames[at] = frames[at][:120] + b":70E::SPRO//AAAA\r\n" * 130_000
    return b"".join(frames)


def _pieces(chance: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 3)))) if data else []
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _converse(session: Session, pieces: Sequence[bytes], *, answers: bool = True) -> tuple[list[link.Event], bytes]:
    """Feed a session as its driver does: log-ons accepted, and requests answered if `answers`."""
    events: list[link.Event] = []
    out = b""
    session.connected(START)
    for piece in pieces:
        waiting = list(session.receive_data(piece, START))
        while waiting:
            event = waiting.pop(0)
            events.append(event)
            if isinstance(session, PgSession) and not session.is_closed:
                if isinstance(event, link.LogOnAsked):
                    waiting += session.accept_log_on(START)
                elif answers and isinstance(event, link.RequestReceived):
                    waiting += session.answer(event.frame.sequence, "548", "SI51", b":16R:GENL\r\n", START, token="T")
        out += session.data_to_send()
    session.due(START)
    session.end_of_stream(START)
    return events, out


def _told(events: Sequence[link.Event]) -> list[str]:
    return [repr(event) for event in events]


def _frames(chance: random.Random, end: Callable[[], Session], direction: str) -> str:
    stream = _stream(chance, direction)
    events, out = _converse(end(), _pieces(chance, stream))
    refusals = [event for event in events if isinstance(event, link.FrameRefused)]
    assert all(event.code in _PROFILE.refusals and event.text for event in refusals), "a refusal without a name"
    assert len(out) <= MOST_OUT + MOST_OUT_PER_BYTE * len(stream), f"{len(out)} bytes for {len(stream)}"
    if chance.randrange(4) == 0:
        # Answers come when the driver gives them, so between other frames by another split: here there are none.
        whole, out_whole = _converse(end(), [stream], answers=False)
        again, out_again = _converse(end(), _pieces(chance, stream), answers=False)
        assert _told(again) == _told(whole), "another split gives other events"
        assert out_again == out_whole, "another split gives other bytes"
    return refusals[0].meaning if refusals else "taken"


def frames_to_pg(chance: random.Random) -> str:
    """The PG's end reads a mutated conversation."""
    return _frames(
        chance,
        lambda: PgSession(_PROFILE, session_id=_SESSION, request_templates=REQUESTS | {("SI01", "541")}),
        "to_pg",
    )


def frames_to_pss(chance: random.Random) -> str:
    """The PSS's end reads a mutated conversation."""
    return _frames(chance, lambda: PssSession(_PROFILE, participant="B01234", terminal="PSS1"), "to_pss")


# --- messages ----------------------------------------------------------------------------------------------


class _Worn:
    """A core that is replaced before what it remembers weighs."""

    def __init__(self) -> None:
        self.core = Core()
        self._left = _FRESH_CORE

    def take(self) -> Core:
        self._left -= 1
        if self._left <= 0:
            self.__init__()  # type: ignore[misc]
        return self.core


@lru_cache(maxsize=1)
def _worn() -> _Worn:
    return _Worn()


def messages(chance: random.Random) -> str:
    """A mutated text block in a good frame: read, checked, translated or refused with findings, answered."""
    index = chance.randrange(3)
    body = mutated(chance, _BODIES[index], _BODIES)
    message = read(body)
    assert message == read_plain(body), "what is kept of a shape changes the message"
    assert message.findings or write(message.fields) == body, "a message without findings is not written as it was read"
    template, message_type = (("SI01", "543"), ("SI01", "541"), ("SI07", "549"))[index]
    arrived = e.RequestArrived("S1", "B01234", "PSS1", 2, template, message_type, body.decode("latin-1"), body)
    try:
        decision = _worn().take().offer(arrived)
    except MappingError:
        return "parked"
    kinds = [entry.kind.value for entry in decision.entries]
    assert kinds or decision.actions, "a request came, and nothing follows"
    return kinds[0] if kinds else "answered"


# --- pushes ------------------------------------------------------------------------------------------------

_PUSH = json.dumps({"data": [world.event(1), world.event(2)]}).encode()


async def _keys() -> Sequence[Mapping[str, Any]]:
    return [dict(world.key("ocp").public_jwk)]


@lru_cache(maxsize=1)
def _door() -> PushDoor:
    return PushDoor(world.ocp_profile(), _keys)


@lru_cache(maxsize=1)
def _signed() -> dict[str, str]:
    return sign(_PUSH)


def pushes(chance: random.Random) -> str:
    """A mutated push: refused by name, or taken and decided on. Every fourth is signed after it was mutated."""
    headers, body = dict(_signed()), _PUSH
    if chance.randrange(3):
        body = mutated(chance, body)
        if chance.randrange(4) == 0:
            headers = sign(body)
    else:
        name = chance.choice(list(headers))
        headers[name] = mutated(chance, headers[name].encode()).decode("latin-1")
    try:
        delivery = _at_once(_door(), headers, body)
    except PushRefused as refusal:
        if refusal.status not in (400, 401):
            raise
        return str(refusal.status)
    _worn().take().offer(e.UpdatesArrived(delivery.events, delivery.delivery_id, delivery.is_late))
    return "taken"


def _at_once(door: PushDoor, headers: Mapping[str, str], body: bytes) -> Delivery:
    return _loop().run_until_complete(door.receive(headers, body, world.NOW))


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


# --- all ---------------------------------------------------------------------------------------------------

KINDS: tuple[tuple[Callable[[random.Random], str], int], ...] = (
    (frames_to_pg, 45),
    (frames_to_pss, 15),
    (messages, 30),
    (pushes, 10),
)
_CHOICES = [kind for kind, share in KINDS for _ in range(share)]


def run(number: int) -> tuple[str, str, float]:
    """Case `number`: its kind, how it ended, and its processor time in seconds. Raises what breaks a law."""
    chance = random.Random(number)
    kind = chance.choice(_CHOICES)
    began = time.process_time()
    outcome = kind(chance)
    took = time.process_time() - began
    assert took < LIMIT_S, f"it took {took:.2f} s"
    return kind.__name__, outcome, took


def run_many(first: int, count: int) -> tuple[Counter[str], float, int, list[str]]:
    """Cases from `first` on: how they ended, the slowest and its number, and what broke a law."""
    ends: Counter[str] = Counter()
    slowest, slowest_number = 0.0, first
    broken: list[str] = []
    for number in range(first, first + count):
        try:
            kind, outcome, took = run(number)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            broken.append(f"{number}: {type(error).__name__}: {error}"[:300])
            continue
        ends[f"{kind}: {outcome}"] += 1
        if took > slowest:
            slowest, slowest_number = took, number
    return ends, slowest, slowest_number, broken


#: whole frames, and text blocks, to begin from
SAMPLES: tuple[bytes, ...] = (*_wire("to_pg"), *_wire("to_pss"), *_BODIES)
